"""What cannot be undone is put before a person; the others are undone all the same."""

import asyncio

from stretto import Orchestrator, agent, plan, pure, ref, reversible, task
from stretto.core.commands import AnswerRequest, Command
from stretto.core.state import RunState


@agent(attempts=1)  # without it, it is tried again five times
def take_back(name: str) -> None:
    if name == "hotel":
        raise RuntimeError("the hotel does not answer")
    print(f"   took back {name}")


@reversible(undo=take_back)
def book(name: str) -> str:
    return name


@pure
def confirm(bookings: list[str]) -> str:
    raise ValueError("the agency is closed")


class Somebody:
    """A person who has called the hotel in vain; on a terminal: stretto answer RUN undo-hotel fail"""

    async def ask(self, state: RunState, request: str) -> Command:
        return AnswerRequest(actor="person:ann", request=request, decision="fail", reason="it is closed")


trip = plan(
    task("flight", book, name="flight"),
    task("hotel", book, name="hotel", after=["flight"]),
    task("confirm", confirm, bookings=[ref("flight"), ref("hotel")]),
)


async def main() -> None:
    team = Orchestrator([book, confirm], retries={"error": 0})
    run = await team.run("A trip", plan=trip)
    print(f"{run.status}: {run.requests[0]['question']}")
    run = await team.resume(run.run_id, people=Somebody())
    for gap in run.gaps:
        print(f"{'!' if gap.urgent else ' '} {gap.task}: {gap.why}")


asyncio.run(main())
