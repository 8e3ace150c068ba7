"""A run is paused while it is at work, and gone on with; nothing is lost, and nothing is done twice."""

import asyncio
from collections import Counter

from stretto import Orchestrator, idempotent, plan, ref, task

done: Counter[int] = Counter()
begun = asyncio.Event()


@idempotent
async def work(item: int) -> int:
    """Take a while."""
    begun.set()
    await asyncio.sleep(0.3)
    done[item] += 1
    return item


async def main() -> None:
    team = Orchestrator([work], parallel=2)
    items = plan(task("items", work, for_each=list(range(4)), item=ref("item")), deliver=ref("items"))
    going = asyncio.create_task(team.run("four items", plan=items, run_id="20300101-pause"))
    await begun.wait()
    await team.pause("20300101-pause", "the line is needed")

    run = await going
    print(f"{run.status}: {run.paused}; {sum(done.values())} done, {run.state.under_way} under way")
    run = await team.resume(run.run_id)
    print(f"{run.status}: {run.answer}, each done {max(done.values())} time")


asyncio.run(main())
