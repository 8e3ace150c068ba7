"""The JSON in an answer is read whatever stands around it; cut off, broken or doubled, it is told with its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.models.reading import Unreadable, read_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ('Sure! Here it is:\n```json\n{"a": [1, 2]}\n```\nTell me if it helps.', {"a": [1, 2]}),
        ('```\n["x"]\n```', ["x"]),
        ('{"a": [1, 2,], "b": {"c": null,},}', {"a": [1, 2], "b": {"c": None}}),
        ('As [1] and [2] say, {plan} is:\n{"tasks": []}', {"tasks": []}),
        ('{"text": "a } and , ] and \\" inside"}', {"text": 'a } and , ] and " inside'}),
        ('{"text": "two\nlines"}', {"text": "two\nlines"}),
        ('<think>Maybe {"draft": [1, 2, 3, 4, 5, 6]}?</think>\n{"a": 1}', {"a": 1}),
        ("42", 42),
        ("```json\ntrue\n```", True),
        ('"plain"', "plain"),
        ("{}", {}),
    ],
)
def test_json_is_read_whatever_stands_around_it(text: str, value: object) -> None:
    assert read_json(text) == value


@pytest.mark.parametrize(
    "text",
    [
        '{"tasks": [{"id": "a"}, {"id": "b"',
        '{"tasks": [{"id": "a"}, {"id": "b"}',
        'Here: ```json\n{"a": "unfini',
        "{",
        "[1, 2,",
        '{"a": 1} and then [1, 2',
    ],
)
def test_an_answer_that_breaks_off_is_never_taken_as_far_as_it_goes(text: str) -> None:
    with pytest.raises(Unreadable, match="breaks off") as told:
        read_json(text)
    assert told.value.cut


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("I cannot do that.", "no JSON in the answer, which begins 'I cannot"),
        ('{"tasks": [{"id": "a"} {"id": "b"}]}', "line 1, column 24"),
        ('{\n  "a": 1\n  "b": 2\n}', "line 3, column 3"),
        ('{"a": NaN}', "NaN is no JSON"),
        ('{"a": 1, "a": 2}', "'a' twice"),
        ('{"a": [1}', "closes nothing"),
        ("{'a': 1}", "no JSON"),
        ("[" * 100_000 + "]" * 100_000, "too deep"),
    ],
)
def test_what_is_no_json_is_told_with_its_place(text: str, says: str) -> None:
    with pytest.raises(Unreadable, match=says) as told:
        read_json(text)
    assert not told.value.cut


@given(value=st.lists(VALUES) | st.dictionaries(st.text(), VALUES))
def test_whatever_json_can_say_is_read_as_it_is(value: object) -> None:
    import json

    assert read_json(f"So:\n```json\n{json.dumps(value, ensure_ascii=False, indent=1)}\n```") == value


@given(value=st.dictionaries(st.text(), VALUES, min_size=1), share=st.floats(0, 1, exclude_max=True))
def test_no_beginning_of_an_answer_is_taken_for_the_whole(value: object, share: float) -> None:
    import json

    text = json.dumps(value)
    with pytest.raises(Unreadable):
        read_json(text[: int(len(text) * share)])
