"""`stretto models` says what can be used, what for and at which price, and why the rest cannot."""

import asyncio
import json
from pathlib import Path

import pytest

from stretto import Orchestrator
from stretto.models.survey import survey
from stretto.settings import Settings
from stretto.testing.models import Answer, ModelServer, Rule, Unauthorized
from tests.cli.program import look

VARIABLES = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY", "STRETTO_MODEL")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    monkeypatch.setenv("VLLM_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.chdir(tmp_path)


def workspace(folder: Path, models: str) -> None:
    (folder / "workspace.yaml").write_text(f"name: w\nmodels: {models}\n")


def test_without_any_model_it_says_what_each_provider_lacks() -> None:
    done = look("models", cwd=Path())
    assert done.code == 0
    assert "anthropic    not usable: there is no key; put it into the variable ANTHROPIC_API_KEY" in done.out
    assert "ollama       not usable: http://127.0.0.1:9/v1 does not answer" in done.out
    assert "local        usable" in done.out
    assert "goals are planned by rules" in done.out


def test_each_model_is_told_with_its_roles_window_and_price(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-0123456789")
    workspace(
        tmp_path,
        "{planner: [strong, local], worker: far, strong: openai:gpt-5-mini,"
        " far: {model: m, url: 'https://models.example.org/v1', key_env: FAR_KEY}}",
    )
    found = json.loads(look("models", "--json", cwd=Path()).out)
    models = {one["model"]: one for one in found["models"]}
    assert found["roles"]["planner"] == ["openai:gpt-5-mini", "local"]
    assert found["roles"]["reviewer"] == []
    assert models["openai:gpt-5-mini"]["usable"]
    assert models["openai:gpt-5-mini"]["names"] == ["strong"]
    assert float(models["openai:gpt-5-mini"]["price"]["output"]) > 0
    assert models["local"]["window"] == 8192
    assert models["https://models.example.org/v1#m"]["why"] == "there is no key; put it into the variable FAR_KEY"
    shown = look("models", cwd=Path()).out
    assert "price unknown, so under a budget of money it runs alone" in shown
    assert "planted" not in shown


def test_a_model_that_an_agent_names_is_told_as_well() -> None:
    team = Orchestrator(settings=Settings())
    team.models.named("ollama:llama3.2")
    (one,) = asyncio.run(survey(team.models)).models
    assert (one.model, one.roles) == ("ollama:llama3.2", ("agents",))


def test_a_check_asks_each_model_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rules = [Rule(say=Answer(text="ready"))]
    with ModelServer(rules) as server:
        monkeypatch.setenv("SCRIPT_KEY", server.key)
        workspace(tmp_path, f"{{default: m, m: {{model: any, url: '{server.url}', key_env: SCRIPT_KEY}}}}")
        done = look("models", "--check", cwd=Path())
        assert len(server.requests) == 1
    assert done.code == 0
    assert "it answered 'ready' for $0" in done.out


def test_a_check_that_fails_says_why_and_exits_1(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rules = [Rule(say=Answer(text="ready"), faults=(Unauthorized(times="always"),))]
    with ModelServer(rules) as server:
        monkeypatch.setenv("SCRIPT_KEY", server.key)
        workspace(tmp_path, f"{{default: m, m: {{model: any, url: '{server.url}', key_env: SCRIPT_KEY}}}}")
        done = look("models", "--check", cwd=Path())
    assert done.code == 1
    assert "does not accept the key" in done.out
    assert server.key not in done.out + done.err


def test_a_model_that_cannot_be_read_is_a_usage_error() -> None:
    done = look("models", "--model", "opnai:x", cwd=Path())
    assert done.code == 2
    assert "there is no provider 'opnai'" in done.err
