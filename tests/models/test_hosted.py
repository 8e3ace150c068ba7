"""The hosted providers' own interfaces, at an address of the loopback: what is sent, and what comes back."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from stretto.core.domain import FailureClass, Usage
from stretto.models.definition import models_of
from stretto.models.prompt import Message, Model, Prompt, Reply, Tool, ToolCall
from stretto.models.roster import ModelRoster
from stretto.ports import AgentFailure
from tests.models.serving import Answer, Served, chat, error, serving

SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
ADD = Tool(name="add", description="Adds.", inputs={"type": "object", "properties": {"a": {"type": "integer"}}})
KEYS = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY", "google": "GOOGLE_API_KEY"}
ADDRESSES = {"anthropic": "ANTHROPIC_BASE_URL", "openai": "OPENAI_BASE_URL", "google": "GOOGLE_GEMINI_BASE_URL"}
NAMES = {"anthropic": "claude-sonnet-5", "openai": "gpt-5-mini", "google": "gemini-2.5-flash"}


def lines(events: Sequence[dict[str, Any]]) -> Answer:
    heads = [f"event: {one['type']}\n" if "type" in one else "" for one in events]
    return Answer(pieces=[f"{head}data: {json.dumps(one)}\n\n" for head, one in zip(heads, events, strict=True)])


def anthropic(*texts: str, stop: str | None = "end_turn") -> Answer:
    usage = {"input_tokens": 8, "output_tokens": 1, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 0}
    message = {"id": "m", "type": "message", "role": "assistant", "model": "claude-sonnet-5", "content": []}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**message, "stop_reason": None, "stop_sequence": None, "usage": usage}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}} for text in texts),
    ]
    if stop is not None:
        events += [
            {"type": "content_block_stop", "index": 0},
            {
                "type": "message_delta",
                "delta": {"stop_reason": stop, "stop_sequence": None},
                "usage": {"output_tokens": 5},
            },
            {"type": "message_stop"},
        ]
    return lines(events)


def google(*texts: str, stop: str | None = "STOP") -> Answer:
    events: list[dict[str, Any]] = [
        {"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}]} for text in texts
    ]
    if stop is not None:
        events[-1]["candidates"][0]["finishReason"] = stop
        events[-1]["usageMetadata"] = {
            "promptTokenCount": 12,
            "cachedContentTokenCount": 4,
            "candidatesTokenCount": 5,
            "totalTokenCount": 17,
        }
    return lines([{**one, "modelVersion": "gemini-2.5-flash"} for one in events])


ANSWERS = {"anthropic": anthropic, "openai": chat, "google": google}


def hosted(monkeypatch: pytest.MonkeyPatch, provider: str, served: Served) -> Model:
    monkeypatch.setenv(KEYS[provider], "sk-planted-0123456789")
    monkeypatch.setenv(ADDRESSES[provider], served.url if provider == "openai" else served.url.removesuffix("/v1"))
    (model,) = ModelRoster([models_of(f"{provider}:{NAMES[provider]}")]).of("worker")
    return model


async def answered(model: Model, prompt: Prompt) -> tuple[list[str], Reply]:
    pieces: list[str] = []
    async for piece in model.stream(prompt):
        if isinstance(piece, Reply):
            return pieces, piece
        pieces.append(piece)
    raise AssertionError("no reply")


@pytest.mark.parametrize("provider", ANSWERS)
async def test_each_streams_counts_and_costs_by_the_price_list(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    prompt = Prompt(
        messages=(Message(role="system", text="Be brief."), Message(role="user", text="Hello?")),
        schema=SCHEMA,
        most=300,
    )
    async with serving([ANSWERS[provider]('{"a": ', '"b"}')]) as served:
        model = hosted(monkeypatch, provider, served)
        pieces, reply = await answered(model, prompt)
        (asked,) = served.asked
    assert pieces == ['{"a": ', '"b"}']
    assert reply.text == '{"a": "b"}'
    assert reply.usage == Usage(input=12, output=5, cached=4)
    assert Decimal(0) < reply.cost.money < (await model.most(prompt)).money
    assert model.constrains
    assert model.priced
    assert model.window >= 200_000
    assert "additionalProperties" in json.dumps(asked.body)
    assert "300" in json.dumps(asked.body)
    assert "sk-planted" in str(asked.headers)
    assert "planted" not in asked.path


@pytest.mark.parametrize("provider", ["anthropic", "google"])
async def test_an_answer_of_each_that_breaks_off_is_no_answer(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving([ANSWERS[provider]("Half an", stop=None)]) as served:  # type: ignore[operator]
        with pytest.raises(AgentFailure, match="broke off") as told:
            await answered(hosted(monkeypatch, provider, served), Prompt(messages=(Message(role="user", text="Hi"),)))
    assert told.value.failure is FailureClass.TRANSIENT


@pytest.mark.parametrize("provider", ANSWERS)
async def test_an_overrun_provider_is_asked_once_and_its_pause_is_told(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving([error(429, "slow down", retry_after="7")]) as served:
        with pytest.raises(AgentFailure, match="slow down") as told:
            await answered(hosted(monkeypatch, provider, served), Prompt(messages=(Message(role="user", text="Hi"),)))
        assert len(served.asked) == 1
    assert told.value.failure is FailureClass.RATE_LIMITED
    assert told.value.retry_after == 7


@pytest.mark.parametrize("provider", ANSWERS)
async def test_each_is_offered_tools(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving([ANSWERS[provider]("No need.")]) as served:
        prompt = Prompt(messages=(Message(role="user", text="Hi"),), tools=(ADD,))
        await answered(hosted(monkeypatch, provider, served), prompt)
        assert "Adds." in json.dumps(served.asked[0].body)


@pytest.mark.parametrize(("provider", "structured"), [("anthropic", False), ("openai", True), ("google", True)])
async def test_what_tools_brought_is_told_in_words_where_they_cannot_be_mentioned_without_being_on_offer(
    provider: str, structured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = (
        Message(role="user", text="Add."),
        Message(role="assistant", calls=(ToolCall(id="c1", name="add", arguments={"a": 1}),)),
        Message(role="tool", id="c1", name="add", text="three"),
        Message(role="user", text="Answer now."),
    )
    async with serving([ANSWERS[provider]("3")]) as served:
        await answered(hosted(monkeypatch, provider, served), Prompt(messages=conversation))
        body = json.dumps(served.asked[0].body)
    assert "three" in body
    assert ("called add with" not in body) is structured


@pytest.mark.parametrize("provider", ANSWERS)
@pytest.mark.parametrize("tools", [(), (ADD,)])
async def test_each_is_told_a_schema_that_it_cannot_be_held_to(
    provider: str, tools: tuple[Tool, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = {"type": "object", "properties": {"inputs": {"type": "object"}, "mark": {"const": "told"}}}
    async with serving([ANSWERS[provider]('{"inputs": {"b": 1}}')]) as served:
        prompt = Prompt(messages=(Message(role="user", text="Hi"),), schema=schema, tools=tools)
        _, reply = await answered(hosted(monkeypatch, provider, served), prompt)
        assert "told" in json.dumps(served.asked[0].body)
    assert reply.text == '{"inputs": {"b": 1}}'


async def test_without_a_key_nobody_is_asked_and_the_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    (model,) = ModelRoster([models_of("anthropic:claude-sonnet-5")]).of("worker")
    with pytest.raises(AgentFailure, match=r"put it into the variable ANTHROPIC_API_KEY, or the keyring") as told:
        await answered(model, Prompt(messages=(Message(role="user", text="Hi"),)))
    assert told.value.failure is FailureClass.UNAVAILABLE
