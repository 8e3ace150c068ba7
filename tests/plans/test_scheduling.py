"""Joins, repetitions, waits and deadlines on paper: what is read, and what is told about what cannot be."""

import json
import math
from typing import Any

import pytest

from stretto import Orchestrator, plan, pure, ref, task
from stretto.core.domain import AgentCard, Budget, Catalogue, Cost, Join, Limits, Plan, Repeat, SideEffect, Skill
from stretto.core.errors import UsageError
from stretto.core.plan.check import check
from stretto.core.plan.diagnostics import Diagnostic
from stretto.core.plan.inclusion import CannotInclude, included
from stretto.core.plan.shape import read_plan
from stretto.core.plan.writing import write_plan


@pure
def say(word: str, times: int = 1) -> str:
    """Say a word."""
    return word * times


TEAM = Orchestrator([say])


def findings(tasks: dict[str, Any], **more: Any) -> list[Diagnostic]:
    read, found = read_plan({"tasks": tasks, **more})
    return [one for one in [*found, *TEAM.check(read)] if one.severity == "error"]


def said(word: Any = "x", **fields: Any) -> dict[str, Any]:
    return {"skill": "say", "inputs": {"word": word}, **fields}


def test_all_forms_are_read_and_lengths_of_time_are_text_or_seconds() -> None:
    tasks = {
        "a": said(wait="3d"),
        "b": said(wait=90, limits={"deadline": "1h30m"}),
        "c": said({"ref": "joined[0]"}, join={"of": ["a", "b"], "take": "first", "rest": "keep"}),
        "d": said({"ref": "previous", "default": "x"}, repeat={"max": 5, "until": "output == c.output", "pause": "2m"}),
        "e": said({"ref": "item"}, for_each={"items": ["x"], "parallel": 3}, join=["d"]),
        "f": said(repeat=3),
    }
    read, found = read_plan({"tasks": tasks})
    assert found == []
    assert [one for one in TEAM.check(read) if one.severity == "error"] == []
    by_id = {one.id: one for one in read.tasks}
    assert (by_id["a"].wait, by_id["b"].wait, by_id["b"].limits) == (259_200.0, 90.0, Limits(deadline=5400.0))
    assert by_id["c"].join == Join(of=("a", "b"), take="first", rest="keep")
    assert by_id["d"].repeat == Repeat(max=5, until="output == c.output", pause=120.0)
    assert by_id["e"].join == Join(of=("d",), take="all")
    assert by_id["f"].repeat == Repeat(max=3)
    document = write_plan(read)
    assert read_plan(json.loads(json.dumps(document)))[0] == read


def test_a_plan_made_in_python_is_the_same_as_one_on_paper() -> None:
    made = plan(
        task("a", say, word="x", wait="2h", deadline=5),
        task("b", say, join={"of": ["a"], "take": 1}, word=ref("joined[0]")),
        task("c", say, join=Join(of=("a", "b")), repeat={"max": 2, "pause": "1m"}, word=ref("previous", default="x")),
        task("d", say, for_each=["x"], parallel=2, word=ref("item")),
    )
    assert read_plan(write_plan(made)) == (made, [])
    with pytest.raises(UsageError, match=r"the join of task 'a': .*; it has of, take, rest"):
        task("a", say, join={"of": ["b"], "take": "most"}, word="x")
    with pytest.raises(UsageError, match="the wait of task 'a': 'soon' is no length of time"):
        task("a", say, wait="soon", word="x")


@pytest.mark.parametrize(
    ("length", "told"),
    [
        (0, "a length of time is more than 0 seconds"),
        (math.nan, "a length of time is more than 0 seconds"),
        (math.inf, "no length of time has so many seconds"),
        (10**400, "no length of time has so many seconds"),
        (True, "a length of time is a number of seconds, or written like 90s"),
        ([1], "a length of time is a number of seconds, or written like 90s"),
    ],
)
def test_a_length_that_is_none_is_refused_where_it_is_written(length: Any, told: str) -> None:
    with pytest.raises(UsageError, match=f"the wait of task 'a': {told}"):
        task("a", say, wait=length, word="x")
    with pytest.raises(UsageError, match=f"the deadline of task 'a': {told}"):
        task("a", say, deadline=length, word="x")
    with pytest.raises(UsageError, match=rf"task 'a': ask\[0\].within: {told}"):
        task("a", say, ask=[{"who": "ann", "within": length}, "deny"], word="x")


@pytest.mark.parametrize(
    ("fields", "code", "place", "message"),
    [
        ({"join": {"of": ["a", "nobody"]}}, "dangling-reference", "join.of", "there is no task 'nobody'"),
        ({"join": {"of": ["a", "z"]}}, "self-reference", "join.of", "'z' refers to itself"),
        ({"join": {"of": ["a", "b"], "take": 3}}, "bad-value", "join.take", "take is 3, and the join has 2 members"),
        ({"join": {"of": ["a"], "take": 0}}, "bad-value", "join.take", "take is 0"),
        ({"join": {"of": ["a"], "take": -1}}, "bad-value", "join.take", "take is -1"),
        ({"join": {"of": ["a"], "take": True}}, "bad-value", "join.take", "take is True"),
        ({"join": {"of": ["a"], "take": "two"}}, "bad-value", "join.take", "take is 'two'"),
        ({"join": {"of": ["a", "a"]}}, "bad-value", "join.of", "'a' is named twice"),
        ({"join": {"of": []}}, "bad-value", "join.of", "no members"),
        ({"join": {"take": 1}}, "missing-field", "join", "names no tasks"),
        ({"join": {"of": ["a"], "rest": "kill"}}, "bad-value", "join.rest", "'kill'"),
        ({"join": {"off": ["a"], "of": ["a"]}}, "unknown-field", "join.off", "a join has no field 'off'"),
        ({"repeat": {"until": "round > 1"}}, "missing-field", "repeat", "no bound"),
        ({"repeat": {"max": 0}}, "bad-value", "repeat.max", "max is 0"),
        ({"repeat": {"max": 2, "pause": -1}}, "bad-value", "repeat.pause", "-1"),
        ({"repeat": {"max": 2, "until": "1 +"}}, "bad-condition", "repeat.until", ""),
        ({"repeat": {"max": 2, "until": ""}}, "bad-condition", "repeat.until", "empty"),
        ({"repeat": {"max": 2, "until": "result > 1"}}, "undeclared-reference", "repeat.until", "'result'"),
        ({"repeat": {"max": 2, "until": "inputs.n > 1"}}, "undeclared-reference", "repeat.until", "no input 'n'"),
        ({"repeat": {"max": 2, "until": "nobody.output"}}, "dangling-reference", "repeat.until", "'nobody'"),
        ({"repeat": {"max": 2}, "for_each": ["x"]}, "bad-value", "repeat", "`for_each` or `repeat`, not both"),
        ({"wait": 0}, "bad-value", "wait", "0"),
        ({"wait": "soon"}, "bad-value", "wait", "'soon' is no length of time"),
        ({"wait": "0s"}, "bad-value", "wait", "'0s' is no length of time"),
        ({"wait": "1.2.3s"}, "bad-value", "wait", "'1.2.3s' is no length of time"),
        ({"wait": 10**400}, "bad-value", "wait", "no length of time"),
        ({"wait": "9" * 400}, "bad-value", "wait", "no length of time"),
        ({"limits": {"deadline": []}}, "bad-value", "limits.deadline", "no length of time"),
        ({"for_each": {"items": [1], "parallel": 0}}, "bad-value", "for_each.parallel", "parallel is 0"),
        ({"inputs": {"word": {"ref": "joined"}}}, "undeclared-reference", "inputs.word", "`joined` stands for nothing"),
        ({"inputs": {"word": {"ref": "round"}}}, "undeclared-reference", "inputs.word", "`round` stands for nothing"),
        (
            {"join": ["a"], "inputs": {"word": {"ref": "joined.output"}}},
            "bad-reference",
            "inputs.word",
            "joined is a list of outputs; write joined or joined[0]",
        ),
        (
            {"repeat": {"max": 2}, "inputs": {"word": {"ref": "previous"}}},
            "bad-reference",
            "inputs.word",
            "the first round has no round before it",
        ),
        (
            {"repeat": {"max": 2}, "inputs": {"word": {"ref": "round.output"}}},
            "bad-reference",
            "inputs.word",
            "round is a number",
        ),
    ],
)
def test_what_cannot_be_is_told_with_place_and_mend(
    fields: dict[str, Any], code: str, place: str, message: str
) -> None:
    found = findings({"a": said(), "b": said(), "z": {**said(), **fields}})
    assert [(one.code, one.path) for one in found if one.code == code] == [(code, f"tasks.z.{place}")]
    [one] = [one for one in found if one.code == code]
    assert message in one.message
    assert one.mend


def test_members_close_circles_and_what_is_delivered_may_not_be_joined_results() -> None:
    assert [one.code for one in findings({"a": said(after="b"), "b": said(join=["a"])})] == ["cycle"]
    found = findings({"a": said()}, deliver={"ref": "joined"})
    assert [(one.code, one.path) for one in found] == [("undeclared-reference", "deliver")]


@pytest.mark.parametrize("name", ["joined", "previous", "round"])
def test_the_names_of_references_are_no_ids(name: str) -> None:
    assert [one.code for one in findings({name: said()})] == ["bad-id"]


def priced(**latencies: float) -> Catalogue:
    return Catalogue(
        agents=tuple(
            AgentCard(
                name=name,
                latency=seconds,
                cost=Cost(tokens=10),
                skills=(Skill(name=name, effect=SideEffect.NONE, inputs={"type": "object"}),),
            )
            for name, seconds in latencies.items()
        )
    )


def race(take: Any, rest: Any = "cancel") -> Plan:
    return plan(
        task("quick", "quick"),
        task("slow", "slow"),
        task("end", "quick", join={"of": ["quick", "slow"], "take": take, "rest": rest}),
    )


def codes(one: Plan, **options: Any) -> set[str]:
    return {found.code for found in check(one, priced(quick=1.0, slow=50.0), **options)}


def test_a_plan_is_late_and_over_budget_only_by_what_its_joins_surely_take() -> None:
    assert "late" not in codes(race("first"), seconds=10)
    assert "late" in codes(race("all"), seconds=10)
    assert "late" in codes(race("first", "keep"), seconds=10)
    assert "over-budget" not in codes(race("first"), budget=Budget(tokens=25))
    assert "over-budget" in codes(race("all"), budget=Budget(tokens=25))
    assert "late" in codes(plan(task("a", "quick", wait="1h")), seconds=10)
    assert "late" in codes(plan(task("a", "quick", repeat=Repeat(max=11))), seconds=10)
    assert "late" not in codes(plan(task("a", "quick", repeat=Repeat(max=11, until="true"))), seconds=10)


PLAYBOOK = {
    "inputs": ["most"],
    "tasks": {
        "one": said(),
        "two": said(),
        "best": said({"ref": "joined[0]"}, join={"of": ["one", "two"], "take": "first"}),
        "more": said(repeat={"max": 9, "until": "size(output) > inputs.most && one.output != output.output"}),
    },
    "deliver": {"ref": "best.output"},
}


def test_an_included_playbook_keeps_its_joins_and_rounds_and_may_be_joined_itself() -> None:
    document = {
        "tasks": {
            "x": {"include": "choose", "with": {"most": 3}},
            "y": said(),
            "z": said({"ref": "joined[0]"}, join={"of": ["x", "y"], "take": 1}),
        }
    }
    tasks = included(document, {"choose": PLAYBOOK}.get)["tasks"]
    assert tasks["x_best"]["join"] == {"of": ["x_one", "x_two"], "take": "first"}
    until = 'size(output) > 3 && tasks["x_one"].output != output.output'
    assert tasks["x_more"]["repeat"] == {"max": 9, "until": until}
    assert tasks["z"]["join"] == {"of": ["x_best", "y"], "take": 1}
    assert findings(tasks) == []
    several = {**PLAYBOOK, "deliver": {"a": {"ref": "one.output"}}}
    with pytest.raises(CannotInclude, match="'x' delivers no task's whole output"):
        included(document, {"choose": several}.get)
