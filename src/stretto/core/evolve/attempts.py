"""An attempt from its intent to its end: places, reservations, what it brought."""

from immutables import Map
from msgspec.structs import replace

from stretto.core.budget import overspent
from stretto.core.calls import STALE_AFTER
from stretto.core.domain import FREE, Cost, FailureClass, TaskStatus
from stretto.core.events import (
    AttemptCompleted,
    AttemptDoubted,
    AttemptStarted,
)
from stretto.core.evolve.holds import left
from stretto.core.evolve.queues import changed, unready
from stretto.core.evolve.rounds import round_started
from stretto.core.evolve.waiting import limited
from stretto.core.ladder import brought_by, tries_of
from stretto.core.state import Account, Result, RunState, TaskState


def started(state: RunState, event: AttemptStarted) -> RunState:
    """Give the attempt its place, its key and its share of the budget."""
    one = state.tasks[event.task]
    state = limited(unready(state, one), event.task, one)
    if one.parent is not None:
        state = _within(state, one, event)
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
                doubt=None,
                taken_by=None,
                called=FREE,
                shortened={},
            ),
        ),
        active=state.active.set(event.task, None),
        busy=state.busy.set(event.agent, state.busy.get(event.agent, 0) + 1),
        under_way=state.under_way + 1,
        steps=state.steps + (one.task.undoes is None),
        reserved=state.reserved + event.reserved if event.reserved != FREE else state.reserved,
        accounts=booked(state, one, reserved=event.reserved, steps=1),
        keys=state.keys.set(event.key, event.task),
    )


def _within(state: RunState, one: TaskState, event: AttemptStarted) -> RunState:
    """Note with the whole that one of its items, or its latest round, has started."""
    if one.parent is not None and one.parent in state.abreast:
        state = replace(state, abreast=state.abreast.set(one.parent, state.abreast[one.parent] + 1))
    return round_started(state, one, event.arguments) if one.task.repeat is not None else state


def brought(state: RunState, event: AttemptCompleted) -> RunState:
    """Keep a result until it is reviewed."""
    result = Result(output=event.output, artifacts=event.artifacts, citations=event.citations, gaps=event.gaps)
    state = released(state, event.task, event.cost)
    last = event.cost + state.tasks[event.task].called
    return changed(state, event.task, status=TaskStatus.REVIEWING, result=result, in_doubt=False, last=last, reviews=())


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
        recalls=one.attempt + 1 if failure in STALE_AFTER else one.recalls,
    )


def doubted(state: RunState, event: AttemptDoubted) -> RunState:
    """Charge what is known; the rest stays reserved until it is known what became of the attempt."""
    state = charged(state, event.task, event.cost)
    one = state.tasks[event.task]
    left = one.reserved.beyond(event.cost)
    freed = one.reserved - left
    state = replace(state, reserved=state.reserved - freed, accounts=booked(state, one, reserved=FREE - freed))
    said = (event.failure, event.message) if event.failure is not None else None
    return changed(state, event.task, in_doubt=True, told=event.cost, reserved=left, doubt=said)


def released(state: RunState, id_: str, cost: Cost) -> RunState:
    """End an attempt that is under way: its place is free, its reservation is settled by its cost."""
    one = state.tasks[id_]
    state = charged(state, id_, cost.beyond(one.told) if one.in_doubt else cost)
    one = state.tasks[id_] if not state.tasks[id_].calling else unheard(state.tasks[id_])
    if one.status is not TaskStatus.RUNNING or one.agent is None:
        return state
    state = left(state, one, id_, cost + one.called)
    if one.parent is not None and one.parent in state.abreast:
        state = replace(state, abreast=state.abreast.set(one.parent, state.abreast[one.parent] - 1))
    return replace(
        state,
        tasks=state.tasks.set(id_, replace(one, reserved=FREE, status=TaskStatus.PENDING)),
        busy=state.busy.set(one.agent, state.busy[one.agent] - 1),
        under_way=state.under_way - 1,
        reserved=state.reserved - one.reserved if one.reserved != FREE else state.reserved,
        accounts=booked(state, one, reserved=FREE - one.reserved),
    )


def unheard(one: TaskState) -> TaskState:
    """Close the open calls of an attempt that has ended: nobody hears of them any more."""
    calls = one.calls.mutate()
    for id_ in one.calling:
        calls[id_] = replace(calls[id_], status="lost", reserved=FREE)
    return replace(one, calls=calls.finish(), calling=Map(), promised=FREE)


def sent_for_revision(state: RunState, id_: str) -> RunState:
    """Count a result that is sent back to be revised; those of an undoing count in no budget."""
    if state.tasks[id_].task.undoes is not None:
        return state
    accounts = booked(state, state.tasks[id_], revisions=1)
    return replace(state, revisions=state.revisions + 1, accounts=accounts)


def charged(state: RunState, id_: str, cost: Cost) -> RunState:
    """Count what an attempt cost, and what of it was more than it might."""
    if cost == FREE:
        return state
    one, agent = state.tasks[id_], str(state.tasks[id_].agent)
    beyond = overspent(state, one, cost) if one.status is TaskStatus.RUNNING else FREE
    tasks = state.tasks.set(id_, replace(one, cost=one.cost + cost, overspent=one.overspent + beyond))
    return replace(
        state,
        tasks=tasks,
        spent=state.spent + cost,
        spent_by=state.spent_by.set(agent, state.spent_by.get(agent, FREE) + cost),
        accounts=booked(state, one, spent=cost),
    )


def booked(
    state: RunState, one: TaskState, *, spent: Cost = FREE, reserved: Cost = FREE, steps: int = 0, revisions: int = 0
) -> Map[str, Account]:
    """Give the accounts of the run with this added to that of a task, where it has a budget."""
    if one.task.budget is None:
        return state.accounts
    account = state.accounts.get(one.task.id) or Account()
    account = Account(
        spent=account.spent + spent,
        reserved=account.reserved + reserved,
        steps=account.steps + steps,
        revisions=account.revisions + revisions,
    )
    return state.accounts.set(one.task.id, account)
