"""`stretto agents run` calls one skill alone: arguments by the skill's schema, results for people and programs."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from stretto.cli import main

AGENTS = '''
"""Skills for tests of single calls."""
from pathlib import Path

from stretto import AgentFailure, Assignment, irreversible, pure
from stretto.core.domain import Preview


@pure
def add(a: int, b: float = 0.5, loud: bool = False, tags: list[str] | None = None) -> dict[str, object]:
    """Add numbers."""
    return {"sum": a + b, "loud": loud, "tags": tags}


@pure
def chatter(text: str) -> str:
    """Print, and give a text that a terminal would obey."""
    print("noise")
    return "\\x1b[31m" + text


@pure
def ask(work: Assignment) -> str:
    """Ask a person."""
    return work.ask("which one?")


@pure
def fail(text: str) -> str:
    """Fail."""
    raise AgentFailure(text)


def _shown(file: str) -> Preview:
    return Preview(diff=f"- {file}")


@irreversible(preview=_shown)
def erase(file: str) -> str:
    """Erase a file."""
    Path(file).unlink()
    return "gone"
'''


@dataclass(frozen=True)
class Said:
    """What a call of the program left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, object]:
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


Call = Callable[..., Said]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    """Call the program in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STRETTO_FETCH_ALLOW", raising=False)

    def program(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["stretto", *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return Said(int(ended.value.code or 0), out, err)

    return program


@pytest.fixture
def workspace(tmp_path: Path) -> str:
    folder = tmp_path / "team"
    folder.mkdir()
    (folder / "workspace.yaml").write_text("agents: [tools.py, {use: fetch, allow: [example.org]}]\n", encoding="utf-8")
    (folder / "tools.py").write_text(AGENTS, encoding="utf-8")
    return str(folder)


def test_every_shipped_specialist_is_listed(call: Call) -> None:
    said = call("agents")
    assert said.code == 0
    for name in ("calculate", "fetch", "logs", "report", "summarise", "verify"):
        assert f"{name}  (function" in said.out


def test_a_bare_value_goes_to_what_is_needed(call: Call) -> None:
    said = call("agents", "run", "calculate", "90 min * 60 km/h")
    assert said.code == 0
    assert said.out.startswith("90 km\n")
    assert "90 min * 60 km/h  90 km" in said.out


def test_json_carries_the_whole_result(call: Call) -> None:
    body = call("agents", "run", "calculate.evaluate", "expression=a + 1", 'values={"a": "5 km / km"}', "--json").json
    assert (body["agent"], body["skill"], body["status"]) == ("calculate", "calculate.evaluate", "completed")
    assert isinstance(body["output"], dict)
    assert body["output"]["exact"] == "6"


def test_the_skill_is_the_one_that_knows_the_arguments(call: Call, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('year,revenue\n2022,"1,000"\n2023,"1,200"\n', encoding="utf-8")
    body = call("agents", "run", "calculate", "rows=@t.csv", "period=year", "--json").json
    assert body["skill"] == "calculate.aggregate"
    assert '"ratio": 0.2' in json.dumps(body["output"])


def test_values_come_from_files_of_json_and_json_lines(call: Call, tmp_path: Path) -> None:
    (tmp_path / "r.md").write_text("Sales rose 5 %.\n", encoding="utf-8")
    claim = {"text": "Sales rose 5 %.", "citations": [{"file": "r.md", "line": 1}]}
    (tmp_path / "claims.json").write_text(json.dumps([claim]), encoding="utf-8")
    (tmp_path / "claims.jsonl").write_text(json.dumps(claim) + "\n", encoding="utf-8")
    for given in ("claims=@claims.json", "@claims.jsonl", f"claims={json.dumps(claim)}"):
        body = call("agents", "run", "verify", given, "--json").json
        assert isinstance(body["output"], dict)
        assert body["output"]["supported"] == 1


def test_files_are_given_by_name(call: Call, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("The weather report says that rain is near.\n", encoding="utf-8")
    (tmp_path / "b.md").write_text("Farmers welcome every drop of water.\n", encoding="utf-8")
    said = call("agents", "run", "summarise", "a.md", "b.md", "sentences=2")
    assert said.code == 0
    assert "a.md" in said.out
    assert "b.md" in said.out


def test_types_are_read_by_the_schema(call: Call, workspace: str) -> None:
    body = call("agents", "run", "-w", workspace, "tools.add", "a=2", "loud=yes", "tags=x", "tags=y", "--json").json
    assert body["output"] == {"sum": 2.5, "loud": True, "tags": ["x", "y"]}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["tools.add"], "needs 'a'; it takes a (a whole number), b (a number, optional)"),
        (["tools.add", "a=x"], "argument 'a' is a whole number, not 'x'"),
        (["tools.add", "a=1", "aa=2"], "no argument 'aa'; Did you mean 'a'?"),
        (["tools.add", "a=1", "a=2"], "argument 'a' is given 2 times"),
        (["tools.add", "a=1", "loud=maybe"], "argument 'loud' is true or false"),
        (["tools.add", "a=1", "stray"], "write it as ARG=VALUE"),
        (["tools.chatter", "text=@gone.txt"], "argument 'text': gone.txt: No such file"),
        (["tools.ad", "a=1"], "Did you mean 'tools.add'?"),
        (["nobody"], "no agent or skill 'nobody'"),
        (["tools.add", "a=1", "--approve", "perhaps"], "--approve is ask, all or none"),
    ],
)
def test_wrong_arguments_are_named_and_exit_with_2(call: Call, workspace: str, arguments: list[str], told: str) -> None:
    said = call("agents", "run", "-w", workspace, *arguments)
    assert said.code == 2
    assert said.out == ""
    assert told in said.err
    assert "Traceback" not in said.err


def test_a_failure_exits_with_1_and_says_why(call: Call, workspace: str) -> None:
    said = call("agents", "run", "-w", workspace, "tools.fail", "it rains")
    assert (said.code, said.out) == (1, "")
    assert "it rains" in said.err
    body = call("agents", "run", "-w", workspace, "tools.fail", "it rains", "--json").json
    assert (body["status"], body["failure"], body["message"]) == ("failed", "refused", "it rains")


def test_what_skills_print_stays_out_of_the_result_and_terminals_obey_nothing(call: Call, workspace: str) -> None:
    said = call("agents", "run", "-w", workspace, "tools.chatter", "red")
    assert said.out == "\ufffd[31mred\n"
    assert "noise" in said.err


def test_a_question_without_a_terminal_exits_with_4(call: Call, workspace: str) -> None:
    said = call("agents", "run", "-w", workspace, "tools.ask")
    assert (said.code, said.out) == (4, "")
    assert "which one?" in said.err


def test_what_cannot_be_undone_needs_leave(call: Call, workspace: str, tmp_path: Path) -> None:
    file = tmp_path / "precious"
    file.touch()
    waits = call("agents", "run", "-w", workspace, "tools.erase", f"file={file}")
    assert waits.code == 4
    assert f"- {file}" in waits.err
    assert call("agents", "run", "-w", workspace, "tools.erase", f"file={file}", "--approve", "none").code == 1
    assert file.exists()
    assert call("agents", "run", "-w", workspace, "tools.erase", f"file={file}", "--approve", "all").code == 0
    assert not file.exists()


def test_artifacts_land_in_the_output_folder(call: Call, tmp_path: Path) -> None:
    document = json.dumps({"title": "T", "summary": "Short."})
    kept = call("agents", "run", "report", f"document={document}", "--output", "out", "--json").json
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == ["report.html", "report.md"]
    assert "out/report.md" in json.dumps(kept["artifacts"])
    assert "keep with --output" in call("agents", "run", "report", f"document={document}").err


def test_fetch_says_how_to_allow_a_host(call: Call, workspace: str) -> None:
    said = call("agents", "run", "fetch", "https://example.net/")
    assert said.code == 1
    assert "allowed: nothing" in said.err
    assert "STRETTO_FETCH_ALLOW=example.net" in said.err
    inside = call("agents", "run", "-w", workspace, "fetch", "https://example.net/")
    assert "allowed: example.org" in inside.err


def test_options_of_specialists_are_checked_where_they_stand(call: Call, tmp_path: Path) -> None:
    (tmp_path / "workspace.yaml").write_text("agents:\n  - {use: fetch, alow: [x.org]}\n", encoding="utf-8")
    said = call("agents")
    assert said.code == 2
    assert "workspace.yaml:2" in said.err
    assert "fetch has no option 'alow'; it takes allow" in said.err


def test_help_loads_nothing_heavy() -> None:
    heavy = ("pint", "httpx", "bs4", "stretto.bootstrap", "jsonschema", "jinja2")
    code = (
        "import sys; sys.argv = ['stretto', 'agents', 'run', '--help']\n"
        "from stretto.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"sys.exit(','.join(one for one in {heavy!r} if one in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "ARG=VALUE" in done.stdout
