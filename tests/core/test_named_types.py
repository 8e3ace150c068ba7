"""Named types: a schema's title says what a value is, and the checker doubts what does not fit."""

import pytest

from stretto.core.domain import AgentCard, Catalogue, Plan, Schema, Skill, Task
from stretto.core.plan.check import check
from stretto.core.plan.diagnostics import Diagnostic
from stretto.core.plan.evidence import literals
from stretto.core.plan.names import one_slip
from stretto.core.plan.schemas import named_types, taken_types

EITHER: Schema = {"anyOf": [{"title": "Text"}, {"title": "image"}]}


def doubts(output: Schema, argument: Schema) -> list[Diagnostic]:
    """Check a plan in which the result of one skill is the argument `thing` of another."""
    card = AgentCard(
        name="a",
        skills=(
            Skill(name="make", output=output),
            Skill(name="use", inputs={"type": "object", "properties": {"thing": argument}}),
        ),
    )
    plan = Plan(
        tasks=(Task(id="m", skill="make"), Task(id="u", skill="use", inputs={"thing": {"ref": "m.output"}})),
    )
    return [one for one in check(plan, Catalogue(agents=(card,))) if one.code == "type-mismatch"]


def test_a_type_of_another_name_is_a_doubt_and_the_same_name_in_any_case_is_none() -> None:
    [doubt] = doubts({"title": "audio"}, EITHER)
    assert "gets audio where image or text is wanted" in doubt.message
    assert doubts({"title": "Image"}, EITHER) == []


@pytest.mark.parametrize(
    ("output", "argument"),
    [
        ({"title": "audio"}, {"title": "Thing"}),  # generators write an argument's own name as its title
        ({"title": "audio"}, {}),
        ({}, {"title": "audio"}),
        ({"title": "A", "properties": {"x": {}}}, {"title": "B", "properties": {"x": {}}}),
    ],
)
def test_where_a_name_says_nothing_about_the_type_there_is_no_doubt(output: Schema, argument: Schema) -> None:
    assert doubts(output, argument) == []


def test_results_within_a_list_are_held_against_what_its_items_are() -> None:
    skills = (
        Skill(name="make", output={"title": "audio"}),
        Skill(name="use", inputs={"properties": {"arguments": {"type": "array", "items": EITHER}}}),
    )
    plan = Plan(
        tasks=(Task(id="m", skill="make"), Task(id="u", skill="use", inputs={"arguments": ["x", {"ref": "m.output"}]}))
    )
    found = check(plan, Catalogue(agents=(AgentCard(name="a", skills=skills),)))
    assert [one.path for one in found if one.code == "type-mismatch"] == ["tasks.u.inputs.arguments[1]"]


def test_a_schema_names_a_type_only_where_all_its_alternatives_do() -> None:
    assert named_types(EITHER, EITHER) == {"text", "image"}
    assert named_types({"anyOf": [{"title": "text"}, {"type": "null"}]}, {}) == frozenset()
    looped: Schema = {"$ref": "#/$defs/A", "$defs": {"A": {"anyOf": [{"$ref": "#/$defs/A"}]}}}
    assert named_types(looped, looped) == frozenset()


def test_what_a_skill_takes_has_an_entry_for_each_argument() -> None:
    twice = {"properties": {"arguments": {"items": {"anyOf": [{"title": "text"}, {"title": "text"}]}}, "size": {}}}
    assert taken_types(twice) == [{"text"}, {"text"}, frozenset()]


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("a.MP3", {"audio"}),
        ("'my/a.jpg'", {"image"}),
        ("https://example.org/a.png", {"image", "url"}),
        ("www.example.org", {"url"}),
        ("some words here", {"text"}),
        ("two words", set()),
    ],
)
def test_the_form_of_a_text_tells_its_types(text: str, types: set[str]) -> None:
    assert list(literals({"x": [text, 7]})) == [(text, types)]


@pytest.mark.parametrize(
    "slip", ["Text_Reader", "textreader", "Text Reeder", "Text Raeder", "Text Readers", "ext Reader"]
)
def test_a_slip_of_the_pen_leads_to_the_one_name_it_can_mean(slip: str) -> None:
    assert one_slip(slip, ["Text Reader", "Text Writer"]) == "Text Reader"


@pytest.mark.parametrize("name", ["Text Breeder", "node-2", "cat", "Reader", ""])
def test_two_slips_other_digits_and_short_names_lead_nowhere(name: str) -> None:
    assert one_slip(name, ["Text Reader", "node-1", "bat"]) is None


@pytest.mark.parametrize(
    ("name", "other"), [("get_alarm", "set_alarm"), ("lend money", "send money"), ("play", "clay")]
)
def test_a_changed_letter_that_makes_another_word_is_no_slip(name: str, other: str) -> None:
    assert one_slip(name, [other]) is None


def test_two_names_within_a_slip_are_none() -> None:
    assert one_slip("reade", ["reader", "readed"]) is None
