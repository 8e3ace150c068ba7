"""A served workspace with a real store, and people of each role."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from stretto.access.roles import EVERYWHERE, Principal, Role
from stretto.bootstrap import Service, open_workspace, serving
from stretto.core.state import RunState
from stretto.desk import Desk

AGENTS = '''"""Agents of the office."""

from stretto import irreversible, pure


@pure
async def shout(word: str) -> str:
    """Say it louder."""
    return word.upper()


@irreversible
async def send(text: str) -> str:
    """Send it."""
    return f"sent {text}"
'''
FILE = """\
name: office
agents:
  - python: agents/office.py
plan: plans/post.yaml
"""
PLAN = """\
inputs:
  word: {kind: value, default: hello}
tasks:
  - {id: loud, skill: office.shout, inputs: {word: {ref: inputs.word}}}
  - {id: post, skill: office.send, inputs: {text: {ref: loud.output}}}
deliver: {ref: post.output}
"""


def workspace(folder: Path) -> Path:
    """Make a workspace whose plan shouts, and sends what was shouted once somebody approves."""
    (folder / "agents").mkdir(parents=True)
    (folder / "plans").mkdir()
    (folder / "agents" / "office.py").write_text(AGENTS)
    (folder / "plans" / "post.yaml").write_text(PLAN)
    (folder / "workspace.yaml").write_text(
        "name: office\nagents:\n  - python: agents/office.py\nplan: plans/post.yaml\n"
    )
    return folder


def somebody(*roles: Role, name: str = "ann", workspaces: frozenset[str] = EVERYWHERE) -> Principal:
    """Give somebody with roles."""
    return Principal(name=name, roles=frozenset(roles), workspaces=workspaces)


ADMIN, VIEWER = somebody(Role.ADMIN), somebody(Role.VIEWER, name="vic")
OPERATOR, APPROVER = somebody(Role.OPERATOR, name="oli"), somebody(Role.APPROVER, name="apu")


@asynccontextmanager
async def office(folder: Path, **more: Any) -> AsyncIterator[Service]:
    """Serve the workspace of a folder; it is made where there is none."""
    place = folder if (folder / "workspace.yaml").exists() else workspace(folder)
    async with serving(open_workspace(place), **more) as service:
        yield service


async def until(desk: Desk, run: str, holds: Callable[[RunState], bool], who: Principal = ADMIN) -> RunState:
    """Watch a run until something holds of it."""
    async with asyncio.timeout(20), desk.watching(who, run) as followed:
        while not holds(followed.state):
            await followed.after(followed.seq)
        return followed.state


def ended(state: RunState) -> bool:
    return state.status.final


def asks(state: RunState) -> bool:
    return bool(state.requests)
