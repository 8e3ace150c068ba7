"""The plan of a run is changed: what stays as it was keeps its result, even under another name."""

import asyncio

from stretto import Orchestrator, plan, pure, ref, task


@pure
async def count(city: str) -> int:
    """Count the letters of a city."""
    print(f"  counting {city}")
    return len(city)


@pure
async def add(numbers: list[int]) -> int:
    """Add up."""
    print(f"  adding {numbers}")
    return sum(numbers)


async def main() -> None:
    """Run, edit one value, then put another plan in place."""
    team = Orchestrator([count, add])
    job = plan(
        task("a", count, city="Bern"),
        task("b", count, city="Basle"),
        task("sum", add, numbers=[ref("a"), ref("b")]),
        deliver=ref("sum"),
    )
    run = await team.run("Count letters", plan=job)
    print(f"revision {run.state.revision}: {run.answer}")
    run = await team.edit(run.run_id, values={"b.inputs.city": "Geneva"})
    print(f"revision {run.state.revision}: {run.answer}")
    other = plan(
        task("capital", count, city="Bern"),
        task("third", count, city="Chur"),
        task("sum", add, numbers=[ref("capital"), ref("third")]),
        deliver=ref("sum"),
    )
    run = await team.edit(run.run_id, other)
    print(f"revision {run.state.revision}: {run.answer}")


asyncio.run(main())
