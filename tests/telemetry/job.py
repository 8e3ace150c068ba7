"""A job that stands in the midst of a team's work until there is a file: `python -m tests.telemetry.job STORE FILE`."""

import asyncio
import sys
from pathlib import Path

from stretto import Orchestrator, plan, pure, ref, task

STORE, FILE = Path(sys.argv[1]), Path(sys.argv[2])
RUN = "20260101-killed"


@pure
async def think(word: str) -> str:
    """Think."""
    return word


@pure
async def stand(word: str) -> str:
    """Stay until there is a file."""
    async with asyncio.timeout(60):
        while not FILE.exists():
            await asyncio.sleep(0.01)
    return word


async def main() -> None:
    errand = plan(task("first", think, word="x"), task("then", stand, word=ref("first")), deliver=ref("then"))
    crew = Orchestrator([think, stand]).as_agent("crew", plans={"errand": errand})
    team = Orchestrator([think, crew], store=STORE)
    if STORE.exists():
        run = await team.resume(RUN)
    else:
        whole = plan(task("a", think, word="x"), task("b", "crew.errand", after=["a"]), deliver=ref("b"))
        run = await team.run("stand", plan=whole, run_id=RUN)
    assert run.status == "finished", run.gaps


asyncio.run(main())
