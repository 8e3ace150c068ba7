"""A new owner after every single append: the run goes on from wherever the journal stands."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from stretto import Assignment, Orchestrator, irreversible, plan, pure, ref, task
from stretto.core.audit import broken_link
from stretto.core.errors import LostOwnership
from stretto.core.events import Event
from stretto.journals.sqlite import SqliteJournal
from stretto.ports import Journal, Lease, RunSummary
from stretto.views import Run

world: Counter[str] = Counter()
thoughts: Counter[str] = Counter()


@pure
async def think(name: str) -> str:
    """Think."""
    thoughts[name] += 1
    return name.upper()


def paid(name: str, work: Assignment) -> str | None:
    """Tell whether it was paid."""
    return f"paid {name}" if world[work.key] else None


@irreversible(lookup=paid)
async def pay(name: str, work: Assignment) -> str:
    """Pay."""
    world[work.key] += 1
    return f"paid {name}"


class Mortal(SqliteJournal):
    """Its owner is gone right after so many appends have reached the disk."""

    appends = 1

    async def append(
        self, lease: Lease, after: int, facts: Sequence[tuple[str, Event]], summary: RunSummary, *more: Any
    ) -> None:
        if self.appends <= 0:
            raise LostOwnership("dead")
        await super().append(lease, after, facts, summary, *more)
        self.appends -= 1
        if self.appends <= 0 and summary.status not in ("finished", "partial", "failed"):
            raise LostOwnership("died right after an append")


class Team(Orchestrator):
    """Opens a journal of a short life every time; the last of `lives` is the one that all later ones have."""

    store: Path
    lives: list[int]

    @asynccontextmanager
    async def journal(self) -> AsyncIterator[Journal]:
        journal = Mortal(self.store)
        journal.appends = self.lives.pop(0) if len(self.lives) > 1 else self.lives[0]
        try:
            yield journal
        finally:
            await journal.close()


FOREVER = 10_000


@pytest.mark.parametrize("lives", [*([n, FOREVER] for n in range(1, 16)), [3], [4], [5]], ids=str)
def test_a_restart_after_any_append_changes_nothing(lives: list[int], tmp_path: Path) -> None:
    world.clear()
    thoughts.clear()
    team = Team([think, pay], parallel=2)
    team.store, team.lives = tmp_path / "runs.db", list(lives)
    job = plan(
        task("think", think, for_each=["a", "b", "c"], name=ref("item")),
        task("pay", pay, for_each=ref("think"), name=ref("item")),
        task("last", think, name="z", after=["pay"]),
        deliver=[ref("pay"), ref("last")],
    )

    async def live() -> Run:
        try:
            return await team.run("pay", plan=job, approve="all", run_id="r")
        except LostOwnership:
            for _ in range(100):
                try:
                    return await team.resume("r", approve="all")
                except LostOwnership:
                    continue
        raise AssertionError("it never ends")

    run = asyncio.run(live())
    assert run.status == "finished"
    assert run.answer == [["paid A", "paid B", "paid C"], "Z"]
    assert set(world.values()) == {1}
    assert len(world) == 3

    async def chain() -> int | None:
        journal = SqliteJournal(tmp_path / "runs.db")
        found = broken_link(await journal.envelopes("r"))
        await journal.close()
        return found

    assert asyncio.run(chain()) is None
