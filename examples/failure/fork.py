"""A run is forked with another input; a letter that its parent sent is not sent twice."""

import asyncio

from stretto import Orchestrator, idempotent, plan, pure, ref, task


@pure
async def greet(name: str) -> str:
    """Write a greeting."""
    print(f"  writing to {name}")
    return f"Dear {name}"


@idempotent
async def send(text: str) -> str:
    """Send a letter."""
    print(f"  sending {text!r}")
    return f"sent {text!r}"


async def main() -> None:
    """Run, fork from before a task, fork with another input, look back."""
    team = Orchestrator([greet, send])
    job = plan(
        task("write", greet, name=ref("inputs.name")),
        task("send", send, text=ref("write")),
        deliver=ref("send"),
        inputs=["name"],
    )
    run = await team.run("Write a letter", plan=job, inputs={"name": "Ann"})
    print(f"the run: {run.answer}")
    same = await team.fork(run.run_id, at="write")
    print(f"a fork from before `write`: {same.answer}")
    other = await team.fork(run.run_id, inputs={"name": "Bob"})
    print(f"a fork with another input: {other.answer}")
    then = await team.show(run.run_id, at="send")
    standing = ", ".join(f"{one['id']} {one['status']}" for one in then.as_json()["tasks"])
    print(f"the run before `send` began: {standing}")


asyncio.run(main())
