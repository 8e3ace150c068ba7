"""What goes on in a run whose plan is changed: its books, its clocks, and what can be read of what is gone."""

from dataclasses import replace

import pytest

from stretto.core.commands import Cancel, ClarifyGoal, Deliver, EditPlan, Replan, RetryTask
from stretto.core.context import value_of
from stretto.core.decide.control import unready_for_change
from stretto.core.domain import (
    Budget,
    Catalogue,
    Cost,
    Delivery,
    ForEach,
    Json,
    Provider,
    Rung,
    SideEffect,
    Task,
    TaskStatus,
)
from stretto.core.effects import AskPerson, LookUp, RunTask, Wait
from stretto.core.events import RunForked
from stretto.core.evolve import evolve
from stretto.core.reconcile import of_task
from stretto.core.state import RunState
from tests.core.story import Story, agent, booker

AT_ONCE = {"*": (Rung(do="fail"),)}
TEAM = Catalogue(agents=(agent(),))


def plan_of(story: Story) -> tuple[Task, ...]:
    """Give the plan of a run as it is now."""
    return tuple(one.task for one in story.state.tasks.values() if one.parent is None and one.task.undoes is None)


def edited(story: Story, *tasks: Task) -> None:
    before = story.state.revision
    story.say(EditPlan(revision=before, tasks=tasks, actor="person:ann"))
    assert story.state.revision == before + 1


def retried(story: Story, id_: str, *, again: bool = False) -> None:
    before = story.state.revision
    story.say(RetryTask(revision=before, task=id_, again=again, actor="person:ann"))
    assert story.state.revision == before + 1


def books(state: RunState) -> dict[str, object]:
    """Give what a state counts of the work under way."""
    names = ("busy", "drawn", "abreast", "accounts", "timers")
    counted: dict[str, object] = {name: dict(getattr(state, name)) for name in names}
    return counted | {"under_way": state.under_way, "reserved": state.reserved, "steps": state.steps}


@pytest.mark.parametrize("by", ["retry", "edit"])
def test_what_is_under_way_keeps_its_places_reservations_and_clocks_while_the_plan_is_changed(by: str) -> None:
    team = Catalogue(
        agents=(agent(provider="cloud", cost=Cost(tokens=2)), agent("neighbour", "look")),
        providers={"cloud": Provider(concurrency=9)},
    )
    items: list[Json] = [1, 2, 3]
    story = Story(
        team,
        Task(id="lost", skill="work", ladder=AT_ONCE),
        Task(id="paid", skill="work", budget=Budget(tokens=9)),
        Task(id="many", skill="work", for_each=ForEach(items=items, parallel=2)),
        Task(id="near", skill="look"),
        Task(id="later", skill="work", wait=500.0),
        budget=Budget(tokens=99),
    )
    story.begin("lost")
    story.fail("lost")
    story.begin("paid", "near")
    story.judge("many", items=tuple(items))
    story.begin("many[0]")
    story.now += 3
    before = books(story.state)
    assert before["busy"] == {"worker": 2, "neighbour": 1}
    assert before["drawn"] == {"cloud": 2}
    assert before["abreast"] == {"many": 1}
    assert before["timers"] == {"wait/later": 1500.0}
    if by == "retry":
        retried(story, "lost")
    else:
        edited(story, *plan_of(story), Task(id="new", skill="work"))
    assert books(story.state) == before
    story.succeed("paid", "near", "many[0]")
    assert (story.state.under_way, story.state.reserved, story.state.abreast["many"]) == (0, Cost(), 0)
    story.fire("wait/later", 1500.0)
    assert story.one("later").ready


def test_a_task_that_was_changed_waits_anew_and_one_that_is_gone_no_more() -> None:
    waiting = [Task(id=id_, skill="work", inputs={"of": id_}, wait=500.0) for id_ in ("same", "other", "gone")]
    story = Story(TEAM, *waiting)
    story.now += 100
    edited(story, waiting[0], replace(waiting[1], inputs={"of": "another"}))
    assert {one.timer: one.until for one in story.due(Wait)} == {"wait/same": 1500.0, "wait/other": 1600.0}


def test_what_a_task_wrote_is_read_on_under_its_new_name_and_after_it_is_gone() -> None:
    story = Story(TEAM, Task(id="a", skill="work", inputs={"x": 1}, writes="notes"))
    story.do("a", output="first")
    notes = {"ref": "context.notes"}
    reader = Task(id="r", skill="work", inputs={"n": notes}, after=("b",))
    edited(story, Task(id="b", skill="work", inputs={"x": 1}, writes="notes"), reader)
    (entry,) = story.state.context["notes"]
    assert (entry.task, entry.frozen, value_of(story.state, notes)) == ("b", False, "first")
    edited(story, Task(id="b", skill="work", inputs={"x": 2}, writes="notes"), reader)
    (entry,) = story.state.context["notes"]
    assert (entry.frozen, entry.output, value_of(story.state, notes)) == (True, "first", "first")
    edited(story, *plan_of(story), Task(id="c", skill="work"))
    assert story.state.context["notes"] == (entry,)
    story.do("b", output="second")
    assert [one.version for one in story.state.context["notes"]] == [1, 2]
    assert value_of(story.state, notes) == "second"


def test_nobody_is_asked_any_more_what_a_goal_means_whose_plan_a_person_has_written() -> None:
    story = Story(TEAM, Task(id="a", skill="work"))
    story.say(Replan(revision=1, words="better", actor="person:ann"))
    story.say(ClarifyGoal(revision=story.state.revision, round=0, question="Which way?"))
    assert [story.state.requests[one.request].question for one in story.due(AskPerson)] == ["Which way?"]
    edited(story, Task(id="b", skill="work"))
    assert (story.state.unclear, dict(story.state.requests), story.due(AskPerson)) == (None, {}, [])


def test_who_is_asked_what_becomes_of_a_failure_has_all_of_the_time_anew_in_a_fork() -> None:
    ask = {"*": (Rung(do="ask", who="ann", within=60.0),)}
    story = Story(TEAM, Task(id="a", skill="work", ladder=ask), Task(id="b", skill="work"))
    story.begin("a")
    story.fail("a")
    assert story.one("a").answer_by == story.now + 60
    story.now += 50
    fork = evolve(story.state, RunForked(parent="run", fork_at=len(story.events), root="run", at=story.now))
    assert fork.tasks["a"].answer_by == story.now + 60
    assert fork.tasks["b"].answer_by is None


def test_an_action_that_a_cancelled_run_left_in_doubt_is_looked_up_before_it_is_done_once_more() -> None:
    post = agent(effect=SideEffect.IRREVERSIBLE, looks_up=True)
    story = Story(Catalogue(agents=(post,)), Task(id="a", skill="work"))
    story.begin("a")
    story.say(Cancel(actor="person:ann"))
    assert story.one("a").in_doubt
    retried(story, "a")
    assert story.due(LookUp) == [LookUp(task="a", attempt=1, agent="worker")]
    assert story.due(RunTask) == []


def test_a_pause_before_the_next_attempt_has_no_timer_while_the_run_is_being_cancelled() -> None:
    story = Story(TEAM, Task(id="a", skill="work"), Task(id="b", skill="work"))
    story.begin("a", "b")
    story.fail("a")
    assert [one.timer for one in story.due(Wait)] == ["retry/a"]
    story.say(Cancel(grace=60.0, actor="person:ann"))
    assert of_task(story.state, "a") is None
    assert [one.timer for one in story.due(Wait)] == ["cancel"]


# ---- after an undoing

TRIP = Catalogue(agents=(booker(), agent("payer", "pay", SideEffect.IRREVERSIBLE)))


def fallen_trip(*, undone: bool, hotel: Task | None = None) -> Story:
    """Give a trip whose payment failed, so that the hotel is taken back; if `undone`, this and the run are over."""
    hotel = hotel or Task(id="hotel", skill="book")
    story = Story(TRIP, hotel, Task(id="payment", skill="pay", after=("hotel",), ladder=AT_ONCE))
    if hotel.for_each is None:
        story.do("hotel")
    else:
        story.judge("hotel", items=(1,))
        story.do("hotel[0]")
    story.begin("payment")
    story.fail("payment")
    if undone:
        story.do(*story.state.undoing)
        story.say(Deliver(delivery=Delivery()))
        assert story.state.status.final
    return story


def test_what_was_undone_and_is_done_once_more_counts_as_done() -> None:
    story = fallen_trip(undone=True)
    assert story.state.completed == 0
    retried(story, "payment")
    assert (story.one("hotel").status, story.state.completed) == (TaskStatus.PENDING, 0)
    story.do("hotel", "payment")
    assert (story.state.completed, story.state.planned) == (2, 2)


def test_an_undoing_that_is_done_once_more_takes_nothing_away_twice() -> None:
    story = fallen_trip(undone=True)
    retried(story, "undo-hotel", again=True)
    story.do("undo-hotel")
    assert story.one("hotel").undone
    assert story.state.completed == 0


def test_an_undoing_of_an_item_that_is_gone_takes_nothing_away() -> None:
    story = fallen_trip(undone=True, hotel=Task(id="hotel", skill="book", for_each=ForEach(items=[1])))
    retried(story, "hotel", again=True)
    assert "hotel[0]" not in story.state.tasks
    retried(story, "undo-hotel[0]", again=True)
    story.do("undo-hotel[0]")
    assert (story.state.completed, story.state.planned) == (0, 2)


@pytest.mark.parametrize(
    "wish",
    [
        RetryTask(revision=1, task="payment"),
        EditPlan(revision=1, tasks=(Task(id="a", skill="pay"),)),
        Replan(revision=1),
    ],
)
def test_no_plan_is_changed_while_what_it_did_is_being_taken_back(wish: RetryTask | EditPlan | Replan) -> None:
    story = fallen_trip(undone=False)
    story.begin("undo-hotel")
    assert unready_for_change(story.state, 1) == "what it did is being taken back; wait until that has ended"
    assert story.say(wish) == []
