"""Every code is raised by a plan in YAML and by one in JSON, at its place, with its severity and a way to mend it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stretto.cli import app
from stretto.core.errors import BadWorkspace
from stretto.core.plan.diagnostics import CODES
from stretto.playbooks import read_playbooks
from tests.plans.cases import CASES, FOLDER, OWN, Case
from tests.plans.team import checked


def test_every_code_has_a_case() -> None:
    assert {one.name for one in FOLDER.iterdir()} == {f"{code}.{form}" for code in OWN for form in ("yaml", "json")}


@pytest.mark.parametrize("case", [one for one in CASES if one.code != "bad-inclusion"], ids=lambda case: case.path.name)
def test_a_code_is_raised_at_its_place(case: Case, tmp_path: Path) -> None:
    path = tmp_path / case.path.name
    path.write_text(case.text, encoding="utf-8")
    found = [one for one in checked(path, budget=case.budget, seconds=case.seconds) if one.code == case.code]
    assert found, f"{case.code} was not raised"
    assert [one.where.split(" ")[0] for one in found] == [f"{path}{case.place}"]
    assert {one.severity for one in found} == {CODES[case.code].severity}
    assert all(one.message and one.mend.endswith((".", "?")) for one in found)


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_an_inclusion_that_cannot_be_is_told_at_its_place(form: str, tmp_path: Path) -> None:
    case = Case(path=FOLDER / f"bad-inclusion.{form}")
    path = tmp_path / "playbooks" / case.path.name
    path.parent.mkdir()
    path.write_text(case.text, encoding="utf-8")
    with pytest.raises(BadWorkspace, match="bad-inclusion") as refused:
        read_playbooks(tmp_path)
    assert str(refused.value).startswith(f"{path}{case.place} (tasks.a.")


def test_structure_is_an_error_and_a_doubt_about_types_a_warning() -> None:
    doubts = {name for name in OWN if CODES[name].severity != "error"}
    assert doubts == {
        *("type-mismatch", "unknown-output", "late", "unused-result", "no-backup", "racing-read"),
        "unknown-backup",
        "bad-criterion",
        "no-undo",
        "unbounded-cost",
    }


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_the_command_line_says_place_code_and_mend_and_exits_1(form: str, tmp_path: Path) -> None:
    case = Case(path=FOLDER / f"unknown-skill.{form}")
    path = tmp_path / f"plan.{form}"
    path.write_text(case.text, encoding="utf-8")
    said = CliRunner().invoke(app, ["plan", "--file", str(path)])
    assert said.exit_code == 1
    assert f"{path}{case.place} (tasks.a.skill): error: no agent has the skill" in said.output
    assert "[unknown-skill]" in said.output
    told = json.loads(CliRunner().invoke(app, ["plan", "--file", str(path), "--json"]).stdout)
    assert told["status"] == "refused"
    first = next(one for one in told["diagnostics"] if one["code"] == "unknown-skill")
    assert first["severity"] == "error"
    assert first["mend"]
    assert f"{path}{case.place}" in json.dumps(first)


def test_a_plan_with_remarks_only_is_fine_and_exits_0(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("tasks:\n  a: {skill: logs.analyse, inputs: {path: x.log}}\n", encoding="utf-8")
    said = CliRunner().invoke(app, ["plan", "--file", str(path)])
    assert said.exit_code == 0, said.output
    assert "ok: 1 task, 0 errors" in said.output
