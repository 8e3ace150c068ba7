"""Whatever goes wrong at a working model, its attempt ends by itself: finished or clearly failed, within its budget."""

import asyncio
from typing import Any

import pytest

from stretto import Orchestrator, plan, pure, ref, task
from stretto.agents.model import model_agent
from stretto.core.domain import FailureClass
from stretto.testing.models import FAULTS, Answer, Fault, ModelServer, Rule, ToolUse, When
from stretto.views import Run

VALUE = {"title": "Languages", "points": ["old", "new"]}
MENDED = {
    "rate_limited", "server_error", "html_page", "slow_headers", "cut", "stream_error", "malformed", "truncated",
    "prose", "wrong_schema",
}  # fmt: skip
"""What a model is asked for again, or told, within one attempt."""
SMALL: dict[str, dict[str, Any]] = {
    "rate_limited": {"retry_after": 0.01},
    "stall": {"after": 1},
    "slow_headers": {"seconds": 0.1},
}


@pure
async def look(word: str) -> str:
    """Look a word up."""
    return f"{word} is old"


def fault_of(kind: str, times: Any) -> Fault:
    return FAULTS[kind](times=times, **SMALL.get(kind, {}))


def run_with(server: ModelServer) -> Run:
    writer = model_agent("writer", "You write.", tools=[look], output={"title": "string", "points": ["string"]})
    model = {"model": "small", "url": server.url, "key_env": "SCRIPTED_KEY", "timeout": 2}
    team = Orchestrator(
        [writer],
        models={"worker": "m", "m": model},
        budget="100k tokens",
        retries=dict.fromkeys(FailureClass, 0),
    )
    work = plan(task("one", "writer"), deliver=ref("one"))
    return asyncio.run(asyncio.wait_for(team.run("write", plan=work), 60))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIPTED_KEY", "sk-scripted")
    monkeypatch.setattr("stretto.models.asking.PAUSE", 0.01)


@pytest.mark.parametrize("place", ["tool", "answer"])
@pytest.mark.parametrize("kind", sorted(FAULTS))
def test_every_fault_ends_in_a_finished_or_a_clearly_failed_run(kind: str, place: str) -> None:
    for times in (1, "always"):
        fault = (fault_of(kind, times),)
        call = Answer(calls=(ToolUse(name="look", arguments={"word": "a"}),))
        script = [
            Rule(when=When(results=0), say=call, faults=fault if place == "tool" else ()),
            Rule(say=Answer(json=VALUE), faults=fault if place == "answer" else ()),
        ]
        with ModelServer(script) as server:
            run = run_with(server)
            assert len(server.requests) <= 8
            assert server.usage.tokens <= run.cost.tokens <= 100_000
        if run.status == "finished":
            assert run.answer == VALUE
        else:
            assert run.status == "failed"
            assert run.gaps[0].why
        if times == 1 and kind in MENDED:
            assert run.status == "finished"
