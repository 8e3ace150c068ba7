"""Finding a run in a store, and naming a new one."""

import uuid
from datetime import UTC, datetime

from stretto.core.errors import UnknownRun
from stretto.orchestrator import load
from stretto.ports import Journal, RunQuery

MOST_ALIKE = 1000
"""Runs looked through for the one whose id is given in part."""


async def find_run(journal: Journal, begins: str) -> str:
    """Give the run whose id begins so; `last` is the newest. Raises UnknownRun."""
    wanted = "" if begins == "last" else begins.encode(errors="replace").decode()
    found = await journal.runs(RunQuery(begins=wanted, limit=MOST_ALIKE, teams="." in wanted))
    if found and (begins == "last" or len(found) == 1):
        return found[0].run
    if not found:
        raise UnknownRun(f"there is no run {begins!r} in this store; `stretto runs` lists them")
    if begins not in {one.run for one in found}:
        raise UnknownRun(f"more than one run begins with {begins!r}; give more of its id")
    return begins


async def parent_of(journal: Journal, run: str) -> str:
    """Give the run whose task this one is; empty for one that somebody began."""
    return (await load(journal, run)).parent if "." in run else ""


def new_run_id() -> str:
    """Give a new id: the day, and enough chance never to meet another."""
    return f"{datetime.now(UTC):%Y%m%d}-{uuid.uuid4().hex[:10]}"
