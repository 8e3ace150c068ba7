"""How a task is taken back is checked like a task: the skill, its arguments, what they refer to."""

from typing import Any

import pytest

from stretto import Orchestrator, plan, pure, ref, reversible, task
from stretto.core.domain import NO_BUDGET, Undo
from stretto.core.plan.shape import read_plan
from stretto.core.plan.writing import write_plan


def cancel(number: int, result: str, why: str = "") -> None:
    """Cancel."""


@reversible(undo=cancel)
def book(number: int) -> str:
    """Book."""
    return str(number)


@reversible
def sign(name: str) -> dict[str, int]:
    """Sign; nothing says how it is taken back."""
    return {"number": len(name)}


@pure
def read(text: str = "") -> str:
    """Read."""
    return text


TEAM = Orchestrator([book, sign, read])


def found(**tasks: dict[str, Any]) -> list[tuple[str, str]]:
    made, wrong = read_plan({"tasks": tasks})
    return [(one.code, one.path) for one in (*wrong, *TEAM.check(made)) if one.code not in ("no-backup",)]


def test_a_skill_that_names_its_undoing_is_fine() -> None:
    assert found(a={"skill": "book", "inputs": {"number": 1}}) == []


SIGN = {"skill": "sign", "inputs": {"name": "ann"}}


@pytest.mark.parametrize(
    ("undo", "code", "path"),
    [
        (None, "no-undo", "tasks.a"),
        ("cancle", "unknown-skill", "tasks.a.undo"),
        ({"skill": "cancle"}, "unknown-skill", "tasks.a.undo"),
        ({"inputs": {"number": 1, "result": ""}}, "missing-field", "tasks.a.undo"),
        ("cancel", "missing-input", "tasks.a.undo"),
        ({"skill": "cancel", "inputs": {"number": 1}}, "missing-input", "tasks.a.undo.inputs"),
        ({"skill": "cancel", "inputs": {"number": 1, "result": "", "x": 1}}, "unknown-input", "tasks.a.undo.inputs.x"),
        (
            {"skill": "cancel", "inputs": {"number": "one", "result": ""}},
            "type-mismatch",
            "tasks.a.undo.inputs.number",
        ),
        (
            {"skill": "cancel", "inputs": {"number": {"ref": "a.output"}, "result": ""}},
            "type-mismatch",
            "tasks.a.undo.inputs.number",
        ),
        (
            {"skill": "cancel", "inputs": {"number": {"ref": "nobody.output"}, "result": ""}},
            "dangling-reference",
            "tasks.a.undo.inputs.number",
        ),
        (
            {"skill": "cancel", "inputs": {"number": 1, "result": {"ref": "later.output"}}},
            "dangling-reference",
            "tasks.a.undo.inputs",
        ),
        (
            {"skill": "cancel", "inputs": {"number": 1, "result": {"ref": "inputs.who"}}},
            "undeclared-reference",
            "tasks.a.undo.inputs.result",
        ),
        (
            {"skill": "cancel", "inputs": {"number": 1, "result": {"ref": "item"}}},
            "undeclared-reference",
            "tasks.a.undo.inputs.result",
        ),
        (
            {"skill": "cancel", "inputs": {"number": 1, "result": {"ref": "a.result"}}},
            "bad-reference",
            "tasks.a.undo.inputs.result",
        ),
        ({"skil": "cancel"}, "unknown-field", "tasks.a.undo.skil"),
        ([1], "bad-value", "tasks.a.undo"),
        ({"skill": 3}, "bad-value", "tasks.a.undo.skill"),
    ],
)
def test_what_is_wrong_with_an_undoing_is_told_at_its_place(undo: Any, code: str, path: str) -> None:
    body = SIGN if undo is None else {**SIGN, "undo": undo}
    assert (code, path) in found(a=body, later={"skill": "read"})


def test_it_may_refer_to_its_own_output_and_to_what_it_waits_for_and_to_nothing_else() -> None:
    undo = {"skill": "cancel", "inputs": {"number": {"ref": "a.output.number"}, "result": {"ref": "first.output"}}}
    tasks = {"first": {"skill": "read"}, "left": {"skill": "read", "after": "first"}}
    tasks["right"] = {"skill": "read", "after": "first"}
    assert found(**tasks, a={**SIGN, "after": "left", "undo": undo}) == []
    assert found(**tasks, a={**SIGN, "after": ["left", "right"], "undo": undo}) == []
    tasks["late"] = {"skill": "read"}
    late = {"skill": "cancel", "inputs": {"number": 1, "result": {"ref": "late.output"}}}
    told = [("dangling-reference", "tasks.a.undo.inputs")]
    assert found(**tasks, a={**SIGN, "after": ["left", "right"], "undo": late}) == told


def test_what_is_wrong_with_the_list_of_a_task_is_told_of_the_task_alone_and_not_of_its_undoing() -> None:
    undo = {"skill": "cancel", "inputs": {"number": 1, "result": ""}}
    task = {**SIGN, "for_each": {"ref": "inputs.names"}, "undo": undo}
    assert found(a=task) == [("undeclared-reference", "tasks.a.for_each")]


@pytest.mark.parametrize("budget", [True, [], {"money": 2}, "much", "$2, $3", "-1 steps"])
def test_what_is_no_budget_of_a_task_is_told_at_its_place(budget: Any) -> None:
    assert ("bad-value", "tasks.a.budget") in found(a={"skill": "read", "budget": budget})


def test_a_plan_with_undoings_and_budgets_survives_being_written_down() -> None:
    made = plan(
        task("a", book, number=1, undo=cancel, undo_inputs={"number": ref("a"), "result": {"literal": {"ref": "x"}}}),
        task("b", sign, name="x", undo="cancel", budget="$0.50, 3 steps, 1m30s"),
        task("c", read, budget="2 revisions"),
    )
    assert made.tasks[1].undo == Undo(skill="cancel")
    assert made.tasks[1].budget != NO_BUDGET
    document = write_plan(made)
    read_again, wrong = read_plan(document)
    assert wrong == []
    assert read_again == made
