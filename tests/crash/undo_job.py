"""A job whose bookings are undone, and that can be killed: `python -m tests.crash.undo_job STORE WORLD ...`.

`--when` is `before` or `after` the N-th append, or `during` the N-th undoing, right after it happened.
"""

import asyncio
import json
import sys

from stretto import Assignment, irreversible, plan, pure, ref, reversible, task
from tests.crash.dying import Mortal
from tests.crash.script import read_options

RUN = "20260101-undotest00"
options = read_options()
undone = 0


def happened(key: str) -> bool:
    return any(one["key"] == key for one in options.world.actions())


def undo(key: str, name: str) -> None:
    """Take something back in the world; maybe die right after, before anybody hears of it."""
    global undone
    options.world.act("undo", key, name)
    undone += 1
    options.death.meet("during", undone)


def is_booked(name: str, work: Assignment) -> str | None:
    """Tell whether it was booked."""
    return f"{name}!" if happened(work.key) else None


def cancel(name: str, result: str, work: Assignment) -> None:
    """Cancel a booking; twice is like once."""
    if not happened(work.key):
        undo(work.key, result)


def is_refunded(result: str, work: Assignment) -> str | None:
    """Tell whether it was paid back."""
    return f"refunded {result}" if happened(work.key) else None


@irreversible(lookup=is_refunded)
def refund(result: str, work: Assignment) -> str:
    """Pay back: must happen once and only once."""
    undo(work.key, result)
    return f"refunded {result}"


@reversible(undo=cancel, lookup=is_booked)
def book(name: str, work: Assignment) -> str:
    """Book a place."""
    options.world.act("do", work.key, name)
    return f"{name}!"


@reversible(undo=refund, lookup=is_booked)
def deposit(name: str, work: Assignment) -> str:
    """Pay in advance."""
    options.world.act("do", work.key, name)
    return f"{name}!"


@pure
def confirm(said: list[str]) -> str:
    """Never confirm."""
    raise ValueError("the agency is closed")


job = plan(
    task("flight", book, name="flight"),
    task("rooms", book, for_each=["a", "b", "a"], name=ref("item"), after=["flight"]),
    task("deposit", deposit, name="deposit", after=["rooms"]),
    task("confirm", confirm, said=[ref("deposit")]),
)


async def main() -> None:
    team = Mortal([book, deposit, confirm], store=options.store, death=options.death, parallel=1, retries={"error": 0})
    run = await (team.resume(RUN) if options.resume else team.run("A trip", plan=job, run_id=RUN))
    json.dump(run.as_json(), sys.stdout)


asyncio.run(main())
