"""Follows the journal of a run that another process drives."""

import asyncio
import time
from pathlib import Path

from stretto.bootstrap import find_run, open_store
from stretto.cli.screen import Screen
from stretto.cli.text import local
from stretto.core.evolve import evolve
from stretto.core.state import RunState
from stretto.core.wake import wake
from stretto.ports import Journal

POLL_SECONDS = 0.25
OWNER_SECONDS = 2.0
"""Seconds without news after which it is looked whether anybody drives the run."""


async def follow(store: Path, begins: str, screen: Screen, *, wait: bool, place: str) -> RunState:
    """Show a run until it ends, and give its last state; raises UnknownRun and StoreError.

    Without `wait` it also ends when only a person can help: to answer, or to resume what nobody drives.
    """
    async with open_store(store, must_exist=True) as journal:
        run = await find_run(journal, begins)
        async with screen.drawing():
            state, silent = RunState(), 0.0
            while True:
                fresh = [one.event for one in await journal.read(run, state.seq)]
                for event in fresh:
                    state = evolve(state, event)
                if fresh:
                    screen(state, fresh)
                silent = 0.0 if fresh else silent + POLL_SECONDS
                left = await _nobody_drives(journal, state, run, silent)
                screen.alert(f"{_why_still(state)}; go on: stretto resume {run}{place}" if left else "")
                if state.status.final or (not wait and (left or state.standing.value == "waiting")):
                    return state
                await asyncio.sleep(POLL_SECONDS)


def _why_still(state: RunState) -> str:
    at = wake(state)
    return f"it sleeps until {local(at)}" if at is not None and at > time.time() else "nobody drives this run"


async def _nobody_drives(journal: Journal, state: RunState, run: str, silent: float) -> bool:
    if state.status.final or silent < OWNER_SECONDS:
        return False
    return await journal.owner(run) is None
