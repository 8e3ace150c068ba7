"""A worker drives the runs of a store that nobody drives, each when it has something to do.

Any number of workers may share a store: the lease of a run decides who drives it, and whoever comes second leaves
without a word.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from stretto.core.errors import OwnedElsewhere, StrettoError, UsageError
from stretto.core.events import Event
from stretto.core.state import RunState
from stretto.core.wake import wake
from stretto.orchestrator import Conductor, House, load
from stretto.ports import Clock, Engine, RunSummary
from stretto.views import moment

RUNS = 16
"""Runs that a worker drives at once unless told otherwise."""

LOOK_SECONDS = 1.0
"""Seconds between two looks into the store while nothing else happens."""

FIRST_REST, LONGEST_REST = 1.0, 300.0
"""Seconds that a run is left alone after it could not be driven: at first, and at most."""

PATIENCE = 1.5
"""Seconds that runs have to be given back when the worker stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What happened to a run, in words; `state` is how the drive left it, where there was one."""

    run: str
    kind: Literal["taken", "ended", "resting", "returned", "broken", "foreign"]
    what: str
    state: RunState | None = None


Tell: TypeAlias = Callable[[Report], None]


class Houses(Protocol):
    """Where runs are at home: each with the agents and rules that it began with."""

    def house_for(self, run: str, state: RunState) -> AbstractAsyncContextManager[House]:
        """Give the house that a run is driven in, for as long as that takes; its journal is the worker's own.

        May leave word for the run before it is driven. Raises UsageError where there is none for it.
        """
        ...


class Worker:
    """Drives runs of one store and one workspace, as many as `runs` at once, all on one engine.

    Each is driven in the `house`, or in that which `houses` have for it.

    It takes up those that have work left or a timer that is due, and those with a note in their inbox, and leaves
    each when it has ended, sleeps, or waits for a person. A run that cannot be driven is told of and left alone for a
    while, twice as long each time; one of another workspace for good. Raises UsageError for less than one run.
    """

    def __init__(
        self,
        house: House,
        engine: Engine,
        *,
        houses: Houses | None = None,
        workspace: str = "",
        runs: int = RUNS,
        tell: Tell = lambda report: None,
    ) -> None:
        if runs < 1:
            raise UsageError(f"a worker that drives {runs} runs at once does nothing; give at least 1")
        self._house, self._engine, self._houses = house, engine, houses
        self._workspace, self._runs, self._tell = workspace, runs, tell
        self._driven: dict[str, asyncio.Task[None]] = {}
        self._foreign: set[str] = set()
        self._resting: dict[str, _Rest] = {}
        self._nudged = asyncio.Event()

    def nudge(self) -> None:
        """Have it look into the store now, for somebody has left something there."""
        self._nudged.set()

    async def work(self, *, once: bool = False) -> None:
        """Work until cancelled, then give every run back; with `once`, only until nothing is due any more.

        Raises StoreError when the store cannot be read.
        """
        try:
            while True:
                found = await self._take_up()
                if once and not found and not self._driven:
                    return
                await self._until_worth_a_look()
        finally:
            await self._give_back()

    async def _take_up(self) -> bool:
        """Begin to drive what is due, as far as there is room; say whether anything was found."""
        room = self._runs - len(self._driven)
        if not room:
            return False
        now = asyncio.get_running_loop().time()
        self._resting = {run: rest for run, rest in self._resting.items() if rest.until > now - LONGEST_REST}
        resting = (run for run, rest in self._resting.items() if rest.until > now)
        skip = {*self._driven, *self._foreign, *resting}
        found = await self._house.journal.due(self._house.clock.now(), skip=skip, limit=room)
        for one in found:
            self._driven[one.run] = asyncio.create_task(self._drive(one), name=f"stretto-run-{one.run}")
        return bool(found)

    async def _until_worth_a_look(self) -> None:
        """Return when a drive has ended or somebody nudges, and otherwise when it is time for another look."""
        nudge = asyncio.create_task(self._nudged.wait())
        await asyncio.wait([nudge, *self._driven.values()], timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        nudge.cancel()
        self._nudged.clear()
        self._driven = {run: drive for run, drive in self._driven.items() if not drive.done()}

    async def _drive(self, one: RunSummary) -> None:
        run = one.run
        witness = _Witness(self._house.clock, self._tell)
        try:
            if (why := await self._why_foreign(one)) is not None:
                self._foreign.add(run)
                self._tell(Report(run=run, kind="foreign", what=f"left alone: it {why}"))
                return
            async with self._home_of(run) as home:
                house = replace(home, listeners=(*home.listeners, witness))
                state = await self._engine.drive(run, Conductor(house), wait=False)
        except OwnedElsewhere:
            return
        except asyncio.CancelledError:
            if witness.took and witness.state is not None:
                what = f"given back, {_progress(witness.state)}"
                self._tell(Report(run=run, kind="returned", what=what, state=witness.state))
            raise
        except Exception as error:
            said = str(error) if isinstance(error, StrettoError) else f"{type(error).__name__}: {error}"
            what = f"cannot be driven: {said}; left alone for {self._rest(run):g} s"
            self._tell(Report(run=run, kind="broken", what=what))
            return
        if witness.took:
            self._tell(_left(state))
        if witness.moved:
            self._resting.pop(run, None)
        elif witness.took:
            self._rest(run)

    @asynccontextmanager
    async def _home_of(self, run: str) -> AsyncIterator[House]:
        if self._houses is None:
            yield self._house
            return
        state = await load(self._house.journal, run)
        async with self._houses.house_for(run, state) as house:
            yield replace(house, followers=self._house.followers, historians=self._house.historians)

    def _rest(self, run: str) -> float:
        """Leave a run alone for a while, and give the seconds."""
        before = self._resting.get(run)
        seconds = FIRST_REST if before is None else min(before.seconds * 2, LONGEST_REST)
        self._resting[run] = _Rest(seconds, asyncio.get_running_loop().time() + seconds)
        return seconds

    async def _why_foreign(self, one: RunSummary) -> str | None:
        """Say why a run is not for this worker, or None when it is."""
        if not _same_folder(one.workspace, self._workspace):
            return f"belongs to the workspace {one.workspace}" if one.workspace else "belongs to no workspace"
        if one.workspace and "." not in one.run:
            return None
        state = await load(self._house.journal, one.run)
        if state.parent:
            return f"is a team's work for the run {state.parent}"
        if one.workspace:
            return None
        missing = [card.name for card in state.catalogue.agents if self._house.registry.get(card.name) is None]
        return f"needs agents that are not here: {', '.join(missing)}" if missing else None

    async def _give_back(self) -> None:
        for drive in self._driven.values():
            drive.cancel()
        if self._driven:
            await asyncio.wait(self._driven.values(), timeout=PATIENCE)


@dataclass(frozen=True, slots=True)
class _Rest:
    seconds: float
    until: float  # on the clock of the loop


class _Witness:
    """Sees what a drive finds and does: nothing at all, where another worker was quicker."""

    def __init__(self, clock: Clock, tell: Tell) -> None:
        self._clock, self._tell = clock, tell
        self.state: RunState | None = None
        self.took = self.moved = False

    def __call__(self, state: RunState, events: Sequence[Event]) -> None:
        due = wake(state) if self.state is None else None
        self.state = state
        self.moved = self.moved or bool(events)
        if not self.took and (self.moved or (due is not None and due <= self._clock.now())):
            self.took = True
            self._tell(Report(run=state.run, kind="taken", what=f"taken up, {_progress(state)}", state=state))


def _left(state: RunState) -> Report:
    """Say how a drive left a run."""
    if state.status.final:
        what = f"{state.status.value}, {_progress(state)}, cost {state.spent}"
        return Report(run=state.run, kind="ended", what=what, state=state)
    asked = sorted({request.task or "the goal" for request in state.requests.values()})
    said = [f"is paused: {state.paused}"] if state.paused is not None else []
    said += [f"waits for a person: {', '.join(asked)}"] if asked else []
    if (at := wake(state)) is not None:
        said.append(f"sleeps until {moment(at)}")
    return Report(run=state.run, kind="resting", what="; ".join(said), state=state)


def _progress(state: RunState) -> str:
    return f"{state.completed} of {state.planned} tasks done"


def _same_folder(one: str, other: str) -> bool:
    return one == other or bool(one and other and Path(one).resolve() == Path(other).resolve())
