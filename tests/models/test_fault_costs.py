"""What a failing provider costs is never less than it counts, whatever shape its faults take."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from stretto.core.domain import FREE, Call, Called, FailureClass, Usage
from stretto.models import asking
from stretto.models.asking import ask
from stretto.models.counting import estimate
from stretto.models.definition import models_of
from stretto.models.prompt import Message, Prompt, Tool, ToolCall
from stretto.models.reading import read_json
from stretto.models.roster import ModelRoster
from stretto.ports import AgentFailure
from stretto.testing.models import (
    Answer,
    ContentFilter,
    ContextExceeded,
    Cut,
    Empty,
    Fault,
    Garbled,
    HtmlPage,
    ModelServer,
    QuotaExceeded,
    RateLimited,
    Refusal,
    Rule,
    ServerError,
    Stall,
    StreamError,
    ToolUse,
    Unauthorized,
)
from stretto.testing.models import Usage as TokenUsage

SILENCE, PATIENCE = 0.3, 10.0
"""Seconds without a word after which a model is given up: one that stalls, and any other."""
PLAN = {"steps": ["look", "tell"], "done": True}
PROMPT = Prompt(messages=(Message(role="system", text="You plan."), Message(role="user", text="Plan it.")))


class Through:
    """Makes every call, and adds up what they used, those that failed included."""

    def __init__(self) -> None:
        self.used, self.cost = Usage(), FREE

    async def call(self, call: Call, do: Callable[[], Awaitable[Called]]) -> Called:
        try:
            called = await do()
        except AgentFailure as failure:
            self.used, self.cost = self.used + failure.usage, self.cost + failure.cost
            raise
        self.used, self.cost = self.used + called.usage, self.cost + called.cost
        return called


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PAUSE", 0.01)
    monkeypatch.setenv("SCRIPTED_KEY", "sk-scripted")


@asynccontextmanager
async def roster(server: ModelServer, **more: object) -> AsyncIterator[ModelRoster]:
    stalls = any(isinstance(fault, Stall) and fault.seconds is None for fault in server.script.rules[0].faults)
    timeout = SILENCE if stalls else PATIENCE
    definition = {"model": "small", "url": server.url, "key_env": "SCRIPTED_KEY", "timeout": timeout, **more}
    models = ModelRoster([models_of({"default": "m", "m": definition})])
    try:
        yield models
    finally:
        for model in models.of("worker"):
            await model.close()  # type: ignore[attr-defined]


def always(fault: type[Fault], **options: object) -> Fault:
    return fault(times="always", **options)  # type: ignore[arg-type]


FAILING = [
    (always(RateLimited, retry_after=0.01), FailureClass.RATE_LIMITED, 3),
    (always(RateLimited, retry_after=None), FailureClass.RATE_LIMITED, 3),
    (always(RateLimited, retry_after=3600), FailureClass.RATE_LIMITED, 1),
    (always(RateLimited, retry_after=3600, date=True), FailureClass.RATE_LIMITED, 1),
    (always(QuotaExceeded), FailureClass.UNAVAILABLE, 1),
    (always(ServerError), FailureClass.TRANSIENT, 3),
    (always(ServerError, status=503), FailureClass.TRANSIENT, 3),
    (always(ServerError, status=529), FailureClass.TRANSIENT, 3),
    (always(Unauthorized), FailureClass.UNAVAILABLE, 1),
    (always(ContextExceeded), FailureClass.REFUSED, 1),
    (always(HtmlPage), FailureClass.TRANSIENT, 3),
    (always(HtmlPage, status=200), FailureClass.INVALID_OUTPUT, 1),
    (always(Stall), FailureClass.TIMED_OUT, 1),
    (always(Stall, after=2), FailureClass.TIMED_OUT, 1),
    (always(Cut), FailureClass.TRANSIENT, 3),
    (always(Cut, after=None), FailureClass.TRANSIENT, 3),
    (always(Cut, after=0), FailureClass.TRANSIENT, 3),
    (always(Cut, after=1_000), FailureClass.TRANSIENT, 3),
    (always(StreamError), FailureClass.TRANSIENT, 3),
    (always(Garbled), FailureClass.INVALID_OUTPUT, 1),
    (always(Refusal), FailureClass.REFUSED, 1),
    (always(ContentFilter), FailureClass.REFUSED, 1),
    (always(Empty), FailureClass.INVALID_OUTPUT, 1),
]


@pytest.mark.parametrize(("fault", "failure", "requests"), FAILING)
async def test_a_failure_has_its_class_and_costs_no_less_than_its_provider_counts(
    fault: Fault, failure: FailureClass, requests: int
) -> None:
    with ModelServer([Rule(say=Answer(json=PLAN), faults=(fault,))]) as server:
        caller = Through()
        async with roster(server) as models:
            with pytest.raises(AgentFailure) as caught:
                await ask(models.of("planner"), PROMPT, caller, key="k", role="planner")
        assert caught.value.failure is failure
        assert len(server.requests) == requests
        assert server.key not in str(caught.value)
        assert caller.cost.tokens == caller.used.tokens
        assert caller.used.input >= server.usage.input
        assert caller.used.output >= server.usage.output
        assert caller.used.tokens == 0 or server.requests[-1].status < 400


async def test_a_passing_fault_costs_another_try_and_no_more() -> None:
    faults = (Cut(after=3), ServerError())
    with ModelServer([Rule(say=Answer(json=PLAN), faults=faults)]) as server:
        async with roster(server) as models:
            heard: list[str] = []
            reply = await ask(models.of("planner"), PROMPT, Through(), key="k", role="planner", heard=heard.append)
        assert read_json(reply.text) == PLAN
        assert "".join(heard[heard.index("") :]) == reply.text
        assert len(server.requests) == 3


async def test_whoever_gives_up_waiting_hangs_up() -> None:
    with ModelServer([Rule(say="one two three", faults=(always(Stall, after=1),))]) as server:
        async with roster(server) as models:
            with pytest.raises(AgentFailure):
                await ask(models.of("worker"), PROMPT, Through(), key="k", role="worker")
        assert [one.end for one in server.wait(ended=True)] == ["left"]


async def test_where_a_provider_tells_no_usage_it_is_counted_upward() -> None:
    said = Answer(text="Let me look.", calls=(ToolUse(name="look_up", arguments={"what": "the weather in Paris"}),))
    with ModelServer([Rule(say=said, usage=TokenUsage(report=False))]) as server:
        async with roster(server) as models:
            reply = await ask(models.of("worker"), PROMPT, Through(), key="k", role="worker")
        assert reply.usage.input >= server.usage.input
        assert reply.usage.output >= server.usage.output


@pytest.mark.parametrize(("own", "asked", "sent"), [(7, None, 7), (7, 3, 3), (3, 7, 3), (None, 7, 7)])
async def test_an_answer_is_no_longer_than_the_prompt_and_the_definition_allow(
    own: int | None, asked: int | None, sent: int
) -> None:
    with ModelServer([Rule(say="word " * 20)]) as server:
        async with roster(server, **({"max_tokens": own} if own else {})) as models:
            prompt = Prompt(messages=PROMPT.messages, most=asked)
            reply = await ask(models.of("worker"), prompt, Through(), key="k", role="worker")
        assert (reply.usage.output, reply.finish) == (sent, "length")


TEXTS = [
    "",
    "word " * 200,
    "Look at t1.output.rows, then say (in 3 to 5 sentences) what is wrong: it's 47 % of 1,024.5 kg.\n" * 9,
    '{"tasks": [{"id": "a", "inputs": {"rows": {"ref": "b.output"}}}]}' * 5,
    "name\tcity\tsum\n" * 50,
    "Straße, naïve, 東京都, данные, 🙂🙂 " * 20,
    "snake_case_names_are_long_and_have_many_parts = __init__" * 10,
    "  indented\n\n\n    more\r\n" * 20,
]


@pytest.mark.parametrize("text", TEXTS)
async def test_what_is_counted_before_is_never_less_than_the_provider_counts(text: str) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "description": text[:200]}}}
    tool = Tool(name="look_up", description=text[:300], inputs=schema)
    wish = ToolCall(id="c1", name="look_up", arguments={"a": text[:100]})
    prompts = [
        Prompt(messages=(Message(role="user", text=text),)),
        Prompt(messages=(Message(role="user", text=text),), schema=schema),
        Prompt(
            messages=(
                Message(role="user", text=text),
                Message(role="assistant", calls=(wish,)),
                Message(role="tool", id="c1", name="look_up", text=text),
            ),
            tools=(tool,),
        ),
    ]
    with ModelServer([Rule(say=Answer(calls=(ToolUse(name="look_up"),)))]) as server:
        async with roster(server) as models:
            for prompt in prompts:
                reply = await ask(models.of("worker"), prompt, Through(), key="k", role="worker")
                assert reply.usage == Usage(input=server.requests[-1].input, output=server.requests[-1].output)
                assert estimate(prompt) >= reply.usage.input
