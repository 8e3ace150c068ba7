"""A job whose only task is an agent of kind `model`: `python -m tests.agents.model_job STORE WORLD URL ...`.

The options are those of `tests.crash.script`; the model is at the address in the variable MODEL_URL.
"""

import asyncio
import json
import os
import sys

from stretto import Assignment, idempotent, plan, pure, ref, reversible, task
from stretto.agents.model import model_agent
from tests.crash.dying import Mortal
from tests.crash.script import read_options

RUN = "20260101-modeltest0"
options = read_options()


@pure
def look(word: str, work: Assignment) -> str:
    """Look a word up."""
    options.world.act("look", work.key, word)
    return f"{word} is old"


def booked(place: str, work: Assignment) -> str | None:
    """Tell whether the place was booked under this key."""
    return f"booked {place}" if work.key in [one["key"] for one in options.world.actions()] else None


@reversible(lookup=booked)
def book(place: str, work: Assignment) -> str:
    """Book a place."""
    options.world.act("book", work.key, place)
    return f"booked {place}"


@idempotent
def note(text: str, work: Assignment) -> str:
    """Note something down."""
    options.world.act("note", work.key, text)
    return "noted"


async def main() -> None:
    most = {"tokens": 20_000}
    writer = model_agent("writer", "You plan a feast.", tools=[look, book, note], inputs={"n": "integer"}, limits=most)
    models = {"worker": "m", "m": {"model": "small", "url": os.environ["MODEL_URL"], "key_env": "MODEL_KEY"}}
    team = Mortal([writer], store=options.store, death=options.death, models=models, budget="30k tokens")
    if options.resume:
        run = await team.resume(RUN)
    else:
        whole = plan(task("feast", "writer", n=3), deliver=ref("feast"))
        run = await team.run("plan a feast", plan=whole, run_id=RUN)
    json.dump(run.as_json(), sys.stdout)


asyncio.run(main())
