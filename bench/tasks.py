"""What one task costs, in plans of 1,000 and of 10,000 tasks: `python bench/tasks.py`.

Every task goes through the whole loop: checked, judged, started, run, reviewed, each fact in a journal: a real
SQLite file with full synchronisation, and memory. Figures are medians; the ratio is taken pair by pair, so that a
machine whose speed drifts does not matter.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from stretto import Orchestrator, plan, pure, task
from stretto.core.domain import Plan


@pure
async def shout(word: str) -> str:
    """Say it louder."""
    return word.upper()


def wide(tasks: int) -> Plan:
    """Ten chains side by side."""
    return plan(*[task(f"t{n}", shout, word="x", after=[f"t{n - 10}"] if n >= 10 else []) for n in range(tasks)])


def measure(tasks: int, journal: str) -> tuple[float, float]:
    """Give the wall and CPU microseconds a task costs in a plan of this size."""
    with tempfile.TemporaryDirectory() as folder:
        team = Orchestrator([shout], store=Path(folder) / "runs.db" if journal == "sqlite" else None)
        whole = wide(tasks)
        wall, cpu = time.perf_counter(), time.process_time()
        run = asyncio.run(team.run("shout", plan=whole))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        assert run.status == "finished"
        assert run.state.completed == tasks
    return wall / tasks * 1e6, cpu / tasks * 1e6


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=1_000)
    parser.add_argument("--large", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    for journal in ("sqlite", "memory"):
        measure(200, journal)  # warm
        pairs = [(measure(options.small, journal), measure(options.large, journal)) for _ in range(options.rounds)]
        for name, number in (("wall", 0), ("cpu", 1)):
            small = statistics.median(one[number] for one, _ in pairs)
            large = statistics.median(two[number] for _, two in pairs)
            ratio = statistics.median(two[number] / one[number] for one, two in pairs)
            print(
                f"{journal}, {name}: {small:.0f} us a task of {options.small}, "
                f"{large:.0f} us a task of {options.large}, ratio {ratio:.2f}"
            )


if __name__ == "__main__":
    main()
