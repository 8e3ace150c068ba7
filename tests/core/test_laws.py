"""The laws of the loop, over random plans, random outsides and random crashes."""

from functools import reduce
from typing import TypeGuard

from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from stretto.core.calls import call_of
from stretto.core.chains import request_of
from stretto.core.commands import Cancel, ChangeLimits, ClosePlan, Continue, Recover
from stretto.core.decide import decide
from stretto.core.domain import FREE, Budget, Cost, RunStatus, SideEffect
from stretto.core.effects import AskPerson, Effect, MakePlan, Wait
from stretto.core.events import (
    AttemptDoubted,
    AttemptStarted,
    CallBegun,
    CallEnded,
    CallFailed,
    CallForgotten,
    CallLost,
    Event,
    PersonAsked,
    PlanClosed,
    PlanRefused,
    ReadStale,
    TaskAdded,
    TaskCompleted,
)
from stretto.core.evolve import evolve
from stretto.core.plan.references import Need
from stretto.core.state import Meter, RunState, bits_of, head_of
from tests.cases import SEARCHING
from tests.core.world import World, catalogues, due, plain, plans, still_finished, through_json

EXAMPLES = settings(
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    max_examples=60 if SEARCHING else 25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
budgets = st.builds(
    Budget,
    steps=st.none() | st.integers(1, 12),
    tokens=st.none() | st.integers(0, 12),
    seconds=st.none() | st.floats(1, 200),
    revisions=st.none() | st.integers(0, 4),
)
deadlines = st.none() | st.floats(1, 200)


def driven(world: World, *, people: bool = True, most: int = 1500, meddle: bool = True) -> None:
    """Drive a run to its end, or until nothing can move without a person."""
    for _ in range(most):
        if world.state.status.final:
            return
        if world.state.paused is not None and not any(one.key.startswith("run/") for one in world.under_way.values()):
            if not people:
                return
            world.say(Continue(actor="person:p"))
            continue
        open_ = [one for one in world.under_way.values() if people or not isinstance(one, AskPerson)]
        if not [one for one in open_ if not is_endless(world.state, one)]:
            return
        moving = [one for one in open_ if not is_endless(world.state, one)]
        timeless = [one for one in moving if one.key.split("/")[1] not in ("deadline", "limit")] or moving
        effect = world.draw(st.sampled_from(sorted(timeless, key=lambda one: one.key)))
        for command in world.answers(effect):
            world.say(command)
        if meddle and world.draw(st.integers(0, 39)) == 0:
            world.say(world.draw(st.sampled_from([Recover(), ChangeLimits(budget=Budget(steps=50)), world.meddling()])))
    raise AssertionError("the run neither ends nor waits")


def is_endless(state: RunState, effect: Effect) -> bool:
    """Whether it only reminds, time and again, somebody who has no end to answer by."""
    if not isinstance(effect, Wait) or not effect.timer.startswith("ask/"):
        return False
    return state.requests[request_of(effect.timer)].due is None


def is_about_the_goal(event: Event) -> TypeGuard[PersonAsked]:
    return isinstance(event, PersonAsked) and event.request.kind == "goal"


def begun(data: st.DataObject) -> World:
    world = World(data.draw)
    world.submit(data.draw(plans()), data.draw(catalogues), data.draw(budgets), data.draw(deadlines))
    return world


@EXAMPLES
@given(st.data())
def test_every_run_ends_or_waits_for_something_named(data: st.DataObject) -> None:
    world = begun(data)
    driven(world, people=data.draw(st.booleans()))
    if not world.state.status.final:
        assert world.state.requests or world.state.paused
        assert world.state.standing is RunStatus.WAITING
        assert all(request.question for request in world.state.requests.values())
    else:
        assert world.state.delivery is not None
        assert not due(world.state)


@EXAMPLES
@given(st.data())
def test_replay_is_exact_also_through_json(data: st.DataObject) -> None:
    world = begun(data)
    driven(world)
    assert plain(reduce(evolve, world.events, RunState())) == plain(world.state)
    read = through_json(world.events)
    assert read == world.events
    assert plain(reduce(evolve, read, RunState())) == plain(world.state)


@EXAMPLES
@given(st.data())
def test_the_changes_of_a_running_loop_add_up_to_what_reconcile_says_from_scratch(data: st.DataObject) -> None:
    world = begun(data)
    for _ in range(300):
        assert world.under_way.keys() == due(world.state).keys()  # one key, one work
        if not world.under_way:
            return
        effect = data.draw(st.sampled_from(sorted(world.under_way.values(), key=lambda one: one.key)))
        for command in world.answers(effect):
            world.say(command)
            assert world.under_way.keys() == due(world.state).keys()  # one key, one work


@EXAMPLES
@given(st.data())
def test_a_command_said_twice_or_late_changes_nothing(data: st.DataObject) -> None:
    world = begun(data)
    driven(world, meddle=False)
    said = list(world.commands)
    for command in said:
        assert decide(world.state, command) == []
    # Every prefix as well: right after a command was taken, the same one again is moot.
    again = World(data.draw)
    for command in said:
        again.now = command.at
        again.state, before = again.state, again.state
        events, again.state = decide(before, command), reduce(evolve, decide(before, command), before)
        repeated = decide(again.state, command)
        note(f"{command} gave {events}, and again {repeated}")
        assert repeated == []


@EXAMPLES
@given(st.data())
def test_a_goal_is_clear_before_anything_is_planned_and_no_question_is_asked_twice(data: st.DataObject) -> None:
    world = begun(data)
    driven(world)
    questions = [event.request.question for event in world.events if is_about_the_goal(event)]
    assert len(questions) == len(set(questions)) <= world.questions
    planned = next((n for n, event in enumerate(world.events) if isinstance(event, TaskAdded)), len(world.events))
    assert not any(is_about_the_goal(event) for event in world.events[planned:])
    assert len(world.state.clarified) in (len(questions), len(questions) - 1)
    if world.state.interpretation is not None:
        assert world.state.interpretation.reasons == tuple(map(str, world.state.clarified))


@EXAMPLES
@given(st.data())
def test_a_result_from_superseded_entries_is_redone_or_told(data: st.DataObject) -> None:
    world = begun(data)
    driven(world)
    state = RunState()
    for event in world.events:
        if isinstance(event, ReadStale):
            one = state.tasks[event.task]
            for key, (read, now) in event.entries.items():
                assert one.reads[key] == read < now == state.context[key][-1].version
        state = evolve(state, event)
    for versions in state.context.values():
        assert [one.version for one in versions] == list(range(1, len(versions) + 1))


@EXAMPLES
@given(st.data())
def test_no_finished_task_starts_again_and_no_attempt_number_is_used_twice(data: st.DataObject) -> None:
    world = begun(data)
    driven(world)
    done: set[str] = set()
    started: set[tuple[str, int]] = set()
    for event in world.events:
        kind = type(event).__name__
        done = still_finished(done, event)
        if kind == "AttemptStarted":
            assert event.task not in done  # type: ignore[union-attr]
            attempt = (event.task, event.attempt)  # type: ignore[union-attr]
            assert attempt not in started
            started.add(attempt)
        elif kind in ("TaskCompleted", "TaskFailed", "TaskSkipped"):
            assert event.task not in done  # type: ignore[union-attr]
            done.add(event.task)  # type: ignore[union-attr]


@EXAMPLES
@given(st.data())
def test_nothing_starts_before_what_it_waits_for_has_ended(data: st.DataObject) -> None:
    world = begun(data)
    driven(world)
    state = RunState()
    for event in world.events:
        if type(event).__name__ == "AttemptStarted":
            for name, need in state.tasks[event.task].needs.items():  # type: ignore[union-attr]
                assert state.tasks[name].status.final or need is Need.MEMBER
        state = evolve(state, event)


@EXAMPLES
@given(st.data())
def test_the_books_of_a_state_agree_with_its_tasks(data: st.DataObject) -> None:
    world = begun(data)
    for _ in range(200):
        state = world.state
        tasks = list(state.tasks.values())
        running = [
            one for one in tasks if one.status.value == "running" and one.agent is not None and one.children is None
        ]
        assert state.under_way == len(running) <= state.catalogue.rules.parallel
        assert sum(state.busy.values()) == len(running)
        assert state.open_tasks == sum(not one.status.final for one in tasks)
        ready = {state.ids[bit] for bit in bits_of(state.held)}
        for queue, bits in state.ready.items():
            ready |= {head_of(state, queue, 1 << bit)[1] for bit in bits_of(bits)}
        assert ready == {state.ids[one.position] for one in tasks if one.ready}
        asked = {one.request for one in tasks if one.request} | ({state.unclear, state.offered} - {None})
        assert asked == set(state.requests)
        for id_, abreast in state.abreast.items():
            items = [one for one in running if one.parent == id_]
            spread = state.tasks[id_].task.for_each
            assert spread is not None
            assert spread.parallel is not None
            assert abreast == len(items) <= spread.parallel
        timed = [state.tasks[name.partition("/")[2]] for name in state.timers]
        assert not any(one.status.final for one in timed)
        kept_for = [*(one.reserved for one in tasks), *(state.calls[name].reserved for name in state.calling)]
        assert state.reserved == sum(kept_for, FREE)
        assert set(state.calling) == {name for name, call in state.calls.items() if call.status == "open"}
        for one in tasks:
            open_ = {id_: call for id_, call in one.calls.items() if call.status == "open"}
            assert set(one.calling) == set(open_)
            assert one.promised == sum((call.reserved for call in open_.values()), FREE)
            assert one in running or not open_
        for name, most in ((one.name, one.concurrency) for one in state.catalogue.agents):
            assert most is None or state.busy.get(name, 0) <= most
        if not world.under_way:
            return
        effect = data.draw(st.sampled_from(sorted(world.under_way.values(), key=lambda one: one.key)))
        for command in world.answers(effect):
            world.say(command)


@EXAMPLES
@given(st.data())
def test_declared_costs_never_cross_the_budget(data: st.DataObject) -> None:
    world = begun(data)
    world.honest = True
    budget = world.state.budget
    for _ in range(200):
        state = world.state
        assert budget.steps is None or state.steps <= budget.steps
        assert budget.tokens is None or state.spent.tokens + state.reserved.tokens <= budget.tokens
        if not world.under_way:
            return
        effect = data.draw(st.sampled_from(sorted(world.under_way.values(), key=lambda one: one.key)))
        for command in world.answers(effect):
            world.say(command)


@EXAMPLES
@given(st.data())
def test_a_finished_call_is_not_made_again_and_one_that_changed_the_world_in_no_attempt(data: st.DataObject) -> None:
    world = begun(data)
    driven(world)
    state = RunState()
    for event in world.events:
        if isinstance(event, CallBegun) and (known := call_of(state, event.of, event.call)) is not None:
            assert known.status not in ("open", "asked", "done") or known.effect is SideEffect.NONE
            assert known.status != "done" or known.number < event.of.number
            assert not known.denied
        state = evolve(state, event)


@EXAMPLES
@given(st.data())
def test_what_calls_used_adds_up_by_role_and_nothing_is_charged_twice(data: st.DataObject) -> None:
    world = begun(data)
    driven(world)
    state = world.state
    roles = sum(state.meters.roles.values(), Meter())
    assert roles == sum(state.meters.models.values(), Meter()) + sum(state.meters.tools.values(), Meter())
    ends = [one for one in world.events if isinstance(one, CallEnded | CallFailed | CallForgotten | CallLost)]
    assert roles.cost == sum((one.cost for one in ends), FREE)
    charged = [one.cost for one in world.events if isinstance(getattr(one, "cost", None), Cost)]
    if not any(isinstance(one, AttemptDoubted) for one in world.events):
        assert state.spent == sum(charged, FREE)


@EXAMPLES
@given(st.data())
def test_cancelling_ends_a_run_at_once_and_keeps_what_is_finished(data: st.DataObject) -> None:
    world = begun(data)
    for _ in range(data.draw(st.integers(0, 30))):
        if not world.under_way:
            break
        effect = data.draw(st.sampled_from(sorted(world.under_way.values(), key=lambda one: one.key)))
        for command in world.answers(effect):
            world.say(command)
    if world.state.status.final:
        return
    before = {id_ for id_, one in world.state.tasks.items() if one.status.value == "completed"}
    world.say(Cancel(actor="person:p"))
    assert world.state.status is RunStatus.CANCELLED
    assert {id_ for id_, one in world.state.tasks.items() if one.status.value == "completed"} == before
    assert not world.under_way
    assert all(one.status.final for one in world.state.tasks.values())


@EXAMPLES
@given(st.data())
def test_before_the_plan_is_closed_only_what_harms_nobody_starts(data: st.DataObject) -> None:
    world = begun(data)
    driven(world)
    for event in world.events:
        if isinstance(event, PlanClosed):
            return
        if isinstance(event, AttemptStarted):
            assert world.state.tasks[event.task].task.skill == "do_none"


@EXAMPLES
@given(st.data())
def test_a_stream_that_breaks_off_keeps_what_is_done_and_starts_nothing_that_could_harm(data: st.DataObject) -> None:
    world = begun(data)
    driven(world)
    refused = next((n for n, event in enumerate(world.events) if isinstance(event, PlanRefused)), None)
    if refused is None or not world.state.status.final:
        return
    done = {event.task for event in world.events[:refused] if isinstance(event, TaskCompleted)}
    assert done <= {id_ for id_, one in world.state.tasks.items() if one.status.value == "completed"}
    for event in world.events[refused:]:
        if isinstance(event, AttemptStarted):
            assert world.streamed
            assert world.state.tasks[event.task].task.skill == "do_none"
    assert world.state.held == 0
    delivery = world.state.delivery
    assert delivery is not None
    if world.state.status is not RunStatus.CANCELLED:
        assert delivery.gaps[0].what == "the plan"


@EXAMPLES
@given(st.data())
def test_a_plan_written_task_by_task_holds_back_what_could_harm_until_it_is_closed(data: st.DataObject) -> None:
    world = begun(data)
    while world.state.planning and (make := next((one for one in world.under_way.values() if is_planning(one)), None)):
        for command in world.answers(make):
            if isinstance(command, ClosePlan):
                early = [
                    one for one in world.state.tasks.values() if one.ready and not world.state.held >> one.position & 1
                ]
                assert all(one.task.skill == "do_none" for one in early)
                assert all(not one.blockers for one in early)
            world.say(command)
    if not world.state.unclear:
        assert world.state.held == 0


def is_planning(effect: Effect) -> bool:
    return isinstance(effect, MakePlan)
