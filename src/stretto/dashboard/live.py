"""A run as an open page sees it: as it goes on, at most a few times a second, or as it was at a point of the past."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from stretto.core.domain import RunStatus
from stretto.core.state import RunState
from stretto.dashboard.actions import RECORDED, RUN
from stretto.dashboard.shell import Frame
from stretto.ports import Recorded

LEAST_PAUSE = 0.25
"""Seconds between two pictures."""
TICK = 2.0
"""Seconds after which a run that works is shown anew though nothing was recorded: its expectations move with time."""

Change = Callable[[RunState, float], None]


class LiveRun:
    """One run on one page. `state` and `recorded` are replaced, never changed.

    Where `at` is given, the run is as it was then, and nothing moves.
    """

    def __init__(self, frame: Frame, run: str, at: str | None = None) -> None:
        self._frame, self.run, self.at = frame, run, at
        self.state = RunState()
        self.recorded: Sequence[Recorded] = ()
        self._changes: list[Change] = []

    @property
    def past(self) -> bool:
        """Whether this is a look at the past."""
        return self.at is not None

    @property
    def now(self) -> float:
        """The moment that the page shows, in seconds since the epoch."""
        return self.state.at if self.past else time.time()

    def on_change(self, change: Change) -> None:
        """Call this with the state and the moment, now and whenever there is something new."""
        self._changes.append(change)
        change(self.state, self.now)

    async def load(self) -> None:
        """Take in the run. Raises UnknownRun, Forbidden, and UsageError for a point that it never was at."""
        self.state = await self._frame.visitor.do(RUN, self.run, self.at)
        self.recorded = (await self._frame.visitor.do(RECORDED, self.run))[: self.state.seq]

    def follow(self) -> None:
        """Go on with the run as long as the page is open."""
        if not self.past:
            self._frame.while_open(self._follow)

    async def _follow(self) -> None:
        async with self._frame.visitor.watching(self.run) as followed:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(TICK if self._moves else None):
                        await followed.after(self.state.seq)
                await self._frame.client.connected()
                self._frame.visitor.who()
                self.state, self.recorded = followed.state, followed.recorded
                await self._frame.board.brush.draw(self._draw)
                await asyncio.sleep(LEAST_PAUSE)

    def _draw(self) -> None:
        for change in self._changes:
            change(self.state, self.now)

    @property
    def _moves(self) -> bool:
        return self.state.standing in (RunStatus.RUNNING, RunStatus.PLANNING)
