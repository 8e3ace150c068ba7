"""A job that changes the world and can be killed at any append: `python job.py STORE WORLD [--kill-at N --when W]`.

The world is a file that only ever grows: one line per action, with its key. `--when` is `before` or `after` the
N-th append, or `during` the N-th action.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from stretto import Assignment, Orchestrator, idempotent, irreversible, plan, pure, ref, reversible, task
from stretto.core.events import Event
from stretto.journals.sqlite import SqliteJournal
from stretto.ports import Journal, Lease, RunSummary

parser = argparse.ArgumentParser()
parser.add_argument("store", type=Path)
parser.add_argument("world", type=Path)
parser.add_argument("--kill-at", type=int, default=0)
parser.add_argument("--when", choices=["before", "after", "during"], default="after")
parser.add_argument("--resume", action="store_true")
options = parser.parse_args()

RUN = "20260101-crashtest0"
happened = 0


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def act(kind: str, key: str, name: str) -> None:
    """Do something to the world, whole and for good; maybe die right after, before anybody hears of it."""
    global happened
    line = json.dumps({"kind": kind, "key": key, "name": name}) + "\n"
    handle = os.open(options.world, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, line.encode())
    os.fsync(handle)
    os.close(handle)
    happened += 1
    if options.when == "during" and happened == options.kill_at:
        die()


def seen(key: str) -> dict[str, str] | None:
    if not options.world.exists():
        return None
    for line in options.world.read_text().splitlines():
        found = json.loads(line)
        if found["key"] == key and found["kind"] == "pay":
            return dict(found)
    return None


@pure
async def think(name: str, work: Assignment) -> str:
    """Think of something; changes nothing, but its runs are counted."""
    act("think", work.key, name)
    return name.upper()


def paid(name: str, work: Assignment) -> str | None:
    """Tell whether this payment was made."""
    found = seen(work.key)
    return None if found is None else f"paid {found['name']}"


@irreversible(lookup=paid)
def pay(name: str, thoughts: list[str], work: Assignment) -> str:
    """Pay somebody: must happen once and only once."""
    act("pay", work.key, name)
    return f"paid {name}"


@reversible(lookup=paid)
async def book(name: str, work: Assignment) -> str:
    """Book a place."""
    act("pay", work.key, name)
    return f"paid {name}"


@idempotent
def tell(said: list[str], booked: str) -> str:
    """Tell what was done."""
    return "; ".join([*said, booked])


@pure
def flaky(name: str, work: Assignment) -> str:
    """Fail the first time ever, so that there is a timer too."""
    first = not options.world.exists() or '"flaky"' not in options.world.read_text()
    act("flaky", work.key, name)
    if first:
        raise ConnectionError("the line was busy")
    return name


class Dying(SqliteJournal):
    """A real journal in a process that dies at a chosen append."""

    count = 0

    async def append(
        self, lease: Lease, after: int, facts: Sequence[tuple[str, Event]], summary: RunSummary, *more: Any
    ) -> None:
        self.count += 1
        if options.when == "before" and self.count == options.kill_at:
            die()
        await super().append(lease, after, facts, summary, *more)
        if options.when == "after" and self.count == options.kill_at:
            die()


class Team(Orchestrator):
    """An orchestrator over the dying journal."""

    @asynccontextmanager
    async def journal(self) -> AsyncIterator[Journal]:
        journal = Dying(options.store)
        try:
            yield journal
        finally:
            await journal.close()


job = plan(
    task("ideas", think, for_each=["a", "b", "c"], name=ref("item")),
    task("line", flaky, name="line"),
    task("pay", pay, name="ann", thoughts=ref("ideas"), after=["line"]),
    task("pays", pay, for_each=["bob", "eve", "bob"], name=ref("item"), thoughts=ref("ideas")),
    task("book", book, name="hall", after=["ideas"]),
    task("tell", tell, said=ref("pays"), booked=ref("book"), after=["pay"]),
    deliver=ref("tell"),
)


async def main() -> None:
    team = Team([think, pay, book, tell, flaky], parallel=3)
    if options.resume:
        run = await team.resume(RUN, approve="all")
    else:
        run = await team.run("pay everybody once", plan=job, approve="all", run_id=RUN)
    json.dump(run.as_json(), sys.stdout)


asyncio.run(main())
