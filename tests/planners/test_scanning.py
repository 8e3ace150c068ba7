"""Answers of models read as they come: the parts are the same however the text is cut, and nothing ever raises."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.planners.model.scanning import DEEPEST, Piece, Scanner, pieces

TASKS = [{"id": "a", "skill": "find", "inputs": {"topic": 'x [1], {2} "3"'}}, {"id": "b", "skill": "write"}]
PLAN = {"restated": "r", "done": ["d"], "tasks": TASKS, "deliver": {"ref": "b.output"}}


def told(text: str) -> list[tuple[str, str, Any]]:
    """Read a text that is there as a whole."""
    return [(one.kind, one.key, one.value if one.kind != "broken" else one.problem) for one in pieces(text)]


def tasks_in(text: str) -> list[Any]:
    return [one.value for one in pieces(text) if one.kind == "task"]


def in_pieces(text: str, cuts: list[int]) -> list[Piece]:
    scanner, found, at = Scanner(), [], 0
    for cut in sorted({one % (len(text) + 1) for one in cuts}):
        found += scanner.feed(text[at:cut])
        at = cut
    return [*found, *scanner.feed(text[at:]), *scanner.close()]


def test_the_header_comes_before_the_first_task_and_each_task_at_its_closing_brace() -> None:
    text, scanner, seen = json.dumps(PLAN), Scanner(), []
    for at, letter in enumerate(text, 1):
        seen += [(one.kind, one.key or one.value["id"], text[at - 1]) for one in scanner.feed(letter)]
    assert seen[:4] == [("field", "restated", "["), ("field", "done", "["), ("task", "a", "}"), ("task", "b", "}")]
    assert scanner.close() == []


@pytest.mark.parametrize(
    "text",
    [
        f"Here is [the] plan {{you}} want [1]:\n```json\n{json.dumps(PLAN, indent=1)}\n```\nGood luck!",
        f"<think>Perhaps {json.dumps({'tasks': [{'id': 'never'}]})}?</think>{json.dumps(PLAN)}",
        json.dumps({"plan": PLAN}),
        json.dumps(TASKS),
        json.dumps(PLAN).replace("}]", "},],").replace('"x"', '"x",'),
        str(PLAN),
        json.dumps(PLAN).replace("}, {", "} {"),
        json.dumps({"restated": "r", "steps": TASKS}),
    ],
    ids=["prose", "thinking", "wrapped", "list", "commas", "python", "no comma", "steps"],
)
def test_a_plan_is_found_within_whatever_stands_around_it(text: str) -> None:
    assert tasks_in(text) == TASKS


def test_lines_and_mappings_of_tasks_are_plans_too() -> None:
    lines = "\n".join(map(json.dumps, [*TASKS, {"deliver": 1}]))
    assert told(lines) == [("line", "", TASKS[0]), ("line", "", TASKS[1]), ("line", "", {"deliver": 1})]
    assert told('{"tasks": {"a": {"skill": "x"}, "b": {}}}') == [("task", "a", {"skill": "x"}), ("task", "b", {})]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ('{"tasks": [{"id": "a", "x": oops}, {"id": "b"}]}', ["broken", "task"]),
        ('{"tasks": [{"id": "a", "x": {"y": 1}, {"id": "b"}]}', ["broken", "task"]),
        ('{"tasks": [{"id": "a", "after": ["q"}, {"id": "b"}]}', ["broken", "task"]),
        ('{"tasks": [{"id": "a", "x": {"y": 1}], "deliver": 2}', ["broken", "field"]),
        ('{"tasks": [{"id": "a"}}', ["task"]),
        ('{"tasks": [{"id": "a"}, "b", {"id": "c"}]}', ["task", "broken", "task"]),
        ('{"tasks": [{"id": "a", "id": "b"}, {"id": "c"}]}', ["broken", "task"]),
        ('{"tasks": [{"id":}, {"id": "b"}]}', ["broken", "task"]),
        ('{"restated": "r" oops, "tasks": [{"id": "a"}]}', ["broken", "field", "task"]),
        ('{"tasks": [{"id": "a"}, {"id": "b', ["task", "broken"]),
        ('{"tasks": [{"id": "a"}', ["task", "broken"]),
    ],
)
def test_what_is_broken_is_told_and_the_rest_is_read(text: str, kinds: list[str]) -> None:
    assert [one.kind for one in pieces(text)] == kinds


def test_a_part_knows_its_line_and_column() -> None:
    (first, second) = pieces('Well:\n{"tasks": [\n  {"id": "a"},\n  {"id": 1 2}]}')
    assert (first.line, first.column, second.line, second.column) == (3, 3, 4, 3)
    assert second.problem == "'2' is no key"


def test_texts_keep_what_they_say() -> None:
    assert tasks_in(r'{"tasks": [{"a": "\d \u00e9 \"x\" \\ \n", "b": "two' + "\n" + 'lines"}]}') == [
        {"a": '\\d é "x" \\ \n', "b": "two\nlines"}
    ]
    assert tasks_in("{'tasks': [{'a': 'it\\'s \"x\"', 'b': True, 'c': None}]}") == [
        {"a": 'it\'s "x"', "b": True, "c": None}
    ]


def test_nesting_is_bounded_and_what_comes_after_is_read() -> None:
    deep = "[" * 10_000 + "]" * 10_000
    found = list(pieces(f'{{"tasks": [{{"id": "a", "x": {deep}}}, {{"id": "b"}}]}}'))
    assert [(one.kind, one.problem) for one in found] == [
        ("broken", f"it is nested more than {DEEPEST} levels deep"),
        ("task", ""),
    ]
    assert len(list(pieces('{"tasks":[' + '{"a":[' * 100_000))) == 1
    assert len(list(pieces('{"tasks":[' + "x " * 100_000))) <= 101, "not every slip is told"


STRUCTURE = st.text(alphabet="{}[]\":,\\'ab01 \n<thinking/>.ets", max_size=120)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=5), VALUES, max_size=4)


@given(
    STRUCTURE | STRUCTURE.map(lambda text: json.dumps(PLAN)[:-20] + text), st.lists(st.integers(0, 400), max_size=12)
)
def test_however_a_text_is_cut_the_parts_are_the_same(text: str, cuts: list[int]) -> None:
    assert in_pieces(text, cuts) == in_pieces(text, list(range(len(text)))) == list(pieces(text))


@given(st.lists(OBJECTS, max_size=4), st.lists(st.integers(0, 400), max_size=6), st.booleans())
def test_every_task_of_a_sound_plan_is_found_as_it_was(tasks: list[Any], cuts: list[int], ascii_only: bool) -> None:
    text = json.dumps({"restated": "r", "tasks": tasks, "deliver": None}, ensure_ascii=ascii_only)
    assert [one.value for one in in_pieces(text, cuts) if one.kind == "task"] == tasks
