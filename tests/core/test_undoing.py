"""The laws of undoing, over random plans, outsides and crashes."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.codec import Codec
from stretto.core.commands import (
    AddTask,
    Cancel,
    ClosePlan,
    EditPlan,
    Judged,
    Recover,
    Replan,
    RetryTask,
    SubmitGoal,
)
from stretto.core.context import action_key
from stretto.core.decide import step
from stretto.core.domain import (
    AgentCard,
    Budget,
    Catalogue,
    FailureClass,
    ForEach,
    Plan,
    RunStatus,
    SideEffect,
    Skill,
    Task,
    TaskStatus,
    Undo,
)
from stretto.core.effects import RunTask
from stretto.core.events import (
    AttemptStarted,
    CompensationPlanned,
    DeadlinePassed,
    Event,
    LimitsChanged,
    ResultReused,
    RunCancelled,
    RunForked,
    TaskAdded,
    TaskCompleted,
)
from stretto.core.evolve import evolve
from stretto.core.forking import later_deeds
from stretto.core.plan.references import Need
from stretto.core.reconcile import judgements
from stretto.core.state import RunState, gaps
from stretto.core.undoing import undo_of
from tests.core.test_ladders import ALLOW, Stage
from tests.core.test_laws import EXAMPLES, driven
from tests.core.world import World, catalogues


@st.composite
def trips(draw: st.DrawFn) -> Plan:
    """Draw a plan of bookings, most of which can be taken back, on one another and at last a payment."""
    tasks: list[Task] = []
    for number in range(draw(st.integers(1, 6))):
        after = draw(st.lists(st.sampled_from([one.id for one in tasks]), unique=True, max_size=2)) if tasks else []
        many = draw(st.sampled_from([None, None, None, [1], [1, 1, 2]]))
        tasks.append(
            Task(
                id=f"b{number}",
                skill=f"do_{draw(st.sampled_from(['reversible', 'reversible', 'none']))}",
                inputs={"a": number},
                after=tuple(after),
                for_each=None if many is None else ForEach(items=many, allow_failures=draw(st.booleans())),
                occurrence=number,
            )
        )
    needed = draw(st.lists(st.sampled_from([one.id for one in tasks]), unique=True, min_size=1))
    pay = Task(id="pay", skill="do_irreversible", inputs={"for": [{"ref": f"{name}.output"} for name in needed]})
    return Plan(tasks=(*tasks, pay))


def travelling(data: st.DataObject) -> World:
    """Begin a trip on which most goes well."""
    world = World(data.draw, steady=True)
    budget = Budget(steps=data.draw(st.sampled_from([None, None, 4, 20])))
    world.submit(data.draw(trips()), data.draw(catalogues), budget, data.draw(st.sampled_from([None, None, 5.0])))
    return world


LOST = (TaskStatus.FAILED, TaskStatus.CANCELLED, TaskStatus.SKIPPED)


def can_be_undone(state: RunState, id_: str) -> bool:
    one = state.tasks[id_]
    done = one.status is TaskStatus.COMPLETED and one.children is None and one.task.undoes is None
    return done and one.agent is not None and undo_of(state.roster, one.task, one.agent) is not None


def built_on(state: RunState, id_: str) -> set[str]:
    """Give everything that is built on a task, the slow way round."""
    reached = {id_}
    while True:
        more = {
            other
            for other, one in state.tasks.items()
            if one.task.undoes is None
            and other not in reached
            and (
                any(need >= Need.ORDER and name in reached for name, need in one.needs.items())
                or any(f"{other}[{number}]" in reached for number in range(one.children or 0))
            )
        }
        if not more:
            return reached - {id_}
        reached |= more


@EXAMPLES
@given(st.data())
def test_what_something_lost_was_built_on_is_undone_and_nothing_else(data: st.DataObject) -> None:
    world = travelling(data)
    driven(world, most=600)
    state = world.state
    for id_ in [id_ for id_ in state.tasks if can_be_undone(state, id_)]:
        later = (state.tasks[name] for name in built_on(state, id_))
        lost = (one for one in later if one.status in LOST and one.parent is None)
        fell = any(not (one.wanted or one.excused) for one in lost)
        assert (state.tasks[id_].undo is not None) == fell


@EXAMPLES
@given(st.data())
def test_undoing_begins_last_and_goes_back_one_by_one(data: st.DataObject) -> None:
    world = travelling(data)
    driven(world, most=600)
    state, ended = RunState(), list[str]()
    for event in world.events:
        if isinstance(event, TaskCompleted):
            ended.append(event.task)
        if isinstance(event, CompensationPlanned):
            assert state.open_tasks == len(state.undoing)
            assert state.tasks[event.task].undo is None, "it is taken back once"
        if isinstance(event, AttemptStarted) and state.tasks[event.task].task.undoes is not None:
            assert not state.under_way
        state = evolve(state, event)
    undone = [str(state.tasks[id_].task.undoes) for id_ in ended if state.tasks[id_].task.undoes is not None]
    assert undone == sorted(undone, key=ended.index, reverse=True)
    assert all(state.tasks[id_].undone for id_ in undone)


@EXAMPLES
@given(st.data())
def test_the_gaps_name_what_was_undone_and_urgently_what_could_not_be(data: st.DataObject) -> None:
    world = travelling(data)
    driven(world, most=600)
    told = {gap.task: gap for gap in gaps(world.state)}
    for id_, one in world.state.tasks.items():
        if one.undone:
            assert told[id_].why == f"undone because {one.because}"
        if one.task.undoes is not None and one.status is TaskStatus.FAILED:
            assert told[id_].urgent
    assert sum(one.completed for one in [world.state]) == sum(
        one.status is TaskStatus.COMPLETED and not one.undone and one.task.undoes is None
        for one in world.state.tasks.values()
    )


@EXAMPLES
@given(st.data())
def test_cancelling_with_undo_takes_back_all_that_can_be(data: st.DataObject) -> None:
    world = travelling(data)
    for _ in range(data.draw(st.integers(0, 40))):
        if not world.under_way:
            break
        effect = data.draw(st.sampled_from(sorted(world.under_way.values(), key=lambda one: one.key)))
        for command in world.answers(effect):
            world.say(command)
    if world.state.status.final:
        return
    done = [id_ for id_ in world.state.tasks if can_be_undone(world.state, id_)]
    world.say(Cancel(actor="person:p", undo=True))
    assert all(world.state.tasks[id_].undo is not None for id_ in done)
    assert not [one for one in world.under_way.values() if isinstance(one, RunTask) and one.task in done]
    said = len(world.events)
    world.say(Cancel(actor="person:p", undo=True))
    assert len(world.events) == said, "asked twice is asked once"
    driven(world, most=600)
    assert world.state.status is RunStatus.CANCELLED
    for id_ in done:
        undo = world.state.tasks[str(world.state.tasks[id_].undo)]
        assert world.state.tasks[id_].undone == (undo.status is TaskStatus.COMPLETED)


@EXAMPLES
@given(st.data())
def test_an_undoing_outlives_deadlines_step_budgets_and_crashes(data: st.DataObject) -> None:
    world = travelling(data)
    driven(world, most=600)
    state = RunState()
    for event in world.events:
        if isinstance(event, AttemptStarted) and state.tasks[event.task].task.undoes is not None:
            assert evolve(state, event).steps == state.steps
        state = evolve(state, event)
    for one in state.tasks.values():
        if one.task.undoes is not None and state.cancelled is None:
            assert one.status in (TaskStatus.COMPLETED, TaskStatus.FAILED)
            if one.status is TaskStatus.FAILED:  # only a person gives an undoing up, or nothing could do it
                assert "given up by" in one.reason or "what it needs is not there" in one.reason
    again = reduce(evolve, world.events, RunState())
    assert again.undoing == state.undoing
    world.say(Recover())
    assert world.state.status.final


def test_what_cannot_be_taken_back_for_want_of_its_arguments_fails_urgently_and_the_rest_is_taken_back() -> None:
    book = Skill(name="book", effect=SideEffect.REVERSIBLE, undo="unbook")
    card = AgentCard(name="agency", skills=(book, Skill(name="unbook", effect=SideEffect.IDEMPOTENT)))
    named = Undo(inputs={"id": {"ref": "flight.output.id"}})
    stage = Stage(
        Task(id="hotel", skill="book", occurrence=1),
        Task(id="flight", skill="book", occurrence=2, undo=named, after=("hotel",)),
        Task(id="pay", skill="book", occurrence=3, after=("flight",)),
        agents=[card],
    )
    stage.succeed("hotel", output={"id": 7})
    stage.succeed("flight", output={"number": 8})
    stage.fail(FailureClass.REFUSED, "pay")
    lost = stage.one("undo-flight")
    assert (lost.status, lost.failure) == (TaskStatus.FAILED, FailureClass.REFUSED)
    assert lost.reason == "what it needs is not there: task 'flight': there is no 'id' in dict"
    stage.succeed("undo-hotel")
    assert (stage.one("hotel").undone, stage.one("flight").undone) == (True, False)
    assert [gap.task for gap in gaps(stage.state) if gap.urgent] == ["undo-flight"]


@pytest.mark.parametrize(
    ("failure", "effect", "asked"),
    [
        (FailureClass.TRANSIENT, SideEffect.IRREVERSIBLE, False),
        (FailureClass.ERROR, SideEffect.IDEMPOTENT, False),
        (FailureClass.INVALID_OUTPUT, SideEffect.IDEMPOTENT, False),
        (FailureClass.ERROR, SideEffect.IRREVERSIBLE, True),
    ],
)
def test_an_undoing_that_failed_is_tried_again_unless_that_could_do_harm_and_a_person_is_asked(
    failure: FailureClass, effect: SideEffect, asked: bool
) -> None:
    book = Skill(name="book", effect=SideEffect.REVERSIBLE, undo="unbook")
    stage = Stage(
        Task(id="hotel", skill="book"),
        Task(id="pay", skill="book", occurrence=1, after=("hotel",)),
        agents=[AgentCard(name="agency", skills=(book, Skill(name="unbook", effect=effect)))],
    )
    stage.succeed("hotel")
    stage.fail(FailureClass.REFUSED, "pay")
    stage.fail(failure, "undo-hotel")
    one = stage.one("undo-hotel")
    assert (one.request is not None, one.retry_at is not None) == (asked, not asked)
    assert one.feedback == (("it broke",) if failure is FailureClass.INVALID_OUTPUT else ())
    if asked:
        (request,) = stage.state.requests.values()
        assert request.question == "'hotel' could not be undone: it broke; see to it, then answer done, retry or fail"


BOOK = Skill(name="book", effect=SideEffect.REVERSIBLE, undo="unbook")
AGENCY = AgentCard(name="agency", skills=(BOOK, Skill(name="unbook", effect=SideEffect.IDEMPOTENT)))
HOTEL = Task(id="hotel", skill="book")
PAY = Task(id="pay", skill="book", occurrence=1, after=("hotel",))


def undone() -> Stage:
    """Drive a trip whose payment failed, and whose hotel was therefore taken back."""
    stage = Stage(HOTEL, PAY, agents=[AGENCY])
    stage.succeed("hotel")
    stage.fail(FailureClass.REFUSED, "pay")
    stage.succeed("undo-hotel")
    assert stage.one("hotel").undone
    return stage


def retried(stage: Stage) -> None:
    stage.say(RetryTask(revision=1, task="pay"))


def edited(stage: Stage) -> None:
    stage.say(EditPlan(revision=1, tasks=(HOTEL, replace(PAY, objective="pay"))))


def renamed(stage: Stage) -> None:
    stage.say(EditPlan(revision=1, tasks=(replace(HOTEL, id="inn"), replace(PAY, after=("inn",)))))


def replanned(stage: Stage) -> None:
    stage.say(Replan(revision=1))
    stage.say(AddTask(revision=2, task=HOTEL))
    stage.say(AddTask(revision=2, task=PAY))
    stage.say(ClosePlan(revision=2))


@pytest.mark.parametrize("changed", [retried, edited, renamed, replanned])
def test_what_was_taken_back_is_done_again_under_another_key_and_taken_back_again(
    changed: Callable[[Stage], None],
) -> None:
    stage = undone()
    keys = [stage.one(id_).key for id_ in ("hotel", "undo-hotel")]
    changed(stage)
    hotel = "inn" if "inn" in stage.state.tasks else "hotel"
    stage.succeed(hotel)
    stage.fail(FailureClass.REFUSED, "pay")
    undo = str(stage.one(hotel).undo)
    stage.succeed(undo)
    keys += [stage.one(id_).key for id_ in (hotel, undo)]
    assert len(set(keys)) == 4
    assert stage.one(hotel).undone


def test_what_was_done_and_stands_is_not_done_again_after_an_edit() -> None:
    stage = Stage(HOTEL, PAY, agents=[AGENCY])
    stage.succeed("hotel")
    stage.say(EditPlan(revision=1, tasks=(replace(HOTEL, inputs={"stars": 4}), PAY)))
    stage.say(EditPlan(revision=2, tasks=(HOTEL, PAY)))
    (found,) = judgements(stage.state)
    said = stage.say(Judged(task="hotel", attempt=found.attempt, agent="agency", verdict=ALLOW, arguments={}))
    assert [type(one) for one in said] == [ResultReused, TaskCompleted]


def test_a_fork_does_anew_what_its_parent_did_and_took_back() -> None:
    parent = undone()
    begun = next(number for number, event in enumerate(parent.events) if isinstance(event, AttemptStarted))
    before = reduce(evolve, parent.events[:begun], RunState())
    deeds = later_deeds(before, parent.events[begun:])
    keys = [parent.one(id_).key for id_ in ("hotel", "undo-hotel")]
    assert (list(deeds.kept), deeds.begun, deeds.undone) == ([keys[1]], (), (keys[0],))
    fork = RunForked(
        at=parent.now, parent="run", fork_at=begun, root="run", kept=deeds.kept, begun=deeds.begun, undone=deeds.undone
    )
    child = undone()
    child.state = evolve(before, fork)
    child.succeed("hotel")
    child.fail(FailureClass.REFUSED, "pay")
    child.succeed("undo-hotel")
    assert not {child.one(id_).key for id_ in ("hotel", "undo-hotel")} & set(keys)


def test_a_run_that_descends_from_one_that_took_back_an_action_does_it_under_another_key() -> None:
    key = str(undone().one("hotel").key)
    catalogue = Catalogue(agents=(AGENCY,))
    submitted = SubmitGoal(run="team", goal="go", catalogue=catalogue, lineage=("run",), undone=(key,))
    state = RunState()
    for command in (submitted, AddTask(revision=1, task=HOTEL), ClosePlan(revision=1)):
        _, state = step(state, command)
    assert action_key(state, state.tasks["hotel"], {}) != key
    other = reduce(evolve, step(RunState(), replace(submitted, undone=()))[0], RunState())
    assert action_key(other, state.tasks["hotel"], {}) == key


def test_what_was_written_before_there_was_undoing_can_be_read() -> None:
    def read(kind: str, payload: bytes) -> Event:
        return Codec().decode(kind, 1, payload, 1.0, lambda mark, shared: b"")

    assert read("RunCancelled", b'{"by":"ann","reason":""}') == RunCancelled(at=1.0, by="ann")
    assert read("DeadlinePassed", b'{"deadline":2.0}') == DeadlinePassed(at=1.0, deadline=2.0)
    assert read("LimitsChanged", b'{"budget":{"money":"2","tokens":null,"steps":3},"deadline":null}') == LimitsChanged(
        at=1.0, budget=Budget(money=Decimal(2), steps=3)
    )
    added = read("TaskAdded", b'{"task":{"id":"a","skill":"s","inputs":{"x":1}}}')
    assert added == TaskAdded(at=1.0, task=Task(id="a", skill="s", inputs={"x": 1}))
