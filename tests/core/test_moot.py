"""What comes too late, twice or from nobody changes nothing; and what is asked of a run at the wrong moment is told."""

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from stretto.core.budget import out_of_revisions, why_over
from stretto.core.chains import alternative, coming, holds, put_to
from stretto.core.commands import (
    AnswerRequest,
    Cancel,
    ClarifyGoal,
    ClosePlan,
    Command,
    FireTimer,
    HearOf,
    Judged,
    LookedUp,
    NoticeSent,
    Pause,
    Replan,
    ReportOutcome,
    RetryTask,
)
from stretto.core.decide import step
from stretto.core.decide.control import unready_for_change
from stretto.core.decide.revising import why_no_replan
from stretto.core.domain import (
    AgentCard,
    Ask,
    Breaker,
    Budget,
    Catalogue,
    Chain,
    Cost,
    Failed,
    FailureClass,
    Hold,
    Rate,
    Request,
    Rules,
    Rung,
    SideEffect,
    Task,
    TaskStatus,
    Verdict,
)
from stretto.core.effects import Judge
from stretto.core.events import (
    AgentHeld,
    AttemptStarted,
    BreakerClosed,
    BreakerOpened,
    DeadlinePassed,
    Event,
    HoldEnded,
    RunCancelled,
    RunStopped,
)
from stretto.core.evolve import evolve
from stretto.core.hindrances import hindrances, substitutes
from stretto.core.notices import noticed
from stretto.core.policy import DEFAULT, judge
from stretto.core.sharing import hears, told
from stretto.core.state import RunState
from tests.core.test_holds import DOWN, FINE, Job, agent_card

LOST = Failed(failure=FailureClass.ERROR, message="it broke")


@pytest.mark.parametrize(
    "command",
    [
        NoticeSent(notice="run/0", attempt=1),
        LookedUp(task="nobody", attempt=1),
        LookedUp(task="t0000", attempt=1),
        FireTimer(timer="cancel"),
        FireTimer(timer="limit/nobody"),
        FireTimer(timer="retry/t0000"),
        FireTimer(timer="lunch/t0000"),
        FireTimer(timer="hold/a"),
        ClosePlan(revision=1),
        ClosePlan(revision=2),
        ClarifyGoal(revision=1, round=0, question="What?"),
        AnswerRequest(request="nobody", decision="approve"),
        Judged(task="t0000", attempt=2, agent="a"),
        Judged(task="t0000", attempt=1, agent="a", revision=7),
        Judged(task="t0000", attempt=1, agent="nobody", refusal="it is not here"),
        Judged(task="t0000", attempt=1, agent="a", rounds=0),
        Judged(task="t0000", attempt=1, agent="a"),
        ReportOutcome(task="t0000", attempt=1, outcome=FINE),
    ],
    ids=lambda command: f"{type(command).__name__}-{getattr(command, 'task', getattr(command, 'timer', ''))}",
)
def test_a_word_that_fits_nothing_changes_nothing(command: Command) -> None:
    job = Job(agent_card(), tasks=2)
    assert step(job.state, replace(command, at=job.now)) == ([], job.state)


def test_a_second_cancellation_gives_no_second_grace() -> None:
    job = Job(agent_card(), tasks=1)
    job.start()
    job.say(Cancel(reason="enough", grace=60.0))
    until = job.state.cancelling
    job.now += 30
    job.say(Cancel(reason="enough", grace=60.0))
    assert job.state.cancelling == until
    early = FireTimer(timer="cancel", at=job.now)
    assert step(job.state, early)[0] == []
    assert unready_for_change(job.state, 1) == "it is being cancelled; wait until it has ended"


def test_nothing_starts_any_more_in_a_run_that_is_being_cancelled() -> None:
    job = Job(agent_card(concurrency=1), tasks=2)
    job.start()
    job.say(Cancel(grace=60.0))
    late = Judged(task="t0001", attempt=1, agent="a", verdict=Verdict(decision="allow", rule="test"), at=job.now)
    assert step(job.state, late)[0] == []


def test_a_run_that_nobody_began_can_be_changed_by_nobody() -> None:
    assert unready_for_change(RunState(), 0) == "there is no such run"


def test_a_run_that_is_planned_anew_is_not_planned_anew_once_more() -> None:
    job = Job(agent_card(), tasks=1)
    job.say(Replan(revision=1, words="better"))
    assert job.state.draft is not None
    again = Replan(revision=job.state.revision, words="better")
    assert why_no_replan(job.state, again) == "it is being planned anew already"
    before = job.state
    job.say(again)
    assert job.state == before


def test_a_new_plan_without_tasks_is_refused_and_the_old_one_stays() -> None:
    job = Job(agent_card(), tasks=1)
    job.say(Replan(revision=1, words="better"))
    job.say(ClosePlan(revision=job.state.revision))
    assert job.state.draft is None
    assert list(job.state.tasks) == ["t0000"]
    assert "the new plan has no task" in [getattr(event, "reason", "") for event in job.events]


def test_an_edit_of_arguments_must_give_arguments() -> None:
    job = Job(agent_card(), tasks=1)
    ask = Verdict(decision="ask", rule="approval", reason="say so")
    job.say(Judged(task="t0000", attempt=1, agent="a", verdict=ask, arguments={}))
    (request,) = job.state.requests
    before = job.state
    job.say(AnswerRequest(request=request, decision="edit", value=[1], actor="person:ann"))
    assert job.state == before


def test_a_task_may_be_done_once_more_by_an_agent_that_can() -> None:
    job = Job(agent_card("a"), agent_card("b"), tasks=1, ladder={"*": (Rung(do="fail"),)})
    (one,) = job.start()
    job.end(one, LOST)
    assert job.state.tasks["t0000"].status is TaskStatus.FAILED
    job.say(RetryTask(revision=job.state.revision, task="t0000", agent="b"))
    assert [one.agent for one in job.due(Judge)] == ["b"]


def limited(seconds: float) -> Failed:
    return Failed(failure=FailureClass.RATE_LIMITED, message="429", retry_after=seconds)


def test_an_agent_that_asks_for_a_shorter_pause_than_it_has_is_held_no_longer() -> None:
    job = Job(agent_card(), tasks=2)
    first, second = job.start()
    job.end(first, limited(60))
    job.end(second, limited(5))
    assert [one.until for one in job.said(AgentHeld)] == [job.now + 60]
    shorter = HearOf(agent="a", upto=1, hold=Hold(until=job.now + 10, why="elsewhere"), run="other", at=job.now)
    step_on = step(job.state, shorter)[1]
    assert step_on.holds["a"].until == job.now + 60


def test_a_breaker_that_opens_does_not_shorten_the_pause_an_agent_asked_for() -> None:
    job = Job(agent_card(breaker=Breaker(failures=2, window=2, pause=30)), tasks=3)
    for one in job.start():
        job.end(one, limited(600) if one.task == "t0000" else DOWN)
    held = evolve(job.state, BreakerOpened(agent="a", until=job.now + 30, why="2 of 2", times=1, at=job.now))
    assert held.holds["a"].until == job.now + 600
    assert held.holds["a"].why == job.said(AgentHeld)[0].why


def test_an_agent_that_lost_a_task_for_good_is_a_hindrance_and_the_next_stands_in() -> None:
    job = Job(agent_card("a"), agent_card("b"), tasks=1, ladder={"*": (Rung(do="fail"),)})
    (one,) = job.start()
    job.end(one, LOST)
    assert [(found.task, found.agent, found.failure) for found in hindrances(job.state)] == [
        ("t0000", "a", FailureClass.ERROR)
    ]
    assert substitutes(job.state, job.state.tasks["t0000"].task) == [("b", "do")]
    assert substitutes(job.state, Task(id="x", skill="nobody can")) == []


def judged(card: AgentCard, **task: Any) -> Verdict:
    """Give the verdict of the usual rules about a task for an agent."""
    state = Job(card, tasks=1, **task).state
    return judge(state, Judge(task="t0000", attempt=1, agent="a", round=0), DEFAULT)


def test_an_agent_gets_no_data_outside_its_perimeter() -> None:
    labels = ("secret", "personal", "public")
    verdict = judged(agent_card(perimeter=("public",)), labels=labels)
    assert (verdict.decision, verdict.rule) == ("deny", "perimeter")
    assert verdict.reason == "a may not see data labelled personal, secret"
    assert judged(agent_card(perimeter=labels), labels=labels).decision == "allow"


def test_an_agent_gets_no_task_whose_tools_or_permissions_it_lacks() -> None:
    needed: dict[str, Any] = {"tools": ("browser",), "permissions": ("net",)}
    verdict = judged(agent_card(tools=("browser",)), **needed)
    assert (verdict.decision, verdict.rule, verdict.reason) == ("deny", "equipped", "a lacks net")
    assert judged(agent_card(**needed), **needed).decision == "allow"


def test_a_task_of_high_risk_is_asked_about() -> None:
    verdict = judged(agent_card(), risk="high")
    assert (verdict.decision, verdict.reason) == ("ask", "its risk is high")


@pytest.mark.parametrize(
    ("event", "text", "urgent"),
    [
        (RunCancelled(by="person:ann", reason="enough"), "the run was cancelled by ann: enough", False),
        (RunCancelled(by="person:ann"), "the run was cancelled by ann", False),
        (DeadlinePassed(deadline=3.0), "the run's deadline passed", False),
        (RunStopped(task="t", reason="t said stop"), "t said stop", True),
    ],
)
def test_whoever_listens_hears_that_a_run_was_halted(event: Event, text: str, urgent: bool) -> None:
    state = RunState(run="run", catalogue=Catalogue(notify=("halted",)))
    (alert,) = noticed(state, event).notices.values()
    assert (alert.notice.kind, alert.notice.text, alert.notice.urgent) == ("halted", text, urgent)
    assert not noticed(RunState(run="run", catalogue=Catalogue(notify=("ended",))), event).notices


def request(kind: str = "alternatives", chain: Chain | None = None) -> Request:
    return Request(id="q", task="t", attempt=1, kind=kind, question="?", choices=("wait", "hand over"), chain=chain)  # type: ignore[arg-type]


def test_alternatives_are_named_by_number_or_by_how_they_begin() -> None:
    open_ = request()
    assert [alternative(open_, said) for said in (1, "2", " Hand ", "w", "3", "0", "", "x")] == [
        *("wait", "hand over", "hand over", "wait"),
        *(None, None, None, None),
    ]


def test_a_request_without_a_chain_is_nobodys_in_turn() -> None:
    assert put_to(request(), 0, 5.0) == request()
    assert coming(request()) == ()
    assert holds(request(), SideEffect.NONE) == "wait"


def test_who_comes_next_and_what_holds_at_last_is_known() -> None:
    chain = Chain(steps=(Ask(who="ann", within=5.0), Ask(within=6.0), Ask(who="bob", within=7.0)), otherwise="deny")
    put = put_to(request("approval", chain), 0, 100.0)
    assert put.due == 105.0
    assert coming(put) == ("anybody", "bob", "deny")
    assert holds(request("alternatives", chain), SideEffect.NONE) == "skip"


def test_a_paused_run_is_paused_once() -> None:
    job = Job(agent_card(), tasks=1)
    job.say(Pause(reason="lunch"))
    before = job.state
    job.say(Pause(reason="lunch"))
    assert job.state == before


def test_an_agent_whose_cost_has_no_bound_is_refused_under_a_budget_where_the_rules_say_so() -> None:
    rules = Rules(unbounded="refuse")
    job = Job(agent_card(bounded=False), tasks=1, rules=rules, budget=Budget(tokens=5))
    job.start()
    assert "the rules refuse such agents under a budget" in job.state.tasks["t0000"].reason


def test_who_is_refused_for_a_cost_without_bound_is_told_so() -> None:
    cards = [agent_card(bounded=False), agent_card("b", cost=Cost(tokens=1))]
    job = Job(*cards, tasks=2, rules=Rules(unbounded="refuse"), budget=Budget(tokens=2))
    one = job.state.tasks["t0000"]
    assert "the rules refuse such agents under a budget" in why_over(job.state, one, "a")
    assert "0 of 2 tokens are spent" in why_over(job.state, one, "b")


def test_no_more_revisions_are_counted_against_an_undoing() -> None:
    job = Job(agent_card(), tasks=1)
    one = job.state.tasks["t0000"]
    assert out_of_revisions(job.state, structs.replace(one, task=replace(one.task, undoes="x"))) == ""


def test_a_run_hears_from_others_how_long_an_agent_is_held_and_when_it_is_well_again() -> None:
    def held(until: float, run: str = "other") -> AgentHeld:
        return AgentHeld(agent="a", until=until, why="429", asked=True, run=run, at=1.0)

    for facts, until in (
        ([held(9.0)], 9.0),
        ([held(9.0), held(5.0)], 9.0),
        ([held(5.0), held(9.0)], 9.0),
        ([BreakerOpened(agent="a", until=7.0, why="2 of 2", times=1, run="other"), held(9.0)], 9.0),
    ):
        news = hears("a", "run", 3, facts, 2.0)
        assert news is not None
        assert news.hold is not None
        assert (news.hold.until, news.run, news.upto) == (until, "other", 3)
    assert hears("a", "run", 3, [held(9.0, run="run")], 2.0) is None
    healed = hears("a", "run", 3, [held(9.0), BreakerClosed(agent="a", run="other")], 2.0)
    assert healed is not None
    assert (healed.hold, healed.healed) == (None, True)


def test_only_agents_with_a_rate_tell_others_of_their_attempts() -> None:
    job = Job(agent_card(rate=Rate(requests=5), provider="cloud"), agent_card("b"), tasks=1)
    started = AttemptStarted(
        task="t0000", attempt=1, agent="a", key="k", arguments="", verdict=Verdict(decision="allow", rule="test")
    )
    assert [key for key, _ in told(job.state, started)] == ["a"]
    assert list(told(job.state, replace(started, agent="b"))) == []


def test_a_skill_that_an_agent_lacks_is_no_skill_of_it() -> None:
    roster = Job(agent_card(), tasks=1).state.roster
    with pytest.raises(KeyError, match="nobody can"):
        roster.skill(Task(id="x", skill="nobody can"), "a")


def test_a_judgement_that_comes_while_others_hold_the_room_is_made_again_once_they_have_settled() -> None:
    job = Job(agent_card(bounded=False), tasks=2, budget=Budget(tokens=3))
    (first,) = job.start()
    allow = Verdict(decision="allow", rule="test")
    early = Judged(task="t0001", attempt=1, agent="a", verdict=allow, arguments={}, at=job.now)
    assert step(job.state, early) == ([], job.state)
    job.end(first, replace(FINE, cost=Cost(tokens=1)))
    assert [one.task for one in job.start()] == ["t0001"]


def test_a_hold_is_not_over_before_its_time() -> None:
    job = Job(agent_card(), tasks=2)
    (one, _) = job.start()
    job.end(one, limited(60))
    job.now += 59
    assert step(job.state, FireTimer(timer="hold/a", at=job.now))[0] == []
    job.now += 1
    assert [type(event) for event in step(job.state, FireTimer(timer="hold/a", at=job.now))[0]] == [HoldEnded]
