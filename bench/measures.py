"""What the numbers of a store of 10,000 runs cost: `python bench/measures.py`.

Real runs of four tasks are driven and measured; their rows are copied until there are as many as wanted, over 20 weeks
and 8 workflows, with 4 agents each. Figures are medians of milliseconds, of CPU and on the wall.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import msgspec

from stretto import Orchestrator, plan, pure, task
from stretto.core.measures import EDITION, RunMeasures, Workflow
from stretto.journals.sqlite import SqliteJournal
from stretto.measuring import bring_up_to_date, numbers
from stretto.ports import Measured

WEEK = 7 * 86_400.0


@pure
async def shout(word: str) -> str:
    """Say it louder."""
    return word.upper()


@pure
async def whisper(word: str) -> str:
    """Say it lower."""
    return word.lower()


@pure
async def turn(word: str) -> str:
    """Say it backwards."""
    return word[::-1]


@pure
async def repeat(word: str) -> str:
    """Say it twice."""
    return word * 2


ALL = (shout, whisper, turn, repeat)


async def filled(store: Path, runs: int, real: int) -> tuple[SqliteJournal, float]:
    """Give a store with rows of so many runs, and the milliseconds that measuring a real one took."""
    job = plan(*[task(f"t{n}", one, word="x", after=[f"t{n - 1}"] if n else []) for n, one in enumerate(ALL)])
    team = Orchestrator(list(ALL), store=store)
    for _ in range(real):
        await team.run("speak", plan=job)
    journal = SqliteJournal(store)
    begun = time.perf_counter()
    await bring_up_to_date(journal)
    each = (time.perf_counter() - begun) / real * 1000
    kept = list(await journal.measured(EDITION))
    rows = [_copy(kept[number % len(kept)], number) for number in range(runs)]
    journal._reader.executemany(
        "INSERT INTO runs SELECT ?, goal, status, workspace, started, ended, money, tokens, gaps, tasks, completed, "
        "wake FROM runs WHERE run = ?",
        [(one.run, kept[0].run) for one in rows],
    )
    journal._reader.executemany(
        "INSERT INTO measures (run, upto, edition, workspace, ended, body) VALUES (?, ?, ?, ?, ?, ?)",
        [(one.run, one.upto, one.edition, one.workspace, one.ended, one.body) for one in rows],
    )
    return journal, each


def _copy(row: Measured, number: int) -> Measured:
    run = msgspec.json.decode(row.body, type=RunMeasures)
    flow = Workflow(workspace="/srv/work", name=f"flow{number % 8}")
    ended = row.ended - (number % 20) * WEEK
    body = msgspec.json.encode(RunMeasures(run.run, flow, ended, run.whole, run.agents))
    return replace(row, run=f"copy{number}", ended=ended, body=body)


async def median(work: Callable[[], Awaitable[object]], rounds: int) -> str:
    """Give the median milliseconds of something."""
    cpu, wall = [], []
    for _ in range(rounds):
        begun = time.process_time(), time.perf_counter()
        await work()
        cpu.append((time.process_time() - begun[0]) * 1000)
        wall.append((time.perf_counter() - begun[1]) * 1000)
    return f"{statistics.median(cpu):.0f} ms of CPU, {statistics.median(wall):.0f} ms on the wall"


async def measure(options: argparse.Namespace) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        journal, each = await filled(Path(folder) / "runs.db", options.runs, options.real)
        print(f"measuring a run of {len(ALL)} tasks, once: {each:.1f} ms on the wall")
        for by in ("workflow", "agent", "week"):
            took = await median(lambda by=by: numbers(journal, by=by), options.rounds)  # type: ignore[misc]
            print(f"{options.runs} runs by {by}: {took}")
        idle = await median(lambda: bring_up_to_date(journal), options.rounds)
        print(f"finding that nothing is left to measure: {idle}")
        await journal.close()


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--real", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
