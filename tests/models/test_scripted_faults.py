"""Every fault that the scripted model server knows ends in a reply or in a failure with the right class, and soon."""

from typing import Any

import pytest
from tests.models.test_asking import Keeper

from stretto.core.domain import FailureClass
from stretto.models import asking
from stretto.models.asking import ask
from stretto.models.definition import models_of
from stretto.models.prompt import Message, Prompt, Tool
from stretto.models.reading import Unreadable, read_json
from stretto.models.roster import ModelRoster
from stretto.ports import AgentFailure
from stretto.testing.models import FAULTS, Answer, ModelServer, Rule, ToolUse

ANSWER = {"verdict": "accept", "reasons": ["one", "two"]}
PROMPT = Prompt(messages=(Message(role="user", text="Judge it."),), schema={"type": "object"})
SETTINGS: dict[str, dict[str, Any]] = {"stall": {"seconds": None, "after": 2}, "slow_headers": {"seconds": 30}}
PASSING = {
    "rate_limited": FailureClass.RATE_LIMITED,
    "server_error": FailureClass.TRANSIENT,
    "html_page": FailureClass.TRANSIENT,
    "cut": FailureClass.TRANSIENT,
    "stream_error": FailureClass.TRANSIENT,
}
"""Faults after which the same model is asked again."""
FAILING = {
    "quota_exceeded": FailureClass.UNAVAILABLE,
    "unauthorized": FailureClass.UNAVAILABLE,
    "context_exceeded": FailureClass.REFUSED,
    "stall": FailureClass.TIMED_OUT,
    "slow_headers": FailureClass.TIMED_OUT,
    "garbled": FailureClass.INVALID_OUTPUT,
    "refusal": FailureClass.REFUSED,
    "content_filter": FailureClass.REFUSED,
    "empty": FailureClass.INVALID_OUTPUT,
}
ANSWERED = {"malformed", "truncated", "prose", "wrong_schema"}
"""Faults of what is said: the reply is whole, and whoever reads it sees what is wrong."""


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PAUSE", 0.0)


def served(kind: str, times: Any = "always") -> ModelServer:
    fault = FAULTS[kind](times=times, **({"retry_after": 0.01} if kind == "rate_limited" else SETTINGS.get(kind, {})))
    return ModelServer([Rule(say=Answer(json=ANSWER), faults=(fault,))])


def roster(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> ModelRoster:
    monkeypatch.setenv("SCRIPT_KEY", server.key)
    return ModelRoster(
        [models_of({"default": "m", "m": {"model": "any", "url": server.url, "key_env": "SCRIPT_KEY", "timeout": 0.3}})]
    )


def test_every_fault_is_here() -> None:
    assert {*PASSING, *FAILING, *ANSWERED} == set(FAULTS)


@pytest.mark.parametrize("kind", PASSING)
async def test_a_fault_that_passes_is_outlived(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(kind, times=1) as server:
        reply = await ask(roster(server, monkeypatch).of("reviewer"), PROMPT, Keeper(), key="k", role="reviewer")
        assert len(server.requests) == 2
    assert read_json(reply.text) == ANSWER


@pytest.mark.parametrize(("kind", "failure"), [*PASSING.items(), *FAILING.items()])
async def test_a_fault_that_stays_is_a_failure_of_its_class(
    kind: str, failure: FailureClass, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served(kind) as server:
        with pytest.raises(AgentFailure) as told:
            await ask(roster(server, monkeypatch).of("reviewer"), PROMPT, Keeper(), key="k", role="reviewer")
        assert len(server.requests) == (3 if kind in PASSING else 1)
    assert told.value.failure is failure
    assert server.key not in str(told.value)


@pytest.mark.parametrize("kind", sorted(ANSWERED))
async def test_what_is_said_wrongly_is_seen_by_whoever_reads_it(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(kind) as server:
        reply = await ask(roster(server, monkeypatch).of("reviewer"), PROMPT, Keeper(), key="k", role="reviewer")
    match kind:
        case "prose":
            assert read_json(reply.text) == ANSWER
        case "wrong_schema":
            assert read_json(reply.text) != ANSWER
        case "truncated":
            assert reply.finish == "length"
            with pytest.raises(Unreadable) as told:
                read_json(reply.text)
            assert told.value.cut
        case _:
            with pytest.raises(Unreadable):
                read_json(reply.text)


@pytest.mark.parametrize("kind", ["malformed", "truncated"])
async def test_a_tool_call_that_is_no_json_is_no_answer(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    call = ToolUse(name="look_up", arguments={"id": 7, "of": "the order that was asked about"})
    fault = FAULTS[kind](times="always")
    tool = Tool(name="look_up", inputs={"type": "object", "properties": {"id": {"type": "integer"}}})
    async with ModelServer([Rule(say=Answer(calls=(call,)), faults=(fault,))]) as server:
        with pytest.raises(AgentFailure) as told:
            await ask(
                roster(server, monkeypatch).of("worker"),
                Prompt(messages=PROMPT.messages, tools=(tool,)),
                Keeper(),
                key="k",
                role="worker",
            )
    assert told.value.failure is FailureClass.INVALID_OUTPUT
    assert "look_up" in str(told.value)
