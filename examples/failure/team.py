"""A team within a run: its budget is reserved above, and what it asks is asked above."""

import asyncio

from stretto import Assignment, Orchestrator, agent, irreversible, plan, ref, task


@agent(cost="0.02", effect="none")
async def quote(hotel: str, work: Assignment) -> int:
    """Ask for a price; costs two cents."""
    work.spend("0.02")
    return len(hotel) * 10


@irreversible
async def book(hotel: str, price: int) -> str:
    """Book a room."""
    return f"{hotel} for {price}"


room = plan(
    task("price", quote, hotel=ref("inputs.hotel")),
    task("room", book, hotel=ref("inputs.hotel"), price=ref("price")),
    deliver=ref("room"),
    inputs=["hotel"],
)


async def main() -> None:
    travel = Orchestrator([quote, book], budget="$0.05").as_agent("travel", plans={"room": room})
    team = Orchestrator([travel], budget="$0.08")
    trip = plan(task("stay", "travel.room", hotel="Astoria"), deliver=ref("stay"))

    run = await team.run("a room", plan=trip)
    asked = run.requests[0]
    print(f"{run.status}: {asked['task']} asks: {asked['question']} {asked['arguments']}")

    run = await team.run("a room", plan=trip, approve="all")
    print(f"{run.status}: {run.answer}, cost {run.cost}")

    both = plan(task("stay", "travel.room", for_each=["Astoria", "Bristol"], hotel=ref("item")), deliver=ref("stay"))
    run = await team.run("two rooms", plan=both, approve="all")
    print(f"{run.status}: {run.answer}, cost {run.cost} of $0.08: the second began when the first was settled")


asyncio.run(main())
