"""A run that spends without learning anything pauses; one that spends and learns does not."""

import asyncio

from stretto import Assignment, Orchestrator, agent, plan, ref, task


@agent(effect="none", cost="0.05")
async def search(page: int, work: Assignment) -> str:
    """Search a page, for five cents; there is nothing on any."""
    work.spend("0.05")
    return "nothing"


@agent(effect="none", cost="0.05")
async def read(page: int, work: Assignment) -> str:
    """Read a page, for five cents."""
    work.spend("0.05")
    return f"page {page}"


async def main() -> None:
    team = Orchestrator([search, read], budget="$1", parallel=1)
    for skill in (search, read):
        pages = plan(task("pages", skill, for_each=list(range(20)), page=ref("item")))
        run = await team.run("what do the pages say?", plan=pages)
        print(f"{skill.__name__}: {run.status} after {run.cost}: {run.paused or 'it learned something each time'}")


asyncio.run(main())
