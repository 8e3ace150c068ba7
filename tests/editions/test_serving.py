"""A server serves a workspace that may change: what begins at its desk has the new edition, what goes on the old."""

import asyncio
from pathlib import Path

from stretto.access.roles import EVERYWHERE, Principal, Role
from stretto.bootstrap import serving
from stretto.bootstrap.reloading import Reloading
from stretto.desk import Desk
from tests.editions.place import Site

ANN = Principal(name="ann", roles=frozenset({Role.ADMIN}), workspaces=EVERYWHERE)


async def begun(desk: Desk) -> str:
    """Begin a run at the desk, and wait until its first task is at work."""
    state, _ = await desk.submit(ANN, "go")
    async with desk.watching(ANN, state.run) as followed:
        while not (task := followed.state.tasks.get("stand")) or task.status.value != "running":
            await followed.after(followed.seq)
    return state.run


async def answer(desk: Desk, run: str) -> object:
    async with desk.watching(ANN, run) as followed:
        while not followed.state.status.final:
            await followed.after(followed.seq)
        assert followed.state.delivery is not None
        return followed.state.delivery.answer


async def test_runs_of_two_editions_go_on_side_by_side(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    adopted = asyncio.Event()
    reloading = Reloading(site.folder, tell=lambda reload: adopted.set())
    async with serving(reloading) as service, asyncio.timeout(30):
        old = await begun(service.desk)
        site.word("new")
        await adopted.wait()
        new = await begun(service.desk)
        site.gate.touch()
        assert await answer(service.desk, old) == ["old", "old", "data"]
        assert await answer(service.desk, new) == ["new", "new", "data"]
