"""What becomes of a ready task once it was judged: it starts, spreads, goes on with its rounds, or cannot."""

from dataclasses import replace

import pytest

from stretto.core.commands import AddTask, Cancel, ClosePlan, FireTimer, InterpretGoal, Judged, Recover, Replan
from stretto.core.decide.revising import finished, is_old
from stretto.core.domain import (
    AgentCard,
    Budget,
    Cost,
    FailureClass,
    ForEach,
    Interpretation,
    Limits,
    Repeat,
    Rules,
    RunStatus,
    SideEffect,
    Skill,
    Task,
    TaskStatus,
)
from stretto.core.effects import RunTask
from stretto.core.events import AttemptLost
from stretto.core.reconcile import judgements, reconcile
from tests.core.test_holds import Job, agent_card
from tests.core.test_ladders import Stage, agent
from tests.core.test_revisions import Loop

ITEM = {"x": {"ref": "item"}}


@pytest.mark.parametrize(("most", "rules"), [(2, Rules()), (None, Rules(fan_out=2)), (2, Rules(fan_out=9))])
def test_a_fan_out_over_more_items_than_its_bound_is_refused_whole(most: int | None, rules: Rules) -> None:
    spread = Task(id="a", skill="work", inputs=ITEM, for_each=ForEach(items={"ref": "list.output"}, max=most))
    for count, status in ((2, TaskStatus.RUNNING), (3, TaskStatus.FAILED)):
        stage = Stage(Task(id="list", skill="work"), spread, agents=[agent("a")], rules=rules)
        stage.succeed("list", output=list(range(count)))
        stage.say(Judged(task="a", attempt=1, agent="a", items=tuple(range(count))))
        assert stage.one().status is status
        assert len(stage.state.tasks) == (4 if count == 2 else 2)
    assert (stage.one().failure, stage.one().reason) == (FailureClass.REFUSED, "3 items; the bound is 2")


def rounds(**task: object) -> Stage:
    """Begin a run whose one task is repeated until a condition holds, with its first round accepted."""
    stage = Stage(Task(id="a", skill="work", **task), agents=[agent("a")])  # type: ignore[arg-type]
    stage.say(Judged(task="a", attempt=1, agent="a", rounds=0))
    stage.succeed("a[0]", output=1)
    return stage


UNTIL = Repeat(max=3, until="output == 2")


@pytest.mark.parametrize(("again", "told"), [(True, ["a", "a[0]", "a[1]"]), (False, ["a", "a[0]"])])
def test_after_each_round_its_condition_says_whether_there_is_another(again: bool, told: list[str]) -> None:
    stage = rounds(repeat=UNTIL)
    stage.say(Judged(task="a", attempt=1, agent="a", rounds=1, again=again))
    assert list(stage.state.ids.values()) == told
    assert stage.one().status is (TaskStatus.RUNNING if again else TaskStatus.COMPLETED)


def test_a_condition_that_cannot_be_judged_after_a_round_fails_the_whole() -> None:
    stage = rounds(repeat=UNTIL)
    stage.say(Judged(task="a", attempt=1, agent="a", refusal="`until` cannot be judged: no such field"))
    one = stage.one()
    assert (one.status, one.failure) == (TaskStatus.FAILED, FailureClass.REFUSED)
    assert one.reason == "`until` cannot be judged: no such field"


def test_a_deadline_that_passes_in_the_pause_between_two_rounds_ends_the_whole() -> None:
    stage = rounds(repeat=Repeat(max=3, pause=60.0), limits=Limits(deadline=10.0))
    stage.now += 10
    stage.say(FireTimer(timer="limit/a"))
    assert (stage.one().status, stage.one().reason) == (TaskStatus.FAILED, "not done within 10 s")
    stage.now += 60
    assert stage.say(FireTimer(timer="wait/a")) == []


@pytest.mark.parametrize("occurrence", [None, 2])
def test_the_same_action_of_two_tasks_is_denied_unless_the_plan_declares_it_as_two(occurrence: int | None) -> None:
    first = Task(id="a", skill="work", inputs={"to": {"ref": "who.output"}})
    second = replace(first, id="b", inputs={"to": {"ref": "also.output"}}, occurrence=occurrence)
    asked = [Task(id=id_, skill="ask", inputs={"n": number}) for number, id_ in enumerate(("who", "also"))]
    stage = Stage(*asked, first, second, agents=[agent("a", SideEffect.IRREVERSIBLE), agent("q", skill="ask")])
    for one in asked:
        stage.succeed(one.id, output="ann")
    stage.succeed()
    stage.begin("b")
    if occurrence is None:
        assert (stage.one("b").status, stage.one("b").failure) == (TaskStatus.FAILED, FailureClass.DENIED)
        assert stage.one("b").reason == (
            "the same action as task 'a', with the same arguments; nothing declares them as two"
        )
    else:
        assert stage.one("b").status is TaskStatus.RUNNING


def test_what_a_dead_process_had_under_way_counts_as_spent_and_is_done_anew() -> None:
    for cost, lost in ((Cost(tokens=2), [Cost(tokens=2)]), (Cost(), [])):
        job = Job(agent_card(cost=cost), tasks=1, budget=Budget(tokens=9))
        job.start()
        job.say(Recover())
        assert [one.cost for one in job.said(AttemptLost)] == lost
        assert [one.attempt for one in job.start()] == [2 if lost else 1]


# ---- how a run begins and ends


def test_a_plan_without_tasks_is_refused_unless_the_goal_was_answered_at_once() -> None:
    loop = Loop()
    assert loop.plan() == ["PlanRefused"]
    assert loop.state.refused == "the plan has no task"
    loop = Loop()
    answered = Interpretation(planner="direct", mode="direct")
    assert loop.say(InterpretGoal(revision=1, interpretation=answered)) == ["GoalInterpreted"]
    assert loop.plan() == ["PlanClosed"]
    assert loop.state.settled


def test_a_cancelled_run_ends_when_its_grace_is_over_and_what_was_cut_off_is_in_doubt() -> None:
    stage = Stage(Task(id="a", skill="work"), agents=[agent("a", SideEffect.IRREVERSIBLE)])
    stage.begin()
    stage.say(Cancel(actor="person:ann", grace=10.0))
    assert any(isinstance(one, RunTask) for one in reconcile(stage.state))
    stage.now += 10
    stage.say(FireTimer(timer="cancel"))
    assert (stage.state.status, stage.one().status, stage.one().in_doubt) == (
        RunStatus.CANCELLED, TaskStatus.CANCELLED, True,
    )  # fmt: skip


def test_a_result_of_live_data_is_carried_into_a_new_plan_only_while_it_is_fresh() -> None:
    for late, carried in ((59.0, True), (61.0, False)):
        live = AgentCard(name="a", skills=(Skill(name="work", effect=SideEffect.NONE, fresh=60.0),))
        stage = Stage(Task(id="a", skill="work"), Task(id="b", skill="work", inputs={"n": 1}), agents=[live])
        stage.succeed()
        (done,) = finished(stage.state)
        stage.now += late
        assert is_old(stage.state, done, stage.now) is not carried
        stage.say(Replan(revision=1))
        stage.say(AddTask(revision=2, task=Task(id="a", skill="work")))
        stage.say(ClosePlan(revision=2))
        assert stage.one().status is (TaskStatus.COMPLETED if carried else TaskStatus.PENDING)
        assert bool(judgements(stage.state)) is not carried
