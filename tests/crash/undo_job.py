"""A job whose bookings are undone, and that can be killed at any append: `python undo_job.py STORE WORLD ...`.

The world is a file that only ever grows. `--when` is `before` or `after` the N-th append, or `during`
the N-th undoing, right after it happened.
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

from stretto import Assignment, Orchestrator, irreversible, plan, pure, ref, reversible, task
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

RUN = "20260101-undotest00"
undone = 0


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def lines() -> list[dict[str, str]]:
    return [json.loads(line) for line in options.world.read_text().splitlines()] if options.world.exists() else []


def act(kind: str, key: str, name: str) -> None:
    """Do something to the world, whole and for good."""
    handle = os.open(options.world, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, (json.dumps({"kind": kind, "key": key, "name": name}) + "\n").encode())
    os.fsync(handle)
    os.close(handle)


def undo(key: str, name: str) -> None:
    """Take something back in the world; maybe die right after, before anybody hears of it."""
    global undone
    act("undo", key, name)
    undone += 1
    if options.when == "during" and undone == options.kill_at:
        die()


def is_booked(name: str, work: Assignment) -> str | None:
    """Tell whether it was booked."""
    return f"{name}!" if any(line["key"] == work.key for line in lines()) else None


def cancel(name: str, result: str, work: Assignment) -> None:
    """Cancel a booking; twice is like once."""
    if not any(line["key"] == work.key for line in lines()):
        undo(work.key, result)


def is_refunded(result: str, work: Assignment) -> str | None:
    """Tell whether it was paid back."""
    return f"refunded {result}" if any(line["key"] == work.key for line in lines()) else None


@irreversible(lookup=is_refunded)
def refund(result: str, work: Assignment) -> str:
    """Pay back: must happen once and only once."""
    undo(work.key, result)
    return f"refunded {result}"


@reversible(undo=cancel, lookup=is_booked)
def book(name: str, work: Assignment) -> str:
    """Book a place."""
    act("do", work.key, name)
    return f"{name}!"


@reversible(undo=refund, lookup=is_booked)
def deposit(name: str, work: Assignment) -> str:
    """Pay in advance."""
    act("do", work.key, name)
    return f"{name}!"


@pure
def confirm(said: list[str]) -> str:
    """Never confirm."""
    raise ValueError("the agency is closed")


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
    task("flight", book, name="flight"),
    task("rooms", book, for_each=["a", "b", "a"], name=ref("item"), after=["flight"]),
    task("deposit", deposit, name="deposit", after=["rooms"]),
    task("confirm", confirm, said=[ref("deposit")]),
)


async def main() -> None:
    team = Team([book, deposit, confirm], parallel=1, retries={"error": 0})
    run = await (team.resume(RUN) if options.resume else team.run("A trip", plan=job, run_id=RUN))
    json.dump(run.as_json(), sys.stdout)


asyncio.run(main())
