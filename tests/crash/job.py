"""A job that changes the world and can be killed: `python -m tests.crash.job STORE WORLD [--kill-at N --when W]`.

`--when` is `before` or `after` the N-th append, or `during` the N-th action.
"""

import asyncio
import json
import sys

from stretto import Assignment, idempotent, irreversible, plan, pure, ref, reversible, task
from tests.crash.dying import Mortal
from tests.crash.script import read_options

RUN = "20260101-crashtest0"
options = read_options()
happened = 0


def act(kind: str, key: str, name: str) -> None:
    """Do something to the world; maybe die right after, before anybody hears of it."""
    global happened
    options.world.act(kind, key, name)
    happened += 1
    options.death.meet("during", happened)


@pure
async def think(name: str, work: Assignment) -> str:
    """Think of something; changes nothing, but its runs are counted."""
    act("think", work.key, name)
    return name.upper()


def paid(name: str, work: Assignment) -> str | None:
    """Tell whether this payment was made."""
    mine = [one for one in options.world.actions() if (one["kind"], one["key"]) == ("pay", work.key)]
    return f"paid {mine[0]['name']}" if mine else None


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
    first = all(one["kind"] != "flaky" for one in options.world.actions())
    act("flaky", work.key, name)
    if first:
        raise ConnectionError("the line was busy")
    return name


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
    team = Mortal([think, pay, book, tell, flaky], store=options.store, death=options.death, parallel=3)
    if options.resume:
        run = await team.resume(RUN, approve="all")
    else:
        run = await team.run("pay everybody once", plan=job, approve="all", run_id=RUN)
    json.dump(run.as_json(), sys.stdout)


asyncio.run(main())
