"""A rate holds for all runs of a store, and an agent that names a pause is left alone for all tasks."""

import asyncio
import tempfile
import time
from pathlib import Path

from stretto import AgentFailure, Orchestrator, agent, plan, ref, task
from stretto.core.domain import FailureClass

asked: list[float] = []


@agent(effect="none", rate="3/min")
async def look_up(item: int) -> int:
    """May be asked three times a minute."""
    return item


@agent(effect="none", concurrency=1)
async def busy(item: int) -> int:
    """Says "too many requests" to the first who asks, and names its pause."""
    asked.append(time.monotonic())
    if len(asked) == 1:
        raise AgentFailure("429 Too Many Requests", FailureClass.RATE_LIMITED, retry_after=0.3)
    return item


async def main() -> None:
    five = plan(task("all", look_up, for_each=list(range(5)), item=ref("item")))
    with tempfile.TemporaryDirectory() as folder:
        for name in ("first", "second"):
            team = Orchestrator([look_up], store=Path(folder) / "runs.db")
            run = await team.run("look five up", plan=five, deadline="1.5s")
            done = sum(one["attempts"] for one in run.as_json()["tasks"])
            print(f"{name} run: {done} of 5 begun within 1.5 s, {run.state.holds['look_up'].why}")

    many = plan(task("all", busy, for_each=list(range(5)), item=ref("item")))
    run = await Orchestrator([busy]).run("ask a busy one", plan=many)
    print(f"{run.status}: asked {len(asked)} times; after the first none for 0.3 s: {asked[1] - asked[0] >= 0.3}")


asyncio.run(main())
