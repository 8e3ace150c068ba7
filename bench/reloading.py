"""What it costs to watch a workspace, to adopt a change, and to note a run's edition.

python bench/reloading.py
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from stretto.bootstrap.editions import Opening, opened_here
from stretto.bootstrap.reloading import Reloading
from stretto.core.state import RunState

ROUNDS = 20


def workspace(folder: Path, plans: int) -> None:
    """Make a workspace with one agent's file and a number of plans of ten tasks."""
    (folder / "agents").mkdir(parents=True)
    (folder / "plans").mkdir()
    (folder / "agents" / "job.py").write_text("def echo(text: str) -> str:\n    'Say it.'\n    return text\n")
    (folder / "workspace.yaml").write_text("name: bench\nagents: [agents/job.py]\n")
    tasks = "".join(f"  t{n}: {{skill: job.echo, inputs: {{text: x}}}}\n" for n in range(10))
    for number in range(plans):
        (folder / "plans" / f"p{number}.yaml").write_text(f"tasks:\n{tasks}deliver: {{ref: t{number % 10}.output}}\n")


async def measure(folder: Path, plans: int) -> None:
    """Print the figures for a workspace."""
    workspace(folder, plans)
    opening = Opening()
    opening.standing(folder)
    plain = _median(lambda _: opening.standing(folder))
    noting = _median(lambda _: opened_here(folder, opening))
    began = time.perf_counter()
    reloading = Reloading(folder)
    first = time.perf_counter() - began
    looks, adopting, homes = [], [], []
    for number in range(ROUNDS):
        began = time.perf_counter()
        await reloading.look()
        looks.append(time.perf_counter() - began)
        (folder / "agents" / "job.py").write_text(
            f"def echo(text: str) -> str:\n    'Say {number}.'\n    return text\n"
        )
        await reloading.look()
        began = time.perf_counter()
        if await reloading.look() is None:
            raise SystemExit("a change was not adopted")
        adopting.append(time.perf_counter() - began)
        began = time.perf_counter()
        async with reloading.team_for(RunState(edition=reloading.edition)):
            homes.append(time.perf_counter() - began)
    print(
        f"{plans + 2:>5} files: open {_ms(plain)}, open and note {_ms(noting)}, first edition {_ms(first)}, "
        f"a look {_ms(statistics.median(looks))}, adopt {_ms(statistics.median(adopting))}, "
        f"house of a run {_ms(statistics.median(homes))}"
    )


def _median(work) -> float:  # type: ignore[no-untyped-def]
    times = []
    for number in range(ROUNDS):
        began = time.perf_counter()
        work(number)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"


if __name__ == "__main__":
    for number in (1, 100, 1000):
        with tempfile.TemporaryDirectory() as home:
            asyncio.run(measure(Path(home) / "place", number))
