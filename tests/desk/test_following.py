"""Runs as they go on: nothing is missed, whoever drives them and whatever fails meanwhile."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from stretto.core.domain import AgentCard, Catalogue
from stretto.core.errors import StoreError
from stretto.core.events import Event, RunPaused, RunSubmitted
from stretto.core.evolve import evolve
from stretto.core.state import RunState
from stretto.desk import Following
from stretto.desk.following import KEPT
from stretto.journals.memory import MemoryJournal
from stretto.orchestrator import summary
from stretto.ports import Recorded
from tests.desk.office import OPERATOR, VIEWER, asks, office, until


class Journal(MemoryJournal):
    """A journal that can be out of order for a while."""

    broken = False
    unreadable: frozenset[str] = frozenset()

    def __init__(self) -> None:
        super().__init__()
        self.refused = asyncio.Event()

    async def heads(self, streams: Sequence[str]) -> Sequence[int]:
        if self.broken:
            self.refused.set()
            raise StoreError("the disk is full")
        return await super().heads(streams)

    async def read(self, run: str, after: int = 0) -> Sequence[Recorded]:
        if run in self.unreadable:
            raise StoreError(f"content of run {run} is not in the store any more")
        return await super().read(run, after)


class Told:
    """A run whose facts a test writes."""

    def __init__(self, journal: MemoryJournal, run: str = "r") -> None:
        self._journal, self._run = journal, run
        self.state, self.recorded = RunState(), list[Recorded]()

    async def write(self, event: Event) -> tuple[RunState, list[Recorded]]:
        lease = await self._journal.claim(self._run)
        self.state = evolve(self.state, event)
        await self._journal.append(lease, len(self.recorded), [("system", event)], summary(self.state))
        await self._journal.release(lease)
        self.recorded.append(Recorded(seq=len(self.recorded) + 1, actor="system", event=event))
        return self.state, self.recorded[-1:]


def submitted(run: str = "r") -> RunSubmitted:
    return RunSubmitted(run=run, goal="g", inputs={}, catalogue=Catalogue(agents=(AgentCard(name="a"),)), at=1.0)


def paused(reason: str) -> RunPaused:
    return RunPaused(reason=reason, by="ann", at=2.0)


async def heard(following: Following, run: str, reason: str) -> None:
    """Watch a run until it is paused for this reason."""
    async with asyncio.timeout(20), following.watching(run) as followed:
        while followed.state.paused != reason:
            await followed.after(followed.seq)


async def test_whoever_asks_next_sees_what_was_done_also_of_a_run_that_is_watched(tmp_path: Path) -> None:
    async with office(tmp_path / "w") as service:
        desk = service.desk
        state, _ = await desk.submit(OPERATOR, "say hello")
        await until(desk, state.run, asks)
        async with desk.watching(VIEWER, state.run):
            for reason in ("lunch", "tea", "supper"):
                while (await desk.pause(OPERATOR, state.run, reason)).paused != reason:
                    pass  # whoever drives it has not read it yet
                assert (await desk.run(VIEWER, state.run)).paused == reason
                while (await desk.resume(OPERATOR, state.run)).paused is not None:
                    pass
                assert (await desk.run(VIEWER, state.run)).paused is None


async def test_a_watcher_hears_what_came_before_a_run_was_taken_over_however_busy_that_is() -> None:
    journal = Journal()
    following, told = Following(journal), Told(journal)
    await told.write(submitted())
    async with following.watching("r") as followed:
        await told.write(paused("by another process, which told nobody here"))

        async def busy() -> None:
            while followed.seq < 3:
                following(*await told.write(paused("again")))
                await asyncio.sleep(0)

        async with asyncio.timeout(20):
            await busy()
        assert [one.seq for one in followed.recorded[:3]] == [1, 2, 3]
    await following.close()


async def test_a_store_that_cannot_be_read_for_a_while_is_looked_into_again() -> None:
    journal = Journal()
    following, told, other = Following(journal), Told(journal), Told(journal, "other")
    await told.write(submitted())
    await other.write(submitted("other"))
    async with following.watching("other"):
        journal.broken, journal.unreadable = True, frozenset({"other"})
        await other.write(paused("unread"))
        await told.write(paused("lunch"))
        watching = asyncio.create_task(heard(following, "r", "tea"))
        await journal.refused.wait()
        journal.broken = False
        await told.write(paused("tea"))
        await watching
    await following.close()


async def test_watchers_that_are_gone_are_forgotten_and_runs_nobody_watches_are_few() -> None:
    journal = Journal()
    following = Following(journal)
    for number in range(3 * KEPT):
        await Told(journal, f"r{number}").write(submitted(f"r{number}"))
        async with following.watching(f"r{number}") as followed:
            assert followed.seq == 1
    assert following.kept == KEPT
    await following.close()
