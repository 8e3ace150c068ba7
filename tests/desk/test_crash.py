"""Orders under a key, when processes die or race in between: each is one run, and none is lost."""

import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from stretto.bootstrap import Orchestrator, open_workspace, serving
from stretto.core.errors import Conflict
from stretto.journals.sqlite import SqliteJournal
from stretto.ports import Journal, Lease, RunQuery
from tests.desk.office import ADMIN, OPERATOR, asks, office, until, workspace

ROOT = Path(__file__).parents[2]
DYING = """
import asyncio, sys
from contextlib import asynccontextmanager
from pathlib import Path
from stretto.bootstrap import open_workspace, serving
from tests.crash.dying import Death, DyingJournal
from tests.desk.office import OPERATOR

async def main(folder, when):
    team = open_workspace(Path(folder))

    @asynccontextmanager
    async def journal():
        yield DyingJournal(Path(folder) / ".stretto" / "runs.db", Death(when=when, number=1))

    team.journal = journal
    async with serving(team) as service:
        await service.desk.submit(OPERATOR, "say hello", key="k1")

asyncio.run(main(*sys.argv[1:]))
"""


def dies(place: Path, when: str) -> None:
    """Have another server's process take the order, and die before or after it is in the journal."""
    command = [sys.executable, "-c", DYING, str(place), when]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_order_whose_server_died_over_it_is_the_same_run_when_it_comes_again(
    tmp_path: Path, when: str
) -> None:
    place = workspace(tmp_path / "w")
    dies(place, when)
    async with office(place) as service:
        state, new = await service.desk.submit(OPERATOR, "say hello", key="k1")
        assert new is (when == "before")
        await until(service.desk, state.run, asks)
        again, new = await service.desk.submit(OPERATOR, "say hello", key="k1")
        assert (again.run, new) == (state.run, False)
        assert [one.run for one in (await service.desk.runs(ADMIN, RunQuery())).runs] == [state.run]


async def test_an_order_whose_server_died_is_done_by_the_other_one_of_the_store(tmp_path: Path) -> None:
    place = workspace(tmp_path / "w")
    async with office(place) as service:
        dies(place, "after")
        (begun,) = (await service.desk.runs(ADMIN, RunQuery())).runs
        await until(service.desk, begun.run, asks)


class Overtaken(SqliteJournal):
    """A journal whose process is slow to claim a run: another does something first."""

    def __init__(self, path: Path, first: Callable[[], Awaitable[object]]) -> None:
        super().__init__(path)
        self._first = first

    async def claim(self, run: str) -> Lease:
        await self._first()
        return await super().claim(run)


def overtaken(place: Path, first: Callable[[], Awaitable[object]]) -> Orchestrator:
    """Give a team over such a journal."""
    team = open_workspace(place)

    @asynccontextmanager
    async def journal() -> AsyncIterator[Journal]:
        journal = Overtaken(place / ".stretto" / "runs.db", first)
        try:
            yield journal
        finally:
            await journal.close()

    team.journal = journal  # type: ignore[method-assign]
    return team


@pytest.mark.parametrize("goal", ["say hello", "say something else"])
async def test_of_two_servers_that_take_an_order_under_one_key_one_begins_it(tmp_path: Path, goal: str) -> None:
    place = workspace(tmp_path / "w")
    async with office(place) as quick:

        async def first() -> None:
            state, _ = await quick.desk.submit(OPERATOR, "say hello", key="k1")
            await until(quick.desk, state.run, asks)

        async with serving(overtaken(place, first)) as slow:
            if goal == "say hello":
                state, new = await slow.desk.submit(OPERATOR, goal, key="k1")
                assert not new
                assert asks(state), "it is the one that the other has begun"
            else:
                with pytest.raises(Conflict, match="another order"):
                    await slow.desk.submit(OPERATOR, goal, key="k1")
            assert len((await slow.desk.runs(ADMIN, RunQuery())).runs) == 1
