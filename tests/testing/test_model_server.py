"""The scripted model, as the client library of the interface that it speaks sees it."""

import asyncio
import contextlib
import functools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from stretto.core.errors import UsageError
from stretto.testing.models import (
    FAULTS,
    Answer,
    Chance,
    ContentFilter,
    ContextExceeded,
    Cut,
    Empty,
    Garbled,
    HtmlPage,
    Malformed,
    ModelServer,
    Pace,
    Prose,
    QuotaExceeded,
    RateLimited,
    Refusal,
    Request,
    Rule,
    Script,
    ServerError,
    SlowHeaders,
    Stall,
    StreamError,
    ToolUse,
    Truncated,
    Unauthorized,
    Usage,
    When,
    WrongSchema,
    count,
    count_prompt,
)

TOOL: Any = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
LOOK = ToolUse(name="look_up", arguments={"id": 7})
PLAN = {"tasks": [{"id": "a", "skill": "find"}]}


@functools.cache
def some_client() -> openai.OpenAI:
    return openai.OpenAI(base_url="http://127.0.0.1", api_key="none", max_retries=0, timeout=10.0)


@pytest.fixture(scope="module", autouse=True)
def _client_is_closed() -> Iterator[None]:
    yield
    some_client().close()
    some_client.cache_clear()


def client(server: ModelServer, **options: Any) -> openai.OpenAI:
    given = {"base_url": server.url, "api_key": server.key, **options}
    return some_client().with_options(**given)


def ask(server: ModelServer, text: str = "hello", **options: Any) -> Any:
    messages = options.pop("messages", [{"role": "user", "content": text}])
    return client(server).chat.completions.create(model=options.pop("model", "m"), messages=messages, **options)


def text_of(server: ModelServer, text: str = "hello", **options: Any) -> str | None:
    return ask(server, text, **options).choices[0].message.content


def stream(server: ModelServer, text: str = "hello", **options: Any) -> Iterator[Any]:
    with client(server, **options).chat.completions.create(
        model="m",
        messages=[{"role": "user", "content": text}],
        stream=True,
        stream_options={"include_usage": True},
        tools=[TOOL],
    ) as chunks:
        yield from chunks


def streamed(server: ModelServer, text: str = "hello") -> str:
    return "".join(one.choices[0].delta.content or "" for one in stream(server, text) if one.choices)


def test_a_prompt_is_answered_by_the_first_rule_that_it_meets() -> None:
    with ModelServer([Rule(when=When(user="^b"), say="of b"), Rule(say="of all")]) as server:
        assert [text_of(server, "b?"), text_of(server, "a b?")] == ["of b", "of all"]
        assert server.counts == {"rule 1": 1, "rule 2": 1}


def test_a_stream_is_the_answer_token_by_token_with_its_usage_at_the_end() -> None:
    with ModelServer([Rule(say="Three short words.")]) as server:
        chunks = list(stream(server))
    assert [one.choices[0].delta.content for one in chunks if one.choices] == [
        "",
        "Three",
        " short",
        " words",
        ".",
        None,
    ]
    assert [one.choices[0].finish_reason for one in chunks if one.choices][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 4


@pytest.mark.parametrize(
    ("when", "messages", "met"),
    [
        (When(system="plan"), [{"role": "system", "content": "You plan."}, {"role": "user", "content": "x"}], True),
        (When(system="plan"), [{"role": "user", "content": "plan"}], False),
        (When(user="last"), [{"role": "user", "content": "last"}, {"role": "user", "content": "x"}], False),
        (When(conversation="^user: first$|x"), [{"role": "user", "content": "first"}], True),
        (When(user="parts"), [{"role": "user", "content": [{"type": "text", "text": "in parts"}]}], True),
        (When(model="^m$"), [{"role": "user", "content": "x"}], True),
        (When(model="^n$"), [{"role": "user", "content": "x"}], False),
        (When(turn=1), [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}], True),
        (When(turn=0), [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}], False),
        (When(tool="look_up"), [{"role": "user", "content": "x"}], False),
        (When(schema=True), [{"role": "user", "content": "x"}], False),
        (When(schema=False, stream=False), [{"role": "user", "content": "x"}], True),
    ],
)
def test_a_rule_is_met_when_all_that_it_names_holds(when: When, messages: Any, met: bool) -> None:
    with ModelServer(Script(rules=(Rule(when=when, say="met"),), default="not met")) as server:
        assert text_of(server, messages=messages) == ("met" if met else "not met")


def test_rules_see_offered_tools_schemas_and_streams() -> None:
    rules = (
        Rule(when=When(tool=("look_up",), stream=False), say="tools"),
        Rule(when=When(schema=True), say="schema"),
        Rule(when=When(stream=True), say="stream"),
    )
    wanted: Any = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
    with ModelServer(Script(rules=rules, default="none")) as server:
        assert text_of(server, tools=[TOOL]) == "tools"
        assert text_of(server, response_format=wanted) == "schema"
        assert streamed(server) == "stream"
        assert server.requests[1].schema == {"type": "object"}
        assert server.requests[0].tools == ["look_up"]


def test_a_rule_may_hold_for_some_of_its_matches_and_say_something_else_each_time() -> None:
    rules = [
        Rule(when=When(nth=2), say="the second"),
        Rule(when=When(nth=(4, 5)), say="of the others, the fourth and fifth"),
        Rule(say=["one", "two"]),
    ]
    with ModelServer(rules) as server:
        said = [text_of(server) for _ in range(6)]
    assert said == ["one", "the second", "two", "two", *["of the others, the fourth and fifth"] * 2]


def test_what_is_said_may_be_json_or_a_template_of_what_the_patterns_met() -> None:
    rules = [
        Rule(when=When(user="plan"), say=Answer(json=PLAN)),
        Rule(
            when=When(user=r"compare (\w+) and (?P<other>\w+)", system="in (?P<tongue>.+)"),
            say=Answer(template={"goal": "{1}, {other}: {{{tongue}}}", "n": 2}),
        ),
        Rule(when=When(user="echo (.*)"), say=Answer(template="{1}!")),
    ]
    with ModelServer(rules) as server:
        assert json.loads(text_of(server, "plan") or "") == PLAN
        asked = [{"role": "system", "content": "in English"}, {"role": "user", "content": "compare A and B"}]
        assert json.loads(text_of(server, messages=asked) or "") == {"goal": "A, B: {English}", "n": 2}
        assert text_of(server, "echo {0} {braces}") == "{0} {braces}!"


def test_a_function_may_answer_and_sees_the_request() -> None:
    def say(request: Request) -> str | Answer:
        return f"{request.number}: {request.user}" if request.user != "call" else Answer(calls=(LOOK,))

    with ModelServer([Rule(say=say)]) as server:
        assert text_of(server) == "1: hello"
        assert ask(server, "call").choices[0].finish_reason == "tool_calls"


def test_a_function_that_raises_is_told_as_a_fault_of_the_script() -> None:
    def say(_: Request) -> str:
        raise ValueError("oh")

    with ModelServer([Rule(say=say, name="bad")]) as server:
        with pytest.raises(openai.BadRequestError, match="the function of bad raised ValueError: oh"):
            ask(server)
        assert len(server.unmatched) == 1


def test_tools_are_called_and_their_results_count() -> None:
    rules = [
        Rule(when=When(results=0), say=Answer(text="Let me see.", calls=(LOOK, LOOK))),
        Rule(when=When(results=2, conversation="tool: (?P<state>.+)"), say=Answer(template="It is {state}.")),
    ]
    with ModelServer(rules) as server:
        first = ask(server, tools=[TOOL]).choices[0].message
        assert [json.loads(one.function.arguments) for one in first.tool_calls] == [{"id": 7}] * 2
        results = [{"role": "tool", "tool_call_id": one.id, "content": "sent"} for one in first.tool_calls]
        messages = [{"role": "user", "content": "where?"}, first.model_dump(exclude_none=True), *results]
        assert text_of(server, messages=messages) == "It is sent."


def test_tool_calls_are_streamed_in_pieces_that_join_to_the_calls() -> None:
    with ModelServer([Rule(say=Answer(calls=(LOOK, ToolUse(name="stop"))))]) as server:
        chunks = list(stream(server))
    found: dict[int, list[str]] = {}
    for one in chunks:
        for call in (one.choices[0].delta.tool_calls or []) if one.choices else []:
            if call.id:
                found[call.index] = [call.id, call.function.name, ""]
            found[call.index][2] += call.function.arguments
    assert [(name, json.loads(text)) for _, name, text in found.values()] == [("look_up", {"id": 7}), ("stop", {})]
    assert len({id_ for id_, _, _ in found.values()}) == 2
    assert chunks[-2].choices[0].finish_reason == "tool_calls"


def test_a_conversation_with_an_unanswered_tool_call_is_refused_as_the_interface_does() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    open_call = [{"role": "assistant", "content": None, "tool_calls": [call]}, {"role": "user", "content": "x"}]
    stray = [{"role": "tool", "tool_call_id": "c9", "content": "x"}]
    with ModelServer([Rule(say="ok")]) as server:
        for messages in (open_call, stray):
            with pytest.raises(openai.BadRequestError, match="tool_call"):
                ask(server, messages=messages)
        assert server.usage.tokens == 0


def test_a_strict_schema_that_is_open_is_refused_as_the_interface_does() -> None:
    closed = {
        "type": "object",
        "properties": {"a": {"type": "array"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    nested = {**closed, "properties": {"a": {"anyOf": [{"type": "object", "properties": {}}]}}}
    with ModelServer([Rule(say="{}")]) as server:
        for schema, told in ((closed, ""), (nested, "additionalProperties"), ({**closed, "required": []}, "required")):
            strict = {"name": "x", "schema": schema, "strict": True}
            for options in (
                {"response_format": {"type": "json_schema", "json_schema": strict}},
                {"tools": [{"type": "function", "function": {"name": "x", "parameters": schema, "strict": True}}]},
            ):
                with pytest.raises(openai.BadRequestError, match=told) if told else contextlib.nullcontext():
                    ask(server, **options)
        ask(server, tools=[{"type": "function", "function": {"name": "x", "parameters": nested}}])


def test_a_bounded_answer_ends_at_its_length() -> None:
    with ModelServer([Rule(say="one two three four")]) as server:
        for bound in ("max_tokens", "max_completion_tokens"):
            choice = ask(server, **{bound: 2}).choices[0]
            assert (choice.message.content, choice.finish_reason) == ("one two", "length")
        assert server.usage.output == 4


def test_an_unscripted_prompt_is_an_error_that_names_it_and_the_rules() -> None:
    with ModelServer([Rule(name="plan", when=When(user="^plan"), say="x")]) as server:
        with pytest.raises(
            openai.BadRequestError, match=r'no rule of the script is met by the prompt "write it".*plan'
        ):
            ask(server, "write it")
        assert [one.user for one in server.unmatched] == ["write it"]


def test_requests_are_kept_without_their_key() -> None:
    with ModelServer(Script(default="ok")) as server:
        ask(server, "first")
        ask(server, "second", temperature=0.5)
        assert [one.body["temperature"] for one in server.asked("^user: sec")] == [0.5]
        assert server.key not in repr([one.headers for one in server.requests])
        assert [one.rule for one in server.requests] == ["default"] * 2
        assert all(one.end == "whole" and one.at > 0 for one in server.requests)


def test_a_wrong_key_is_not_let_in() -> None:
    with ModelServer([Rule(say="ok")]) as server:
        with pytest.raises(openai.AuthenticationError):
            client(server, api_key="sk-wrong").models.list()
        assert server.requests[0].status == 401
    with ModelServer([Rule(say="ok")], key=None) as server:
        assert [one.id for one in client(server, api_key="any").models.list()] == ["scripted"]


def test_models_are_listed_and_others_are_unknown() -> None:
    with ModelServer(Script(default="ok", models=("small", "large"))) as server:
        assert [one.id for one in client(server).models.list()] == ["small", "large"]
        assert client(server).models.retrieve("small").id == "small"
        assert text_of(server, model="large") == "ok"
        with pytest.raises(openai.NotFoundError, match="does not exist"):
            ask(server, model="huge")


def test_what_leaves_no_room_in_the_window_is_refused() -> None:
    with ModelServer(Script(default="ok", window=40)) as server:
        assert text_of(server, "short", max_tokens=20) == "ok"
        for text, options in (("long " * 40, {}), ("short", {"max_tokens": 38})):
            with pytest.raises(openai.BadRequestError) as caught:
                ask(server, text, **options)
            assert caught.value.code == "context_length_exceeded"


def test_tokens_are_counted_by_a_stated_rule() -> None:
    assert count("Hello, wonderful world!") == 6
    assert count("a_b  c") == 5
    with ModelServer([Rule(say="four tokens it is")]) as server:
        usage = ask(server, "count me", tools=[TOOL]).usage
        body = server.requests[0].body
        assert usage.prompt_tokens == count_prompt(body) == server.usage.input
        assert usage.prompt_tokens > 4 + count("count me")
        assert usage.completion_tokens == 4 == server.usage.output


def test_usage_may_be_given_or_left_out_and_the_servers_own_count_stands() -> None:
    given = Usage(input=1000, output=50, cached=900)
    rules = [Rule(when=When(nth=1), say="a b", usage=given), Rule(say="a b", usage=Usage(report=False))]
    with ModelServer(rules) as server:
        usage = ask(server).usage
        assert (usage.prompt_tokens, usage.completion_tokens) == (1000, 50)
        assert usage.prompt_tokens_details.cached_tokens == 900
        assert ask(server).usage is None
        assert server.usage.output == 4


def test_requests_are_served_side_by_side() -> None:
    with ModelServer([Rule(faults=(Stall(times="always"),))]) as server:
        threads = [threading.Thread(target=until_broken, args=(server,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        server.wait(times=8)
        assert server.max_parallel == 8
    for thread in threads:
        thread.join(10)


def test_the_pace_is_kept_and_whole_answers_take_as_long_as_streamed_ones() -> None:
    with ModelServer([Rule(say="one two three four", pace=Pace(first=0.1, rate=40))]) as server:
        for asks in (lambda: list(stream(server)), lambda: ask(server)):
            began = time.perf_counter()
            asks()
            assert time.perf_counter() - began >= 0.1 + 3 / 40
    assert Pace(first=0.5, turn=1.0).due(0, 6) == 0.5
    assert Pace(first=0.5, turn=1.0).due(5, 6) == 1.0
    assert Pace(first=0.5, rate=10).due(5, 6) == 1.0


@pytest.mark.parametrize(
    ("fault", "error", "status", "code"),
    [
        (RateLimited(), openai.RateLimitError, 429, "rate_limit_exceeded"),
        (QuotaExceeded(), openai.RateLimitError, 429, "insufficient_quota"),
        (ServerError(), openai.InternalServerError, 500, None),
        (ServerError(status=503), openai.InternalServerError, 503, None),
        (Unauthorized(), openai.AuthenticationError, 401, "invalid_api_key"),
        (ContextExceeded(), openai.BadRequestError, 400, "context_length_exceeded"),
        (HtmlPage(), openai.InternalServerError, 502, None),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_a_status_that_fails_comes_as_the_clients_own_error(
    fault: Any, error: type[openai.APIStatusError], status: int, code: str | None, whole: bool
) -> None:
    with ModelServer([Rule(say="ok", faults=(fault,))]) as server:
        with pytest.raises(error) as caught:
            ask(server) if whole else list(stream(server))
        assert (caught.value.status_code, caught.value.code) == (status, code)
        assert server.requests[0].fault == fault.kind
        assert server.usage.tokens == 0
        assert text_of(server) == "ok"


def test_the_pause_asked_for_comes_in_seconds_or_as_a_date() -> None:
    faults = (RateLimited(retry_after=2.5), RateLimited(retry_after=30, date=True), RateLimited(retry_after=None))
    with ModelServer([Rule(say="ok", faults=faults)]) as server:
        headers = []
        for _ in faults:
            with pytest.raises(openai.RateLimitError) as caught:
                ask(server)
            headers.append(caught.value.response.headers.get("retry-after"))
        assert headers[0] == "2.5"
        assert 30 <= parsedate_to_datetime(headers[1]).timestamp() - server.requests[1].at < 31
        assert headers[2] is None


def test_the_client_itself_waits_as_long_as_it_is_asked_to() -> None:
    with ModelServer([Rule(say="ok", faults=(RateLimited(retry_after=0.3),))]) as server:
        asks = client(server, max_retries=1)
        asks.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}])
        first, second = server.requests
        assert second.at - first.at >= 0.3


def test_a_fault_comes_as_often_as_it_says_and_a_rule_that_only_fails_gives_way() -> None:
    rules = [
        Rule(name="fails", faults=(ServerError(times=2), RateLimited(times=1))),
        Rule(name="goes", say=["first", "second"], faults=(Empty(times=1),)),
    ]
    with ModelServer(rules) as server:
        for _ in range(3):
            with pytest.raises(openai.APIStatusError):
                ask(server)
        assert [text_of(server) for _ in range(3)] == ["", "first", "second"]
        assert server.counts == {"fails": 3, "goes": 3}


def test_a_fault_may_come_always() -> None:
    with ModelServer([Rule(faults=(ServerError(times="always"),))]) as server:
        for _ in range(5):
            with pytest.raises(openai.InternalServerError):
                ask(server)


def until_broken(server: ModelServer, **options: Any) -> tuple[list[str], Exception | None]:
    """Give what a stream told before it broke, and what it broke with."""
    heard: list[str] = []
    try:
        for one in stream(server, **options):
            heard += [one.choices[0].delta.content or ""] if one.choices else []
    except (openai.OpenAIError, ValueError) as error:
        return [one for one in heard if one], error
    return [one for one in heard if one], None


def test_a_cut_answer_breaks_the_connection_after_so_many_tokens() -> None:
    with ModelServer([Rule(say="one two three four", faults=(Cut(after=2, times=2),))]) as server:
        heard, error = until_broken(server)
        assert heard == ["one", " two"]
        assert isinstance(error, openai.APIConnectionError)
        with pytest.raises(openai.APIConnectionError):
            ask(server)
        assert [(one.end, one.output) for one in server.requests] == [("cut", 2), ("cut", 4)]
        assert text_of(server) == "one two three four"


def test_a_connection_may_be_cut_before_any_byte() -> None:
    with ModelServer([Rule(say="one", faults=(Cut(after=None),))]) as server:
        with pytest.raises(openai.APIConnectionError):
            ask(server)
        assert server.usage.tokens == 0


def test_a_stall_lasts_for_its_seconds_or_until_the_client_leaves() -> None:
    faults = (Stall(seconds=0.2), Stall(seconds=0.2, after=2), Stall(), Stall(after=1))
    with ModelServer([Rule(say="one two three", faults=faults)]) as server:
        for _ in range(2):
            assert until_broken(server) == (["one", " two", " three"], None)
        assert all(one.seconds >= 0.2 for one in server.requests)
        for told in ([], ["one"]):
            heard, error = until_broken(server, timeout=1.0)
            assert heard == told
            assert isinstance(error, openai.APITimeoutError)
        assert [one.end for one in server.wait(times=4, ended=True)] == ["whole", "whole", "left", "left"]


def test_headers_may_come_slowly() -> None:
    with ModelServer([Rule(say="one", faults=(SlowHeaders(seconds=0.2),))]) as server:
        assert text_of(server) == "one"
        assert server.requests[0].seconds >= 0.2


@pytest.mark.parametrize("fault", [StreamError(after=1), Garbled(after=1)])
def test_a_stream_may_turn_into_an_error_or_garble(fault: Any) -> None:
    with ModelServer([Rule(say="one two three", faults=(fault,))]) as server:
        heard, error = until_broken(server)
        assert heard == ["one"]
        assert error is not None
        assert until_broken(server) == (["one", " two", " three"], None)


@pytest.mark.parametrize(
    ("fault", "text", "finish"),
    [
        (Malformed(), '{"tasks" [{"id":"a","skill":"find"}]}', "stop"),
        (Truncated(after=4), '{"tasks":[{"', "length"),
        (Truncated(), '{"tasks":[{"id":"', "length"),
        (Prose(), "Sure!", "stop"),
        (WrongSchema(), '{"unexpected":[1,"two",null]}', "stop"),
        (WrongSchema(value=[]), "[]", "stop"),
        (Empty(), "", "stop"),
        (ContentFilter(after=2), '{"tasks', "content_filter"),
    ],
)
def test_an_answer_in_json_may_go_wrong_in_its_content(fault: Any, text: str, finish: str) -> None:
    with ModelServer([Rule(say=Answer(json=PLAN), faults=(fault,))]) as server:
        choice = ask(server).choices[0]
        if isinstance(fault, Prose):
            assert json.dumps(PLAN, separators=(",", ":")) in choice.message.content
            assert not choice.message.content.startswith("{")
        else:
            assert choice.message.content == text
        assert choice.finish_reason == finish
        assert json.loads(text_of(server) or "") == PLAN


def test_faults_of_content_are_streamed_as_well_and_reach_tool_calls() -> None:
    faults = (Malformed(), WrongSchema(), Truncated(after=3), Prose(), Empty())
    with ModelServer([Rule(say=Answer(calls=(LOOK,)), faults=faults)]) as server:
        calls = [ask(server).choices[0].message.tool_calls for _ in range(3)]
        assert [one[0].function.arguments for one in calls] == ['{"id" 7}', '{"unexpected":[1,"two",null]}', '{"id']
        assert '{"id":7}' in streamed(server)
        assert streamed(server) == ""


def test_a_refusal_stands_in_its_field_whole_and_streamed() -> None:
    with ModelServer([Rule(say="yes", faults=(Refusal(text="I will not.", times=2),))]) as server:
        message = ask(server).choices[0].message
        assert (message.content, message.refusal) == (None, "I will not.")
        chunks = [one.choices[0].delta for one in stream(server) if one.choices]
        assert "".join(one.refusal or "" for one in chunks) == "I will not."


def test_every_fault_leaves_the_server_ready_for_the_next_request() -> None:
    every = tuple(kind() for name, kind in FAULTS.items() if name != "stall")
    with ModelServer([Rule(say="well", faults=every)]) as server:
        for _ in every:
            until_broken(server)
        assert text_of(server) == "well"
        assert [one.fault for one in server.requests] == [*(one.kind for one in every), ""]


def test_random_faults_are_the_same_for_the_same_seed_in_whatever_order() -> None:
    def failed(seed: int, texts: list[str]) -> set[tuple[str, str]]:
        chance = Chance(rate=0.5, seed=seed, faults=(ServerError(), Empty()))
        with ModelServer(Script(default="ok", random=chance)) as server:
            for text in texts:
                with contextlib.suppress(openai.InternalServerError):
                    ask(server, text)
            return {(one.user, one.fault) for one in server.requests}

    texts = [f"prompt {number}" for number in range(40)]
    first = failed(1, texts)
    assert first == failed(1, texts[::-1])
    assert first != failed(2, texts)
    assert 10 < sum(fault != "" for _, fault in first) < 30


def test_prompts_that_come_again_may_fare_otherwise() -> None:
    with ModelServer(Script(default="ok", random=Chance(rate=0.5, faults=(Empty(),)))) as server:
        assert {text_of(server) for _ in range(30)} == {"ok", ""}


def test_a_request_is_waited_for_within_a_bound() -> None:
    with ModelServer(Script(default="ok")) as server:
        thread = threading.Thread(target=text_of, args=(server, "come"))
        thread.start()
        assert [one.user for one in server.wait("come", ended=True)] == ["come"]
        thread.join(10)
        with pytest.raises(TimeoutError, match=r"0 of 1 requests in 0\.05 s; there were:\n1: POST"):
            server.wait("never", timeout=0.05)


def test_it_closes_at_once_with_streams_open_and_leaves_no_thread() -> None:
    before = threading.active_count()
    server = ModelServer([Rule(say="one two", faults=(Stall(after=1, times="always"),))])
    with server:
        results: list[Any] = []
        threads = [threading.Thread(target=lambda: results.append(until_broken(server))) for _ in range(5)]
        for thread in threads:
            thread.start()
        server.wait(times=5)
        began = time.perf_counter()
    assert time.perf_counter() - began < 10
    for thread in threads:
        thread.join(10)
    assert threading.active_count() == before
    assert len(results) == 5
    assert {one.end for one in server.requests} == {"cut"}
    with pytest.raises(UsageError, match="not running"):
        _ = server.url


async def test_it_is_entered_on_a_loop_as_well() -> None:
    async with ModelServer(Script(default="ok")) as server:
        asks = openai.AsyncOpenAI(base_url=server.url, api_key=server.key)
        async with asks:
            said = await asyncio.gather(
                *(
                    asks.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}])
                    for _ in range(5)
                )
            )
        assert [one.choices[0].message.content for one in said] == ["ok"] * 5


def test_started_again_it_has_the_same_address() -> None:
    server = ModelServer(Script(default="ok"))
    with server:
        first = server.url
        assert text_of(server) == "ok"
    with server:
        assert server.url == first
        assert text_of(server) == "ok"
        assert len(server.requests) == 2


def test_a_port_that_is_taken_is_said() -> None:
    with ModelServer(Script(default="ok")) as server:
        port = int(server.url.split(":")[2].split("/")[0])
        with pytest.raises(UsageError, match=f"port {port}: .*; name another, or 0 for any"):
            ModelServer(Script(default="ok"), port=port).start()


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "told"),
    [
        ("POST", "/chat/completions", b"{", 400, "no JSON object"),
        ("POST", "/chat/completions", b'{"model": NaN}', 400, "no JSON object"),
        ("POST", "/chat/completions", b"[" * 100_000, 400, "no JSON object"),
        ("POST", "/chat/completions", b"{}", 400, "model"),
        ("POST", "/chat/completions", b'{"model": "m", "messages": []}', 400, "messages"),
        ("POST", "/chat/completions", b'{"model": "m", "messages": [{"role": "poet"}]}', 400, "poet"),
        ("POST", "/chat/completions", b'{"model": "m", "messages": [3]}', 400, "messages"),
        ("POST", "/chat/completions", b'{"model": "m", "messages": [{"role": "user", "content": 3}]}', 400, "content"),
        (
            "POST",
            "/chat/completions",
            b'{"model": "m", "messages": [{"role": "user", "content": ""}], "tools": [{"function": {"strict": true,'
            b'"parameters": ' + b'{"items":' * 800 + b"{}" + b"}" * 800 + b"}}]}",
            400,
            "nested too deeply",
        ),
        ("GET", "/chat/completions", b"", 405, "POST"),
        ("POST", "/models", b"", 405, "GET"),
        ("GET", "/poems", b"", 404, "there are"),
    ],
)
def test_what_is_no_such_request_is_refused_and_kept(
    method: str, path: str, body: bytes, status: int, told: str
) -> None:
    with ModelServer(Script(default="ok")) as server:
        headers = {"authorization": f"Bearer {server.key}"}
        found = httpx.request(method, server.url + path, content=body, headers=headers)
        assert found.status_code == status
        assert told in found.json()["error"]["message"]
        assert told in server.requests[0].problem


def test_what_is_no_http_is_refused() -> None:
    import socket

    with ModelServer(Script(default="ok")) as server:
        port = int(server.url.split(":")[2].split("/")[0])
        for raw in (b"hello\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"x" * 100_000 + b"\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as raw_client:
                raw_client.sendall(raw)
                assert raw_client.recv(1000).startswith(b"HTTP/1.1 400 ")
        assert text_of(server) == "ok"


def test_a_body_in_chunks_is_read() -> None:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "in chunks"}]}).encode()
    with ModelServer(Script(default="ok")) as server:
        headers = {"authorization": f"Bearer {server.key}", "expect": "100-continue"}
        parts = iter([body[:9], body[9:]])
        found = httpx.post(f"{server.url}/chat/completions", content=parts, headers=headers)
        assert found.status_code == 200
        assert server.requests[0].user == "in chunks"


def test_the_command_serves_a_script_until_it_is_ended(tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text("rules:\n  - say: hello back\n", encoding="utf-8")
    words = [sys.executable, "-m", "stretto.testing.models", str(script), "--key", "sk-mine"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert process.stdout.readline() == "key: sk-mine\n"
        with openai.OpenAI(base_url=url, api_key="sk-mine") as asks:
            said = asks.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
        assert said.choices[0].message.content == "hello back"
        process.terminate()
        _, told = process.communicate(timeout=20)
    assert process.returncode == 0
    assert told == '1: POST /v1/chat/completions "hi" -> 200 (rule 1)\n'


def test_the_command_says_what_is_wrong_with_a_script(tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text("rules:\n  - sya: hello\n", encoding="utf-8")
    words = [sys.executable, "-m", "stretto.testing.models", str(script)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{script}:2:5 (rules[0].sya): error: there is no field 'sya' here")
