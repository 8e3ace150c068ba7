"""Models are asked over real HTTP: what is sent, what comes back, and what becomes of each failure."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import keyring
import msgspec
import pytest
from keyring.backend import KeyringBackend

from stretto.core.domain import Call, Called, FailureClass, Usage
from stretto.models import asking
from stretto.models.asking import OverWindow, ask
from stretto.models.definition import models_of
from stretto.models.prompt import Message, Model, Prompt, Reply, Tool, ToolCall
from stretto.models.roster import ModelRoster
from stretto.ports import AgentFailure
from stretto.testing.models import Answer as Say
from stretto.testing.models import Fault, Malformed, ModelServer, Rule, Stall, ToolUse, Truncated
from tests.models.serving import Answer, Asked, chat, error, serving

PROMPT = Prompt(messages=(Message(role="system", text="Be brief."), Message(role="user", text="Say hello.")))


class Keeper:
    """Makes calls and keeps them, as a journal would; what it has kept is not made again."""

    def __init__(self, kept: dict[str, Called] | None = None) -> None:
        self.calls: list[Call] = []
        self.kept = kept or {}

    async def call(self, call: Call, do: Callable[[], Awaitable[Called]]) -> Called:
        self.calls.append(call)
        if call.key not in self.kept:
            self.kept[call.key] = await do()
        return self.kept[call.key]


def models(url: str, **more: Any) -> tuple[Model, ...]:
    return ModelRoster([models_of({"default": "m", "m": {"model": "small", "url": url, **more}})]).of("worker")


async def asked(models: tuple[Model, ...], prompt: Prompt = PROMPT, **more: Any) -> Reply:
    return await ask(models, prompt, Keeper(), key="k", role="worker", **more)


async def test_the_text_is_heard_as_it_comes_and_the_reply_is_whole() -> None:
    async with serving([chat("Hel", "lo", " you")]) as served:
        heard: list[str] = []
        reply = await asked(models(served.url), heard=heard.append)
    assert heard == ["Hel", "lo", " you"]
    assert reply.text == "Hello you"
    assert reply.usage == Usage(input=12, output=5, cached=4)
    assert reply.finish == "stop"


async def test_a_schema_is_sent_as_it_is_to_a_server_that_holds_answers_to_it() -> None:
    schema = {"type": "object", "properties": {"inputs": {"type": "object"}}}
    async with serving([chat("{}")]) as served:
        await asked(models(served.url), Prompt(messages=PROMPT.messages, schema=schema, most=50, temperature=0.5))
        body = served.asked[0].body
    assert body["response_format"]["json_schema"]["schema"] == schema
    assert body["max_tokens"] == 50
    assert body["temperature"] == 0.5


async def test_a_schema_is_told_in_words_to_a_server_that_holds_answers_to_nothing() -> None:
    async with serving([chat("{}")]) as served:
        await asked(models(served.url, constrains=False), Prompt(messages=PROMPT.messages, schema={"type": "object"}))
        body = served.asked[0].body
    assert "response_format" not in body or body["response_format"]["type"] != "json_schema"
    assert any('"type": "object"' in message["content"] for message in body["messages"])


async def test_tools_are_offered_asked_for_and_answered() -> None:
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1, "b": 2,}'}}
    async with serving([chat(finish="tool_calls", tool_calls=[call]), chat("3")]) as served:
        tool = Tool(
            name="add", description="Adds.", inputs={"type": "object", "properties": {"a": {"type": "integer"}}}
        )
        first = await asked(models(served.url), Prompt(messages=PROMPT.messages, tools=(tool,)))
        wish = ToolCall(id="c1", name="add", arguments={"a": 1, "b": 2})
        answered = (
            *PROMPT.messages,
            Message(role="assistant", calls=(wish,)),
            Message(role="tool", id="c1", name="add", text="3"),
        )
        second = await asked(models(served.url), Prompt(messages=answered, tools=(tool,)))
        sent = served.asked[1].body["messages"]
    assert first.calls == (wish,)
    assert first.finish == "tools"
    assert second.text == "3"
    assert sent[-2]["tool_calls"][0]["id"] == sent[-1]["tool_call_id"] == "c1"


async def test_a_call_is_reserved_at_its_most_and_costs_what_its_price_says() -> None:
    keeper = Keeper()
    async with serving([chat("Hello")]) as served:
        priced = models(served.url, price={"input": 1, "output": 10, "cached": 0.5}, max_tokens=100)
        reply = await ask(priced, PROMPT, keeper, key="k", role="planner")
    (call,) = keeper.calls
    assert reply.cost.money == (8 * Decimal(1) + 4 * Decimal("0.5") + 5 * Decimal(10)) / 1_000_000
    assert call.reserve.money > reply.cost.money
    assert call.reserve.tokens > reply.usage.tokens
    assert call.role == "planner"
    assert call.bounded


async def test_a_reply_that_was_there_before_is_heard_at_once_and_nobody_is_asked() -> None:
    kept = {"k": Called(output=msgspec.to_builtins(Reply(text="Hello", usage=Usage(input=1))))}
    async with serving([chat("Never")]) as served:
        heard: list[str] = []
        reply = await ask(models(served.url), PROMPT, Keeper(kept), key="k", role="worker", heard=heard.append)
        assert not served.asked
    assert (reply.text, heard) == ("Hello", ["Hello"])


async def test_who_is_overrun_is_asked_again_after_the_pause_it_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float, *_: Any) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(asking.asyncio, "sleep", sleep)
    keeper = Keeper()
    async with serving([error(429, "slow down", retry_after="7"), error(500, "oops"), chat("Hello")]) as served:
        reply = await ask(models(served.url), PROMPT, keeper, key="k", role="worker")
    assert reply.text == "Hello"
    assert pauses == [7.0, 1.0]
    assert [call.key for call in keeper.calls] == ["k", "k", "k"]


async def test_who_asks_for_a_long_pause_is_left_to_the_stand_in() -> None:
    def answer(told: Asked) -> Answer:
        return error(429, "later", retry_after="3600") if told.body["model"] == "first" else chat("I stand in")

    async with serving(answer) as served:
        given = {
            "default": ["a", "b"],
            "a": {"model": "first", "url": served.url},
            "b": {"model": "b", "url": served.url},
        }
        reply = await asked(ModelRoster([models_of(given)]).of("worker"))
        with pytest.raises(AgentFailure) as told:
            await asked(ModelRoster([models_of({**given, "default": "a"})]).of("worker"))
    assert reply.text == "I stand in"
    assert told.value.failure is FailureClass.RATE_LIMITED
    assert told.value.retry_after == 3600


@pytest.mark.parametrize(
    ("answer", "failure", "says"),
    [
        (error(401, "bad key"), FailureClass.UNAVAILABLE, r"does not accept the key: bad key \(HTTP 401\)"),
        (error(404, "no such model"), FailureClass.UNAVAILABLE, "has no such model"),
        (error(400, "what?"), FailureClass.REFUSED, "does not take the request"),
        (error(400, "maximum context length is 4096 tokens"), FailureClass.REFUSED, "does not fit its window"),
        (error(402, "pay first"), FailureClass.UNAVAILABLE, "no credit"),
        (Answer(pieces=["data: {not json\n\n"]), FailureClass.INVALID_OUTPUT, "no answer"),
        (chat(), FailureClass.INVALID_OUTPUT, "answered nothing"),
        (chat(finish="length"), FailureClass.INVALID_OUTPUT, "spent before the first word"),
        (chat(refusal="I must not."), FailureClass.REFUSED, "declined to answer: I must not"),
        (chat(finish="content_filter"), FailureClass.REFUSED, "declined"),
    ],
)
async def test_every_failure_has_its_class_and_its_reason(answer: Answer, failure: FailureClass, says: str) -> None:
    async with serving([answer]) as served:
        with pytest.raises(AgentFailure, match=says) as told:
            await asked(models(served.url))
        assert len(served.asked) == 1
    assert told.value.failure is failure


async def test_an_answer_that_breaks_off_is_no_answer_and_what_was_heard_of_it_is_void() -> None:
    broken = chat("Half an", finish=None)
    broken.cut = True
    async with serving([broken, chat("Whole")]) as served:
        heard: list[str] = []
        reply = await asked(models(served.url), heard=heard.append)
    assert reply.text == "Whole"
    assert heard == ["Half an", "", "Whole"]


async def test_what_failed_midway_counts_as_what_was_read_and_heard() -> None:
    broken = chat("Half an", finish=None)
    async with serving([broken, error(500, "oops")]) as served:
        (model,) = models(served.url, price={"input": 1, "output": 10})
        with pytest.raises(AgentFailure) as told:
            async for _ in model.stream(PROMPT):
                pass
        with pytest.raises(AgentFailure) as refused:
            async for _ in model.stream(PROMPT):
                pass
    assert told.value.usage.input > 0
    assert told.value.usage.output > 0
    assert told.value.cost.money > 0
    assert refused.value.usage == Usage()


async def test_a_definition_bounds_the_answer_and_the_window_what_is_left_of_it() -> None:
    async with serving([chat("Hello")]) as served:
        await asked(models(served.url, max_tokens=100))
        await asked(models(served.url, max_tokens=100), Prompt(messages=PROMPT.messages, most=30))
        await asked(models(served.url, max_tokens=100), Prompt(messages=PROMPT.messages, most=300))
        await asked(models(served.url, window=1000, max_tokens=4000))
        sent = [one.body["max_tokens"] for one in served.asked]
    assert sent[:3] == [100, 30, 100]
    assert 500 < sent[3] < 1000


async def test_a_stream_that_ends_without_a_reason_is_no_answer() -> None:
    async with serving([chat("Half an", finish=None), chat("Whole")]) as served:
        assert (await asked(models(served.url))).text == "Whole"


async def test_a_silent_server_is_given_up_in_time() -> None:
    silent = chat("I am thin", finish=None)
    silent.hang = True
    async with serving([silent]) as served:
        with pytest.raises(AgentFailure) as told:
            await asked(models(served.url, timeout=0.2))
    assert told.value.failure is FailureClass.TIMED_OUT


async def test_an_address_where_nobody_listens_is_unavailable_and_named() -> None:
    async with serving([chat()]) as served:
        url = served.url
    with pytest.raises(AgentFailure, match=f"{url} does not answer") as told:
        await asked(models(url))
    assert told.value.failure is FailureClass.UNAVAILABLE


async def test_what_does_not_fit_the_window_is_refused_before_anything_is_sent() -> None:
    async with serving([chat("Hello")]) as served:
        large = Prompt(messages=(Message(role="user", text="word " * 5000),))
        with pytest.raises(OverWindow, match=r"over window: .* takes 4,096 tokens, and the prompt has some [\d,]+"):
            await asked(models(served.url, window=4096), large)
        with pytest.raises(OverWindow, match=r"and an answer of 4,090"):
            await asked(models(served.url, window=4096), Prompt(messages=PROMPT.messages, most=4090))
        assert not served.asked


async def test_a_model_never_sees_what_is_beyond_its_perimeter() -> None:
    async with serving([chat("Hello")]) as served:
        narrow = models(served.url, perimeter=["public"])
        with pytest.raises(AgentFailure, match="may not see what is labelled pii") as told:
            await asked(narrow, labels=frozenset({"pii", "public"}))
        assert not served.asked
        assert (await asked(narrow, labels=frozenset({"public"}))).text == "Hello"
    assert told.value.failure is FailureClass.DENIED


async def test_a_key_is_sent_and_shown_nowhere(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TEAM_KEY", "sk-planted-0123456789")
    caplog.set_level(logging.DEBUG)
    async with serving([error(401, "Incorrect API key provided: sk-planted-0123456789.")]) as served:
        named = models(served.url, key_env="TEAM_KEY")
        with pytest.raises(AgentFailure) as told:
            await asked(named)
        assert served.asked[0].headers["authorization"] == "Bearer sk-planted-0123456789"
    assert "***" in str(told.value)
    shown = f"{told.value!r} {told.value.__cause__!r} {named[0]!r} {caplog.text}"
    assert "planted" not in shown


async def test_a_provider_key_is_never_sent_to_another_address(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "GOOGLE_API_KEY"):
        monkeypatch.setenv(variable, "sk-planted-0123456789")
    async with serving([error(400, "no")]) as served:
        for name in ("small", "openai:small", "anthropic:small", "google:small"):
            given = {"default": "m", "m": {"model": name, "url": served.url.removesuffix("/v1")}}
            with pytest.raises(AgentFailure):
                await asked(ModelRoster([models_of(given)]).of("worker"))
        assert len(served.asked) == 4
        assert not [one for one in served.asked if "planted" in f"{one.headers} {one.path}"]


async def test_a_key_does_not_go_over_plain_http_to_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_KEY", "sk-planted-0123456789")
    with pytest.raises(AgentFailure, match=r"over plain http to http://192\.0\.2\.1/v1"):
        await asked(models("http://192.0.2.1/v1", key_env="TEAM_KEY"))


@pytest.mark.parametrize(("header", "seconds"), [("0.25", 0.25), ("7", 7), ("Wed, 21 Oct 2065 07:28:00 GMT", 1e9)])
async def test_a_pause_is_asked_for_in_seconds_or_as_a_date(header: str, seconds: float) -> None:
    async with serving([error(503, "busy", retry_after=header)]) as served:
        (model,) = models(served.url)
        with pytest.raises(AgentFailure) as told:
            async for _ in model.stream(PROMPT):
                pass
    assert told.value.failure is FailureClass.TRANSIENT
    assert told.value.retry_after is not None
    assert 0.9 * seconds <= told.value.retry_after <= 2 * seconds


@pytest.mark.parametrize("fault", [Malformed(times="always"), Truncated(times="always")])
async def test_a_tool_call_whose_arguments_are_no_json_says_so(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    call = ToolUse(name="look_up", arguments={"id": 7, "of": "the order that was asked about"})
    tool = Tool(name="look_up", inputs={"type": "object", "properties": {"id": {"type": "integer"}}})
    async with ModelServer([Rule(say=Say(calls=(call,)), faults=(fault,))]) as server:
        monkeypatch.setenv("SCRIPT_KEY", server.key)
        reply = await asked(models(server.url, key_env="SCRIPT_KEY"), Prompt(messages=PROMPT.messages, tools=(tool,)))
    (wish,) = reply.calls
    assert (wish.name, wish.arguments) == ("look_up", {})
    assert "line 1" in wish.problem


@pytest.mark.parametrize("provider", ["address", "ollama", "openai", "anthropic", "google"])
async def test_what_stays_on_this_machine_goes_through_no_proxy(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)
    async with serving([error(400, "I heard it")]) as served:
        name = "small" if provider == "address" else f"{provider}:small"
        given = {"default": "m", "m": {"model": name, "url": served.url}}
        with pytest.raises(AgentFailure, match="I heard it"):
            await asked(ModelRoster([models_of(given)]).of("worker"))
        assert len(served.asked) == 1


async def test_who_stops_listening_ends_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    stalling = Rule(say=Say(text="one two three"), faults=(Stall(seconds=None, after=1),))
    async with ModelServer([stalling]) as server:
        monkeypatch.setenv("SCRIPT_KEY", server.key)
        (model,) = models(server.url, key_env="SCRIPT_KEY")
        begun = asyncio.Event()
        task = asyncio.create_task(ask((model,), PROMPT, Keeper(), key="k", role="worker", heard=lambda _: begun.set()))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        (request,) = await asyncio.to_thread(server.wait, "Say hello", ended=True)
    assert request.end == "left"


async def test_a_key_may_lie_in_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ring(KeyringBackend):
        priority = 1  # type: ignore[assignment]

        def get_password(self, service: str, username: str) -> str | None:
            if username == "anthropic":
                raise RuntimeError("the ring is locked")
            return {("stretto", "openai"): "sk-planted-0123456789"}.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            raise NotImplementedError

    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    before = keyring.get_keyring()
    keyring.set_keyring(Ring())
    try:
        async with serving([chat("Hello")]) as served:
            monkeypatch.setenv("OPENAI_BASE_URL", served.url)
            await asked(ModelRoster([models_of("openai:gpt-5-mini")]).of("worker"))
            assert served.asked[0].headers["authorization"] == "Bearer sk-planted-0123456789"
            with pytest.raises(AgentFailure, match="there is no key"):
                await asked(ModelRoster([models_of("anthropic:claude-sonnet-5")]).of("worker"))
    finally:
        keyring.set_keyring(before)


@pytest.mark.parametrize(
    ("definition", "says"),
    [
        (
            {"model": "groq:llama"},
            r"its client is not installed; install it with: pip install 'pydantic-ai-slim\[groq\]'",
        ),
        ({"model": "azure:m", "url": "https://192.0.2.1", "key_env": "GROQ_API_KEY"}, "azure:m takes no `url:`"),
        ({"model": "mistral:m"}, "put it into the variable MISTRAL_API_KEY"),
    ],
)
async def test_a_provider_that_cannot_be_used_says_why(
    definition: dict[str, str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "sk-planted-0123456789")
    monkeypatch.delenv("MISTRAL_API_KEY", raising=False)
    with pytest.raises(AgentFailure, match=says) as told:
        await asked(ModelRoster([models_of({"default": "m", "m": definition})]).of("worker"))
    assert told.value.failure is FailureClass.UNAVAILABLE


async def test_no_more_calls_than_allowed_are_under_way_at_once() -> None:
    async with serving([chat("Hello")]) as served:
        (model,) = models(served.url, concurrency=2)
        under_way = most = 0

        async def one() -> None:
            nonlocal under_way, most
            async for piece in model.stream(PROMPT):
                if piece == "Hello":
                    under_way += 1
                    most = max(most, under_way)
                    await asyncio.sleep(0)
                elif isinstance(piece, Reply):
                    under_way -= 1

        await asyncio.gather(*(one() for _ in range(6)))
        assert len(served.asked) == 6
    assert most <= 2
