"""A run is cancelled with grace: an agent that is told to stop hands in what it has, and that is kept."""

import asyncio

from stretto import Assignment, Orchestrator, plan, pure, task

begun = asyncio.Event()


@pure
async def collect(work: Assignment) -> list[int]:
    """Collect until told to stop."""
    begun.set()
    found = [1, 2, 3]
    await work.stopping.wait()
    return found


async def main() -> None:
    """Begin, cancel, look at what there is."""
    team = Orchestrator([collect])
    job = plan(task("first", collect), task("second", collect, after=["first"]))
    driving = asyncio.create_task(team.run("Collect", plan=job, run_id="collection"))
    await begun.wait()
    await team.cancel("collection", grace=10)
    run = await driving
    print(f"{run.status}, and {run.as_json()['tasks'][0]['id']} is {run.as_json()['tasks'][0]['status']}")
    print(f"missing: {run.gaps[0].task}: {run.gaps[0].why.split(' by ')[0]}")


asyncio.run(main())
