"""A ladder: what is tried next is written down by class of failure, and what was tried can be read afterwards."""

import asyncio

from stretto import AgentFailure, Assignment, Orchestrator, plan, pure, ref, task
from stretto.core.domain import FailureClass

LADDER = {
    "transient": [{"retry": 2, "pause": 0.05}, "skip"],
    "invalid_output": [{"revise": 2}, {"with": {"heat": 0}}, "fail"],
    "refused": "skip",
}


@pure
def fetch(city: str, work: Assignment) -> str:
    """Ask a service that answers the third time only."""
    if work.attempt < 3:
        raise AgentFailure("the line is busy", FailureClass.TRANSIENT)
    return f"sun in {city}"


@pure
def rhyme(text: str, work: Assignment, heat: int = 1) -> list[str]:
    """Write two lines, which with heat are always the same one."""
    return [text] if heat else [text, "and so it ends"]


@pure
def translate(text: str) -> str:
    """Translate nothing today."""
    raise AgentFailure("I do not translate weather")


async def main() -> None:
    team = Orchestrator([fetch, rhyme, translate], ladder=LADDER)
    lines = {"type": "array", "minItems": 2}
    steps = plan(
        task("weather", fetch, city="Oslo"),
        task("poem", rhyme, text=ref("weather"), output=lines),
        task("other", translate, text=ref("weather")),
        deliver={"poem": ref("poem"), "in_other_words": ref("other", default=None)},
    )
    run = await team.run("Write about the weather", plan=steps)
    print(run.status, run.answer)
    for one in run.as_json()["tasks"]:
        for rung in one["rungs"]:
            print(f"{one['id']} attempt {rung['attempt']}: {rung['failure']} -> {rung['rung']}: {rung['why']}")


if __name__ == "__main__":
    asyncio.run(main())
