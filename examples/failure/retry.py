"""One task failed; once the cause is mended, it is done again with what fell because of it, and nothing else."""

import asyncio

from stretto import AgentFailure, Orchestrator, plan, pure, ref, task

line = {"up": False}


@pure
async def read(name: str) -> str:
    """Read a file."""
    print(f"  reading {name}")
    return f"figures of {name}"


@pure
async def upload(text: str) -> str:
    """Upload a text."""
    if not line["up"]:
        raise AgentFailure("the line is down")
    return f"{text}, uploaded"


async def main() -> None:
    """Fail, mend, retry."""
    team = Orchestrator([read, upload])
    job = plan(task("read", read, name="may.csv"), task("upload", upload, text=ref("read")), deliver=ref("upload"))
    run = await team.run("Upload the figures of May", plan=job)
    print(f"{run.status}: {run.gaps[0].task}: {run.gaps[0].why}")
    line["up"] = True
    again = await team.retry(run.run_id, "upload")
    print(f"{again.status}: {again.answer}")


asyncio.run(main())
