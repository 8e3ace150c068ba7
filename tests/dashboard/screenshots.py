"""Take the pictures of the documentation: `python -m tests.dashboard.screenshots [FOLDER]`.

They show two examples that need no model, in a browser on this machine: `market-report`, and `it-operations`, which
waits for a person. Each is a PNG below 200 kB.
"""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Page

from stretto.bootstrap import open_workspace, serving
from stretto.core.state import RunState
from tests.dashboard.browser import LAPTOP, PHONE, SECONDS, Server, a_browser, visiting
from tests.desk.office import ADMIN, until

ROOT: Final = Path(__file__).parents[2]
LARGEST: Final = 200_000
"""Bytes of a picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A picture: the page's address, and what is done on it before."""

    name: str
    address: str
    scheme: Literal["light", "dark"] = "light"
    size: tuple[int, int] = LAPTOP
    first: Callable[[Page], None] = lambda page: None
    example: str = "market-report"


def _plan(page: Page) -> None:
    page.get_by_role("button", name="Show the plan first").click()
    page.get_by_role("heading", name="The plan").scroll_into_view_if_needed()


SHOTS: Final = (
    Shot(name="runs", address="/"),
    Shot(name="new-run", address="/new", first=_plan),
    Shot(name="result", address="/runs/{run}"),
    Shot(name="graph", address="/runs/{run}?tab=graph"),
    Shot(name="timeline", address="/runs/{run}?tab=timeline", scheme="dark"),
    Shot(name="tasks", address="/runs/{run}?tab=tasks"),
    Shot(name="past", address="/runs/{run}?tab=events&at=12"),
    Shot(name="audit", address="/runs/{run}?tab=audit"),
    Shot(name="agents", address="/agents"),
    Shot(name="numbers", address="/numbers"),
    Shot(name="inbox", address="/inbox", example="it-operations"),
    Shot(name="inbox-phone", address="/inbox", example="it-operations", scheme="dark", size=PHONE),
    Shot(name="phone", address="/runs/{run}", scheme="dark", size=PHONE),
)


async def _run(folder: Path) -> str:
    """Pursue the example's goal, and another one, so that the list has something to show."""

    def settled(state: RunState) -> bool:
        return state.status.final or bool(state.requests)

    async with asyncio.timeout(4 * SECONDS), serving(open_workspace(folder)) as service:
        goal = service.desk.team.workspace.goal if service.desk.team.workspace else ""
        if folder.name == "market-report":
            refused, _ = await service.desk.submit(ADMIN, "Bake a cake for the spring fair")
            await until(service.desk, refused.run, settled)
        begun, _ = await service.desk.submit(ADMIN, goal)
        await until(service.desk, begun.run, settled)
        return begun.run


def take(folder: Path) -> None:
    """Write all pictures into a folder."""
    for example in dict.fromkeys(shot.example for shot in SHOTS):
        with tempfile.TemporaryDirectory() as temporary:
            workspace = Path(temporary) / example
            leave_out = shutil.ignore_patterns(".stretto", "__pycache__")
            shutil.copytree(ROOT / "examples" / example, workspace, ignore=leave_out)
            run = asyncio.run(_run(workspace))
            server = Server(workspace)
            server.start()
            try:
                with a_browser() as browser:
                    for shot in SHOTS:
                        if shot.example == example:
                            with visiting(browser, server.url, scheme=shot.scheme, size=shot.size) as visit:
                                _take(visit.open(shot.address.format(run=run)), shot, folder)
            finally:
                server.kill()


def _take(page: Page, shot: Shot, folder: Path) -> None:
    shot.first(page)
    page.wait_for_load_state("networkidle")
    file = folder / f"{shot.name}.png"
    page.screenshot(path=file)
    if file.stat().st_size > LARGEST:
        raise ValueError(f"{file} has {file.stat().st_size} bytes; show less on it")


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    target.mkdir(parents=True, exist_ok=True)
    take(target)
