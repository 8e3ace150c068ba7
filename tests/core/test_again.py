"""What is opened when a task is done once more, what stays when a plan is edited, and what people are told instead."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from stretto.core.commands import (
    Cancel,
    EditPlan,
    FailPlan,
    FireTimer,
    Judged,
    ReportOutcome,
    RetryTask,
)
from stretto.core.context import resolve
from stretto.core.decide.control import why_no_retry
from stretto.core.decide.revising import why_no_edit
from stretto.core.domain import (
    AgentCard,
    Ask,
    Chain,
    FailureClass,
    ForEach,
    InputRequired,
    Join,
    Repeat,
    Rung,
    SideEffect,
    Skill,
    Task,
    TaskStatus,
    Unknown,
)
from stretto.core.events import PlanRevised, TasksReopened
from stretto.core.reconcile import judgements
from tests.core.test_ladders import ALLOW, ASK, Stage, agent
from tests.core.test_revisions import Loop

EXTRA = Task(id="extra", skill="work", inputs={"n": 9})


def after(id_: str, *earlier: str, **task: object) -> Task:
    """Give a task that cannot do without others."""
    inputs = {name: {"ref": f"{name}.output"} for name in earlier}
    return Task(id=id_, skill="work", inputs={**inputs, "name": id_}, **task)  # type: ignore[arg-type]


def staged(*tasks: Task, effect: SideEffect = SideEffect.NONE) -> Stage:
    return Stage(*tasks, agents=[agent("a", effect)])


def again(stage: Stage, id_: str, *, once_more: bool = False) -> str | tuple[str, ...]:
    """Ask for a task to be done once more: gives what was opened, or why nothing was."""
    command = RetryTask(actor="person:ann", revision=stage.state.revision, task=id_, again=once_more)
    why, events = why_no_retry(stage.state, command), stage.say(command)
    opened = [event.tasks for event in events if isinstance(event, TasksReopened)]
    assert bool(opened) is (why is None)
    return opened[0] if why is None else why


def edited(stage: Stage, tasks: Sequence[Task], *, refresh: bool = False) -> dict[str, str] | str:
    """Put other tasks in the place of the plan: gives what stayed, or why the edit was refused."""
    command = EditPlan(actor="person:ann", revision=stage.state.revision, tasks=tuple(tasks), refresh=refresh)
    why, events = why_no_edit(stage.state, command), stage.say(command)
    placed = [event.carried for event in events if isinstance(event, PlanRevised)]
    assert bool(placed) is (why is None)
    return placed[0] if why is None else why


# ---- once more


def test_who_waits_for_a_person_is_answered_and_not_done_once_more() -> None:
    stage = staged(after("a"))
    stage.begin(verdict=ASK)
    assert again(stage, "a") == "'a' waits for a person; answer that instead: stretto show tells how"


def test_what_fell_with_another_is_opened_together_with_it() -> None:
    stage = staged(after("a"), after("b", "a"), after("c", "b"))
    stage.fail(FailureClass.REFUSED)
    assert again(stage, "b") == ("b", "a", "c")
    assert [stage.one(id_).status for id_ in "abc"] == [TaskStatus.PENDING] * 3
    assert [stage.one(id_).ready for id_ in "abc"] == [True, False, False]


def test_what_fell_because_of_two_stays_fallen_when_only_one_of_them_is_opened() -> None:
    stage = staged(after("a"), after("x"), after("both", "a", "x"), after("last", "both"))
    stage.fail(FailureClass.REFUSED)
    stage.fail(FailureClass.REFUSED, "x")
    assert again(stage, "a") == ("a",)
    assert [stage.one(id_).status for id_ in ("both", "last")] == [TaskStatus.SKIPPED] * 2
    assert again(stage, "x") == ("x", "both", "last")


def test_what_did_without_a_failed_task_keeps_its_result_when_that_is_done_once_more() -> None:
    soft = Task(id="report", skill="work", inputs={"x": {"ref": "a.output", "default": None}})
    stage = staged(after("a"), soft, after("b", "a"))
    stage.fail(FailureClass.REFUSED)
    stage.succeed("report")
    assert again(stage, "a") == ("a", "b")
    assert stage.one("report").status is TaskStatus.COMPLETED


def test_a_round_that_was_accepted_is_not_done_once_more_by_itself_for_later_ones_rest_on_it() -> None:
    stage = staged(after("a", repeat=Repeat(max=2)), after("b", "a"))
    stage.say(Judged(task="a", attempt=1, agent="a", rounds=0))
    stage.succeed("a[0]")
    told = "'a[0]' is a round that was accepted, and what came later rests on it; do 'a' once more"
    assert again(stage, "a[0]", once_more=True) == told
    stage.succeed("a[1]")
    assert again(stage, "a[0]", once_more=True) == told
    assert again(stage, "a", once_more=True) == ("a", "b")
    assert set(stage.state.tasks) == {"a", "b"}, "all rounds begin anew"


def test_a_round_that_failed_is_done_once_more_and_those_before_it_stay() -> None:
    stage = staged(after("a", repeat=Repeat(max=2)), after("b", "a"))
    stage.say(Judged(task="a", attempt=1, agent="a", rounds=0))
    stage.succeed("a[0]")
    stage.fail(FailureClass.REFUSED, "a[1]")
    assert again(stage, "a[1]") == ("a[1]", "b")
    stage.succeed("a[1]")
    assert stage.one().status is TaskStatus.COMPLETED
    assert stage.one("b").ready


def test_items_that_were_taken_back_are_done_once_more_with_the_one_that_failed() -> None:
    book = Skill(name="work", effect=SideEffect.REVERSIBLE, undo="unwork")
    card = AgentCard(name="a", skills=(book, Skill(name="unwork", effect=SideEffect.IDEMPOTENT)))
    each = Task(id="a", skill="work", for_each=ForEach(items=[1, 2]), inputs={"x": {"ref": "item"}})
    stage = Stage(each, agents=[card])
    stage.say(Judged(task="a", attempt=1, agent="a", items=(1, 2)))
    stage.succeed("a[0]")
    stage.fail(FailureClass.REFUSED, "a[1]")
    stage.succeed("undo-a[0]")
    assert stage.one("a[0]").undone
    assert again(stage, "a") == ("a[0]", "a[1]")
    for number in range(2):
        stage.succeed(f"a[{number}]", output=number)
    assert stage.one().status is TaskStatus.COMPLETED
    assert not stage.one("a[0]").undone


def trip(undo: SideEffect) -> Stage:
    """Begin a run in which two things are booked and paid for, with this effect of taking one back."""
    book = Skill(name="work", effect=SideEffect.REVERSIBLE, undo="unwork")
    card = AgentCard(name="a", skills=(book, Skill(name="unwork", effect=undo)))
    stage = Stage(*TRIP, agents=[card])
    stage.say(Judged(task="a", attempt=1, agent="a", items=(1, 2)))
    stage.succeed("a[0]")
    stage.succeed("a[1]")
    return stage


TRIP = (
    Task(id="a", skill="work", for_each=ForEach(items=[1, 2]), inputs={"x": {"ref": "item"}}),
    after("pay", "a"),
)


@pytest.mark.parametrize("change", ["retry", "edit"])
def test_of_a_fan_out_that_was_taken_back_in_part_that_part_is_done_again_and_what_stands_is_not(change: str) -> None:
    stage = trip(SideEffect.IRREVERSIBLE)
    keys = [stage.one(f"a[{number}]").key for number in range(2)]
    stage.fail(FailureClass.REFUSED, "pay")
    stage.fail(FailureClass.ERROR, "undo-a[1]")
    stage.answer("fail")
    stage.succeed("undo-a[0]")
    assert [stage.one(f"a[{number}]").undone for number in range(2)] == [True, False]
    if change == "retry":
        assert again(stage, "pay") == ("pay", "a")
    else:
        assert edited(stage, [TRIP[0], replace(TRIP[1], objective="pay")]) == {}
    stage.say(Judged(task="a", attempt=1, agent="a", items=(1, 2), revision=stage.state.revision))
    for one in judgements(stage.state):
        arguments = resolve(stage.state, stage.one(one.task))
        stage.say(Judged(task=one.task, attempt=one.attempt, agent="a", verdict=ALLOW, arguments=arguments))
    assert [stage.one(f"a[{number}]").status for number in range(2)] == [TaskStatus.RUNNING, TaskStatus.COMPLETED]
    assert stage.one("a[0]").key not in keys
    assert stage.one("a[1]").key == keys[1]


def test_rounds_that_were_taken_back_begin_anew_from_the_first() -> None:
    book = Skill(name="work", effect=SideEffect.REVERSIBLE, undo="unwork")
    card = AgentCard(name="a", skills=(book, Skill(name="unwork", effect=SideEffect.IDEMPOTENT)))
    stage = Stage(after("a", repeat=Repeat(max=2)), after("b", "a"), agents=[card])
    stage.say(Judged(task="a", attempt=1, agent="a", rounds=0))
    stage.succeed("a[0]")
    stage.fail(FailureClass.REFUSED, "a[1]")
    stage.succeed("undo-a[0]")
    assert again(stage, "a[1]") == ("a", "b")
    assert "a[0]" not in stage.state.tasks


def test_a_fan_out_over_what_was_taken_back_is_spread_anew_once_that_is_done_again() -> None:
    book = Skill(name="work", effect=SideEffect.REVERSIBLE, undo="unwork")
    card = AgentCard(name="a", skills=(book, Skill(name="unwork", effect=SideEffect.IDEMPOTENT)))
    each = replace(TRIP[0], for_each=ForEach(items={"ref": "source.output"}))
    stage = Stage(Task(id="source", skill="work"), each, agents=[card])
    stage.succeed("source", output=[1, 2])
    stage.say(Judged(task="a", attempt=1, agent="a", items=(1, 2)))
    stage.succeed("a[0]")
    stage.fail(FailureClass.REFUSED, "a[1]")
    stage.succeed("undo-a[0]")
    stage.succeed("undo-source")
    assert again(stage, "a") == ("a", "source")
    assert not stage.one("a").ready
    stage.succeed("source", output=[3])
    assert stage.one("a").ready


def test_what_several_lack_is_opened_once_and_what_they_have_stays() -> None:
    stage = staged(after("good"), after("a"), after("b", "a", "good"), after("c", "a"), after("d", "b", "c"))
    stage.succeed("good")
    stage.fail(FailureClass.REFUSED)
    assert again(stage, "d") == ("d", "b", "c", "a"), "in the same order in every process"
    assert stage.one("good").status is TaskStatus.COMPLETED


def test_who_asks_for_what_is_not_there_is_told_what_is() -> None:
    stage = staged(after("alpha"), after("b"))
    stage.fail(FailureClass.REFUSED, "alpha")
    assert str(again(stage, "alpa")).startswith("there is no task 'alpa'.")
    assert "alpha" in str(again(stage, "alpa"))
    assert again(stage, "b") == "'b' is pending; only a task that has ended can be done once more"
    other = RetryTask(revision=1, task="alpha", agent="zed")
    assert str(why_no_retry(stage.state, other)).startswith("no agent 'zed' has the skill 'work'.")
    assert stage.say(other) == []
    assert why_no_retry(stage.state, replace(other, revision=3)) == (
        "its plan has changed meanwhile: it is at revision 1, not 3; look at it again"
    )


def test_an_action_that_a_cancellation_cut_off_is_asked_about_before_it_is_done_once_more() -> None:
    stage = staged(after("a"), effect=SideEffect.IRREVERSIBLE)
    stage.begin()
    stage.say(Cancel(actor="person:ann"))
    assert again(stage, "a") == ("a",)
    (request,) = stage.state.requests.values()
    assert request.kind == "doubt"
    assert request.question.startswith("the run was stopped while 'a' was at work; did it happen?")
    stage.answer("retry")
    stage.begin()
    assert stage.one().attempt == 2


# ---- edited


def test_a_plan_without_an_action_in_doubt_or_at_work_is_refused_and_told_what_to_do_first() -> None:
    stage = staged(after("a"), effect=SideEffect.IRREVERSIBLE)
    stage.begin()
    assert edited(stage, [EXTRA]) == "'a' is at work, and its action may not be repeated; wait until it has ended"
    stage.say(ReportOutcome(task="a", attempt=1, outcome=Unknown(message="lost")))
    told = "'a' is in doubt, and its action may not be repeated; answer that first: stretto show tells how"
    assert edited(stage, [EXTRA]) == told
    assert edited(stage, [after("a"), EXTRA]) == {"a": "a"}
    stage.answer("fail")
    assert edited(stage, [EXTRA]) == {"extra": "extra"}


def test_a_plan_that_never_came_to_be_is_put_in_place_by_an_edit_of_that_revision() -> None:
    loop = Loop()
    loop.say(FailPlan(revision=1, reason="no way"))
    plan = EditPlan(revision=7, tasks=(Task(id="a", skill="read"),))
    assert why_no_edit(loop.state, plan) == "its plan has changed meanwhile: it is at revision 1, not 7"
    assert loop.say(plan) == []
    assert loop.say(replace(plan, revision=1)) == ["PlanRevised"]
    assert loop.state.tasks["a"].ready


@pytest.mark.parametrize("refresh", [False, True])
def test_what_was_left_out_stays_so_under_an_edit_unless_all_that_failed_is_to_be_redone(refresh: bool) -> None:
    stage = staged(after("a", ladder={"refused": (Rung(do="skip"),)}))
    stage.fail(FailureClass.REFUSED)
    assert edited(stage, [stage.one().task, EXTRA], refresh=refresh) == ({} if refresh else {"a": "a"})
    assert stage.one().status is (TaskStatus.PENDING if refresh else TaskStatus.SKIPPED)


def test_what_fell_with_a_failed_task_stays_fallen_with_it_and_goes_on_without_it() -> None:
    stage = staged(after("a"), after("b", "a"))
    stage.fail(FailureClass.REFUSED)
    assert edited(stage, [after("a"), after("b", "a"), EXTRA]) == {"a": "a", "b": "b"}
    assert [stage.one(id_).status for id_ in "ab"] == [TaskStatus.FAILED, TaskStatus.SKIPPED]
    assert edited(stage, [after("b")]) == {}
    assert stage.one("b").ready


def test_a_join_that_lost_a_member_is_weighed_anew_under_an_edit() -> None:
    join = after("c", join=Join(of=("a", "b"), take="all"))
    stage = staged(after("a"), after("b"), join)
    stage.fail(FailureClass.REFUSED)
    assert stage.one("c").status is TaskStatus.SKIPPED
    assert edited(stage, [after("a"), after("b"), join, EXTRA]) == {"a": "a", "b": "b"}
    assert stage.one("c").status is TaskStatus.SKIPPED, "it lacks the member still"
    enough = replace(join, join=Join(of=("a", "b"), take="first"))
    assert edited(stage, [after("a"), after("b"), enough, EXTRA]) == {"a": "a", "b": "b", "extra": "extra"}
    assert stage.one("c").status is TaskStatus.PENDING


def test_what_was_left_out_because_nobody_answered_is_asked_anew_under_an_edit() -> None:
    silence = Chain(steps=(Ask(within=60.0),), otherwise="skip")
    stage = staged(after("a", ask={"question": silence}))
    stage.end(InputRequired(question="which?"))
    (request,) = stage.state.requests
    stage.now += 60
    stage.say(FireTimer(timer=f"ask/{request}/0/due"))
    assert stage.one().status is TaskStatus.SKIPPED
    assert edited(stage, [stage.one().task, EXTRA]) == {}
    assert stage.one().ready


def test_what_an_edit_builds_on_a_failed_task_that_stays_falls_at_once() -> None:
    stage = staged(after("a"))
    stage.fail(FailureClass.REFUSED)
    assert edited(stage, [after("a"), after("b", "a")]) == {"a": "a"}
    assert (stage.one("b").status, stage.one("b").reason) == (TaskStatus.SKIPPED, "it needs 'a', which failed")
