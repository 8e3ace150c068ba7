"""The first of three answers wins; the slower ones are not waited for."""

import asyncio

from stretto import Orchestrator, plan, pure, ref, task

SECONDS = {"near": 0.05, "far": 5.0, "moon": 30.0}


@pure
async def ask(mirror: str) -> str:
    """Ask a mirror for the file."""
    await asyncio.sleep(SECONDS[mirror])
    return f"the file, from {mirror}"


@pure
def store(found: list[str]) -> str:
    """Keep what came first."""
    return found[0]


async def main() -> None:
    team = Orchestrator([ask, store])
    race = plan(
        *(task(mirror, ask, mirror=mirror) for mirror in SECONDS),
        task("keep", store, join={"of": list(SECONDS), "take": "first"}, found=ref("joined")),
        deliver=ref("keep"),
    )
    run = await team.run("Fetch the file from any mirror", plan=race)
    print(run.status, "-", run.answer)
    for one in run.as_json()["tasks"]:
        print(f"{one['id']}: {one['status']} {one['reason']}".rstrip())


asyncio.run(main())
