"""What a review leaves to a person is shown, answered and counted on the command line."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stretto import Assignment, Orchestrator, pure
from stretto.cli import app
from stretto.core.errors import UsageError
from stretto.testing.models import Answer, ModelServer, Rule

PLAN = {"tasks": {"t": {"skill": "draft", "criteria": ["the tone is kind"]}}, "deliver": {"ref": "t.output"}}
UNCLEAR = {"number": 1, "met": False, "evidence": "Pay up", "score": 4, "feedback": "who can tell"}
ESCALATED = Answer(json={"criteria": [UNCLEAR], "verdict": "escalate"})


@pure
def draft(work: Assignment) -> str:
    """Draft a letter."""
    return f"Pay up. {' '.join(work.feedback)}".strip()


async def waiting(store: Path) -> str:
    """Give a run whose result waits for a person."""
    with ModelServer([Rule(say=ESCALATED)], key=None) as server:
        models = {"reviewer": "small", "small": {"model": "small", "url": server.url}}
        run = await Orchestrator([draft], models=models, store=store).run("remind Ann", plan=PLAN)
    assert run.status == "waiting"
    return run.state.run


def stretto(*words: str) -> str:
    done = CliRunner().invoke(app, [*words])
    assert done.exit_code == 0, done.output
    return done.output


def test_a_person_sees_the_result_and_lets_it_count(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    run = asyncio.run(waiting(store))
    assert "Pay up." in stretto("show", run, "--store", str(store))
    assert "does it do? Answer approve, retry, done, skip or fail" in stretto("requests", "--store", str(store))
    assert "approved" in stretto("approve", run, "t", "--store", str(store))
    assert asyncio.run(Orchestrator([draft], store=store).resume(run)).answer == "Pay up."
    (one,) = json.loads(stretto("agents", "--reviewers", "--store", str(store), "--json"))
    assert one["reviewer"].startswith("judge http://127.0.0.1")
    assert (one["false_alarms"], one["hits"], one["hit_rate"], one["false_alarm_rate"], one["pays"]) == (
        1,
        0,
        None,
        1.0,
        True,
    )
    assert one["reviewer"] in stretto("agents", "--reviewers", "--store", str(store))


def test_a_person_sends_the_result_back_and_says_what_is_wrong(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    run = asyncio.run(waiting(store))
    stretto("answer", run, "t", "retry", "--reason", "say please", "--store", str(store))
    assert asyncio.run(Orchestrator([draft], store=store).resume(run)).answer == "Pay up. say please"


def test_an_answer_that_suits_no_review_is_refused(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    run = asyncio.run(waiting(store))
    with pytest.raises(UsageError, match="answer approve, retry, done, skip or fail"):
        CliRunner().invoke(app, ["answer", run, "t", "perhaps", "--store", str(store)], catch_exceptions=False)


def test_a_store_without_cases_says_so(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    asyncio.run(Orchestrator([draft], store=store).run("x", plan={"tasks": {"t": {"skill": "draft"}}}))
    assert "nothing is known of any reviewer yet" in stretto("agents", "--reviewers", "--store", str(store))
