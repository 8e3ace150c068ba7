"""The small real model plans badly: what comes of it is a runnable plan or a clear refusal, never a crash or a hang."""

import asyncio

import pytest

from stretto import Orchestrator

from .modelling import find, write

MODELS = {"planner": "small", "small": {"model": "local", "window": 4096, "max_tokens": 60}}


@pytest.mark.timeout(240)  # some 10 s where nothing else runs
def test_what_the_local_model_plans_is_run_or_clearly_refused() -> None:
    goal = "Finde Texte über Fugen und schreibe daraus einen Text"
    team = Orchestrator([find, write], models=MODELS)
    run = asyncio.run(asyncio.wait_for(team.run(goal, planner="model"), 200))
    calls = [one for one in run.state.calls.values() if one.role == "planner"]
    assert 1 <= len(calls) <= 3
    assert all(one.usage.output <= 60 and one.usage.input > 500 for one in calls if one.status == "done")
    if run.status == "failed":
        assert run.gaps[0].what == "the plan"
        assert "defect" in run.gaps[0].why
    else:
        assert run.status in ("finished", "partial")
        assert run.state.tasks
