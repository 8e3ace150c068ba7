"""Whatever is sent to the scripted model, it is either refused in words or can be answered."""

import contextlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stretto.testing.models import Answer, Request, ToolUse, count, count_prompt
from stretto.testing.models.faults import FAULTS
from stretto.testing.models.speech import speech
from stretto.testing.models.tokens import pieces
from stretto.testing.models.wire import BadRequest, check_chat, most_tokens

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["user", "tool", "m"])
KEYS = st.sampled_from(
    [
        *("model", "messages", "role", "content", "tool_calls", "tool_call_id", "id", "function", "name", "arguments"),
        *("tools", "type", "strict", "parameters", "response_format", "json_schema", "schema", "max_tokens", "stream"),
        *("stream_options", "properties", "required", "text", "n"),
    ]
)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=20
)
CALL = st.fixed_dictionaries({"id": LEAVES, "function": JSON})
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool"]), "content": JSON},
    optional={"tool_calls": st.lists(CALL | JSON, max_size=2) | LEAVES, "tool_call_id": LEAVES, "name": JSON},
)
BODY = JSON | st.fixed_dictionaries(
    {"model": st.just("m"), "messages": st.lists(MESSAGE, min_size=1, max_size=4)},
    optional={"tools": st.lists(st.fixed_dictionaries({"function": JSON}), max_size=2), "response_format": JSON},
)


@given(BODY)
def test_any_body_is_refused_or_can_be_read(body: Any) -> None:
    request = Request(number=1, at=0.0, began=0.0, method="POST", path="/", headers={}, body=body)
    with contextlib.suppress(BadRequest):
        check_chat(body)
        assert count_prompt(body) > 0
        assert most_tokens(body) is None or most_tokens(body) >= 1
        assert len(request.messages) == len(body["messages"])
    read = (request.system, request.user, request.conversation, request.tools, request.results, request.schema)
    assert str(request)
    assert len(read) == 6


@given(st.text())
def test_the_tokens_of_a_text_join_to_it(text: str) -> None:
    assert "".join(pieces(text)) == text
    assert count(text) == len(pieces(text)) <= len(text)


@given(st.text(max_size=40), st.sampled_from(sorted(FAULTS)), st.integers(1, 20))
def test_no_answer_is_longer_than_it_may_be_whatever_goes_wrong(text: str, kind: str, most: int) -> None:
    said = speech(Answer(text=text, calls=(ToolUse(name="a", arguments={"b": text}),)), FAULTS[kind](), "c", most)
    assert said.tokens <= most
    assert (
        said.finish == "length"
        or said.tokens
        == speech(
            Answer(text=text, calls=(ToolUse(name="a", arguments={"b": text}),)), FAULTS[kind](), "c", None
        ).tokens
    )
