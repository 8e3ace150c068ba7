"""An attempt from its intent to its end: places, reservations, what it brought."""

from msgspec.structs import replace

from stretto.core.domain import FREE, Cost, FailureClass, TaskStatus
from stretto.core.events import (
    AttemptCompleted,
    AttemptDoubted,
    AttemptStarted,
)
from stretto.core.evolve.holds import left
from stretto.core.evolve.queues import changed, unready
from stretto.core.ladder import brought_by, tries_of
from stretto.core.state import Result, RunState


def started(state: RunState, event: AttemptStarted) -> RunState:
    """Give the attempt its place, its key and its share of the budget."""
    one = state.tasks[event.task]
    state = unready(state, one)
    return replace(
        state,
        tasks=state.tasks.set(
            event.task,
            replace(
                one,
                status=TaskStatus.RUNNING,
                ready=False,
                attempt=event.attempt,
                agent=event.agent,
                key=event.key,
                reads=event.reads,
                stale={},
                reserved=event.reserved,
                started=one.started if one.started is not None else event.at,
                in_doubt=False,
                taken_by=None,
            ),
        ),
        active=state.active.set(event.task, None),
        busy=state.busy.set(event.agent, state.busy.get(event.agent, 0) + 1),
        under_way=state.under_way + 1,
        steps=state.steps + 1,
        reserved=state.reserved + event.reserved if event.reserved != FREE else state.reserved,
        keys=state.keys.set(event.key, event.task),
    )


def brought(state: RunState, event: AttemptCompleted) -> RunState:
    """Keep a result until it is reviewed."""
    result = Result(output=event.output, artifacts=event.artifacts, citations=event.citations, gaps=event.gaps)
    state = released(state, event.task, event.cost)
    return changed(state, event.task, status=TaskStatus.REVIEWING, result=result, in_doubt=False, last=event.cost)


def failed(state: RunState, id_: str, cost: Cost, failure: FailureClass, message: str, produced: str = "") -> RunState:
    """Count a failure of its class, and remember the result that did not do."""
    state = released(state, id_, cost)
    one = state.tasks[id_]
    tried = tries_of(failure, str(one.agent))
    return changed(
        state,
        id_,
        status=TaskStatus.PENDING,
        tries=one.tries.set(tried, one.tries.get(tried, 0) + 1),
        setback=f"{failure.value}: {message}",
        in_doubt=False,
        result=None,
        rejected=one.rejected | {brought_by(one.key, produced)} if produced else one.rejected,
    )


def doubted(state: RunState, event: AttemptDoubted) -> RunState:
    """Charge what is known; the rest stays reserved until it is known what became of the attempt."""
    state = charged(state, event.task, event.cost)
    one = state.tasks[event.task]
    left = one.reserved.beyond(event.cost)
    state = replace(state, reserved=state.reserved - one.reserved + left)
    return changed(state, event.task, in_doubt=True, told=event.cost, reserved=left)


def released(state: RunState, id_: str, cost: Cost) -> RunState:
    """End an attempt that is under way: its place is free, its reservation is settled by its cost."""
    one = state.tasks[id_]
    state = charged(state, id_, cost.beyond(one.told) if one.in_doubt else cost)
    one = state.tasks[id_]
    if one.status is not TaskStatus.RUNNING or one.agent is None:
        return state
    state = left(state, one, id_, cost)
    return replace(
        state,
        tasks=state.tasks.set(id_, replace(one, reserved=FREE, status=TaskStatus.PENDING)),
        busy=state.busy.set(one.agent, state.busy[one.agent] - 1),
        under_way=state.under_way - 1,
        reserved=state.reserved - one.reserved if one.reserved != FREE else state.reserved,
    )


def charged(state: RunState, id_: str, cost: Cost) -> RunState:
    if cost == FREE:
        return state
    one = state.tasks[id_]
    tasks = state.tasks.set(id_, replace(one, cost=one.cost + cost))
    return replace(state, tasks=tasks, spent=state.spent + cost)
