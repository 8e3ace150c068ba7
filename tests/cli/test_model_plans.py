"""`stretto plan` and `stretto run` with a model that plans: shown, kept in a file, and chosen with --planner."""

import json
from pathlib import Path
from typing import Any

import pytest

from stretto.testing.models import Answer, ModelServer, Rule

from .program import look, stretto

GOAL = "Wiederhole das Wort Fuge zweimal"
FIRST = {
    "restated": "say it twice",
    "tasks": [
        {"id": "one", "skill": "job.ehco", "inputs": {"text": "Fuge"}},
        {"id": "two", "skill": "nobody", "inputs": {"text": {"ref": "one.output"}}},
    ],
}
SECOND = {
    "restated": "say it twice",
    "tasks": [{"id": "two", "skill": "job.echo", "inputs": {"text": {"ref": "one.output"}}}],
    "deliver": {"ref": "two.output"},
}
AGENTS = '''
from stretto import pure

@pure
async def echo(text: str) -> str:
    """Give back what came."""
    return text
'''


def folder(tmp_path: Path, served: ModelServer) -> Path:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "job.py").write_text(AGENTS, encoding="utf-8")
    models = f"models:\n  planner: m\n  m: {{model: scripted, url: '{served.url}', key_env: SCRIPTED_KEY}}\n"
    (tmp_path / "workspace.yaml").write_text(f"name: t\nagents: [agents/job.py]\n{models}", encoding="utf-8")
    return tmp_path


def server(*said: Any) -> ModelServer:
    return ModelServer([Rule(say=[Answer(json=one) for one in said])])


def test_a_plan_by_a_model_is_shown_with_what_was_mended_and_what_it_took_and_can_be_run_from_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server(FIRST, SECOND) as served:
        monkeypatch.setenv("SCRIPTED_KEY", served.key)
        here = folder(tmp_path, served)
        done = look("plan", GOAL, "--write", "plan.yaml", cwd=here)
        assert (done.code, len(served.requests)) == (0, 2)
        assert "planned   by model" in done.out
        assert "mended    one now uses 'job.echo' for 'job.ehco'" in done.out
        assert f"took      {served.usage.input} tokens read, {served.usage.output} written" in done.out
    ran = stretto("run", GOAL, "--plan", "plan.yaml", "--json", cwd=here)
    assert json.loads(ran.out)["answer"] == "Fuge"


def test_defects_that_are_left_are_shown_and_who_plans_can_be_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server(FIRST) as served:
        monkeypatch.setenv("SCRIPTED_KEY", served.key)
        here = folder(tmp_path, served)
        done = look("plan", GOAL, "--planner", "model", cwd=here)
        assert done.code == 1
        assert "no agent has the skill 'nobody' [unknown-skill]" in done.err
        asked = len(served.requests)
        assert look("plan", GOAL, "--planner", "rules", "--json", cwd=here).json["interpretation"]["planner"] == "rules"
        assert len(served.requests) == asked
        wrong = look("plan", GOAL, "--planner", "oracle", cwd=here)
    assert (wrong.code, "planner is auto, model, rules or playbook, not 'oracle'" in wrong.err) == (2, True)


def test_a_run_says_what_its_plan_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with server(FIRST, SECOND) as served:
        monkeypatch.setenv("SCRIPTED_KEY", served.key)
        done = stretto("run", GOAL, "--json", cwd=folder(tmp_path, served))
    told = json.loads(done.out)
    assert (told["status"], told["answer"]) == ("finished", "Fuge")
    assert any("unknown-skill" in one for one in told["interpretation"]["repaired"])
