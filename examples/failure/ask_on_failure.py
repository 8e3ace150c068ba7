"""A person decides what becomes of a failure: try again, take over by hand, or leave it out."""

import asyncio

from stretto import Orchestrator, idempotent, plan, ref, task
from stretto.core.commands import AnswerRequest, Command
from stretto.core.state import RunState


@idempotent
async def read(meter: str) -> int:
    """Read a meter over a line that is broken."""
    raise OSError(f"meter {meter} does not answer")


@idempotent
async def add(readings: list[int | None]) -> int:
    """Add up what could be read."""
    return sum(one for one in readings if one is not None)


class Ann:
    """Goes to the cellar for the first meter, and leaves the others out."""

    async def ask(self, state: RunState, request: str) -> Command | None:
        asked = state.requests[request]
        print(f"{asked.task} for {asked.to}: {asked.question}")
        by_hand = asked.arguments == {"meter": "cellar"}
        return AnswerRequest(
            actor="person:ann",
            request=request,
            decision="done" if by_hand else "skip",
            value=4711 if by_hand else None,
            reason="" if by_hand else "the attic is locked",
        )


async def main() -> None:
    team = Orchestrator([read, add], ladder={"error": [{"ask": "ann", "within": "2h"}, "skip"]})
    steps = plan(
        task("cellar", read, meter="cellar"),
        task("attic", read, meter="attic", after=["cellar"]),
        task("total", add, readings=[ref("cellar"), ref("attic", default=None)]),
        deliver=ref("total"),
    )
    run = await team.run("Read the meters", plan=steps, people=Ann(), wait=True)
    print(run.status, run.answer)
    for gap in run.gaps:
        print(f"missing {gap.task}: {gap.why}")


if __name__ == "__main__":
    asyncio.run(main())
