"""Joins and rounds as little stories: who is left out when a join has what it takes, and how rounds end."""

import pytest

from stretto.core.commands import AddTask, ClosePlan, Judged, ReportOutcome, ReportReview
from stretto.core.domain import (
    AgentCard,
    Completed,
    Failed,
    FailureClass,
    ForEach,
    Join,
    Repeat,
    Review,
    Rung,
    SideEffect,
    Task,
    TaskStatus,
)
from stretto.core.events import TaskSkipped
from tests.core.test_ladders import Stage, agent
from tests.core.test_revisions import Loop

FIRST = Join(of=("a", "b"), take="first")


def team(effect: SideEffect = SideEffect.NONE) -> list[AgentCard]:
    """Give an agent whose slow work has this effect, and one who is quick and harmless."""
    return [agent("slow", effect, skill="toil"), agent("quick", skill="work")]


def statuses(stage: Stage | Loop) -> dict[str, str]:
    """Say how each task stands, items and rounds included."""
    return {id_: one.status.value for id_, one in stage.state.tasks.items()}


def joined(slow: Task, *others: Task, effect: SideEffect = SideEffect.NONE) -> Stage:
    """Begin a run in which `c` takes the first of the slow `a` and the quick `b`."""
    return Stage(
        slow,
        Task(id="b", skill="work"),
        Task(id="c", skill="work", inputs={"x": {"ref": "joined"}}, join=FIRST),
        *others,
        agents=team(effect),
    )


def spread(stage: Stage, count: int) -> None:
    stage.say(Judged(task="a", attempt=1, agent="slow", items=tuple(range(count))))


def test_the_items_of_a_fan_out_that_nobody_needs_any_more_are_left_out_with_it() -> None:
    many = Task(id="a", skill="toil", for_each=ForEach(items=[0, 1, 2]), inputs={"x": {"ref": "item"}})
    stage = joined(many)
    spread(stage, 3)
    stage.succeed("a[0]")
    stage.begin("a[1]")
    stage.succeed("b")
    told = statuses(stage)
    assert (told["a"], told["a[0]"], told["a[1]"], told["a[2]"]) == ("skipped", "completed", "skipped", "skipped")
    assert stage.one("a[2]").wanted
    assert stage.one("a[2]").reason == "not needed: 'c' took 'b'"
    assert stage.state.under_way == 0, "who was at work is called off"
    assert stage.one("c").ready


def test_an_item_that_is_changing_the_world_is_let_finish_and_no_other_begins() -> None:
    many = Task(id="a", skill="toil", for_each=ForEach(items=[0, 1, 2]), inputs={"x": {"ref": "item"}})
    stage = joined(many, effect=SideEffect.IRREVERSIBLE)
    spread(stage, 3)
    stage.succeed("a[0]")
    stage.begin("a[1]")
    stage.succeed("b")
    told = statuses(stage)
    assert (told["a"], told["a[1]"], told["a[2]"]) == ("running", "running", "skipped")
    stage.say(ReportOutcome(task="a[1]", attempt=1, outcome=Failed(failure=FailureClass.REFUSED, message="no")))
    assert stage.one("a[1]").status is TaskStatus.FAILED
    assert stage.one().status.final


def test_a_round_that_is_changing_the_world_is_let_finish_and_no_other_follows() -> None:
    stage = joined(Task(id="a", skill="toil", repeat=Repeat(max=3)), effect=SideEffect.IRREVERSIBLE)
    stage.say(Judged(task="a", attempt=1, agent="slow", rounds=0))
    stage.begin("a[0]")
    stage.succeed("b")
    assert statuses(stage) == {"a": "running", "b": "completed", "c": "pending", "a[0]": "running"}
    finish(stage, "a[0]")
    assert statuses(stage) == {"a": "skipped", "b": "completed", "c": "pending", "a[0]": "completed"}
    assert stage.one().reason == "not needed: 'c' took 'b'"


def finish(stage: Stage, id_: str) -> None:
    """Have an attempt that is under way succeed."""
    attempt = stage.one(id_).attempt
    stage.say(ReportOutcome(task=id_, attempt=attempt, outcome=Completed(output=id_)))
    stage.say(ReportReview(task=id_, attempt=attempt, review=Review(accepted=True, reviewer="r")))


@pytest.mark.parametrize("wanted", [False, True])
def test_what_served_several_members_goes_with_the_last_of_them_unless_another_needs_it(wanted: bool) -> None:
    source = {"x": {"ref": "source.output"}}
    tasks = [
        Task(id="source", skill="work"),
        Task(id="a", skill="work", inputs=source),
        Task(id="b", skill="work", inputs={**source, "y": 1}),
        Task(id="quick", skill="work", inputs={"z": 1}),
        Task(id="c", skill="work", inputs={"w": 1}, join=Join(of=("a", "b", "quick"), take="first")),
    ]
    if wanted:
        tasks.append(Task(id="reader", skill="work", inputs={**source, "v": 1}))
    stage = Stage(*tasks, agents=[agent("a")])
    stage.succeed("quick")
    told = statuses(stage)
    assert (told["a"], told["b"], told["source"]) == ("skipped", "skipped", "pending" if wanted else "skipped")
    assert stage.one("c").ready


def test_a_member_that_only_served_another_is_left_out_once_with_it() -> None:
    served = Task(id="b", skill="toil", inputs={"x": {"ref": "a.output"}})
    join = Task(id="c", skill="work", inputs={"x": {"ref": "joined"}}, join=Join(of=("b", "a", "quick"), take="first"))
    stage = Stage(Task(id="a", skill="toil"), served, Task(id="quick", skill="work"), join, agents=team())
    stage.succeed("quick")
    assert statuses(stage) == {"a": "skipped", "b": "skipped", "quick": "completed", "c": "pending"}
    left_out = [event.task for event in stage.events if isinstance(event, TaskSkipped)]
    assert left_out == ["b", "a"], "each is told of once"


def test_nobody_is_left_out_while_the_plan_is_being_written_for_nobody_knows_who_will_be_needed() -> None:
    for needed, status in ((False, "skipped"), (True, "pending")):
        loop = Loop()
        read = [Task(id=id_, skill="read", inputs={"n": number}) for number, id_ in enumerate("ab")]
        join = Task(id="c", skill="read", inputs={"x": {"ref": "joined"}}, join=FIRST)
        loop.say(*(AddTask(revision=1, task=task) for task in (*read, join)))
        loop.do("a")
        assert statuses(loop) == {"a": "completed", "b": "pending", "c": "pending"}
        assert loop.state.tasks["c"].ready
        if needed:
            loop.say(AddTask(revision=1, task=Task(id="d", skill="read", inputs={"x": {"ref": "b.output"}})))
        loop.say(ClosePlan(revision=1))
        assert loop.state.tasks["b"].status.value == status


# ---- rounds


def repeated(**task: object) -> Stage:
    """Begin the first round of a repeated task that another one only waits for, and a third cannot do without."""
    stage = Stage(
        Task(id="a", skill="work", repeat=Repeat(max=3), **task),  # type: ignore[arg-type]
        Task(id="waits", skill="work", inputs={"y": 1}, after=("a",)),
        Task(id="needs", skill="work", inputs={"x": {"ref": "a.output"}}),
        agents=[agent("a")],
    )
    stage.say(Judged(task="a", attempt=1, agent="a", rounds=0))
    return stage


@pytest.mark.parametrize(("do", "status"), [("skip", TaskStatus.SKIPPED), ("fail", TaskStatus.FAILED)])
def test_a_round_that_is_left_out_leaves_out_the_whole_and_one_that_fails_fails_it(do: str, status: TaskStatus) -> None:
    stage = repeated(ladder={"refused": (Rung(do=do),)})  # type: ignore[arg-type]
    stage.succeed("a[0]")
    stage.fail(FailureClass.REFUSED, "a[1]")
    one = stage.one()
    assert (one.status, one.excused) == (status, do == "skip")
    assert "it broke" in one.reason
    assert stage.one("waits").ready == (do == "skip"), "what only waits for what was left out goes on"
    assert stage.one("needs").status is TaskStatus.SKIPPED
    assert not stage.one("needs").wanted


def test_without_a_condition_all_rounds_are_run_and_the_last_one_counts() -> None:
    stage = repeated()
    for number in range(3):
        stage.succeed(f"a[{number}]", output=number)
    assert stage.one().status is TaskStatus.COMPLETED
    assert "a[3]" not in stage.state.tasks
    assert stage.one("needs").ready
