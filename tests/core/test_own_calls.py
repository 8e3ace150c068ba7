"""Inner calls of the run itself, for its plan, a review or a text: who pays for them, and what becomes of them."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from stretto.core.calls import action_key, call_id, call_of, piece_of
from stretto.core.commands import BeginCall, Cancel, EndCall, Recover
from stretto.core.domain import (
    FREE,
    Budget,
    Call,
    Called,
    Catalogue,
    Completed,
    Cost,
    Failed,
    FailureClass,
    InputRequired,
    Piece,
    Rules,
    SideEffect,
    Task,
    Usage,
)
from stretto.core.events import CallBegun, CallEnded, CallFailed, CallForgotten, CallLost, CallRefused, Event
from stretto.core.state import CallState
from tests.core.story import ALLOW, ASK, Story, agent, booker

PLAN = Piece(work="plan", number=1)
SUMMARY = Piece(work="summarise")
THINK = Call(key="think", role="planner", what="far:large", reserve=Cost(tokens=6))
SEND = Call(key="send", role="tool", what="send", arguments={"to": "ann"}, effect=SideEffect.IRREVERSIBLE)
TEAM = Catalogue(agents=(agent(),), rules=Rules(stall=None))


def planning(catalogue: Catalogue = TEAM, **goal: Any) -> Story:
    return Story(catalogue, closed=False, **goal)


def reviewing(**task: Any) -> tuple[Story, Piece]:
    """Give a run whose only task has brought a result that is being reviewed, and the piece of work that this is."""
    run = Story(TEAM, Task(id="t", skill="work", **task))
    run.begin("t")
    run.end("t", Completed(output="one"))
    return run, Piece(work="review", task="t", number=1)


def known(run: Story, of: Piece, call: Call) -> CallState:
    found = call_of(run.state, of, call_id(call))
    assert found is not None
    return found


def begin(run: Story, of: Piece, call: Call, **more: Any) -> list[Event]:
    before = call_of(run.state, of, call_id(call))
    tries = before.tries if before is not None else 0
    return list(run.say(BeginCall(of=of, call=call, **{"verdict": ALLOW, "tries": tries, **more})))


def end(run: Story, of: Piece, call: Call, outcome: Any, **more: Any) -> list[Event]:
    tries = more.pop("tries", None) or known(run, of, call).tries
    return list(run.say(EndCall(of=of, call=call_id(call), tries=tries, outcome=outcome, **more)))


# ---- what they cost


def test_a_call_for_a_plan_is_kept_room_in_the_budget_of_the_run_and_counts_as_coordination() -> None:
    run = planning(budget=Budget(tokens=20))
    begin(run, PLAN, THINK)
    assert (run.state.reserved.tokens, run.state.spent) == (6, FREE)
    end(run, PLAN, THINK, Called(output="a plan", cost=Cost(tokens=5), usage=Usage(input=3, output=2)))
    assert (run.state.reserved, run.state.spent.tokens) == (FREE, 5)
    assert run.state.coordination.usage.tokens == 5
    assert known(run, PLAN, THINK).output == "a plan"


def test_what_a_call_of_the_run_costs_beyond_its_room_is_overspent_where_a_budget_limits_it() -> None:
    for budget, beyond in ((Budget(tokens=20), 2), (Budget(), 0)):
        run = planning(budget=budget)
        begin(run, PLAN, THINK)
        end(run, PLAN, THINK, Called(cost=Cost(tokens=8)))
        assert run.state.overspent.tokens == beyond


def test_a_call_of_the_run_waits_for_room_that_another_holds() -> None:
    run = planning(budget=Budget(tokens=10))
    other = replace(THINK, key="other")
    begin(run, PLAN, THINK)
    assert begin(run, PLAN, other) == []
    end(run, PLAN, THINK, Called(cost=Cost(tokens=2)))
    assert isinstance(begin(run, PLAN, other)[0], CallBegun)


def test_a_call_that_the_budget_never_has_room_for_is_refused_with_the_mend() -> None:
    run = planning(budget=Budget(tokens=5, steps=1))
    (refused,) = begin(run, PLAN, THINK)
    assert isinstance(refused, CallRefused)
    assert refused.failure is FailureClass.OVER_BUDGET
    assert "0 of 5 tokens are spent and one attempt may take 6; to go on, run it again with a larger --budget" in (
        refused.message
    )


def test_a_call_for_a_review_has_to_fit_into_the_budget_of_its_task() -> None:
    run, of = reviewing(budget=Budget(tokens=5, money=Decimal(1)))
    (refused,) = begin(run, of, THINK)
    assert isinstance(refused, CallRefused)
    assert "give the task a larger `budget:`" in refused.message
    assert isinstance(begin(run, of, replace(THINK, reserve=Cost(tokens=5)))[0], CallBegun)
    assert run.state.accounts["t"].reserved.tokens == 5


def test_what_nobody_knows_the_price_of_takes_what_the_tighter_budget_leaves() -> None:
    dear = replace(THINK, bounded=False)
    run = planning(budget=Budget(money=Decimal(5)))
    (begun,) = begin(run, PLAN, dear)
    assert isinstance(begun, CallBegun)
    assert begun.reserved == Cost(money=Decimal(5), tokens=6)
    (refused,) = begin(run, PLAN, replace(dear, key="next"))
    assert isinstance(refused, CallRefused)
    assert "say its price, or raise the budget" in refused.message

    run = Story(TEAM, Task(id="t", skill="work", budget=Budget(money=Decimal(2))), budget=Budget(money=Decimal(5)))
    run.begin("t")
    run.end("t", Completed(output="one"))
    (begun,) = begin(run, Piece(work="review", task="t", number=1), dear)
    assert isinstance(begun, CallBegun)
    assert begun.reserved.money == 2


def test_what_nobody_knows_the_price_of_is_just_called_without_a_budget_and_refused_where_the_rules_say_so() -> None:
    dear = replace(THINK, bounded=False)
    (begun,) = begin(planning(), PLAN, dear)
    assert isinstance(begun, CallBegun)
    assert begun.reserved == dear.reserve
    strict = replace(TEAM, rules=Rules(unbounded="refuse", stall=None))
    (refused,) = begin(planning(strict, budget=Budget(money=Decimal(5))), PLAN, dear)
    assert isinstance(refused, CallRefused)


# ---- which are made


def test_a_call_for_what_is_no_longer_called_for_is_not_made() -> None:
    run = planning()
    assert begin(run, replace(PLAN, number=2), THINK) == []
    run, of = reviewing()
    assert begin(run, replace(of, number=2), THINK) == []
    assert begin(run, replace(of, task="x"), THINK) == []
    assert begin(run, Piece(work="synthesise", number=1), THINK) == []
    run.review("t")
    assert begin(run, of, THINK) == []
    assert isinstance(begin(run, Piece(work="synthesise", number=1), THINK)[0], CallBegun)


def test_a_call_is_begun_once_however_often_that_is_said() -> None:
    run = planning()
    begin(run, PLAN, THINK)
    assert begin(run, PLAN, THINK) == []
    assert begin(run, PLAN, THINK, tries=0) == []


def test_only_a_task_can_ask_a_person_before_a_call() -> None:
    run = planning()
    (refused,) = begin(run, PLAN, SEND, verdict=ASK)
    assert isinstance(refused, CallRefused)
    assert (refused.failure, refused.verdict.decision) == (FailureClass.DENIED, "deny")
    assert refused.message == "send: see to it, and only a task can ask"
    assert not run.state.requests


def test_a_fork_asks_nobody_about_what_its_run_itself_began_before() -> None:
    key = action_key(planning().state, PLAN, SEND)
    run = planning(begun=(key,))
    (refused,) = begin(run, PLAN, SEND, doubt="the line broke")
    assert isinstance(refused, CallRefused)
    assert refused.failure is FailureClass.UNKNOWN
    assert refused.message == "send: whether it was made is in doubt: the line broke"


def test_what_is_found_to_have_happened_before_a_fork_is_taken_as_what_the_call_brought() -> None:
    key = action_key(planning().state, PLAN, SEND)
    run = planning(begun=(key,))
    begun, ended = begin(run, PLAN, SEND, found=Called(output="sent", cost=Cost(tokens=3)))
    assert isinstance(begun, CallBegun)
    assert (begun.verdict.rule, begun.reserved) == ("found", FREE)
    assert isinstance(ended, CallEnded)
    assert (ended.output, run.state.spent.tokens) == ("sent", 3)
    assert begin(run, PLAN, SEND) == []


# ---- how they end


@pytest.mark.parametrize("of", [PLAN, SUMMARY, Piece(work="review", task="a/b", number=12)])
def test_a_piece_of_work_is_told_by_the_name_of_its_calls(of: Piece) -> None:
    assert piece_of(f"{of.name}/0123456789abcdef") == of


def test_calls_of_the_run_whose_owner_died_are_lost_and_made_anew_where_they_may_be() -> None:
    run = planning(budget=Budget(tokens=20))
    begin(run, PLAN, THINK)
    begin(run, SUMMARY, replace(SEND, reserve=Cost(tokens=2)))
    assert [(one.of, one.cost.tokens) for one in run.say(Recover()) if isinstance(one, CallLost)] == [
        (PLAN, 6),
        (SUMMARY, 2),
    ]
    assert (run.state.reserved, run.state.spent.tokens) == (FREE, 8)
    assert isinstance(begin(run, PLAN, THINK)[0], CallBegun)
    (refused,) = begin(run, SUMMARY, SEND)
    assert isinstance(refused, CallRefused)
    assert refused.message == "send: whether it was made is in doubt: nobody heard its end"


def test_what_a_lost_call_is_found_to_have_cost_is_not_counted_twice() -> None:
    run = planning(budget=Budget(tokens=20))
    begin(run, PLAN, replace(SEND, reserve=Cost(tokens=4)))
    run.say(Recover())
    begin(run, PLAN, SEND, found=Called(output="sent", cost=Cost(tokens=5)))
    assert run.state.spent.tokens == 5
    assert known(run, PLAN, SEND).status == "done"


def test_an_end_that_nobody_waits_for_changes_nothing() -> None:
    run = planning()
    assert run.say(EndCall(of=PLAN, call="unknown", tries=1, outcome=Called())) == []
    begin(run, PLAN, THINK)
    assert end(run, PLAN, THINK, Called(), tries=2) == []
    end(run, PLAN, THINK, Failed(failure=FailureClass.TRANSIENT, message="busy"))
    assert end(run, PLAN, THINK, Called(output="late")) == []
    assert known(run, PLAN, THINK).status == "failed"


def test_a_failed_call_tells_why_and_is_made_anew() -> None:
    run = planning()
    begin(run, PLAN, THINK)
    failed = Failed(failure=FailureClass.TRANSIENT, message="busy", cost=Cost(tokens=1))
    (told,) = end(run, PLAN, THINK, failed, usage=Usage(input=1))
    assert isinstance(told, CallFailed)
    assert (told.failure, told.message, run.state.spent.tokens) == (FailureClass.TRANSIENT, "busy", 1)
    assert isinstance(begin(run, PLAN, THINK)[0], CallBegun)
    assert known(run, PLAN, THINK).tries == 2


def test_a_call_for_which_a_person_has_to_be_asked_first_counts_as_never_made_but_for_its_cost() -> None:
    run = planning(budget=Budget(tokens=20))
    begin(run, PLAN, THINK)
    asked = InputRequired(question="which one?", cost=Cost(tokens=2))
    (forgotten,) = end(run, PLAN, THINK, asked, usage=Usage(input=2))
    assert isinstance(forgotten, CallForgotten)
    assert (run.state.spent.tokens, run.state.reserved) == (2, FREE)
    assert known(run, PLAN, THINK).status == "due"
    assert isinstance(begin(run, PLAN, THINK)[0], CallBegun)


def test_calls_under_way_when_the_time_of_a_run_is_over_are_not_heard_of_any_more() -> None:
    run = planning(budget=Budget(tokens=20), deadline=1005.0)
    begin(run, SUMMARY, THINK)
    run.fire("deadline", 1005.0)
    assert run.state.deadline_passed
    assert (known(run, SUMMARY, THINK).status, run.state.reserved, dict(run.state.calling)) == ("lost", FREE, {})
    assert end(run, SUMMARY, THINK, Called(output="late")) == []


def test_room_of_calls_cut_off_by_the_deadline_is_free_for_what_is_still_taken_back() -> None:
    run = Story(
        Catalogue(agents=(booker(cost=Cost(tokens=4)),), rules=Rules(stall=None)),
        Task(id="t", skill="book"),
        budget=Budget(tokens=12),
        deadline=1005.0,
    )
    run.do("t")
    run.say(Cancel(actor="person:ann", undo=True))
    begin(run, SUMMARY, THINK)
    run.fire("deadline", 1005.0)
    assert run.state.undoing
    assert run.state.reserved == FREE
    assert known(run, SUMMARY, THINK).reserved == FREE
