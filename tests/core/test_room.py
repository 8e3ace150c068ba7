"""The room that budgets leave, limit by limit: what may begin, what it may spend, and which limit it would cross."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from stretto.core.budget import ends, most_of, out_of_revisions, out_of_time, share, task_ends, why_over, within
from stretto.core.commands import ChangeLimits, Recover
from stretto.core.domain import (
    FREE,
    NO_BUDGET,
    Budget,
    Catalogue,
    Completed,
    Cost,
    Failed,
    FailureClass,
    ForEach,
    Ladder,
    Rules,
    Rung,
    Task,
)
from tests.core.story import Story, agent

RULES = Rules(stall=None)


def story(budget: Budget = NO_BUDGET, own: Budget | None = None, rules: Rules = RULES, **card: Any) -> Story:
    return Story(Catalogue(agents=(agent(**card),), rules=rules), Task(id="t", skill="work", budget=own), budget=budget)


def test_what_has_no_bound_reserves_nothing_without_a_budget_and_all_that_is_left_with_one() -> None:
    free = story(bounded=False, cost=Cost(tokens=3))
    assert most_of(free.state, free.one("t"), "worker") == Cost(tokens=3)
    limited = story(Budget(tokens=30), Budget(tokens=20, money=Decimal(2)), bounded=False)
    assert most_of(limited.state, limited.one("t"), "worker") == Cost(tokens=20, money=Decimal(2))


@pytest.mark.parametrize(
    ("budget", "own", "card", "spent", "told"),
    [
        (
            Budget(tokens=3),
            None,
            {"bounded": False},
            Cost(tokens=3),
            "nothing is left for 'worker', whose cost has no bound",
        ),
        (Budget(steps=1), None, {}, FREE, "all 1 attempts of the budget are used; to go on, run it again"),
        (NO_BUDGET, Budget(steps=1), {}, FREE, "all 1 attempts of the budget are used; to go on, give the task"),
        (
            Budget(money=Decimal(9)),
            Budget(money=Decimal(3)),
            {"cost": Cost(money=Decimal(2))},
            Cost(money=Decimal(2)),
            "$2 of $3 is spent and one attempt may cost $2; to go on, give the task a larger `budget:`",
        ),
        (
            Budget(tokens=5),
            Budget(tokens=9),
            {"cost": Cost(tokens=3)},
            Cost(tokens=3),
            "3 of 5 tokens are spent and one attempt may take 3; to go on, run it again with a larger --budget",
        ),
    ],
)
def test_an_attempt_without_room_fails_and_says_which_limit_it_would_cross(
    budget: Budget, own: Budget | None, card: dict[str, Any], spent: Cost, told: str
) -> None:
    run = story(budget, own, **card)
    run.begin("t")
    run.end("t", Failed(failure=FailureClass.TRANSIENT, message="busy", cost=spent))
    run.fire("retry/t", run.one("t").retry_at or 0)
    assert told in why_over(run.state, run.one("t"), "worker")
    run.judge("t")
    assert run.one("t").failure is FailureClass.OVER_BUDGET
    assert told in run.one("t").reason


def test_what_has_no_bound_is_refused_under_a_budget_where_the_rules_say_so() -> None:
    run = story(rules=replace(RULES, unbounded="refuse"), bounded=False)
    run.say(ChangeLimits(budget=Budget(tokens=3)))
    run.judge("t")
    assert run.one("t").failure is FailureClass.OVER_BUDGET
    assert "the rules refuse such agents under a budget" in run.one("t").reason


def test_the_time_of_a_task_is_over_by_its_own_seconds_from_its_beginning() -> None:
    run = story(Budget(seconds=90.0), Budget(seconds=9.0))
    assert task_ends(run.state, run.one("t")) is None
    assert ends(run.state, run.one("t")) == 1090.0
    run.begin("t")
    assert (task_ends(run.state, run.one("t")), share(run.state, "t").seconds) == (1009.0, 9.0)
    assert out_of_time(run.state, run.one("t"), 1008.0) == ""
    assert "the 9 s of the task's budget are over; to go on, give the task a larger `budget:`" in (
        out_of_time(run.state, run.one("t"), 1009.0)
    )


def test_the_time_of_an_item_is_that_of_its_fan_out() -> None:
    spread = Task(id="t", skill="work", for_each=ForEach(items=[1, 2]), budget=Budget(seconds=9.0))
    run = Story(Catalogue(agents=(agent(),)), spread)
    run.judge("t", items=(1, 2))
    run.now = 1005.0
    run.begin("t[1]")
    assert task_ends(run.state, run.one("t[1]")) == 1009.0


def test_the_revisions_of_a_task_are_bounded_by_its_own_budget_too() -> None:
    patient: Ladder = {"invalid_output": (Rung(do="revise", times=9),)}
    task = Task(id="t", skill="work", ladder=patient, budget=Budget(revisions=1))
    run = Story(Catalogue(agents=(agent(),)), task, budget=Budget(revisions=5))
    assert out_of_revisions(run.state, run.one("t")) == ""
    for output in ("draft", "another"):
        run.begin("t")
        run.end("t", Completed(output=output))
        run.review("t", accepted=False)
    assert run.one("t").failure is not None
    assert "all 1 revisions of the task's budget are used; to go on, give the task" in run.one("t").reason
    assert run.state.revisions == 1


@pytest.mark.parametrize(("kind", "spent", "left"), [("function", 6, 0), ("model", 0, 6)])
def test_an_attempt_whose_owner_died_has_spent_what_was_reserved_unless_it_spends_through_its_calls_alone(
    kind: str, spent: int, left: int
) -> None:
    run = story(Budget(tokens=9), kind=kind, cost=Cost(tokens=6))
    run.begin("t")
    run.say(Recover())
    assert (run.state.spent.tokens, run.state.reserved.tokens) == (spent, left)


@pytest.mark.parametrize(
    ("budget", "left", "used", "found"),
    [
        (Budget(tokens=9), Budget(tokens=3), NO_BUDGET, Budget(tokens=3)),
        (Budget(tokens=9), Budget(tokens=3), Budget(tokens=4), Budget(tokens=7)),
        (Budget(tokens=5), Budget(tokens=3), Budget(tokens=4), Budget(tokens=5)),
        (Budget(tokens=9), NO_BUDGET, Budget(tokens=4), Budget(tokens=9)),
        (NO_BUDGET, Budget(money=Decimal(1), steps=2), Budget(steps=1), Budget(money=Decimal(1), steps=3)),
        (Budget(seconds=7.0), Budget(seconds=3.0), NO_BUDGET, Budget(seconds=7.0)),
        (Budget(revisions=2), Budget(revisions=0), Budget(revisions=1), Budget(revisions=1)),
    ],
)
def test_who_works_inside_a_share_has_no_more_than_it_and_no_more_than_the_own_budget(
    budget: Budget, left: Budget, used: Budget, found: Budget
) -> None:
    assert within(budget, left, used) == found
