"""docs/numbers.md says what each number is, and what it should be."""

import asyncio
import re
from pathlib import Path
from typing import Any

from stretto import Orchestrator, pure
from stretto.cli.view.measures import wanted
from stretto.core.targets import TARGETS

PAGE = (Path(__file__).parents[2] / "docs" / "numbers.md").read_text(encoding="utf-8")


@pure
async def echo(text: str) -> str:
    """Give back what came."""
    return text


def test_the_page_names_every_number_with_its_target() -> None:
    rows = dict(re.findall(r"^\| (\w+) \| .* \| (.+?) \|$", PAGE, re.M))
    del rows["number"]
    assert list(rows) == [one.name for one in TARGETS]
    for one in TARGETS:
        assert rows[one.name] == (wanted(one).replace("5.0 s", "5 s") or "none")


def test_the_snippet_runs(tmp_path: Path) -> None:
    space: dict[str, Any] = {}
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    exec(compile(code, "numbers.md", "exec"), space)  # noqa: S102
    job = {"tasks": {"t": {"skill": "echo", "inputs": {"text": "x"}}}}

    async def work() -> Any:
        await Orchestrator([echo], store=tmp_path / "runs.db").run("echo", plan=job)
        return await space["by_agent"](tmp_path / "runs.db")

    (row,) = asyncio.run(asyncio.wait_for(work(), 30))["rows"]
    assert (row["agent"], row["numbers"]["completion"]["value"]) == ("echo", 1.0)
