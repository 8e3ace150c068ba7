"""What the examples with models take: tokens of the work and of coordinating it, calls, seconds, by scripted models.

`python bench/workspaces.py`: each example runs as its script says (`models/scripted.yaml`), on a copy. Tokens are the
server's count; `beside models` is what a run took besides the time of the models.
"""

import asyncio
import os
import shutil
import tempfile
import time
from pathlib import Path

from stretto.bootstrap import open_workspace
from stretto.testing.models import ModelServer, read_script

EXAMPLES = Path(__file__).parents[1] / "examples"
KEY_ENV, ADDRESS = "SCRIPTED_KEY", "http://127.0.0.1:8090/v1"
RUNS = (
    ("content", "Write a blog post about AI in healthcare", None),
    ("support", "Answer this customer's message", "answer-with-models"),
    ("market-report", "Brief the board on cargo e-bikes", None),
)


async def measured(name: str, goal: str, plan: str | None) -> str:
    """Give a line of the table."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / name
        shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns(".stretto", "output", "__pycache__"))
        with ModelServer(read_script(folder / "models" / "scripted.yaml")) as server:
            os.environ[KEY_ENV] = server.key
            file = folder / "workspace.yaml"
            file.write_text(file.read_text().replace(ADDRESS, server.url))
            began = time.perf_counter()
            run = await open_workspace(folder, models="scripted").run(goal, plan=plan, approve="all")
            seconds = time.perf_counter() - began
            assert run.status == "finished", run.gaps
            state = run.state
            assert state.spent.tokens == server.usage.tokens
            at_models = sum(one.seconds for one in server.requests)
            coordination = state.coordination.cost.tokens
            work = state.spent.tokens - coordination
            return (
                f"{name:<16}{len(state.ids):>6}{len(server.requests):>7}{work:>9,}{coordination:>14,}"
                f"{coordination / state.spent.tokens:>8.0%}{seconds:>9.1f} s{seconds - at_models:>14.1f} s"
            )


async def main() -> None:
    """Print a table."""
    print(
        f"{'workspace':<16}{'tasks':>6}{'calls':>7}{'work':>9}{'coordination':>14}{'share':>8}"
        f"{'in all':>11}{'beside models':>16}"
    )
    for name, goal, plan in RUNS:
        print(await measured(name, goal, plan))


if __name__ == "__main__":
    asyncio.run(main())
