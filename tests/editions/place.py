"""A workspace whose code can be changed while it is served."""

import asyncio
import os
from pathlib import Path

from stretto.bootstrap.reloading import Reload, Reloading

WORKSPACE = "name: tests\nagents: [agents/job.py]\nplan: plan.yaml\n"
PLAN = """
tasks:
  stand: {skill: job.stand, inputs: {file: GATE}}
  here: {skill: job.here, after: [stand]}
  apart: {skill: job.apart, after: [stand]}
  data: {skill: job.data, after: [stand]}
deliver: [{ref: here.output}, {ref: apart.output}, {ref: data.output}]
"""
CODE = '''
"""Agents that say which code they are."""
import asyncio
from pathlib import Path
from words import WORD
from stretto import agent, pure

@pure
async def stand(file: str) -> str:
    """Stay until there is a file."""
    async with asyncio.timeout(60):
        while not Path(file).exists():
            await asyncio.sleep(0.01)
    return "stood"

@pure
async def here() -> str:
    """Say which code this is."""
    return WORD

@pure(isolated=True)
def apart() -> str:
    """Say which code another process loads."""
    return WORD

@pure
async def data() -> str:
    """Give what lies beside the workspace's code."""
    return (Path(__file__).parent.parent / "data" / "note.txt").read_text()
'''


class Site:
    """A workspace's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.gate = folder, folder.parent / "gate"
        for name in ("agents", "data"):
            (folder / name).mkdir(parents=True)
        self.write("workspace.yaml", WORKSPACE)
        self.write("plan.yaml", PLAN.replace("GATE", str(self.gate)))
        self.write("agents/job.py", CODE)
        self.word("old")
        self.write("data/note.txt", "data")

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def word(self, word: str) -> None:
        self.write("agents/words.py", f"WORD = {word!r}\n")


class Told:
    """Keeps what a reloading tells."""

    def __init__(self) -> None:
        self.reloads: list[Reload] = []

    def __call__(self, reload: Reload) -> None:
        self.reloads.append(reload)


async def settled(reloading: Reloading) -> Reload | None:
    """Look as often as it takes for a change to settle."""
    for _ in range(4):
        if (found := await reloading.look()) is not None:
            return found
        await asyncio.sleep(0)
    return None


def touched(path: Path) -> None:
    """Give a file another moment, with the same content."""
    found = path.stat()
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns + 1))
