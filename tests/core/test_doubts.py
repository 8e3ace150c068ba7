"""Actions in doubt: whose word counts, who is asked, and what a fork finds that its parent had begun or done."""

import pytest

from stretto.core.commands import FireTimer, Judged, LookedUp, Recover, ReportOutcome, ReportReview
from stretto.core.context import action_key
from stretto.core.domain import (
    Completed,
    Failed,
    FailureClass,
    Kept,
    Limits,
    Review,
    SideEffect,
    Task,
    TaskStatus,
    Unknown,
)
from stretto.core.effects import AskPerson, LookUp, ReviewResult, RunTask
from stretto.core.events import RunForked
from stretto.core.evolve import evolve
from stretto.core.reconcile import judgements, reconcile
from tests.core.test_ladders import Stage, agent

DEED = SideEffect.IRREVERSIBLE
FINE = Completed(output="done")


def at_work(effect: SideEffect = DEED, *, looks_up: bool = True, deadline: float | None = None) -> Stage:
    """Begin a run in which an agent is at its one task."""
    task = Task(id="a", skill="work", limits=Limits(deadline=deadline))
    stage = Stage(task, agents=[agent("a", effect, looks_up=looks_up)])
    stage.begin()
    return stage


def died(stage: Stage) -> Stage:
    """Have the process die and another one take over."""
    stage.say(Recover())
    return stage


def kinds(stage: Stage) -> list[type]:
    """Give what is due."""
    return [type(one) for one in reconcile(stage.state)]


def test_of_an_action_in_doubt_the_lost_attempt_is_believed_only_when_it_says_that_it_is_done() -> None:
    stage = died(at_work())
    assert kinds(stage) == [LookUp]
    lost = Failed(failure=FailureClass.ERROR, message="it broke")
    for word in (lost, Unknown(message="no idea")):
        assert stage.say(ReportOutcome(task="a", attempt=1, outcome=word)) == []
    assert kinds(stage) == [LookUp]
    stage.say(ReportOutcome(task="a", attempt=1, outcome=FINE))
    assert kinds(stage) == [ReviewResult]


@pytest.mark.parametrize("late", [None, FINE])
def test_a_look_up_that_comes_after_a_person_was_asked_takes_nothing_out_of_their_hands(late: Completed | None) -> None:
    stage = died(at_work())
    stage.say(LookedUp(task="a", attempt=1, outcome=Unknown(message="no idea")))
    assert kinds(stage) == [AskPerson]
    assert stage.say(LookedUp(task="a", attempt=1, outcome=late)) == []
    assert kinds(stage) == [AskPerson]


def test_what_was_under_way_at_a_fork_and_the_parent_did_later_is_taken_from_there_and_reviewed() -> None:
    stage = at_work()
    key = str(stage.one().key)
    fork = RunForked(at=stage.now, parent="run", fork_at=9, root="run", kept={key: Kept(output="done there")})
    stage.state = evolve(stage.state, fork)
    died(stage)
    assert kinds(stage) == [ReviewResult]
    stage.say(ReportReview(task="a", attempt=1, review=Review(accepted=True, reviewer="r")))
    one = stage.one()
    assert one.result is not None
    assert (one.status, one.result.output, one.in_doubt) == (TaskStatus.COMPLETED, "done there", False)


@pytest.mark.parametrize(
    ("effect", "looks_up", "due"),
    [
        (DEED, False, AskPerson),
        (DEED, True, LookUp),
        (SideEffect.UNDECLARED, False, AskPerson),
        (SideEffect.IDEMPOTENT, True, RunTask),
        (SideEffect.NONE, False, RunTask),
    ],
)
def test_what_the_parent_of_a_fork_began_is_asked_about_unless_it_may_happen_twice(
    effect: SideEffect, looks_up: bool, due: type
) -> None:
    stage = Stage(Task(id="a", skill="work"), agents=[agent("a", effect, looks_up=looks_up)])
    key = action_key(stage.state, stage.one(), {})
    stage.state = evolve(stage.state, RunForked(at=stage.now, parent="run", fork_at=9, root="run", begun=(key,)))
    stage.begin()
    assert kinds(stage) == [due]
    asked = [one.question for one in stage.state.requests.values()]
    if due is AskPerson:
        assert asked == [
            "the run run began this and nobody knows whether it happened; did it happen? Answer done, retry or fail"
        ]


def test_a_late_action_that_its_agent_can_be_asked_about_is_asked_about_before_it_is_given_up() -> None:
    for found, status in ((None, TaskStatus.FAILED), (FINE, TaskStatus.COMPLETED)):
        stage = at_work(deadline=5.0)
        stage.now += 5
        stage.say(FireTimer(timer="limit/a"))
        assert kinds(stage) == [LookUp]
        stage.say(LookedUp(task="a", attempt=1, outcome=found))
        for one in judgements(stage.state):
            stage.say(Judged(task="a", attempt=one.attempt, agent="a"))
        stage.say(ReportReview(task="a", attempt=1, review=Review(accepted=True, reviewer="r")))
        assert stage.one().status is status, "what happened counts, and what never did is not begun any more"
        assert stage.one().failure is (FailureClass.TIMED_OUT if found is None else None)


@pytest.mark.parametrize("effect", [SideEffect.IDEMPOTENT, SideEffect.IRREVERSIBLE])
def test_a_late_action_that_nobody_can_be_asked_about_fails_or_is_a_persons_question(effect: SideEffect) -> None:
    stage = at_work(effect, looks_up=False, deadline=5.0)
    stage.now += 5
    stage.say(FireTimer(timer="limit/a"))
    failed = effect.repeatable
    assert stage.one().status is (TaskStatus.FAILED if failed else TaskStatus.UNKNOWN)
    assert (AskPerson in kinds(stage)) is not failed
