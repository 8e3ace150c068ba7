"""Opening the store, finding a run in it, and who asks."""

import getpass
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from stretto.core.errors import UnknownRun, UsageError
from stretto.journals.sqlite import SqliteJournal
from stretto.orchestrator import load
from stretto.ports import Journal, RunQuery, RunSummary

MOST_ALIKE = 1000
"""Runs looked through for the one whose id is given in part."""


@asynccontextmanager
async def open_store(path: Path, *, must_exist: bool = False) -> AsyncIterator[Journal]:
    """Open a store; raises StoreError, and UsageError when it must exist and does not."""
    if must_exist:
        _must_exist(path)
    journal = SqliteJournal(path)
    try:
        yield journal
    finally:
        await journal.close()


async def find_run(journal: Journal, begins: str) -> str:
    """Give the run whose id begins so; `last` is the newest. Raises UnknownRun."""
    wanted = "" if begins == "last" else begins.encode(errors="replace").decode()
    found: Sequence[RunSummary] = await journal.runs(RunQuery(begins=wanted, limit=MOST_ALIKE, teams="." in wanted))
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


def actor() -> str:
    """Give whoever runs this program, as the actor of a command."""
    return f"person:{user()}"


def user() -> str:
    """Give the name of whoever runs this program."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"


def _must_exist(store: Path) -> None:
    if not store.exists():
        raise UsageError(f"there is no store {store} yet; a first run makes it, or name another with --store")
