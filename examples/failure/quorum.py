"""Two of three witnesses are enough; with one of them gone the quorum still stands, with two it falls."""

import asyncio

from stretto import AgentFailure, Orchestrator, plan, pure, ref, task


@pure
def witness(name: str, gone: list[str]) -> str:
    """Say what was seen."""
    if name in gone:
        raise AgentFailure(f"{name} does not answer")
    return f"{name} saw it"


@pure
def agree(said: list[str]) -> str:
    """Put testimonies together."""
    return ", ".join(sorted(said))


async def main() -> None:
    team = Orchestrator([witness, agree], parallel=1)
    names = ["ann", "bea", "cem"]
    quorum = plan(
        *(task(name, witness, name=name, gone=ref("inputs.gone")) for name in names),
        task("verdict", agree, join={"of": names, "take": 2}, said=ref("joined")),
        deliver=ref("verdict"),
        inputs=["gone"],
    )
    for gone in (["ann"], ["ann", "bea"]):
        run = await team.run("Find out what happened", plan=quorum, inputs={"gone": gone})
        verdict = next(one for one in run.as_json()["tasks"] if one["id"] == "verdict")
        print(f"{run.status}: {run.answer if verdict['took'] == ['bea', 'cem'] else verdict['reason']}")


asyncio.run(main())
