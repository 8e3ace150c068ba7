"""An attempt with four inner calls that can be killed: `python -m tests.crash.calls_job STORE WORLD [--kill-at N ...]`.

Two calls only read, one is idempotent, and one pays: that must happen once, asks a person, and can be looked up.
"""

import asyncio
import json
import sys
from typing import Any

from stretto import Assignment, idempotent, irreversible, plan, pure, ref, task
from tests.crash.dying import Mortal
from tests.crash.script import read_options

RUN = "20260101-callstest0"
options = read_options()
happened = 0


def act(kind: str, key: str, name: str) -> None:
    """Do something to the world; maybe die right after, before anybody hears of it."""
    global happened
    options.world.act(kind, key, name)
    happened += 1
    options.death.meet("during", happened)


@pure
async def read(name: str, work: Assignment) -> list[str]:
    """Read something; changes nothing, but is counted."""
    act("read", work.key, name)
    return [name, name.upper()]


@idempotent
def note(text: str, work: Assignment) -> str:
    """Put a note in its place."""
    act("note", work.key, text)
    return f"noted {text}"


def paid(name: str, work: Assignment) -> str | None:
    """Tell whether this payment was made."""
    mine = [one for one in options.world.actions() if (one["kind"], one["key"]) == ("pay", work.key)]
    return f"paid {mine[0]['name']}" if mine else None


@irreversible(lookup=paid)
def pay(name: str, work: Assignment) -> str:
    """Pay somebody: must happen once and only once."""
    act("pay", work.key, name)
    return f"paid {name}"


@pure
async def settle(work: Assignment) -> Any:
    """Find out what is owed, and pay it; besides its calls it changes nothing."""
    bill = await work.call("bill", read, "bill")
    name = await work.call("name", read, "ann")
    said = await work.call("pay", pay, name[0])
    return [bill, said, await work.call("note", note, said)]


async def main() -> None:
    team = Mortal([settle], store=options.store, death=options.death)
    if options.resume:
        run = await team.resume(RUN, approve="all")
    else:
        job = plan(task("settle", settle), deliver=ref("settle"))
        run = await team.run("settle the bill", plan=job, approve="all", run_id=RUN)
    json.dump(run.as_json(), sys.stdout)


asyncio.run(main())
