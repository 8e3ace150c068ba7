"""`stretto plan --tools`: plans of other systems on the command line."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from stretto.cli import app

TOOLS = {
    "nodes": [
        {"id": "Reader", "desc": "Reads a photo.", "input-type": ["image"], "output-type": ["text"]},
        {"id": "Speaker", "desc": "Speaks a text.", "input-type": ["text"], "output-type": ["audio"]},
    ]
}


def plan(second: str, argument: str, **others: Any) -> dict[str, Any]:
    """Write a task graph of two nodes."""
    return {
        "task_nodes": [{"task": "Reader", "arguments": ["a.jpg"]}, {"task": second, "arguments": [argument]}],
        "task_links": [{"source": "Reader", "target": second}],
        **others,
    }


SOUND, MENDED, REFUSED = (
    plan("Speaker", "<node-0>", id="sound"),
    plan("speaker", "<node-1>", id="mended"),
    plan("Sculptor", "<node-0>", id="refused"),
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tools.json").write_text(json.dumps(TOOLS))


def run(*plans: dict[str, Any], options: tuple[str, ...] = (), name: str = "plans.jsonl") -> Result:
    """Write plans to a file and give what the command says of them."""
    Path(name).write_text("\n".join(json.dumps(one) for one in plans))
    return CliRunner().invoke(app, ["plan", "--file", name, "--tools", "tools.json", *options])


def test_json_has_a_line_for_each_plan_with_its_status_and_diagnostics() -> None:
    result = run(SOUND, MENDED, REFUSED, options=("--json",))
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(one["id"], one["status"]) for one in lines] == [
        ("sound", "ok"),
        ("mended", "repaired"),
        ("refused", "refused"),
    ]
    assert lines[0]["diagnostics"] == []
    for one in lines[1]["diagnostics"]:
        assert one.keys() == {"code", "severity", "where", "message", "mend", "repaired"}
        assert one["repaired"] is True
    assert {one["code"] for one in lines[1]["changes"]} == {"unknown-skill", "self-reference"}
    assert [(one["code"], one["repaired"]) for one in lines[2]["diagnostics"]] == [("unknown-skill", False)]


def test_people_get_a_line_for_each_plan_and_a_table_of_codes() -> None:
    result = run(SOUND, MENDED, REFUSED)
    assert "mended                   repaired  2 tasks" in result.stdout
    row = next(line for line in result.stdout.splitlines() if line.startswith("unknown-skill"))
    assert row.split() == ["unknown-skill", "error", "2", "1", "1"]
    assert "3 plans: 1 ok, 1 repaired, 1 refused" in result.stdout
    assert "left: plans.jsonl:3:" in result.stderr


def test_it_exits_with_1_only_when_a_plan_is_refused() -> None:
    assert run(SOUND, MENDED).exit_code == 0
    assert run(SOUND, REFUSED).exit_code == 1


def test_the_mended_plan_is_written_and_passes_as_it_is() -> None:
    assert run(MENDED, options=("--write", "plan.yaml")).exit_code == 0
    again = CliRunner().invoke(app, ["plan", "--file", "plan.yaml", "--tools", "tools.json", "--json"])
    assert json.loads(again.stdout)["status"] == "ok"


def test_a_plan_written_to_standard_output_stands_there_alone() -> None:
    result = run(MENDED, options=("--write", "-"))
    assert result.stdout.startswith("tasks:\n  node-0:\n    skill: Reader\n")
    assert "1 repaired" in result.stderr


def test_of_several_lists_of_tools_the_plan_names_its_own() -> None:
    Path("other_tools.json").write_text(json.dumps({"nodes": [{"id": "Sculptor"}, {"id": "Reader"}]}))
    both = ("--tools", "other_tools.json", "--json")
    named = run({**REFUSED, "dataset": "other"}, {**REFUSED, "dataset": "tools"}, REFUSED, options=both)
    assert [json.loads(line)["status"] for line in named.stdout.splitlines()] == ["ok", "refused", "ok"]


def test_without_tools_a_foreign_plan_is_held_against_the_agents_at_hand() -> None:
    Path("plan.json").write_text(json.dumps(SOUND))
    result = CliRunner().invoke(app, ["plan", "--file", "plan.json", "--json"])
    assert [one["code"] for one in json.loads(result.stdout)["diagnostics"]] == ["unknown-skill", "unknown-skill"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tools", "tools.json"], "which plans?"),
        (["--file", "nowhere.json", "--tools", "tools.json"], "there is no file nowhere.json"),
        (["--file", "tools.json", "--tools", "nowhere.json"], "No such file"),
        (["--file", "empty.jsonl", "--tools", "tools.json"], "there is no plan in this file"),
        (["--file", "two.jsonl", "--tools", "tools.json", "--write", "x.yaml"], "--write takes one plan"),
        (["--file", "one.jsonl", "--tools", "tools.json", "--write", "no/x.yaml"], "cannot write no/x.yaml"),
    ],
)
def test_what_cannot_be_asked_is_said_and_exits_with_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from stretto.cli import main

    Path("empty.jsonl").write_text("\n")
    Path("one.jsonl").write_text(json.dumps(SOUND))
    Path("two.jsonl").write_text(f"{json.dumps(SOUND)}\n{json.dumps(SOUND)}")
    monkeypatch.setattr("sys.argv", ["stretto", "plan", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert message in capsys.readouterr().err
