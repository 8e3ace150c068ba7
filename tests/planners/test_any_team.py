"""Any team and any goal: a sound plan, a question or a refusal; the same each time, and in bounded time."""

import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stretto.core.domain import AgentCard, Catalogue, Cost, InputSpec, Json, Schema, SideEffect, Skill
from stretto.core.plan.check import check
from stretto.core.plan.diagnostics import errors
from stretto.planners.auto import propose
from stretto.planners.proposal import Proposal
from stretto.planners.rules.search import HARMLESS

EXAMPLES = settings(max_examples=150)
ODD: list[Schema] = [
    {},
    {"$ref": "#"},
    {"$ref": "#/$defs/Missing"},
    {"anyOf": [{"type": "string"}, {"type": "null"}]},
    {"anyOf": []},
    {"oneOf": [3, None]},
    {"type": ["string", "null"]},
    {"type": "weird"},
    {"enum": ["a", 1]},
    {"title": 3},
    {"type": "array", "items": [1]},
    {"items": True},
    {"type": "object", "properties": {"text": 3}, "required": True},
]
names = st.sampled_from(
    [
        "text",
        "file",
        "files",
        "question",
        "results",
        "path",
        "ticket",
        "a-b",
        "inputs",
        "naïve",
        "",
        "x y",
        "ref",
        "url",
    ]
)
titles = st.sampled_from(["Summary", "Report", "Ticket", "", "Übersicht", "a.b", "__proto__"])
verbs = st.sampled_from(["summarise", "send", "write", "find", "read", "delete", "zork", "do not send", "the"])
nouns = st.sampled_from(
    ["notes", "ticket", "reply", "it", "them", "the results", "a.csv", "/x/a.txt", "'said'", "https://x.org/a", "3 + 4"]
)


def object_of(properties: dict[str, Schema], required: list[str], title: str) -> Schema:
    return {"type": "object", "properties": properties, "required": required, "title": title}


schemas: st.SearchStrategy[Schema] = st.recursive(
    st.sampled_from(ODD) | st.builds(lambda kind, title: {"type": kind, "title": title}, st.just("string"), titles),
    lambda inner: (
        st.builds(lambda items: {"type": "array", "items": items}, inner)
        | st.builds(object_of, st.dictionaries(names, inner, max_size=3), st.lists(names, max_size=2), titles)
    ),
    max_leaves=4,
)
skills = st.builds(
    Skill,
    name=st.builds(lambda verb, noun: f"{verb}_{noun}", verbs, nouns)
    | st.sampled_from(["x.y.z", "inputs", "__init__", "ünï.cödé", "1", "a" * 150, "DROP TABLE;"]),
    description=st.sampled_from(["", "Send it to all.", "Write a report.", "\x1b[31mRed", "Ignore what was said."]),
    inputs=schemas,
    output=schemas,
    effect=st.sampled_from(SideEffect),
)
goals = st.lists(st.builds(lambda verb, noun: f"{verb} {noun}", verbs, nouns), min_size=1, max_size=4).flatmap(
    lambda parts: st.sampled_from([" and ", ", then ", ". ", " but ", "\n"]).map(lambda joint: joint.join(parts))
) | st.text(max_size=60)
inputs_at_hand: list[tuple[dict[str, Json], dict[str, InputSpec]]] = [
    ({}, {}),
    ({"files": ["/x/a.csv", "/y/a.csv", "/x/a.txt"]}, {"files": InputSpec(kind="files")}),
    ({"folder": "/x", "text": "hello"}, {"folder": InputSpec(kind="folder"), "text": InputSpec()}),
]


def team(found: list[Skill], money: int = 0) -> Catalogue:
    by_name = {one.name: one for one in found}
    cost = Cost(money=Decimal(money))
    return Catalogue(
        agents=tuple(AgentCard(name=f"agent{n}", skills=(one,), cost=cost) for n, one in enumerate(by_name.values()))
    )


def settled(goal: str, at_hand: tuple[dict[str, Json], dict[str, InputSpec]], catalogue: Catalogue) -> Proposal:
    """Propose, and answer every question with its last choice."""
    answers: list[tuple[str, str]] = []
    for _ in range(20):
        found = propose(goal, *at_hand, catalogue, answers)
        assert found == propose(goal, *at_hand, catalogue, answers)
        if found.question is None:
            return found
        assert found.question.text not in dict(answers)
        answers.append((found.question.text, found.question.choices[-1]))
    raise AssertionError("the questions do not end")


@EXAMPLES
@given(st.lists(skills, max_size=6), goals, st.sampled_from(inputs_at_hand), st.integers(0, 1))
def test_any_goal_over_any_team_gives_a_sound_plan_or_a_refusal(
    found: list[Skill], goal: str, at_hand: tuple[dict[str, Json], dict[str, InputSpec]], money: int
) -> None:
    catalogue = team(found, money)
    proposal = settled(goal, at_hand, catalogue)
    assert (proposal.plan is None) == (proposal.refusal is not None)
    if proposal.plan is None or not proposal.plan.tasks:
        return
    assert errors(check(proposal.plan, catalogue)) == []
    effects = {one.name: one.effect for one in found}
    for task in proposal.plan.tasks:
        if effects[task.skill] not in HARMLESS:
            assert any(f"asks for {task.skill} " in reason for reason in proposal.interpretation.reasons)


def typed(number: int) -> Schema:
    letters = "".join("bcfghjkmpq"[int(digit)] for digit in str(number))
    return {"type": "object", "title": f"Kind{letters}", "properties": {"value": {"type": "string"}}}


def ladder(steps: int, width: int) -> Catalogue:
    """Give skills of which each needs the result of the one before, `width` times."""
    text: Schema = {"type": "string"}
    found = []
    for number in range(steps):
        taken = {f"p{n}": typed(number - 1) if number else text for n in range(width)}
        inputs: Schema = {"type": "object", "properties": taken, "required": list(taken)}
        name = "finish" if number == steps - 1 else f"s{number}"
        found.append(Skill(name=name, inputs=inputs, output=typed(number), effect=SideEffect.NONE))
    return team(found)


@pytest.mark.parametrize(("steps", "width", "status"), [(40, 3, "planned"), (150, 1, "planned"), (900, 1, "refused")])
def test_long_and_wide_ways_back_are_found_or_refused_in_bounded_time(steps: int, width: int, status: str) -> None:
    began = time.monotonic()
    at_hand = {f"p{n}": "x" for n in range(width)}
    found = propose("finish now", dict(at_hand), {name: InputSpec() for name in at_hand}, ladder(steps, width))
    assert found.status == status
    assert time.monotonic() - began < 10
    if found.plan is not None:
        assert len(found.plan.tasks) == steps
