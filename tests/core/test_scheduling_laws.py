"""The laws of joins, rounds, waits and deadlines, over random plans, random outsides and random crashes."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from stretto.core.context import effect_of
from stretto.core.domain import Budget, Join, Plan, SideEffect, Task, TaskStatus
from stretto.core.events import (
    AttemptStarted,
    Event,
    RoundOpened,
    RoundPaused,
    TaskCompleted,
    TaskExpanded,
    TaskFailed,
    TaskSkipped,
)
from stretto.core.evolve import evolve
from stretto.core.plan.references import Need, named_in
from stretto.core.state import RunState, child_id
from tests.core.test_laws import EXAMPLES, begun, driven
from tests.core.world import EFFECTS, World, catalogues, plans


def told(world: World) -> Iterator[tuple[RunState, Event]]:
    """Give each fact of a run with the state before it."""
    state = RunState()
    for event in world.events:
        yield state, event
        state = evolve(state, event)


def ran(data: st.DataObject) -> World:
    world = begun(data)
    driven(world)
    return world


def begins(event: Event) -> str | None:
    """Give the task of the plan that an event lets begin for the first time."""
    match event:
        case AttemptStarted(attempt=1) | TaskExpanded() | RoundOpened(round=0):
            return None if "[" in event.task else event.task
    return None


@EXAMPLES
@given(st.data())
def test_a_join_begins_with_exactly_what_it_takes_in_the_order_of_acceptance(data: st.DataObject) -> None:
    accepted: list[str] = []
    for state, event in told(ran(data)):
        if isinstance(event, TaskCompleted):
            accepted.append(event.task)
        id_ = begins(event)
        if id_ is None or (join := state.tasks[id_].task.join) is None:
            continue
        joining = state.tasks[id_].joining
        assert joining is not None
        taken = [joining.taken[number] for number in range(len(joining.taken))]
        assert taken == [name for name in accepted if name in join.of][: join.number]
        assert len(taken) == join.number


@EXAMPLES
@given(st.data())
def test_a_join_falls_exactly_when_too_few_of_its_members_can_still_complete(data: st.DataObject) -> None:
    world = ran(data)
    for state, event in told(world):
        if isinstance(event, TaskSkipped) and event.reason.startswith("it needs") and " of " in event.reason:
            join = state.tasks[event.task].task.join
            assert join is not None
            alive = [
                name
                for name in join.of
                if (one := state.tasks.get(name)) is None or not one.status.final or one.status is TaskStatus.COMPLETED
            ]
            assert len(alive) < join.number
    for one in world.state.tasks.values():
        assert one.joining is None or not one.joining.lost or one.status.final


@st.composite
def races(draw: st.DrawFn) -> Plan:
    """Draw a race of several tasks of any kind, each behind one of its own."""
    tasks, ends = [], []
    for number in range(draw(st.integers(2, 4))):
        before, effect = draw(st.sampled_from(EFFECTS)), draw(st.sampled_from(EFFECTS))
        tasks.append(Task(id=f"b{number}", skill=f"do_{before.value}", occurrence=f"b{number}"))
        after = (f"b{number}",) if draw(st.booleans()) else ()
        tasks.append(Task(id=f"m{number}", skill=f"do_{effect.value}", occurrence=f"m{number}", after=after))
        ends.append(f"m{number}")
    end = Task(id="end", skill="do_none", join=Join(of=tuple(ends), take="first"), inputs={"of": {"ref": "joined"}})
    return Plan(tasks=(*tasks, end), deliver={"ref": f"{draw(st.sampled_from(['end', 'end', 'm0']))}.output"})


@EXAMPLES
@given(st.data())
def test_only_what_nobody_needs_is_dropped_and_no_side_effect_under_way(data: st.DataObject) -> None:
    world = World(data.draw)
    world.submit(data.draw(plans() | races()), data.draw(catalogues), Budget(), None)
    driven(world, meddle=False)
    for state, event in told(world):
        if not isinstance(event, TaskSkipped) or not event.reason.startswith("not needed"):
            continue
        one = state.tasks[event.task]
        assert event.wanted
        if one.attempt and one.agent is not None:
            assert effect_of(state, one, one.agent) is SideEffect.NONE
        assert event.task not in named_in(state.deliver)
        for position in state.dependents.get(event.task, ()):
            later = state.tasks[state.ids[position]]
            done_with = later.joining is not None and later.joining.met and later.needs[event.task] is Need.MEMBER
            assert later.status.final or done_with


@EXAMPLES
@given(st.data())
def test_rounds_come_one_after_the_other_and_never_beyond_their_bound(data: st.DataObject) -> None:
    for state, event in told(ran(data)):
        if isinstance(event, RoundOpened):
            whole = state.tasks[event.task]
            assert whole.task.repeat is not None
            assert not whole.status.final
            assert event.round == (whole.children or 0) < whole.task.repeat.max
            for number in range(event.round):
                assert state.tasks[child_id(event.task, number)].status is TaskStatus.COMPLETED


@EXAMPLES
@given(st.data())
def test_nothing_begins_before_its_wait_is_over_and_nothing_starts_after_its_deadline(data: st.DataObject) -> None:
    free: dict[str, float] = {}
    begun_at: dict[str, float] = {}
    added: dict[str, float] = {}
    for state, event in told(ran(data)):
        match event:
            case TaskCompleted() | TaskFailed() | TaskSkipped():
                free[event.task] = event.at
            case RoundPaused():
                assert event.until == event.at + state.tasks[event.task].task.repeat.pause  # type: ignore[union-attr]
        id_ = begins(event)
        if id_ is not None:
            begun_at[id_] = event.at
            one = state.tasks[id_]
            waited = [free[name] for name, need in one.needs.items() if need is not Need.MEMBER]
            assert event.at >= max(waited, default=added.get(id_, 0.0)) + (one.task.wait or 0.0)
        if isinstance(event, AttemptStarted):
            whole = event.task.partition("[")[0]
            seconds = state.tasks[whole].task.limits.deadline
            assert seconds is None or whole not in begun_at or event.at <= begun_at[whole] + seconds
