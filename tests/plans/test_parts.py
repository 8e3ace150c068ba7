"""The parts that plans are read with, each by itself: texts, references, conditions, schemas, names, inclusions."""

import re
from typing import Any

import pytest

from stretto.core.plan import schemas
from stretto.core.plan.conditions import LONGEST, condition_problem, looks_at, rewritten
from stretto.core.plan.diagnostics import shown
from stretto.core.plan.inclusion import MOST_TASKS, CannotInclude, included
from stretto.core.plan.names import Slips, one_slip
from stretto.core.plan.references import named_in, parse
from stretto.core.plan.text import DEEPEST, NotPlain, json_places, read_plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a:\n- 1\n- b: 2\n  c: 3\nd: 4", {"a": [1, {"b": 2, "c": 3}], "d": 4}),
        ("a:\n  - b:\n    - 1\n    - 2\n  - c", {"a": [{"b": [1, 2]}, "c"]}),
        ("a:\n  - b: {c: [1, 2]}\n    d: x\n  - e: y", {"a": [{"b": {"c": [1, 2]}, "d": "x"}, {"e": "y"}]}),
        ("a:\n- b:\n    c:\n- d", {"a": [{"b": {"c": None}}, "d"]}),
        ("a:\nb:\n  c: 1", {"a": None, "b": {"c": 1}}),
        ("- 1\n- a: 2", None),
        ("a: [1, {b: 2}]", {"a": [1, {"b": 2}]}),
    ],
)
def test_plain_yaml_is_read_as_it_is(text: str, value: Any) -> None:
    if value is None:
        with pytest.raises(NotPlain):
            read_plain(text)
    else:
        assert read_plain(text) == value
        assert read_plain(text, {}) == value


@pytest.mark.parametrize(
    "text",
    [
        "a: {b: 1, b: 2}",
        "a: {b: c: 1}",
        "a: [1,, 2]",
        "a: {b: , c: 1}",
        "a: [1}",
        "a: {1]",
        "a: [1 {}]",
        "a: {b: 1} c",
        "a: [b: 1]",
        "a: {x}",
        "a: " + "[" * (DEEPEST + 2),
        "  a: 1\nb: 2",
        "a: *anchor",
        "a: .inf",
        "a:\n- \n- 1",
        "a:\n  b: 1\n  - c",
        "a:\n  b: 1\n c: 2",
    ],
)
def test_text_that_is_not_plain_is_left_to_the_full_parser(text: str) -> None:
    with pytest.raises(NotPlain):
        read_plain(text)


def test_the_parts_of_a_broken_json_text_are_found_as_far_as_they_go() -> None:
    places, doubled = json_places('{"a": [1, {"b": 2}], "a": 3}]')
    assert places["a[1].b"] == (1, 12)
    assert doubled == ("a", 1, 22)
    assert json_places('{"\\q": 1}')[0] == {"": (1, 1), "\\q": (1, 2)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[0].output", "does not begin with a name"),
        ("a.output[x]", "cannot be read from '[x]' on"),
        ("inputs", "needs a name, as in inputs.NAME"),
        ("context[0]", "needs a name, as in context.NAME"),
        ("a.rows", "should go on with .output"),
        (3, "a reference is text like 'task.output', not int"),
        ("tasks", "should go on with .output"),
    ],
)
def test_a_reference_that_cannot_be_read_says_why(text: Any, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        parse({"ref": text})


def test_the_long_form_of_a_reference_is_the_short_one() -> None:
    assert parse({"ref": "tasks.a.output.rows[0]"}) == parse({"ref": "a.output.rows[0]"})


def test_only_tasks_are_named_in_a_value() -> None:
    value = [{"ref": "a.output"}, {"ref": "inputs.b"}, {"ref": "[c"}, {"d": {"ref": "e.output", "default": 1}}]
    assert named_in(value) == {"a", "e"}


def test_a_condition_looks_at_tasks_and_inputs_by_name() -> None:
    said = 'size(tasks) > 0 && size(inputs) > 0 && tasks["a-b"].output == inputs.c && d.output[0] && item > e'
    assert looks_at(said) == {("task", "a-b"), ("inputs", "c"), ("task", "d"), ("item", ""), ("name", "e")}


def test_a_condition_is_rewritten_with_its_steps() -> None:
    said: list[str] = []

    def stands_for(text: str) -> str | None:
        said.append(text)
        return "X" if text.startswith("a.") else None

    assert rewritten('a.output.rows[0]["b"] > 1 && c.output.size() > 0', stands_for) == "X > 1 && c.output.size() > 0"
    assert said == ["a.output.rows[0].b", "c.output"]


def test_a_condition_that_is_too_long_is_refused_unseen() -> None:
    long = "a" * (LONGEST + 1)
    assert f"has {LONGEST + 1} characters" in str(condition_problem(long))
    assert looks_at(long) == frozenset()


def test_a_schema_that_leads_back_to_itself_allows_anything() -> None:
    circle = {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}
    assert schemas.resolved(circle, circle) == schemas.ANYTHING
    choice: dict[str, Any] = {"anyOf": [{"type": "string"}, {"$ref": "#"}]}
    assert "string" in schemas.types(choice, choice)
    looped = {"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}]}}}
    assert schemas.types(looped, looped) == schemas.ALL
    assert schemas.resolved({"$ref": "#/$defs/none"}, {}) == schemas.ANYTHING


def test_a_constant_has_the_type_of_its_value() -> None:
    assert schemas.types({"const": "a"}, {}) == {"string"}
    assert schemas.mismatch({"const": 1}, {"type": "string"}, {}) is not None
    assert schemas.types({"enum": ["a", None]}, {}) == {"string", "null"}


LISTED = {"type": "array", "prefixItems": [{"type": "string"}, {"type": "object", "properties": {"a": {}}}]}


def test_the_parts_of_a_list_are_known_by_their_places() -> None:
    assert schemas.part(LISTED, (0,)) == {"type": "string"}
    assert schemas.part(LISTED, (2,)) == schemas.ANYTHING
    assert schemas.element({"type": "array"}) == schemas.ANYTHING
    assert schemas.mismatch(LISTED, {"type": "array", "items": {"type": "number"}}, {}) is None
    with pytest.raises(schemas.NoSuchPart, match=re.escape("[0] of string")):
        schemas.part({"type": "string"}, (0,))
    with pytest.raises(schemas.NoSuchPart, match="'b'; it has a"):
        schemas.part(LISTED, (1, "b"))


def test_a_schema_with_other_ways_to_name_properties_is_open() -> None:
    open_ = {"type": "object", "properties": {"a": {}}, "patternProperties": {"^x": {"type": "string"}}}
    assert schemas.part(open_, ("xb",)) == schemas.ANYTHING
    more = {"type": "object", "properties": {"a": {}}, "additionalProperties": {"type": "string"}}
    assert schemas.part(more, ("b",)) == {"type": "string"}


def test_a_number_of_very_many_digits_is_not_shown() -> None:
    assert shown(1 << 300) == "a number of very many digits"


def test_names_of_unreasonable_length_are_no_slip_of_anything() -> None:
    long = "a" * 5000
    assert Slips([long, "report"]).only(long + "b") is None
    assert Slips([long, "report"]).only("reprt") == "report"
    assert one_slip("a", ["abcdef"]) is None


def books(**found: Any) -> Any:
    return found.get


@pytest.mark.parametrize(
    ("tasks", "book", "place", "said"),
    [
        ([{"id": "a", "include": "b"}, {"id": "a", "skill": "x"}], {}, "tasks[1]", "the id 'a' is taken"),
        ({"a": {"include": "b"}, "c": {"id": "a", "skill": "x"}}, {}, "tasks.c", "the id 'a' is taken"),
        ([{"include": "b"}], {}, "tasks[0]", "a task beside inclusions needs an id"),
        ({"a": {"include": "b"}}, {}, "tasks.a.include", "the playbook 'b' has no tasks"),
        ({"a": {"include": 3}}, {}, "tasks.a", "an inclusion is `include: NAME` with a mapping `with:`"),
        ({"a": {"include": "b", "with": [1]}}, {}, "tasks.a", "an inclusion is `include: NAME` with a mapping `with:`"),
        ({"a": {"include": "b"}}, {"tasks": {"x": {}}, "inputs": 3}, "tasks.a.include", "are no mapping"),
        ({"a": {"include": "b"}}, {"tasks": {"x": {}}, "inputs": ["y"]}, "tasks.a.with", "needs the input 'y'"),
        (
            {"a": {"include": "b"}},
            {"tasks": {f"t{number}": {} for number in range(MOST_TASKS + 1)}},
            "tasks.a",
            f"more than {MOST_TASKS} tasks",
        ),
    ],
)
def test_an_inclusion_that_cannot_be_says_where_and_why(tasks: Any, book: Any, place: str, said: str) -> None:
    with pytest.raises(CannotInclude) as refused:
        included({"tasks": tasks}, books(b=book))
    assert refused.value.diagnostic.path == place
    assert said in refused.value.diagnostic.message


def test_the_condition_of_an_inclusion_holds_for_each_of_its_tasks() -> None:
    book = {"tasks": {"x": {"when": "true"}, "y": {}, "z": 7}}
    tasks = included({"tasks": {"a": {"include": "b", "when": "inputs.go", "after": "c"}, "c": 3}}, books(b=book))[
        "tasks"
    ]
    assert tasks["a_x"]["when"] == "(inputs.go) && (true)"
    assert tasks["a_y"] == {"after": ["c"], "when": "inputs.go"}
    assert (tasks["a_z"], tasks["c"]) == (7, 3)


def test_an_input_in_a_condition_of_an_included_task_becomes_its_value() -> None:
    book = {
        "inputs": {"known": {"default": ["x"]}, "size": {}},
        "tasks": {"x": {"when": "inputs.size in inputs.known || inputs.other", "join": ["y"]}, "y": {}},
    }
    given = {"size": {"most": [1, {"literal": {"ref": "z"}}]}}
    tasks = included({"tasks": {"a": {"include": "b", "with": given}}}, books(b=book))["tasks"]
    assert tasks["a_x"]["when"] == '{"most": [1, {"ref": "z"}]} in ["x"] || inputs.other'
    assert tasks["a_x"]["join"] == ["a_y"]
