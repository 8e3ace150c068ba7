"""The deliverable uses every accepted result or waives it with a reason, and points out contradictions."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto import Assignment, Orchestrator, pure
from stretto.core.claims import Said, claims, contradictions


@pure
def say(text: str) -> str:
    return text


@pure
def join(parts: list[str]) -> str:
    return " ".join(parts)


@pure
def quote(work: Assignment, file: str, line: int) -> str:
    work.cite(file, line)
    return f"line {line}"


def told(task: str, text: str) -> dict[str, object]:
    del task
    return {"skill": "say", "inputs": {"text": text}}


async def test_what_the_plan_does_not_deliver_is_waived_with_the_reason() -> None:
    plan = {
        "tasks": {
            "used": told("used", "one"),
            "through": {"skill": "join", "inputs": {"parts": [{"ref": "used.output"}]}},
            "aside": told("aside", "nobody asked"),
            "gate": told("gate", "yes"),
            "after": {**told("after", "two"), "after": ["gate"]},
            "dead_end": {"skill": "join", "inputs": {"parts": [{"ref": "aside.output"}]}},
        },
        "deliver": {"a": {"ref": "through.output"}, "b": {"ref": "after.output"}},
    }
    run = await Orchestrator([say, join]).run("deliver two of them", plan=plan)
    assert run.answer == {"a": "one", "b": "two"}
    assert {one.task: one.why for one in run.state.delivery.waived} == {  # type: ignore[union-attr]
        "aside": "what uses it is no part of what the plan delivers",
        "gate": "it only had to come before 'after', or to decide about it",
        "dead_end": "the plan does not deliver it",
    }


async def test_without_a_deliverable_every_last_result_is_in_it_and_nothing_is_waived() -> None:
    plan = {"tasks": {"a": told("a", "one"), "b": told("b", "two")}}
    run = await Orchestrator([say]).run("both", plan=plan)
    assert run.answer == {"a": "one", "b": "two"}
    assert run.state.delivery.waived == ()  # type: ignore[union-attr]


async def test_citations_are_those_of_the_results_that_are_used(tmp_path: Path) -> None:
    file = tmp_path / "notes.md"
    file.write_text("one\ntwo\nthree\n")
    plan = {
        "tasks": {
            "a": {"skill": "quote", "inputs": {"file": str(file), "line": 1}},
            "b": {"skill": "quote", "inputs": {"file": str(file), "line": 3}},
        },
        "deliver": {"ref": "b.output"},
    }
    run = await Orchestrator([quote]).run("cite", plan=plan)
    assert [(one.file, one.line) for one in run.citations] == [(str(file), 3)]


async def test_results_that_contradict_each_other_are_pointed_out() -> None:
    @pure
    def other(text: str) -> dict[str, str]:
        return {"text": text}

    plan = {
        "tasks": {
            "a": told("a", "The revenue of the northern region was 1,200 in May. All is well."),
            "b": {"skill": "other", "inputs": {"text": "The revenue of the northern region was 1200 in May."}},
            "c": {"skill": "other", "inputs": {"text": "In the northern region the revenue was 7."}},
            "d": {"skill": "other", "inputs": {"text": "The revenue of the northern region was 1,300 in May."}},
        }
    }
    run = await Orchestrator([say, other]).run("compare", plan=plan)
    assert len(run.contradictions) == 1
    assert [task for task, _ in run.contradictions[0].said] == ["a", "d"]
    assert "1,300" in run.contradictions[0].said[1][1]


def said(task: str, value: object, skill: str = "") -> Said:
    return Said(task=task, skill=skill or task, given=task.encode(), value=value)


def test_figures_with_a_label_are_compared_as_numbers() -> None:
    agree = [
        said("a", {"label": "Failed logins", "value": "1,204"}),
        said("b", [{"name": "failed logins", "value": 1204}]),
    ]
    several = said("d", [{"name": "rows", "value": 1}, {"name": "rows", "value": 2}])
    assert contradictions([several, said("e", {"name": "rows", "value": 3})]) == ()
    differ = [*agree, said("c", {"metric": "Failed logins", "value": "1,205"})]
    assert contradictions(agree) == ()
    assert [one.said[-1] for one in contradictions(differ)] == [("c", "Failed logins: 1,205")]


def test_a_denial_contradicts_what_it_denies() -> None:
    found = contradictions([said("a", "The server accepts old keys."), said("b", "The server accepts not old keys.")])
    assert len(found) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"name": "a1", "value": 5}, {"name": "a2", "value": 7}),
        ({"name": "Rows", "value": 5, "file": "a.csv"}, {"name": "Rows", "value": 7, "file": "b.csv"}),
        ({"name": "mean", "value": 3.3333333}, {"name": "mean", "value": "3.33"}),
        ("Chapter 3 tells of the old server rooms.", "Chapter 4 tells of the old server rooms."),
        ("On 3 May the old server was restarted.", "On 4 May the old server was restarted."),
        ("Revenue rose 5% overall in Q1 2024.", "Revenue rose 7% overall in Q2 2024."),
        ("Revenue rose 5% overall in 2023.", "Revenue rose 7% overall in 2024."),
    ],
)
def test_what_is_said_of_different_things_is_no_contradiction(first: object, second: object) -> None:
    assert contradictions([said("a", first), said("b", second)]) == ()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("The server accepts old keys.", "The server does not accept old keys."),
        ("The server accepts old keys.", "The server doesn’t accept old keys."),
        ("Revenue of the northern region was $5.5M.", "Revenue of the northern region was $5.6M."),
        ("Revenue of the north was 1,999 in May.", "Revenue of the north was 2,000 in May."),
        ({"claim": "The key is valid", "verdict": "supported"}, {"claim": "The key is valid", "verdict": "refuted"}),
    ],
)
def test_what_is_said_against_each_other_of_one_thing_is_found(first: object, second: object) -> None:
    assert len(contradictions([said("a", first), said("b", second)])) == 1


def test_one_skill_on_different_things_does_not_contradict_itself() -> None:
    first, second = said("a", {"label": "rows", "value": 1}, "count"), said("b", {"label": "rows", "value": 2}, "count")
    assert contradictions([first, second]) == ()


@given(
    st.recursive(
        st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_whatever_a_result_is_it_never_contradicts_itself_or_its_copy(value: object) -> None:
    list(claims(value))
    assert contradictions([said("a", value), said("b", value)]) == () or any(
        first.subject == second.subject and first.value != second.value
        for first in claims(value)
        for second in claims(value)
    )


def test_marks_of_sources_are_no_figures() -> None:
    marked = said("a", "Readers found 91 % of the early tumours [1]. Letters took 42 minutes a day [2, 3].")
    plain = said("b", "Readers found 91 % of the early tumours. Letters took 42 minutes a day.")
    assert contradictions([marked, plain]) == ()
    other = said("c", "Readers found 84 % of the early tumours [1].")
    assert len(contradictions([marked, other])) == 1
