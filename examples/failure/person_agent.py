"""A skill that a person does: the run waits for the answer, and asks again when it is not what it must be."""

import asyncio
from pathlib import Path
from tempfile import mkdtemp

from stretto import Orchestrator, plan, pure, ref, task
from stretto.agents.person import person
from stretto.bootstrap import leave_word
from stretto.core.commands import AnswerRequest

LEGAL = person("legal", [{"name": "sign_off", "description": "Check the contract", "who": "ann", "output": "boolean"}])


@pure
async def file_away(signed: bool) -> str:
    """File the contract."""
    return "filed" if signed else "sent back"


async def main() -> None:
    """Ann first answers in prose, then with what the skill has to give."""
    team = Orchestrator([LEGAL, file_away], store=Path(mkdtemp()) / "runs.db")
    job = plan(
        task("sign", "legal.sign_off", contract="lease.pdf"),
        task("file", file_away, signed=ref("sign")),
        deliver=ref("file"),
    )
    run = await team.run("Have the lease signed", plan=job)
    for said in ("looks fine to me", True):
        request = run.requests[0]
        print(f"{run.status} for {request['to']}: {request['question']} {request['arguments']}")
        async with team.journal() as journal:
            word = AnswerRequest(actor="person:ann", request=request["request"], decision="answer", value=said)
            await leave_word(journal, run.run_id, word)
        run = await team.resume(run.run_id)
    print(f"{run.status}: {run.answer}")


asyncio.run(main())
