"""Runs as they go on, for any number of watchers: one copy of each run, and watchers that pull from it.

Nobody is waited for. A watcher says how far it has read and gets what came after; one that is slow reads more at a
time, one that went away is forgotten. Runs that this process drives are told of by their commits, those of other
processes are looked up in the journal.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from stretto.core.errors import StoreError
from stretto.core.evolve import evolve
from stretto.core.state import RunState
from stretto.ports import Journal, Recorded
from stretto.travel import Past

LOOK_SECONDS = 0.25
"""Seconds between two looks at a run that another process may drive."""

BATCH_SECONDS = 0.1
"""Seconds in which news are gathered before watchers hear of them."""

KEPT = 16
"""Runs kept in memory after nobody watches them any more."""


class Followed:
    """One run and everything that happened in it so far: `state` after the last of its `recorded` events."""

    def __init__(self, journal: Journal, run: str) -> None:
        self._journal, self._run = journal, run
        self._loading = asyncio.Lock()
        self._moved = asyncio.Event()
        self.recorded: list[Recorded] = []
        self.state = RunState()
        self.watchers = 0
        self.past = Past()

    @property
    def seq(self) -> int:
        """The number of the last event; 0 while nothing is known."""
        return len(self.recorded)

    async def load(self) -> None:
        """Take in what the journal holds beyond what is known."""
        async with self._loading:
            self._take(await self._journal.read(self._run, self.seq), None)

    def note(self, state: RunState, told: Sequence[Recorded]) -> None:
        """Take in what this process has committed, unless something before it is not known yet."""
        if told and told[0].seq <= self.seq + 1:
            self._take(told, state)

    async def after(self, seq: int) -> Sequence[Recorded]:
        """Give the events after a number; waits until there are some."""
        while self.seq <= seq:
            await self._moved.wait()
        return self.recorded[seq:]

    def _take(self, told: Sequence[Recorded], state: RunState | None) -> None:
        fresh = [one for one in told if one.seq > self.seq]
        if not fresh:
            return
        self.recorded += fresh
        if state is None:
            state = self.state
            for one in fresh:
                state = evolve(state, one.event)
        self.state = state
        self._moved.set()
        self._moved = asyncio.Event()


class Following:
    """All runs that are watched, or were until a while ago."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._runs: OrderedDict[str, Followed] = OrderedDict()
        self._told: dict[str, tuple[RunState, list[Recorded]]] = {}
        self._flush: asyncio.TimerHandle | None = None
        self._looking: asyncio.Task[None] | None = None

    @property
    def kept(self) -> int:
        """How many runs are in memory."""
        return len(self._runs)

    def __call__(self, state: RunState, told: Sequence[Recorded]) -> None:
        """Note a commit (see `stretto.ports.Follower`); costs next to nothing where nobody watches the run."""
        if state.run not in self._runs:
            return
        _, before = self._told.get(state.run, (state, []))
        before += told
        self._told[state.run] = (state, before)
        if self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(BATCH_SECONDS, self._hand_on)

    async def run(self, run: str) -> Followed:
        """Give a run with all that has happened in it; `seq` is 0 for one that there is not."""
        one = await self._known(run)
        if (told := self._told.pop(run, None)) is not None:
            one.note(*told)  # what this process did itself need not be read
        await one.load()
        return one

    @asynccontextmanager
    async def watching(self, run: str) -> AsyncIterator[Followed]:
        """Watch a run: while this is open, what is new in it is taken in."""
        one = await self._known(run)
        one.watchers += 1
        try:
            await one.load()
            if self._looking is None:
                self._looking = asyncio.create_task(self._look(), name="stretto-following")
            yield one
        finally:
            one.watchers -= 1
            self._forget()

    async def close(self) -> None:
        """Look no more."""
        if self._flush is not None:
            self._flush.cancel()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _known(self, run: str) -> Followed:
        if run not in self._runs:
            self._runs[run] = Followed(self._journal, run)
        self._runs.move_to_end(run)
        self._forget()
        return self._runs[run]

    def _forget(self) -> None:
        idle = [run for run, one in self._runs.items() if not one.watchers]
        for run in idle[: max(0, len(idle) - KEPT)]:
            del self._runs[run]

    def _hand_on(self) -> None:
        """Tell watchers what was gathered; where something before it is missing, the next look finds all of it."""
        self._flush = None
        told, self._told = self._told, {}
        for run, (state, events) in told.items():
            if (one := self._runs.get(run)) is not None and one.watchers:
                one.note(state, events)

    async def _look(self) -> None:
        """Look for what others did to watched runs, and what was missed; what cannot be read is read later."""
        while watched := [run for run, one in self._runs.items() if one.watchers]:
            with contextlib.suppress(StoreError):
                for run, head in zip(watched, await self._journal.heads(watched), strict=True):
                    await self._catch_up(run, head)
            await asyncio.sleep(LOOK_SECONDS)
        self._looking = None

    async def _catch_up(self, run: str, head: int) -> None:
        one = self._runs.get(run)
        if one is not None and head > one.seq:
            with contextlib.suppress(StoreError):  # one that cannot be read keeps nobody from the others
                await one.load()
