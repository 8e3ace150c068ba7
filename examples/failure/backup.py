"""A backup takes over: the agent that the first one names, then whoever else has the skill."""

import asyncio

from stretto import Agent, AgentFailure, Orchestrator, plan, pure, ref, task
from stretto.core.domain import FailureClass


def translator(name: str, answer: str | None) -> Agent:
    """Make an agent with the skill NAME.translate; one without an answer is down."""

    @pure
    async def translate(text: str) -> str:
        if answer is None:
            raise AgentFailure(f"{name} is down", FailureClass.UNAVAILABLE)
        return f"{answer} ({name})"

    return Agent([translate], name=name, backups=["berta", "carl"])


async def main() -> None:
    team = Orchestrator(
        [translator("anna", None), translator("berta", None), translator("carl", "guten Morgen")],
        retries={"unavailable": 0},
    )
    steps = plan(task("words", "anna.translate", text="good morning"), deliver=ref("words"))
    run = await team.run("Say it in German", plan=steps)
    print(run.status, run.answer)
    (words,) = run.as_json()["tasks"]
    for rung in words["rungs"]:
        print(f"attempt {rung['attempt']}: {rung['why']}; next: {rung['rung']} {rung['agent']}")


if __name__ == "__main__":
    asyncio.run(main())
