"""A task with a budget of its own, over all its attempts; and an agent that would spend more than it may."""

import asyncio

from stretto import AgentFailure, Assignment, Orchestrator, plan, pure, ref, task
from stretto.core.domain import FailureClass


@pure(cost="$0.20")
def search(topic: str, work: Assignment) -> str:
    work.spend("0.20")
    raise AgentFailure("the service is busy", FailureClass.RATE_LIMITED, retry_after=0.01)


@pure(cost="$0.10")
def write(topic: str, work: Assignment) -> str:
    work.spend("0.08")
    work.spend("0.05")  # raises: $0.10 is all that was reserved
    return topic


@pure(cost="$0.10")
def sketch(topic: str, work: Assignment) -> str:
    work.spend("0.03")
    return f"a sketch of {topic}"


steps = plan(
    task("search", search, topic="fugues", budget="$0.20"),
    task("write", write, topic="fugues"),
    task("sketch", sketch, topic="fugues"),
    deliver=ref("sketch"),
)


async def main() -> None:
    team = Orchestrator([search, write, sketch], budget="$1", retries={"rate_limited": 1})
    run = await team.run("Write about fugues", plan=steps)
    print(run.status, run.answer, f"cost {run.cost}")
    for gap in run.gaps:
        print(f"{gap.task}: {gap.why}")
    left = run.as_json()["budget"]["left"]
    print(f"${left['money']:.2f} is left")


asyncio.run(main())
