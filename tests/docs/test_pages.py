"""What the pages show is true: their snippets run, their commands work, their links lead somewhere."""

import asyncio
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from stretto.core.domain import FailureClass
from stretto.core.ladder import AGAIN, DEFAULT
from stretto.core.plan.diagnostics import CODES
from tests.cli.program import PROGRAM, Done, look

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
AGENTS = (ROOT / "docs" / "agents.md").read_text(encoding="utf-8")
PAGES = ["README.md", *(str(page.relative_to(ROOT)) for page in sorted((ROOT / "docs").glob("*.md")))]


def python_of(text: str) -> str:
    return "\n\n".join(re.findall(r"```python\n(.*?)```", text, re.S))


def names_in(code: str) -> list[str]:
    return re.findall(r"^async def (\w+)\(\) -> None", code, re.M)


def script(folder: Path, code: str) -> dict[str, Any]:
    """Run the snippets of a page as one file, as a reader would."""
    file = folder / "snippets.py"
    file.write_text(code, encoding="utf-8")
    space: dict[str, Any] = {"__name__": "snippets", "__file__": str(file)}
    exec(compile(code, str(file), "exec"), space)  # noqa: S102
    return space


def test_the_snippets_on_agents_run(tmp_path: Path) -> None:
    code = python_of(AGENTS)
    space = script(tmp_path, code)
    assert len(names_in(code)) == 6
    for name in names_in(code):
        asyncio.run(asyncio.wait_for(space[name](), 30))


def test_the_snippet_on_workers_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = python_of((ROOT / "docs" / "worker.md").read_text(encoding="utf-8"))
    asyncio.run(asyncio.wait_for(script(tmp_path, code)["main"](), 30))
    assert (tmp_path / "runs.db").exists()


def test_the_page_on_agents_names_every_class_of_failure_with_its_tries() -> None:
    table = AGENTS.partition("| class | when | tried again |")[2].partition("\n\n")[0]
    words = {0: "no", 1: "once"}
    for one in FailureClass:
        row = next(line for line in table.splitlines() if f"`{one.value}`" in line)
        tries = sum(rung.times for rung in DEFAULT[one.value] if rung.do in AGAIN)
        assert row.rpartition("| ")[2].startswith(words.get(tries, f"{tries} times"))


def test_the_page_on_failure_names_every_class_and_every_rung() -> None:
    from typing import get_args

    from stretto.core.domain import Try

    text = (ROOT / "docs" / "failure.md").read_text(encoding="utf-8")
    for one in FailureClass:
        tries = sum(rung.times for rung in DEFAULT[one.value] if rung.do in AGAIN)
        row = next(line for line in text.splitlines() if line.startswith(f"| `{one.value}` |"))
        assert (f"| {tries} " in row) is bool(tries)
        assert row.endswith("a backup |") is any(rung.do == "backup" for rung in DEFAULT[one.value])
    assert all(re.search(rf"^\| .*\b{do}\b", text, re.M) for do in get_args(Try))


def test_the_ladder_on_the_page_on_failure_is_one() -> None:
    from stretto.core.plan.ladders import read_ladder
    from stretto.documents import parse_document

    text = (ROOT / "docs" / "failure.md").read_text(encoding="utf-8")
    shown = re.findall(r"```yaml\n(ladder:.*?)```", text, re.S)
    assert shown
    for one in shown:
        ladder, wrong = read_ladder(parse_document(one, "failure.md").value["ladder"], "ladder")
        assert ladder
        assert wrong == []


def test_the_page_on_agents_names_every_keyword_of_a_declaration_and_every_part_of_an_assignment() -> None:
    import inspect
    from dataclasses import fields

    from stretto import Assignment
    from stretto.declare import agent

    for name in inspect.signature(agent).parameters:
        assert f"`{name}`" in AGENTS
    public = [one.name for one in fields(Assignment)] + ["cite", "attach", "spend", "ask", "call", "call_now"]
    for name in set(public) - {"citations", "artifacts", "spent", "notes"}:
        assert re.search(rf"`{name}\b", AGENTS), name


def test_the_readmes_script_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    asyncio.run(script(tmp_path, python_of(README))["main"]())
    assert capsys.readouterr().out == "a fact about Compare A and B; another $0 ()\n"
    assert (tmp_path / "runs.db").exists()


def test_the_readmes_commands_work(tmp_path: Path) -> None:
    import shutil

    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns(".stretto", "output"))
    lines = re.findall(r"^\.venv/bin/stretto (.*?)(?:\s+# .*)?$", README, re.M)
    assert [line.split()[0] for line in lines] == [
        *("run", "show", "approve", "resume", "run"),
        *("plan", "run", "run", "agents"),
    ]
    expected = [4, 0, 0, 0, 4, 0, 0, 0, 0]
    for line, code in zip(lines, expected, strict=True):
        words = shlex.split(line)
        done = look(*words, cwd=tmp_path) if words[0] in ("show", "approve", "plan", "agents") else run(words, tmp_path)
        assert done.code == code, (line, done.err)
    start = re.search(r"^stretto (init [\w-]+) && stretto (run -w [\w-]+)$", README, re.M)
    assert start is not None
    assert look(*start[1].split(), cwd=tmp_path).code == 0
    assert run(start[2].split(), tmp_path).code == 0


def run(words: list[str], folder: Path) -> Done:
    found = subprocess.run([*PROGRAM, *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return Done(found.returncode, found.stdout, found.stderr)


def test_the_readme_counts_the_kinds_of_defect() -> None:
    told = re.search(r"over (\d+) kinds of defect", README)
    assert told is not None
    assert 0 < len(CODES) - int(told[1]) < 10


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.S)
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if "://" not in link:
            assert ((ROOT / page).parent / link).exists(), link


def test_the_starter_plan_is_checked_clean(tmp_path: Path) -> None:
    assert look("init", "my team", cwd=tmp_path).out.endswith("stretto plan -w 'my team'\n  stretto run -w 'my team'\n")
    assert look("plan", "-w", "my team", cwd=tmp_path).code == 0
