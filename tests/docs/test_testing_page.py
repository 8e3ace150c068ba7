"""What the page on testing shows of the scripted model is true: tests pass, the script plays, tables are whole."""

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import httpx

from stretto.testing.models import FAULTS, Answer, ModelServer, Request, Rule, Script, When, parse_script

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
SCRIPT = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)[0]


def table(first: str) -> set[str]:
    """Give the words in the first column of the table whose first heading this is."""
    rows = PAGE.partition(f"| `{first}` |")[2].partition("\n\n")[0].splitlines()[2:]
    return {word for row in rows for word in re.findall(r"`(\w+)`", row.split("|")[1])}


def test_the_tests_on_the_page_pass(tmp_path: Path) -> None:
    code = "\n\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.S))
    file = tmp_path / "test_page.py"
    file.write_text(code, encoding="utf-8")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


def test_the_script_on_the_page_answers_as_it_reads() -> None:
    def ask(*messages: str) -> str:
        body = {"model": "worker", "messages": [{"role": "user", "content": one} for one in messages], "stream": False}
        if messages[0].startswith("compare"):
            body["messages"].insert(0, {"role": "system", "content": "You plan."})
        found = httpx.post(f"{server.url}/chat/completions", json=body, headers=headers, timeout=10)
        choice = found.json().get("choices", [{}])[0].get("message", {})
        return str(choice.get("content") or found.status_code)

    script = parse_script(SCRIPT.replace("pace: {first: 0.6, rate: 60}", "pace: {}"))
    with ModelServer(script) as server:
        headers = {"authorization": f"Bearer {server.key}"}
        assert '{"what":"Go"}' in ask("compare Rust and Go")
        assert ask("Where is order 7?") == "Let me see."
        assert [ask("Give a name") for _ in range(4)][:3] == ["429"] * 3
        assert ask("Give a name") == "Ada"
        assert [ask("else"), ask("else")] == ["503", '{"verdict":"accept"}']


def test_the_tables_name_everything_that_a_script_may_say() -> None:
    assert table("kind") >= set(FAULTS)
    assert table("when") >= {one.name for one in fields(When)}
    for one in [*fields(Script), *fields(Rule), *fields(Answer)]:
        if one.name != "name":
            assert re.search(rf"\b{one.name}\b", PAGE), one.name


def test_the_page_names_the_ends_and_the_asserts() -> None:
    told = PAGE.partition("### What was asked")[2]
    for word in ("requests", "asked", "wait", "counts", "usage", "max_parallel", "unmatched"):
        assert f"`{word}" in told.replace("server.", "")
        assert hasattr(ModelServer, word)
    assert Request.__doc__ is not None
    assert all(f"`{end}`" in Request.__doc__ for end in ("whole", "cut", "left"))
