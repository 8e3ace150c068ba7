"""Triage: the lightest mode that does the job, with what each would cost."""

from dataclasses import replace
from decimal import Decimal

import pytest

from stretto.core.domain import (
    AgentCard,
    Catalogue,
    Cost,
    Estimate,
    ForEach,
    Interpretation,
    Mode,
    Plan,
    SideEffect,
    Skill,
    Task,
)
from stretto.planners.triage import GRAPH_SECONDS, RUN_SECONDS, TASK_SECONDS, triaged


def team(latency: float | None = 2.0, money: str = "0.50") -> Catalogue:
    skill = Skill(name="work", effect=SideEffect.NONE)
    card = AgentCard(name="worker", skills=(skill,), latency=latency, cost=Cost(money=Decimal(money)))
    return Catalogue(agents=(card,))


def tasks(**after: tuple[str, ...]) -> tuple[Task, ...]:
    return tuple(Task(id=id_, skill="work", after=before) for id_, before in after.items())


def judged(plan: Plan, catalogue: Catalogue | None = None) -> Interpretation:
    return triaged(Interpretation(planner="test", restated="work"), plan, catalogue or team())


def estimates(found: Interpretation) -> dict[str, Estimate]:
    return {one.mode: one for one in found.estimates}


@pytest.mark.parametrize(
    ("plan", "mode"),
    [
        (Plan(), "direct"),
        (Plan(tasks=tasks(a=())), "agent"),
        (Plan(tasks=tasks(a=(), b=("a",), c=("b",))), "chain"),
        (Plan(tasks=tasks(c=("b",), b=("a",), a=())), "chain"),
        (Plan(tasks=tasks(a=(), b=())), "orchestrate"),
        (Plan(tasks=tasks(a=(), b=("a",), c=("a",))), "orchestrate"),
        (Plan(tasks=tasks(a=(), b=(), c=("a", "b"))), "orchestrate"),
        (Plan(tasks=(replace(tasks(a=())[0], for_each=ForEach(items=[1, 2])),)), "orchestrate"),
    ],
)
def test_the_lightest_mode_that_does_the_job_is_taken(plan: Plan, mode: Mode) -> None:
    found = judged(plan)
    assert found.mode == mode
    assert estimates(found)[mode].possible
    assert [one.mode for one in found.estimates] == ["direct", "agent", "chain", "orchestrate"]


def test_work_side_by_side_takes_as_long_as_its_longest_way() -> None:
    found = estimates(judged(Plan(tasks=tasks(a=(), b=(), c=("a", "b")))))
    assert (found["chain"].seconds, found["orchestrate"].seconds) == (6.0, 4.0)
    assert found["chain"].cost == found["orchestrate"].cost == Cost(money=Decimal("1.50"))


def test_the_overhead_grows_with_the_mode() -> None:
    found = estimates(judged(Plan(tasks=tasks(a=(), b=("a",)))))
    assert found["direct"].overhead == RUN_SECONDS
    assert found["chain"].overhead == pytest.approx(RUN_SECONDS + 2 * TASK_SECONDS)
    assert found["orchestrate"].overhead == pytest.approx(RUN_SECONDS + 2 * TASK_SECONDS + GRAPH_SECONDS)


def test_what_no_card_declares_is_not_guessed() -> None:
    found = estimates(judged(Plan(tasks=tasks(a=(), b=("a",))), team(latency=None, money="0")))
    assert found["chain"].seconds is None
    assert not found["agent"].possible


def test_a_skill_that_nobody_has_costs_nothing_and_fails_nowhere() -> None:
    found = judged(Plan(tasks=(Task(id="a", skill="unheard"),)))
    assert (found.mode, estimates(found)["agent"].seconds) == ("agent", None)
