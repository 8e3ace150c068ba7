"""Models asked in a real run: paid from its budget, kept in its journal once, and their keys kept nowhere."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stretto import Assignment, Orchestrator, agent
from stretto.models.asking import ask
from stretto.models.definition import models_of
from stretto.models.prompt import Message, Prompt
from stretto.models.roster import ModelRoster
from stretto.testing.models import Answer, ModelServer, RateLimited, Rule, Unauthorized, When
from stretto.views import Run

KEY = "sk-planted-0123456789abcdef"
PROMPT = Prompt(messages=(Message(role="user", text="Say hello."),), most=50)
HELLO = Rule(when=When(user="hello"), say=Answer(text="Hello"), faults=(RateLimited(retry_after=0.01),))


def definition(server: ModelServer, **more: Any) -> dict[str, Any]:
    return {"model": "any", "url": server.url, "key_env": "TEAM_KEY", **more}


def speaker(models: ModelRoster) -> Callable[..., Any]:
    @agent(effect="none", cost="$0.50")
    async def speak(work: Assignment) -> str:
        """Say hello."""
        assert work.toolbox is not None
        return (await ask(models.of("worker"), PROMPT, work.toolbox, key="hello", role="worker")).text

    return speak


async def pursued(folder: Path, given: dict[str, Any], **rules: Any) -> Run:
    models = ModelRoster([models_of(given)])
    team = Orchestrator([speaker(models)], store=folder / "runs.db", ladder={"*": ["fail"]}, **rules)
    plan = {"tasks": {"a": {"skill": "speak"}}, "deliver": {"ref": "a.output"}}
    return await team.run("Say hello.", plan=plan, budget="$1")


async def test_a_call_is_paid_by_its_price_and_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_KEY", KEY)
    async with ModelServer([HELLO], key=KEY) as server:
        price = {"input": 1000, "output": 1000}
        run = await pursued(tmp_path, {"default": "m", "m": definition(server, price=price)})
        asked = server.usage
    assert run.status == "finished"
    assert run.answer == "Hello"
    assert run.cost.tokens == asked.input + asked.output
    assert run.cost.money * 1000 == run.cost.tokens


async def test_no_key_is_in_the_journal_the_logs_or_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TEAM_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    rejected = Rule(when=When(model="strict"), faults=(Unauthorized(times="always"),), say=Answer(text="x"))
    async with ModelServer([rejected, HELLO], key=KEY) as server:
        given = {
            "default": ["strict", "m"],
            "strict": definition(server, model="strict", price={"input": 1, "output": 1}),
            "m": definition(server, price={"input": 1, "output": 1}),
        }
        run = await pursued(tmp_path, given)
    assert run.answer == "Hello"
    files = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
    assert b"Hello" in files
    shown = f"{run!r} {caplog.text} {''.join(capfd.readouterr())}"
    assert b"planted" not in files
    assert "planted" not in shown


async def test_a_model_of_unknown_price_is_not_asked_where_nothing_without_a_bound_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_KEY", KEY)
    given = {"default": "far", "far": {"model": "any", "url": "https://192.0.2.1/v1", "key_env": "TEAM_KEY"}}
    run = await pursued(tmp_path, given, unbounded="refuse")
    assert run.status == "failed"
    assert "nobody knows" in str(run.gaps)


async def test_what_would_cross_the_budget_is_left_to_a_cheaper_stand_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_KEY", KEY)
    async with ModelServer([HELLO], key=KEY) as server:
        given = {
            "default": ["dear", "cheap"],
            "dear": definition(server, model="dear", price={"input": 100_000, "output": 100_000}),
            "cheap": definition(server, price={"input": 1, "output": 1}),
        }
        run = await pursued(tmp_path, given)
        assert not [one for one in server.requests if one.model == "dear"]
    assert run.answer == "Hello"
