"""What a plan's document may say, and what is told about what it cannot: each at its place."""

import json
import math
from decimal import Decimal
from typing import Any

import pytest

from stretto.core.domain import (
    AgentCard,
    Ask,
    Budget,
    Catalogue,
    Chain,
    Cost,
    ForEach,
    InputSpec,
    Join,
    Limits,
    Plan,
    Repeat,
    Rung,
    SideEffect,
    Skill,
    Task,
)
from stretto.core.plan.check import check
from stretto.core.plan.diagnostics import Diagnostic
from stretto.core.plan.foreign.form import ends, task_graph
from stretto.core.plan.inputs import Wanted, wanted
from stretto.core.plan.intake import is_plan, take_in
from stretto.core.plan.shape import Size, measure, read_plan
from stretto.core.plan.writing import misfits, write_plan
from stretto.core.routing import roster
from tests.core.tools import KITCHEN, graph, taken

CLOSED = {"type": "object", "properties": {"word": {"type": "string"}, "times": {}}, "additionalProperties": False}
TEAM = Catalogue(
    agents=(
        AgentCard(name="one", skills=(Skill(name="say", effect=SideEffect.NONE, inputs=CLOSED),)),
        AgentCard(name="two", skills=(Skill(name="say", effect=SideEffect.NONE, inputs=CLOSED),)),
    )
)


def findings(tasks: dict[str, Any], **more: Any) -> list[tuple[str, str]]:
    """Give the codes of the errors and their places."""
    plan, found = read_plan({"tasks": tasks, **more})
    told: list[Diagnostic] = [*found, *check(plan, TEAM)]
    return [(one.code, one.path) for one in told if one.severity == "error"]


def said(word: Any = "x", **fields: Any) -> dict[str, Any]:
    return {"skill": "say", "inputs": {"word": word}, **fields}


@pytest.mark.parametrize(
    ("tasks", "more", "code", "place"),
    [
        ([said()], {}, "missing-field", "tasks[0]"),
        ({"a": said(limits={"attempts": 1.5})}, {}, "bad-value", "tasks.a.limits.attempts"),
        (
            {"a": said(), "b": said({"ref": "a.output", "else": 1})},
            {},
            "bad-reference",
            "tasks.b.inputs.word",
        ),
        (
            {"a": said(), "b": said({"ref": "a.output", "default": [{"ref": "a.output"}]})},
            {},
            "bad-reference",
            "tasks.b.inputs.word",
        ),
        ({"a": said()}, {"deliver": {"ref": "a.output", "else": 1}}, "bad-reference", "deliver"),
        ({"a": said()}, {"deliver": {"ref": "a.output", "default": [{"ref": "a.output"}]}}, "bad-reference", "deliver"),
        ({"a": said()}, {"deliver": {"ref": "inputs.b"}}, "undeclared-reference", "deliver"),
        ({"a": said(when="item == 1")}, {}, "undeclared-reference", "tasks.a.when"),
        ({"a": said({"ref": "context"})}, {}, "bad-reference", "tasks.a.inputs.word"),
        (
            {"a": said({"ref": "context", "default": ""}) | {"for_each": {"ref": "context.k"}}},
            {},
            "undeclared-reference",
            "tasks.a.for_each",
        ),
        ({"a": said(for_each={"items": 3})}, {}, "bad-value", "tasks.a.for_each"),
        (
            {"a": said(for_each={"items": [1], "allow_failures": "yes"})},
            {},
            "bad-value",
            "tasks.a.for_each.allow_failures",
        ),
        ({"a": said(after=["b", 1])}, {}, "bad-value", "tasks.a.after"),
        ({"a": said()}, {"deliver": {"ref": "a.result"}}, "bad-reference", "deliver"),
        ({"a": said(ladder={"error": [{"agent": "six"}]})}, {}, "unknown-agent", "tasks.a.ladder.error[0].agent"),
        (
            {"a": said(ladder={"error": [{"with": {"loud": 1}}]})},
            {},
            "unknown-input",
            "tasks.a.ladder.error[0].with.loud",
        ),
    ],
)
def test_what_cannot_be_is_told_at_its_place(tasks: Any, more: dict[str, Any], code: str, place: str) -> None:
    assert (code, place) in findings(tasks, **more)


def test_a_mapping_that_only_has_a_field_called_ref_is_a_value() -> None:
    for value in ({"ref": "RFC 9110", "title": "HTTP"}, {"ref": 3, "x": 1}, {"ref": "b.output", "x": 1}):
        assert findings({"a": said({"inner": value})}, deliver={"inner": value}) == []


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ({"literal": "x"}, None),
        ({"literal": 3}, "gets integer where string is wanted"),
        ({"literal": {"ref": "b.output"}}, "gets object where string is wanted"),
    ],
)
def test_a_literal_has_the_type_of_what_it_holds(word: Any, problem: str | None) -> None:
    plan, _ = read_plan({"tasks": {"a": said(word)}})
    assert [one.message for one in check(plan, TEAM) if one.code == "type-mismatch"] == ([problem] if problem else [])


def test_items_that_are_meant_letter_by_letter_are_given_as_they_stand() -> None:
    items = ["a", {"ref": "b.output"}, [{"ref": "c.output"}]]
    for each in ({"literal": items}, {"items": {"literal": items}}):
        plan, found = read_plan({"tasks": {"a": said({"ref": "item"}, for_each=each)}})
        assert found == []
        assert plan.tasks[0].for_each is not None
        assert plan.tasks[0].for_each.items == ["a", *({"literal": one} for one in items[1:])]
        assert findings({"a": said({"ref": "item"}, for_each=each)}) == [], "none of them is a reference"


def test_actions_are_compared_by_their_arguments_as_far_as_these_can_be_kept() -> None:
    hands = AgentCard(name="hands", skills=(Skill(name="post", effect=SideEffect.REVERSIBLE),))
    given = {"a": math.nan, "b": math.nan, "c": 1, "d": 1}
    plan = Plan(tasks=tuple(Task(id=id_, skill="post", inputs={"n": n}) for id_, n in given.items()))
    found = [(one.code, one.path) for one in check(plan, Catalogue(agents=(hands,))) if one.severity == "error"]
    assert sorted(found) == [
        ("bad-value", "tasks.a.inputs"),
        ("bad-value", "tasks.b.inputs"),
        ("equal-effects", "tasks.d"),
    ]


def test_the_label_that_an_agent_gives_its_results_reaches_it_again_in_the_next_round() -> None:
    skill = Skill(name="draft", effect=SideEffect.NONE, labels=("secret",))
    writer = AgentCard(name="writer", skills=(skill,), perimeter=("public",))

    def perimeters(text: Any) -> list[str]:
        task = Task(id="a", skill="draft", inputs={"text": text}, repeat=Repeat(max=2))
        return [
            one.message for one in check(Plan(tasks=(task,)), Catalogue(agents=(writer,))) if one.code == "perimeter"
        ]

    assert perimeters({"ref": "previous", "default": ""}) == ["data labelled secret would reach 'writer'"]
    assert perimeters({"ref": "round"}) == []


@pytest.mark.parametrize(
    ("budget", "fields", "message"),
    [
        (Budget(steps=2), {"for_each": ForEach(items=[1, 2, 3])}, "it takes 3 attempts, and its budget allows 2"),
        (Budget(money=Decimal("0.40")), {}, "it reserves $0.50 and its budget is $0.40"),
        (Budget(tokens=19), {"for_each": ForEach(items=[1, 2])}, "it reserves 20 tokens and its budget is 19"),
        (Budget(steps=3, money=Decimal("1.50"), tokens=30), {"for_each": ForEach(items=[1, 2, 3])}, None),
    ],
)
def test_what_a_task_must_reserve_is_held_against_its_own_budget(
    budget: Budget, fields: dict[str, Any], message: str | None
) -> None:
    dear = AgentCard(name="dear", skills=(Skill(name="think"),), cost=Cost(money=Decimal("0.50"), tokens=10))
    task = Task(id="a", skill="think", budget=budget, **fields)
    found = [one for one in check(Plan(tasks=(task,)), Catalogue(agents=(dear,))) if one.code == "over-budget"]
    assert [(one.path, one.message) for one in found] == ([("tasks.a.budget", message)] if message else [])


def test_what_an_input_may_be_is_told_by_those_who_take_it_whole_else_by_its_default() -> None:
    plan = Plan(
        inputs={"word": InputSpec(), "other": InputSpec(), "number": InputSpec(default=1), "free": InputSpec()},
        tasks=(
            Task(id="a", skill="say", inputs={"word": {"ref": "inputs.word"}}),
            Task(id="b", skill="say", inputs={"times": {"ref": "inputs"}, "word": {"ref": "inputs.other"}}),
            Task(id="c", skill="say", inputs={"word": {"ref": "inputs.undeclared"}}),
            Task(id="d", skill="sing", inputs={"word": {"ref": "inputs.number"}}),
            Task(id="e", skill="say", inputs={"word": {"ref": "inputs.free.part"}}),
        ),
    )
    text = Wanted(types=frozenset({"string"}))
    number = Wanted(types=frozenset({"integer", "number"}))
    assert wanted(plan, roster(TEAM)) == {"word": text, "other": text, "number": number, "free": Wanted()}


def test_of_what_a_task_reads_only_the_context_must_be_written_before() -> None:
    task = {"skill": "say", "inputs": {"times": {"ref": "inputs.k"}, "word": {"ref": "context.k"}}}
    assert findings({"a": task}, inputs=["k"]) == [("undeclared-reference", "tasks.a.inputs.word")]


def test_a_circle_is_told_once_however_many_wait_behind_it() -> None:
    tasks = {"a": said(after="b"), "b": said(after="a"), "c": said(after="a"), "d": said(after=["b", "c"])}
    assert findings(tasks) == [("cycle", "tasks.a")]


def test_a_result_is_used_if_the_deliverable_names_it_beside_what_cannot_be_read() -> None:
    plan, _ = read_plan({"tasks": {"a": said(), "b": said()}, "deliver": [{"ref": "a.result"}, {"ref": "b.output"}]})
    assert [one.path for one in check(plan, TEAM) if one.code == "unused-result"] == ["tasks.a"]


@pytest.mark.parametrize(
    ("items", "code"), [({"ref": "m.output.lines"}, "unknown-output"), ({"ref": "m"}, "bad-reference")]
)
def test_of_a_list_that_cannot_be_found_nothing_is_said_about_the_items(items: Any, code: str) -> None:
    made = {"type": "object", "properties": {"rows": {"type": "array", "items": {"type": "integer"}}}}
    plan, _ = read_plan({"tasks": {"m": said(output=made), "u": said({"ref": "item"}, for_each=items)}})
    assert [(one.code, one.path) for one in check(plan, TEAM)] == [(code, "tasks.u.for_each")]
    plan, _ = read_plan(
        {"tasks": {"m": said(output=made), "u": said({"ref": "item"}, for_each={"ref": "m.output.rows"})}}
    )
    assert [(one.code, one.path) for one in check(plan, TEAM)] == [("type-mismatch", "tasks.u.inputs.word")]


def test_a_condition_may_look_at_inputs_and_in_a_fan_out_at_its_item() -> None:
    task = said({"ref": "item"}, for_each=["x"], when="item == inputs.word")
    assert findings({"a": task}, inputs=["word"]) == []


def test_a_ladder_may_name_agents_and_arguments_that_are_there() -> None:
    assert findings({"a": said(ladder={"error": [{"with": {"times": 2}}, {"agent": "two"}]})}) == []


@pytest.mark.parametrize(
    ("task", "place"),
    [
        (Task(id="a", skill="say", wait=-1.0), "tasks.a.wait"),
        (Task(id="a", skill="say", wait=math.nan), "tasks.a.wait"),
        (Task(id="a", skill="say", limits=Limits(deadline=0.0)), "tasks.a.limits.deadline"),
        (Task(id="a", skill="say", for_each=ForEach(items=[1], parallel=0)), "tasks.a.for_each.parallel"),
        (Task(id="a", skill="say", repeat=Repeat(max=0)), "tasks.a.repeat.max"),
        (Task(id="a", skill="say", repeat=Repeat(max=2, pause=-1.0)), "tasks.a.repeat.pause"),
    ],
)
def test_numbers_of_a_plan_made_in_python_are_held_to_the_same_bounds(task: Task, place: str) -> None:
    assert ("bad-value", place) in [(one.code, one.path) for one in check(Plan(tasks=(task,)), TEAM)]


def test_a_document_of_too_many_values_is_refused_however_they_are_laid_out() -> None:
    size = Size(values=10)
    for document in ([[1] * 11], {str(number): 1 for number in range(11)}, [[[1] * 6], [2] * 4]):
        found = measure(document, size)
        assert found is not None
        assert (found.code, found.message) == ("too-large", "more than 10 values")
    assert measure([[1] * 5], size) is None


ANN = {"question": Chain(steps=(Ask(who="ann", within=90.0),), otherwise="skip")}
FULL = Plan(
    name="whole",
    inputs={"n": InputSpec(default=[1, 2]), "m": InputSpec()},
    tasks=(
        Task(id="a", skill="say", for_each=ForEach(items={"ref": "inputs.n"}, parallel=2), effect=SideEffect.NONE),
        Task(id="d", skill="say", ladder={"error": (Rung(do="retry", times=2), Rung(do="skip"))}, ask=ANN),
        Task(id="b", skill="say", repeat=Repeat(max=3, pause=1.0), limits=Limits(attempts=2), after=("a",)),
        Task(id="c", skill="say", join=Join(of=("a", "b"), take="first"), inputs={"word": {"ref": "joined[0]"}}),
    ),
    deliver={"ref": "c.output"},
)


def test_a_plan_is_written_as_a_document_that_reads_as_the_same_plan() -> None:
    document = json.loads(json.dumps(write_plan(FULL, goal="say it all")))
    assert document["goal"] == "say it all"
    assert document["tasks"]["d"]["ask"] == {"question": [{"who": "ann", "within": 90.0}, "skip"]}
    assert read_plan(document) == (FULL, [])
    assert write_plan(Plan(tasks=(Task(id="a", skill="say"),))) == {"tasks": {"a": {"skill": "say"}}}


@pytest.mark.parametrize("tasks", [3, [7], {"a": Task(id="a", skill="say")}])
def test_tasks_of_a_plan_made_in_python_are_a_tuple_or_that_is_what_is_told(tasks: Any) -> None:
    told = [(one.path, one.message) for one in misfits(Plan(tasks=tasks))]
    assert told == [("tasks", f"the tasks are a tuple, not {type(tasks).__name__}")]


def test_a_document_is_known_as_a_plan_by_its_form() -> None:
    assert is_plan({"tasks": 3})
    assert is_plan(graph(("Painter", ["a"])))
    assert not is_plan({"steps": []})
    assert not is_plan([1])


@pytest.mark.parametrize(
    ("document", "code"),
    [({"tasks": {}}, "empty-plan"), ({"task_nodes": []}, "empty-plan"), ({"task_nodes": [{}] * 99_999}, "too-large")],
)
def test_what_holds_no_plan_is_refused(document: Any, code: str) -> None:
    intake = take_in(document, KITCHEN)
    assert intake.status == "refused"
    assert code in [one.code for one in intake.found]


def test_task_graphs_are_found_in_their_looser_forms() -> None:
    found = task_graph({"task_nodes": '["Painter", {"task": "Translation"}, 7]', "task_links": "[broken"})
    assert found is not None
    assert [found.tool(number) for number in range(3)] == ["Painter", "Translation", ""]
    assert found.links == "[broken"
    assert ends(["a", "b"]) == ("a", "b")
    assert ends(["a", 3]) == ("a", None)
    assert ends("a") == (None, None)


def test_a_single_value_is_taken_as_the_only_argument() -> None:
    intake = taken(graph(("Painter", "a red boat")))
    assert intake.plan.tasks[0].inputs == {"arguments": ["a red boat"]}
    swapped = taken(graph(("Photo Reader", ["a.jpg"]), ("Painter", [{"name": "<node-0>", "value": "arguments"}])))
    assert "node-0.output" in json.dumps(swapped.plan.tasks[1].inputs)
