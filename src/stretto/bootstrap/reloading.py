"""A workspace that may change while it is served: what is sound is adopted for new runs, old ones end on theirs."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from stretto.bootstrap.editions import Opening, forget, whole
from stretto.bootstrap.facade import Orchestrator
from stretto.bootstrap.stores import actor
from stretto.bootstrap.words import GONE, leave_word
from stretto.core.commands import ChangeEdition
from stretto.core.errors import BadWorkspace, StrettoError, UsageError
from stretto.core.state import RunState
from stretto.editions import Definition, Editions, FileChange, Tree, definition_of
from stretto.editions.definition import Signature
from stretto.engines.people import Nobody
from stretto.models.definition import ModelsGiven
from stretto.orchestrator import House
from stretto.ports import Engine, Journal, Listener, People
from stretto.workers import RUNS, Houses, Tell, Worker

LOOK_SECONDS = 1.0
"""Seconds between two looks at the files; a change counts once two looks have found the same."""

IDLE_EDITIONS = 8
"""Old editions that stay open although no run of theirs is driven: those used last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reload:
    """A changed workspace was adopted for new runs, or refused, and `said` why; `changes` are None where unknown."""

    kind: Literal["adopted", "refused"]
    edition: str
    said: str = ""
    changes: tuple[FileChange, ...] | None = ()


TellReload: TypeAlias = Callable[[Reload], None]


@dataclass(frozen=True, slots=True)
class _Open:
    team: Orchestrator
    tree: Tree


class Reloading:
    """The editions of a workspace's folder. `current` serves new runs, and each run ends on the edition it began with.

    Opening it keeps and adopts what stands in the folder; where that is broken, the edition that was adopted last
    serves, and `tell` hears what is wrong. Raises BadWorkspace where there is none, StoreError where none can be kept.
    """

    def __init__(
        self,
        folder: Path,
        store: Path | None = None,
        *,
        listeners: Sequence[Listener] = (),
        models: ModelsGiven | None = None,
        tell: TellReload = lambda reload: None,
    ) -> None:
        self.folder = folder.resolve()
        self._opening = Opening(store=store, listeners=listeners, models=models)
        self._editions, self._tell = Editions(self.folder, store), tell
        self._open: dict[str, _Open] = {}  # the one used last stands last
        self._driven: Counter[str] = Counter()
        self._lock = asyncio.Lock()
        self._definition = definition_of(self.folder)
        self._taken: Signature = self._definition.signature()
        self._seen = self._taken
        if not (self.folder / "workspace.yaml").is_file():
            self._opening.standing(self.folder)  # says what is missing
        found, one = self._judged(self._definition)
        if one is None:
            last = self._editions.last_good()
            tree = self._editions.tree(last) if last else None
            if tree is None:
                raise BadWorkspace(found.said)
            one = _Open(self._opening.kept(tree), tree)
        self._current = self._open[one.tree.edition] = one
        self._refused = found.kind == "refused"
        if self._refused:
            self._tell(found)

    @property
    def current(self) -> Orchestrator:
        """Who pursues what begins now."""
        return self._current.team

    @property
    def edition(self) -> str:
        """The edition that new runs begin with."""
        return self._current.tree.edition

    async def watch(self) -> None:
        """Look at the files once a second until cancelled; what goes wrong with keeping editions is told."""
        said = ""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except StrettoError as error:
                if str(error) != said:
                    said = str(error)
                    self._tell(Reload(kind="refused", edition="", said=said))

    async def look(self) -> Reload | None:
        """Look once; gives what came of a change that has settled since the look before, and None for nothing new.

        Raises StoreError when an edition cannot be kept.
        """
        now = await asyncio.to_thread(self._definition.signature)
        if now == self._taken:
            self._seen = now
            return None
        if now != self._seen:
            self._definition = await asyncio.to_thread(definition_of, self.folder)
            self._seen = await asyncio.to_thread(self._definition.signature)
            return None
        async with self._lock:
            definition = await asyncio.to_thread(definition_of, self.folder)
            found, one = await asyncio.to_thread(self._judged, definition)
            settled = await asyncio.to_thread(definition.signature)
        self._definition = definition
        if settled != now:
            self._seen = settled
            return None  # somebody is still writing
        self._taken = self._seen = settled
        return self._taken_in(found, one)

    @asynccontextmanager
    async def worker(
        self, *, runs: int = RUNS, places: int | None = None, tell: Tell = lambda report: None
    ) -> AsyncIterator[Worker]:
        """Open the store for a worker that drives each run in its own edition; see `Orchestrator.worker`."""

        def houses(journal: Journal, below: Engine) -> Houses:
            return self.houses(journal, below=below)

        async with self.current.worker(runs=runs, places=places, tell=tell, houses=houses) as worker:
            yield worker

    def houses(self, journal: Journal, people: People | None = None, *, below: Engine | None = None) -> Houses:
        """Give the houses of all editions over a journal; see `stretto.workers.Houses`."""
        return _Houses(self, journal, people or Nobody(), below)

    @asynccontextmanager
    async def team_for(self, state: RunState) -> AsyncIterator[tuple[Orchestrator, str]]:
        """Give who goes on with a run, for as long as it is driven, and why that is another edition where it is.

        A run that noted none, as those of older releases, goes on with the current one. Raises UsageError when its
        edition cannot be opened any more.
        """
        one, why = await self._open_for(state)
        edition = one.tree.edition
        self._driven[edition] += 1
        try:
            yield one.team, why
        finally:
            self._driven[edition] -= 1
            self._retire()

    async def _open_for(self, state: RunState) -> tuple[_Open, str]:
        async with self._lock:
            edition = state.edition or self.edition
            if edition not in self._open:
                tree = await asyncio.to_thread(self._editions.tree, edition)
                if tree is None:
                    return self._current, GONE
                team = await asyncio.to_thread(self._opening.kept, tree)
                self._open[edition] = _Open(team, tree)
            self._open[edition] = self._open.pop(edition)
            return self._open[edition], ""

    def _judged(self, definition: Definition) -> tuple[Reload, _Open | None]:
        """Keep what a definition's files hold, and open it when it is sound."""
        contents = definition.read()
        if not contents:
            return Reload(kind="refused", edition="", said=f"{self.folder} holds no workspace any more"), None
        edition = self._editions.keep(contents, in_use=list(self._open))
        tree = self._editions.tree(edition)
        one = self._open.get(edition)
        if one is None and tree is not None:
            try:
                one = _Open(whole(self._opening.kept(tree), tree), tree)
            except UsageError as error:
                self._editions.note(edition, "refused", who=actor(), said=str(error))
                return Reload(kind="refused", edition=edition, said=str(error)), None
        entry = self._editions.note(edition, "adopted", who=actor())
        return Reload(kind="adopted", edition=edition, changes=entry.changes if entry is not None else ()), one

    def _taken_in(self, found: Reload, one: _Open | None) -> Reload | None:
        if one is not None:
            if one is self._current and not self._refused:
                return None
            self._current = self._open[found.edition] = one
            self._retire()
        self._refused = one is None
        self._tell(found)
        return found

    def _retire(self) -> None:
        """Close the old editions that no run is driven in, but for those used last."""
        idle = [one for one in self._open if not self._driven[one] and one != self.edition]
        for edition in idle[: max(len(idle) - IDLE_EDITIONS, 0)]:
            forget(self._open.pop(edition).tree)


@dataclass(frozen=True, slots=True)
class _Houses:
    """See `stretto.workers.Houses`."""

    reloading: Reloading
    journal: Journal
    people: People
    below: Engine | None

    @asynccontextmanager
    async def house_for(self, run: str, state: RunState) -> AsyncIterator[House]:
        async with self.reloading.team_for(state) as (team, why):
            if why:
                await leave_word(self.journal, run, ChangeEdition(actor="system", edition=team.edition, reason=why))
            yield team.house(self.journal, self.people, below=self.below)
