"""A plan that streams in: its tasks start while it is being written, and what is done survives its end."""

import asyncio
from collections.abc import AsyncIterator

from stretto import Orchestrator, idempotent, pure, ref, task
from stretto.core.domain import Task

found = asyncio.Event()


@pure
async def find(topic: str) -> list[str]:
    """Find texts."""
    print(f"  finds {topic}")
    found.set()
    return [f"{topic} is old"]


@idempotent
async def publish(texts: list[str]) -> str:
    """Publish texts."""
    print("  publishes")
    return f"published {len(texts)}"


async def written(*, breaks_off: bool) -> AsyncIterator[Task | dict[str, object]]:
    """Write a plan, and wait in its midst until its first task is at work."""
    found.clear()
    yield task("facts", find, topic="music")
    yield task("page", publish, texts=ref("facts"))
    await found.wait()
    print("  the writer goes on")
    if breaks_off:
        raise ConnectionError("the writer is gone")
    yield {"deliver": ref("page")}


async def main() -> None:
    """Run a plan to its end, and one whose writer breaks off."""
    team = Orchestrator([find, publish])
    for breaks_off in (False, True):
        run = await team.run("Publish what is known of music", plan=written(breaks_off=breaks_off))
        print(f"{run.status}: {run.answer}")
        for gap in run.gaps:
            print(f"  missing: {gap.what}: {gap.why}")


asyncio.run(main())
