"""A timeline tells when what ran, and how the time was used."""

import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stretto.cli.view.gantt import gantt, quantile
from stretto.cli.view.lines import plain_text, width_of
from stretto.core.chains import RETRY
from stretto.core.commands import (
    Cancel,
    ClarifyGoal,
    Continue,
    Deliver,
    EditPlan,
    FailPlan,
    Pause,
    Replan,
    RetryTask,
)
from stretto.core.domain import (
    Budget,
    Catalogue,
    FailureClass,
    ForEach,
    Plan,
    Repeat,
    Request,
    Rung,
    RunStatus,
    SideEffect,
    Task,
    TaskStatus,
    Verdict,
)
from stretto.core.events import (
    AttemptCompleted,
    AttemptFailed,
    AttemptStarted,
    Delivery,
    Event,
    NoticeTried,
    PersonAnswered,
    PersonAsked,
    PlanRevised,
    ReadStale,
    ResultRejected,
    RoundOpened,
    RunEnded,
    RunForked,
    RunSubmitted,
    TaskAdded,
    TaskCompleted,
)
from stretto.core.evolve import evolve
from stretto.core.spans import between, covered, most_at_once
from stretto.core.state import RunState
from stretto.core.timeline import timeline
from tests.core.story import ASK, Story, agent, booker
from tests.core.test_control import stirred
from tests.core.test_laws import EXAMPLES
from tests.core.world import World, catalogues, plans

ALLOW = Verdict(decision="allow", rule="test")


def submitted(*tasks: Task) -> list[Event]:
    first = RunSubmitted(run="r", goal="g", inputs={}, catalogue=Catalogue(), at=0.0)
    return [first, *(TaskAdded(task=task, at=0.0) for task in tasks)]


def attempt(task: str, begin: float, end: float, number: int = 1) -> list[Event]:
    return [
        AttemptStarted(
            task=task, attempt=number, agent="a", key=f"{task}{number}", arguments="", verdict=ALLOW, at=begin
        ),
        AttemptCompleted(task=task, attempt=number, at=end),
    ]


def ended(at: float) -> RunEnded:
    return RunEnded(status=RunStatus.FINISHED, delivery=Delivery(), at=at)


def in_order(*events: Event) -> list[Event]:
    return sorted(events, key=lambda event: event.at)


def test_what_overlaps_is_counted_as_side_by_side() -> None:
    first = submitted(Task(id="a", skill="s"), Task(id="b", skill="s"))
    line = timeline([*first, *in_order(*attempt("a", 0, 4), *attempt("b", 2, 6)), ended(6)])
    assert (line.most, line.busy, line.parallel) == (2, 6.0, pytest.approx(8 / 6))
    assert line.gaps == ()


def test_a_handoff_is_measured_from_the_last_result_to_the_start_of_the_next() -> None:
    first = submitted(Task(id="a", skill="s"), Task(id="b", skill="s"), Task(id="c", skill="s", after=("a", "b")))
    line = timeline([*first, *in_order(*attempt("a", 0, 1), *attempt("b", 0, 3)), *attempt("c", 3.5, 5), ended(5)])
    assert [(one.task, one.after, one.seconds) for one in line.handoffs] == [("c", "b", 0.5)]
    assert line.gaps == ((3, 3.5),)


def test_time_that_a_person_takes_is_neither_idle_nor_a_slow_handoff() -> None:
    request = Request(id="q", task="b", attempt=1, kind="approval", question="?")
    asked = [
        PersonAsked(request=request, at=1.0),
        PersonAnswered(request="q", task="b", decision="approve", by="p", at=61.0),
    ]
    first = submitted(Task(id="a", skill="s"), Task(id="b", skill="s", after=("a",)))
    line = timeline([*first, *attempt("a", 0, 1), *asked, *attempt("b", 61.25, 62), ended(62)])
    assert [(one.after, one.seconds) for one in line.handoffs] == [("a person", 0.25)]
    assert line.idle == 0.25
    assert "waited for people 1:00 in all" in plain_text(gantt(line, 80))


def test_a_result_that_is_sent_back_is_a_failed_attempt_and_no_result() -> None:
    first = submitted(Task(id="a", skill="s"), Task(id="b", skill="s", after=("a",)))
    back = ResultRejected(task="a", attempt=1, reviewer="r", findings=("no",), at=1.0)
    line = timeline([*first, *attempt("a", 0, 1), back, *attempt("a", 2, 3, 2), *attempt("b", 3.5, 4), ended(4)])
    assert [one.ending for one in line.stretches] == ["failed", "done", "done"]
    assert line.handoffs[0].seconds == 0.5
    assert "×2" in plain_text(gantt(line, 80))


def test_what_still_goes_on_ends_now() -> None:
    first = submitted(Task(id="a", skill="s"))
    line = timeline([*first, *attempt("a", 1, 2)[:1]], now=9.0)
    assert (line.end, line.stretches[0].end, line.stretches[0].ending) == (9.0, 9.0, "open")
    failed = AttemptFailed(task="a", attempt=1, failure=FailureClass.ERROR, message="m", at=3.0)
    assert timeline([*first, *attempt("a", 1, 2)[:1], failed]).stretches[0].ending == "failed"


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_run_has_a_timeline_that_adds_up_and_fits(data: st.DataObject) -> None:
    world = World(data.draw)
    world.submit(data.draw(plans()), data.draw(catalogues), Budget(), None)
    for _ in range(data.draw(st.integers(0, 60))):
        if not world.under_way:
            break
        effect = data.draw(st.sampled_from(sorted(world.under_way.values(), key=lambda one: one.key)))
        for command in world.answers(effect):
            world.say(command)
    line = timeline(world.events)
    assert all(line.begin <= one.begin <= one.end <= line.end for one in line.stretches)
    assert line.busy + line.idle <= line.end - line.begin + 1e-6
    assert all(one.seconds >= 0 for one in line.handoffs)
    started = {event.task for event in world.events if isinstance(event, AttemptStarted)}
    assert {one.task for one in line.stretches if one.kind == "attempt"} == started
    for width in (30, 80):
        assert all(width_of(shown) <= width for shown in gantt(line, width))


def test_spans_know_what_they_cover_and_leave_free() -> None:
    spans = [(0.0, 2.0), (1.0, 3.0), (5.0, 6.0)]
    assert covered(spans) == 4.0
    assert between(spans, -1.0, 7.0) == [(-1.0, 0.0), (3.0, 5.0), (6.0, 7.0)]
    assert most_at_once(spans) == 2
    assert most_at_once([(0.0, 1.0), (1.0, 2.0)]) == 1


def test_a_quantile_is_a_value_that_occurred() -> None:
    assert quantile([1, 2, 3, 4], 0.5) == 2
    assert quantile([1, 2, 3, 4], 0.95) == 4
    assert quantile([7], 0.5) == 7


def test_completed_after_review_keeps_the_attempts_own_end() -> None:
    line = timeline(
        [*submitted(Task(id="a", skill="s")), *attempt("a", 0, 2), TaskCompleted(task="a", at=3.0), ended(3)]
    )
    assert line.stretches[0].end == 2


def test_a_later_round_is_handed_on_from_the_round_before() -> None:
    first = submitted(Task(id="a", skill="s"), Task(id="b", skill="s", after=("a",), repeat=Repeat(max=2)))
    rounds = [
        RoundOpened(task="b", round=0, at=1.5),
        *attempt("b[0]", 2, 3),
        RoundOpened(task="b", round=1, at=3.0),
        *attempt("b[1]", 3.25, 4),
    ]
    line = timeline([*first, *attempt("a", 0, 1), *rounds, ended(4)])
    assert [(one.task, one.after, one.seconds) for one in line.handoffs] == [("b[0]", "a", 1.0), ("b[1]", "b[0]", 0.25)]


def test_only_what_was_read_stale_and_done_again_is_no_result() -> None:
    first = submitted(Task(id="a", skill="s"), Task(id="b", skill="s"))
    for redone, ending in ((True, "failed"), (False, "done")):
        stale = ReadStale(task="a", attempt=1, entries={"k": (1, 2)}, redone=redone, at=2.0)
        line = timeline([*first, *in_order(*attempt("b", 0, 1.5), *attempt("a", 0, 1)), stale, ended(2)])
        assert {one.task: one.ending for one in line.stretches} == {"a": ending, "b": "done"}


def test_a_result_by_hand_that_is_sent_back_makes_no_attempt_of_a_persons_time() -> None:
    story = Story(Catalogue(agents=(agent(),)), Task(id="a", skill="work"))
    story.judge("a", verdict=ASK, arguments={})
    story.now += 60
    story.answer("done", "by hand")
    story.review("a", accepted=False)
    line = timeline(story.events)
    assert [(one.kind, one.ending) for one in line.stretches] == [("person", "done")]


def test_an_undoing_is_handed_on_from_the_one_before_it() -> None:
    payer = agent("payer", "pay", SideEffect.IRREVERSIBLE)
    payment = Task(id="payment", skill="pay", after=("hotel",), ladder={"*": (Rung(do="fail"),)})
    flight = Task(id="flight", skill="book", inputs={"by": "air"})
    story = Story(
        Catalogue(agents=(booker(), payer)), flight, Task(id="hotel", skill="book", after=("flight",)), payment
    )
    story.do("flight", "hotel")
    story.begin("payment")
    story.fail("payment")
    story.do("undo-hotel")
    story.now += 0.5
    story.do("undo-flight")
    last = timeline(story.events).handoffs[-1]
    assert (last.task, last.after, last.seconds) == ("undo-flight", "undo-hotel", 0.5)


def test_what_is_sent_after_the_end_makes_a_run_no_longer() -> None:
    sent = NoticeTried(notice="r/9", attempt=1, until=None, at=90.0)
    first = submitted(Task(id="a", skill="s"))
    assert timeline([*first, *attempt("a", 0, 2), ended(3), sent], now=99.0).end == 3.0


def test_a_run_that_goes_on_after_its_end_ends_with_the_last_of_it() -> None:
    story = Story(Catalogue(agents=(agent(),)), Task(id="a", skill="work"))
    story.do("a")
    story.say(Deliver(delivery=Delivery()))
    over = story.now
    story.now += 100
    story.say(RetryTask(revision=1, task="a", again=True))
    assert timeline(story.events).end == over + 100
    assert timeline(story.events, now=over + 101).end == over + 101
    story.begin("a")
    story.now += 5
    story.succeed("a")
    story.say(Deliver(delivery=Delivery()))
    line = timeline(story.events, now=9999.0)
    assert (line.end, line.busy, line.idle) == (over + 105, 5.0, 100.0)


WORKERS = Catalogue(agents=(agent(),))


def spans(story: Story) -> dict[str, tuple[float, float, str]]:
    """Give the last stretch of each task: from when to when after the beginning of the run, and how it ended."""
    line = timeline(story.events)
    return {one.task: (one.begin - line.begin, one.end - line.begin, one.ending) for one in line.stretches}


def waits(story: Story) -> list[tuple[str, float, str]]:
    """Give for whom a task waited: the task, how long, and how it ended."""
    line = timeline(story.events)
    return [(one.task, one.end - one.begin, one.ending) for one in line.stretches if one.kind == "person"]


def test_a_run_that_is_planned_anew_after_its_end_goes_on() -> None:
    story = Story(WORKERS, Task(id="a", skill="work"))
    story.do("a")
    story.say(Deliver(delivery=Delivery()))
    story.now += 100
    story.say(Replan(revision=1, actor="person:ann"))
    assert (timeline(story.events).end, timeline(story.events, now=1150.0).end) == (1100.0, 1150.0)


def test_what_an_edit_withdraws_has_ended_and_what_stays_goes_on_under_its_new_name() -> None:
    a, b, many = (Task(id=id_, skill="work", inputs={"of": id_}) for id_ in ("a", "b", "many"))
    many = dataclasses.replace(many, for_each=ForEach(items=[1]))
    last = Task(id="last", skill="work", after=("renamed",))
    story = Story(WORKERS, a, b, many)
    story.judge("many", items=(1,))
    story.begin("a", "many[0]")
    story.do("b")
    story.now += 5
    new = Task(id="new", skill="work", inputs={"of": "new"})
    kept = dataclasses.replace(b, id="renamed")
    story.say(EditPlan(revision=1, tasks=(kept, many, new, last), actor="person:ann"))
    story.now += 2
    story.begin("new", "last")
    story.now += 20
    story.succeed("many[0]")
    seen = spans(story)
    assert seen["a"] == (0.0, 5.0, "failed")
    assert seen["many[0]"] == (0.0, 27.0, "done")
    handed = [(one.task, one.after, one.seconds) for one in timeline(story.events).handoffs]
    assert handed == [("new", "a new plan", 2.0), ("last", "a new plan", 2.0)]


def test_a_task_under_way_that_a_new_plan_renames_has_one_stretch() -> None:
    story = Story(WORKERS, Task(id="a", skill="work"))
    story.begin("a")
    renamed = PlanRevised(
        revision=2, by="ann", tasks=(Task(id="b", skill="work"),), carried={"b": "a"}, at=story.now + 1
    )
    done = AttemptCompleted(task="b", attempt=1, at=story.now + 3)
    (one,) = timeline([*story.events, renamed, done]).stretches
    assert (one.task, one.end - one.begin, one.ending) == ("b", 3.0, "done")


def test_a_task_that_is_done_once_more_is_handed_on_from_the_persons_word() -> None:
    story = Story(WORKERS, Task(id="a", skill="work"), Task(id="b", skill="work", after=("a",)))
    story.do("a")
    story.judge("b", skip="not wanted")
    story.now += 60
    story.say(RetryTask(revision=1, task="b"))
    story.now += 1
    story.begin("b")
    assert [(one.task, one.after, one.seconds) for one in timeline(story.events).handoffs] == [("b", "a person", 1.0)]


def test_what_is_opened_while_it_is_under_way_is_withdrawn() -> None:
    after, beside = Task(id="b", skill="work", after=("a",)), Task(id="c", skill="work", inputs={"n": 1})
    story = Story(WORKERS, Task(id="a", skill="work"), after, beside)
    story.do("a")
    story.begin("b", "c")
    story.now += 5
    story.say(RetryTask(revision=1, task="a", again=True))
    story.now += 5
    assert spans(story)["b"] == (0.0, 5.0, "failed")
    assert spans(story)["c"][2] == "open"


def test_a_cancellation_ends_what_was_under_way_and_spares_what_is_being_taken_back() -> None:
    other = Task(id="other", skill="book", inputs={"n": 2})
    story = Story(Catalogue(agents=(booker(),)), Task(id="hotel", skill="book"), other, deadline=1010.0)
    story.do("hotel")
    story.begin("other")
    story.now += 5
    story.say(Cancel(undo=True, actor="person:ann"))
    story.begin("undo-hotel")
    story.fire("deadline", 1010.0)
    assert spans(story)["undo-hotel"] == (5.0, 10.0, "open")
    story.now += 10
    story.say(Cancel(actor="person:ann"))
    assert spans(story) == {
        "hotel": (0.0, 0.0, "done"),
        "other": (0.0, 5.0, "failed"),
        "undo-hotel": (5.0, 20.0, "failed"),
    }


def test_nobody_is_waited_for_any_more_when_the_time_for_an_answer_is_over() -> None:
    ask = {"*": (Rung(do="ask", who="ann", within=60.0), Rung(do="retry", pause=50.0))}
    story = Story(WORKERS, Task(id="a", skill="work", ladder=ask), Task(id="b", skill="work", inputs={"n": 1}))
    story.begin("a")
    story.fail("a")
    story.fire("failure/a", 1060.0)
    story.now += 40
    story.begin("b")
    assert waits(story) == [("a", 60.0, "failed")]


def test_nobody_is_waited_for_any_more_once_the_run_goes_on_in_another_way() -> None:
    tasks = tuple(Task(id=id_, skill="work", inputs={"of": id_}, ladder={"*": (Rung(do="fail"),)}) for id_ in "ab")
    story = Story(WORKERS, *tasks, plan=Plan(tasks=tasks))
    story.begin("a", "b")
    story.fail("b")
    story.fail("a", FailureClass.UNAVAILABLE)
    assert waits(story) == [("a", 0.0, "open")]
    story.now += 5
    story.say(RetryTask(revision=1, task="b"))
    story.now += 5
    story.begin("b")
    assert waits(story) == [("a", 5.0, "failed")]


def test_who_was_asked_anew_is_waited_for_while_the_plan_is_changed() -> None:
    task = Task(id="a", skill="work", ladder={"*": (Rung(do="fail"),)})
    story = Story(WORKERS, task, plan=Plan(tasks=(task,)))
    story.begin("a")
    story.fail("a", FailureClass.UNAVAILABLE)
    story.answer("answer", RETRY)
    story.judge("a", verdict=ASK, arguments={})
    story.say(EditPlan(revision=2, tasks=(task, Task(id="b", skill="work", inputs={"n": 1}))))
    story.now += 5
    story.begin("b")
    assert waits(story) == [("a", 0.0, "done"), ("a", 5.0, "open")]


def test_nobody_is_waited_for_any_more_when_there_is_no_new_plan_to_ask_about() -> None:
    story = Story(WORKERS, Task(id="a", skill="work"))
    story.say(Replan(revision=1, words="better", actor="person:ann"))
    story.say(ClarifyGoal(revision=2, round=0, question="Which way?"))
    story.now += 5
    story.say(FailPlan(revision=2, reason="there is no other way"))
    story.now += 5
    story.begin("a")
    assert waits(story) == [("", 5.0, "failed")]


@EXAMPLES
@given(st.data())
def test_what_is_open_in_a_timeline_is_what_is_under_way_whatever_people_want(data: st.DataObject) -> None:
    world, state = stirred(data), RunState()
    for number, event in enumerate(world.events, 1):
        state = evolve(state, event)
        if number % 3 and number < len(world.events):
            continue
        line = timeline(world.events[:number])
        still: dict[str, list[str]] = {"attempt": [], "person": []}
        for one in line.stretches:
            assert line.begin <= one.begin <= one.end <= line.end
            if one.ending == "open":
                still[one.kind].append(one.task)
        running = [id_ for id_, one in state.tasks.items() if one.status is TaskStatus.RUNNING and one.children is None]
        assert sorted(still["attempt"]) == sorted(running)
        assert sorted(still["person"]) == sorted(request.task for request in state.requests.values())


def test_what_was_held_back_by_a_pause_or_stood_in_a_fork_is_handed_on_from_there() -> None:
    tasks = Task(id="a", skill="work"), Task(id="b", skill="work", after=("a",)), Task(id="c", skill="work")
    story = Story(Catalogue(agents=(agent(),)), *tasks)
    story.begin("a")
    story.say(Pause(actor="person:ann"))
    story.succeed("a")
    story.now += 100
    story.say(Continue(actor="person:ann"))
    before = list(story.events)
    story.now += 1
    story.do("b", "c")
    assert [(one.task, one.after, one.seconds) for one in timeline(story.events).handoffs] == [("b", "a pause", 1.0)]
    fork = RunForked(parent="run", fork_at=len(before), root="run", at=story.now - 0.25)
    line = timeline([*before, fork, *story.events[len(before) :]])
    assert [(one.task, one.after, one.seconds) for one in line.handoffs] == [("b", "the fork", 0.25)]
