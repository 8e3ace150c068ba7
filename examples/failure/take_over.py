"""A person takes a task over: what they bring is reviewed like the result of any agent."""

import asyncio
from pathlib import Path
from tempfile import mkdtemp

from stretto import Orchestrator, irreversible, plan, ref, task
from stretto.bootstrap import leave_word
from stretto.core.commands import AnswerRequest


@irreversible
async def order(item: str) -> dict[str, int]:
    """Order something, and give the number of the order."""
    raise AssertionError("no agent has to do it any more")


async def main() -> None:
    """Ann orders by telephone instead: first she types a slip, then the number."""
    team = Orchestrator([order], store=Path(mkdtemp()) / "runs.db")
    job = plan(task("buy", order, item="paper"), deliver=ref("buy"))
    run = await team.run("Buy paper", plan=job)
    for result in ({"number": "seven"}, {"number": 7}):
        request = run.requests[0]
        print(f"{run.status}: {request['question']}")
        async with team.journal() as journal:
            done = AnswerRequest(actor="person:ann", request=request["request"], decision="done", value=result)
            await leave_word(journal, run.run_id, done)
        run = await team.resume(run.run_id)
    print(f"{run.status}: {run.answer}, done by {run.as_json()['tasks'][0]['taken_by']}")


asyncio.run(main())
