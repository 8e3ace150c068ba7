"""What streaming a plan gains: time to the first result and in all, streamed against written first and then run.

`python bench/streaming.py [--tasks N] [--rate R] [--work SECONDS] [--width W]`: a writer writes N tasks at R tasks a
second, in W chains side by side; each task takes so long. And the cost of the gate per task, without a writer.
"""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator

from stretto import Orchestrator, plan, pure, ref, task
from stretto.core.domain import Task


def tasks(count: int, width: int) -> list[Task]:
    """Give chains side by side, written a step of each at a time."""
    return [
        task(f"t{n}", "step", value=n) if n < width else task(f"t{n}", "step", value=ref(f"t{n - width}"))
        for n in range(count)
    ]


async def written(parts: list[Task], rate: float) -> AsyncIterator[Task]:
    """Write tasks at a steady rate."""
    began = time.perf_counter()
    for number, part in enumerate(parts, 1):
        await asyncio.sleep(max(began + number / rate - time.perf_counter(), 0))
        yield part


async def measured(parts: list[Task], rate: float, work: float, *, streamed: bool) -> tuple[float, float]:
    """Give the seconds to the first result, and to the end of the run."""
    first: list[float] = []

    @pure
    async def step(value: int) -> int:
        """Take some time."""
        await asyncio.sleep(work)
        first.append(time.perf_counter())
        return value

    team = Orchestrator([step], parallel=1024)
    began = time.perf_counter()
    if streamed:
        run = await team.run("measure", plan=written(parts, rate))
    else:
        whole = [part async for part in written(parts, rate)]
        run = await team.run("measure", plan=plan(*whole))
    assert run.status == "finished", run.gaps
    return first[0] - began, time.perf_counter() - began


async def gate(count: int) -> tuple[float, float]:
    """Give the milliseconds per task of a wide plan in one go: streamed through the gate, and handed over whole."""
    found = []
    for streamed in (True, False):

        @pure
        async def step(value: int) -> int:
            """Do nothing."""
            return value

        parts = [task(f"t{n}", "step", value=n) for n in range(count)]
        began = time.perf_counter()
        run = await Orchestrator([step]).run("measure", plan=parts if streamed else plan(*parts))
        assert run.status == "finished", run.gaps
        found.append((time.perf_counter() - began) * 1000 / count)
    return found[0], found[1]


async def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=60)
    parser.add_argument("--rate", type=float, default=20.0)
    parser.add_argument("--work", type=float, default=0.25)
    parser.add_argument("--width", type=int, default=10)
    given = parser.parse_args()
    parts = tasks(given.tasks, given.width)
    print(f"{given.tasks} tasks of {given.work:g} s in {given.width} chains, written at {given.rate:g} a second")
    print(f"{'':<24}{'first result':>14}{'in all':>10}")
    for name, streamed in (("streamed", True), ("written, then run", False)):
        first, whole = await measured(parts, given.rate, given.work, streamed=streamed)
        print(f"{name:<24}{first:>12.2f} s{whole:>8.2f} s")
    through, whole_plan = await gate(2000)
    print(f"\n2000 tasks at once: {through:.2f} ms a task streamed, {whole_plan:.2f} ms handed over whole")


if __name__ == "__main__":
    asyncio.run(main())
