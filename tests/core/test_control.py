"""The laws of a person's hand on a run, over random plans, outsides and meddling: cancel, retry, edit, replan, fork."""

from collections import Counter
from dataclasses import replace
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from stretto.core.commands import Cancel, EditPlan, Recover, Replan, RetryTask
from stretto.core.decide import decide
from stretto.core.decide.control import at_work
from stretto.core.domain import RunStatus, SideEffect, TaskStatus
from stretto.core.events import (
    AttemptStarted,
    Event,
    ResultReused,
    RunForked,
    RunSubmitted,
    TaskCompleted,
)
from stretto.core.evolve import evolve
from stretto.core.forking import later_deeds
from stretto.core.plan.references import Need
from stretto.core.state import RunState, bits_of, head_of
from tests.core.test_laws import EXAMPLES, begun, driven
from tests.core.world import World, due, edited, plain, planned, still_finished, through_json


def stirred(data: st.DataObject, most: int = 120) -> World:
    """Drive a run whose people meddle often."""
    world = begun(data)
    for _ in range(most):
        if world.state.status.final and data.draw(st.booleans()):
            return world
        if data.draw(st.integers(0, 7)) == 0:
            world.say(world.wishing() if data.draw(st.booleans()) else world.meddling())
        elif world.under_way:
            effect = data.draw(st.sampled_from(sorted(world.under_way.values(), key=lambda one: one.key)))
            for command in world.answers(effect):
                world.say(command)
        elif not world.state.status.final:
            return world
    return world


def sound(state: RunState) -> None:
    """Hold the books of a state against its tasks."""
    tasks = list(state.tasks.values())
    running = [one for one in tasks if one.status.value == "running" and one.agent is not None and one.children is None]
    assert state.under_way == len(running)
    assert sum(state.busy.values()) == len(running)
    assert state.open_tasks == sum(not one.status.final for one in tasks)
    assert state.completed == sum(one.status is TaskStatus.COMPLETED for one in tasks)
    ready = {state.ids[bit] for bit in bits_of(state.held)}
    for queue, bits in state.ready.items():
        ready |= {head_of(state, queue, 1 << bit)[1] for bit in bits_of(bits)}
    assert ready == {state.ids[one.position] for one in tasks if one.ready}
    asked = {one.request for one in tasks if one.request} | ({state.unclear, state.offered} - {None})
    assert asked == set(state.requests)
    own = [state.calls[name].reserved for name in state.calling]
    assert state.reserved == sum([*(one.reserved for one in tasks), *own], type(state.reserved)())
    for one in tasks:
        if one.parent is None:
            held_by = [name for name, need in one.needs.items() if need is not Need.MEMBER]
            waits = [name for name in held_by if name not in state.tasks or not state.tasks[name].status.final]
            unmet = one.joining is not None and not one.joining.met
            assert one.blockers == len(waits) + unmet or one.status is not TaskStatus.PENDING
        if one.children is not None:
            items = [state.tasks[f"{one.task.id}[{n}]"] for n in range(one.children)]
            assert one.children_open == sum(not item.status.final for item in items)


@EXAMPLES
@given(st.data())
def test_the_books_hold_and_work_under_way_is_what_the_state_calls_for_whatever_people_want(
    data: st.DataObject,
) -> None:
    world = begun(data)
    for _ in range(100):
        sound(world.state)
        assert world.under_way.keys() == due(world.state).keys()  # one key, one work
        if data.draw(st.integers(0, 6)) == 0:
            world.say(world.wishing() if data.draw(st.booleans()) else world.meddling())
        elif world.under_way:
            effect = data.draw(st.sampled_from(sorted(world.under_way.values(), key=lambda one: one.key)))
            for command in world.answers(effect):
                world.say(command)
                assert world.under_way.keys() == due(world.state).keys()  # one key, one work
        else:
            break


@EXAMPLES
@given(st.data())
def test_a_run_that_people_meddled_with_ends_or_waits_for_something_named(data: st.DataObject) -> None:
    world = stirred(data)
    driven(world, most=600, meddle=False)
    assert world.state.status.final
    assert world.state.delivery is not None
    assert not due(world.state)


@EXAMPLES
@given(st.data())
def test_what_people_want_is_replayed_exactly_also_through_json(data: st.DataObject) -> None:
    world = stirred(data)
    read = through_json(world.events)
    assert read == world.events
    assert plain(reduce(evolve, read, RunState())) == plain(world.state)


@EXAMPLES
@given(st.data())
def test_a_wish_said_twice_is_granted_once(data: st.DataObject) -> None:
    world = stirred(data)
    state = world.state
    plan = data.draw(edited(planned(state))) if state.tasks else planned(state)
    ids = sorted(state.tasks) or ["t0"]
    wishes = [
        RetryTask(revision=state.revision, task=data.draw(st.sampled_from(ids)), again=data.draw(st.booleans())),
        EditPlan(revision=state.revision, tasks=plan.tasks, deliver=plan.deliver),
        Replan(revision=state.revision),
        Cancel(grace=5.0),
    ]
    for wish in wishes:
        told = replace(wish, at=world.now)
        events = decide(state, told)
        assert decide(reduce(evolve, events, state), told) == [] or not events


@EXAMPLES
@given(st.data())
def test_only_what_a_person_opened_or_a_new_plan_changed_runs_again_and_no_attempt_number_twice(
    data: st.DataObject,
) -> None:
    world = stirred(data)
    finished: set[str] = set()
    started: set[tuple[str, int]] = set()
    for event in world.events:
        finished = still_finished(finished, event)
        match event:
            case AttemptStarted():
                assert event.task not in finished
                assert (event.task, event.attempt) not in started
                started.add((event.task, event.attempt))
            case TaskCompleted():
                finished.add(event.task)
            case _:
                pass


@EXAMPLES
@given(st.data())
def test_a_declared_action_that_was_completed_never_happens_again_under_its_key(data: st.DataObject) -> None:
    world = stirred(data)
    done: Counter[str] = Counter()
    state = RunState()
    for event in world.events:
        if isinstance(event, AttemptStarted):
            effect = state.roster.effect(state.tasks[event.task].task, event.agent)
            if effect not in (SideEffect.NONE, SideEffect.UNDECLARED):
                assert not done[event.key], event.key
        if isinstance(event, TaskCompleted) and (key := state.tasks[event.task].key) is not None:
            done[key] += 1
        state = evolve(state, event)


@EXAMPLES
@given(st.data())
def test_a_cancelled_run_begins_no_attempt_keeps_results_and_ends_with_its_grace(data: st.DataObject) -> None:
    world = begun(data)
    for _ in range(data.draw(st.integers(0, 30))):
        if not world.under_way:
            break
        effect = data.draw(st.sampled_from(sorted(world.under_way.values(), key=lambda one: one.key)))
        for command in world.answers(effect):
            world.say(command)
    if world.state.status.final:
        return
    steps, done = world.state.steps, world.state.completed
    busy = at_work(world.state)
    world.say(Cancel(actor="person:p", grace=10.0))
    assert world.state.status.final is not busy
    driven(world, meddle=False)
    assert world.state.status is RunStatus.CANCELLED
    assert world.state.steps == steps
    assert world.state.completed >= done
    told = {gap.task: gap.why for gap in world.state.delivery.gaps} if world.state.delivery else {}
    for id_, one in world.state.tasks.items():
        assert one.status.final
        if one.in_doubt and one.status is TaskStatus.CANCELLED:
            assert "in doubt" in told[id_]


@EXAMPLES
@given(st.data())
def test_a_fork_meets_the_keys_of_its_root_and_does_none_of_its_actions_again(data: st.DataObject) -> None:
    parent = begun(data)
    driven(parent, meddle=False)
    at = data.draw(st.integers(1, len(parent.events)))
    while at < len(parent.events) and parent.events[at].at == parent.events[at - 1].at:
        at += 1
    prefix: list[Event] = [
        replace(event, run="child") if isinstance(event, RunSubmitted) else event for event in parent.events[:at]
    ]
    deeds = later_deeds(reduce(evolve, parent.events[:at], RunState()), parent.events[at:])
    kept = deeds.kept
    fork = RunForked(
        at=parent.now, parent="run", fork_at=at, root="run", kept=kept, begun=deeds.begun, undone=deeds.undone
    )
    child = World(data.draw)
    child.plan, child.now = parent.plan, parent.now
    child.events = [*prefix, fork]
    child.state = reduce(evolve, child.events, RunState())
    child.under_way = due(child.state)
    child.say(Recover())
    driven(child, meddle=False, most=600)
    assert child.state.status.final
    for event in child.events[at:]:
        if isinstance(event, AttemptStarted):
            assert event.key not in kept
        if isinstance(event, ResultReused):
            assert event.key in kept
