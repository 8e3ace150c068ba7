"""A process that dies as by `kill -9`: at an append to its journal, or in a deed, done and not yet heard of."""

import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from stretto import Orchestrator
from stretto.core.events import Event
from stretto.journals.sqlite import SqliteJournal
from stretto.ports import Journal, Lease, RunSummary

When: TypeAlias = Literal["before", "after", "during"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """When a life ends: before or after its n-th append, or in its n-th deed; never, where n is 0."""

    when: When
    number: int

    def meet(self, when: When, number: int) -> None:
        """Die, if this is the moment."""
        if (when, number) == (self.when, self.number):
            os.kill(os.getpid(), signal.SIGKILL)


NEVER = Death(when="after", number=0)


class DyingJournal(SqliteJournal):
    """A real journal in a process that dies at a chosen append."""

    def __init__(self, path: Path, death: Death) -> None:
        super().__init__(path)
        self._death, self._appends = death, 0

    async def append(
        self, lease: Lease, after: int, facts: Sequence[tuple[str, Event]], summary: RunSummary, *more: Any
    ) -> None:
        self._appends += 1
        self._death.meet("before", self._appends)
        await super().append(lease, after, facts, summary, *more)
        self._death.meet("after", self._appends)


class Mortal(Orchestrator):
    """An orchestrator over the dying journal."""

    def __init__(self, agents: Sequence[Any], *, store: Path, death: Death, **options: Any) -> None:
        super().__init__(agents, **options)
        self._store, self._death = store, death

    @asynccontextmanager
    async def journal(self) -> AsyncIterator[Journal]:
        journal = DyingJournal(self._store, self._death)
        try:
            yield journal
        finally:
            await journal.close()
