"""What a worker costs: one look into a store of many runs, and short runs a second: `python bench/worker.py`.

The store is a real SQLite file with full synchronisation. A tenth of its runs are due; the look asks for 16 of them.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from stretto import Orchestrator, plan, pure, task
from stretto.core.commands import SubmitGoal
from stretto.core.domain import Catalogue
from stretto.core.events import RunSubmitted
from stretto.engines.people import Nobody
from stretto.journals.sqlite import SqliteJournal
from stretto.orchestrator import Conductor
from stretto.ports import Journal, RunSummary
from stretto.workers import Report

AT_ONCE = 512


@pure
async def shout(word: str) -> str:
    """Say it louder."""
    return word.upper()


async def look(folder: Path, runs: int, rounds: int) -> float:
    """Give the milliseconds of a look into a store of so many runs."""
    journal = SqliteJournal(folder / "look.db")

    async def write(number: int) -> None:
        run, due = f"r{number:07}", float(number) if number % 10 == 0 else None
        lease = await journal.claim(run)
        begun = RunSubmitted(at=1.0, run=run, goal="goal", inputs={}, catalogue=Catalogue())
        line = RunSummary(run=run, goal="goal", status="running", started=1.0, wake=due)
        await journal.append(lease, 0, [("system", begun)], line)
        await journal.release(lease)

    for first in range(0, runs, AT_ONCE):
        await asyncio.gather(*(write(number) for number in range(first, min(first + AT_ONCE, runs))))
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        found = await journal.due(float(runs), limit=16)
        took.append(time.perf_counter() - began)
        assert len(found) == 16
    await journal.close()
    return statistics.median(took) * 1e3


async def drive(folder: Path, runs: int) -> float:
    """Give the runs of two tasks that a worker ends in a second."""
    team = Orchestrator([shout], store=folder / "drive.db")
    job = plan(task("a", shout, word="x"), task("b", shout, word="y", after=["a"]))
    async with team.journal() as journal:
        for number in range(runs):
            await leave(team, journal, SubmitGoal(run=f"r{number}", goal="go", catalogue=team.catalogue, plan=job))
    reports: list[Report] = []
    async with team.worker(tell=reports.append) as worker:
        began = time.perf_counter()
        await worker.work(once=True)
        took = time.perf_counter() - began
    assert sum(one.kind == "ended" for one in reports) == runs
    return runs / took


async def leave(team: Orchestrator, journal: Journal, first: SubmitGoal) -> None:
    """Begin a run and leave it."""
    conductor = Conductor(team.house(journal, Nobody()), judging=False)
    await conductor.begin(first.run, [first])
    await conductor.leave()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        took = asyncio.run(look(Path(folder), options.lines, options.rounds))
        print(f"a look into {options.lines} runs, {options.lines // 10} of them due: {took:.2f} ms")
        print(f"{asyncio.run(drive(Path(folder), options.runs)):.0f} runs of two tasks a second, 16 at once")


if __name__ == "__main__":
    main()
