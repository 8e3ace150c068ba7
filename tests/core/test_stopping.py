"""What a stop ends, what it spares, and what it says of actions that were under way."""

import pytest

from stretto.core.commands import Cancel
from stretto.core.domain import (
    Catalogue,
    FailureClass,
    Limits,
    Rung,
    SideEffect,
    Task,
    TaskStatus,
    Unknown,
)
from stretto.core.effects import Judge
from stretto.core.events import RateUsed
from stretto.core.evolve import evolve
from tests.core.story import Story, agent, booker

AT_ONCE = {"*": (Rung(do="fail"),)}


def test_a_deadline_and_a_cancellation_with_undo_let_what_is_being_taken_back_go_on() -> None:
    team = Catalogue(agents=(booker(), agent("payer", "pay", SideEffect.IRREVERSIBLE)))
    story = Story(
        team,
        Task(id="flight", skill="book", inputs={"by": "air"}),
        Task(id="hotel", skill="book", after=("flight",)),
        Task(id="payment", skill="pay", after=("hotel",), ladder=AT_ONCE),
        deadline=2000.0,
    )
    story.do("flight", "hotel")
    story.begin("payment")
    story.fail("payment")
    story.begin("undo-hotel")
    story.fire("deadline", 2000.0)
    assert story.state.deadline_passed
    story.say(Cancel(undo=True, actor="person:ann"))
    assert story.one("undo-hotel").status is TaskStatus.RUNNING
    story.succeed("undo-hotel")
    story.do("undo-flight")
    assert all(story.one(id_).undone for id_ in ("flight", "hotel"))


def test_a_cancellation_without_undo_ends_what_is_being_taken_back_too() -> None:
    team = Catalogue(agents=(booker(), agent("payer", "pay", SideEffect.IRREVERSIBLE)))
    payment = Task(id="payment", skill="pay", after=("hotel",), ladder=AT_ONCE)
    story = Story(team, Task(id="hotel", skill="book"), payment)
    story.do("hotel")
    story.begin("payment")
    story.fail("payment")
    story.begin("undo-hotel")
    story.say(Cancel(actor="person:ann"))
    assert (story.one("undo-hotel").status, story.state.status.final) == (TaskStatus.CANCELLED, True)


@pytest.mark.parametrize(
    ("effect", "asked", "doubtful"),
    [
        (SideEffect.IRREVERSIBLE, True, True),
        (SideEffect.IRREVERSIBLE, False, True),
        (SideEffect.IDEMPOTENT, False, False),
    ],
)
def test_a_stopped_task_says_whether_its_action_may_have_happened(
    effect: SideEffect, asked: bool, doubtful: bool
) -> None:
    story = Story(
        Catalogue(agents=(agent(effect=effect),)),
        Task(id="a", skill="work"),
        Task(id="b", skill="work", inputs={"n": 2}),
    )
    story.begin("a")
    if asked:
        story.end("a", Unknown(message="the line went dead"))
        assert story.one("a").status is TaskStatus.UNKNOWN
    story.say(Cancel(actor="person:ann"))
    assert story.one("a").in_doubt is doubtful
    assert story.one("a").reason.endswith("whether it happened is in doubt") is doubtful
    assert (story.one("b").in_doubt, story.one("b").reason) == (False, "cancelled by person:ann")


def test_a_stand_in_that_could_do_harm_waits_for_the_whole_plan_and_falls_to_the_deadline_of_its_task() -> None:
    harmless = agent("reader", "reader.look", backups=("writer",))
    grave = agent("writer", "writer.look", SideEffect.IRREVERSIBLE)
    task = Task(id="a", skill="reader.look", limits=Limits(deadline=20.0), ladder={"*": (Rung(do="backup"),)})
    story = Story(Catalogue(agents=(harmless, grave)), task, closed=False)
    story.begin("a")
    story.fail("a")
    assert story.one("a").turn == "writer"
    story.fire("retry/a", story.now)
    assert (story.one("a").ready, story.state.held, story.due(Judge)) == (True, 1, [])
    story.fire("limit/a", 1020.0)
    assert (story.one("a").status, story.one("a").failure) == (TaskStatus.FAILED, FailureClass.TIMED_OUT)
    assert (story.state.held, dict(story.state.ready)) == (0, {})


def test_what_a_run_tells_others_of_its_attempts_changes_nothing_in_a_run() -> None:
    story = Story(Catalogue(agents=(agent(),)), Task(id="a", skill="work"))
    used = RateUsed(agent="worker", run="run", attempt="a/1", tokens=5, at=story.now)
    after = evolve(story.state, used)
    assert after.seq == story.state.seq + 1
    assert (after.windows, after.tasks, after.ready) == (story.state.windows, story.state.tasks, story.state.ready)
