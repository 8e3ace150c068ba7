"""A run begins, has its plan, and is stopped."""

from immutables import Map
from msgspec.structs import replace

from stretto.core.calls import dangerous
from stretto.core.domain import FREE, RunStatus, TaskStatus
from stretto.core.events import (
    PlanClosed,
    RunSubmitted,
)
from stretto.core.evolve.attempts import unheard
from stretto.core.evolve.calls import all_unheard
from stretto.core.routing import roster
from stretto.core.schedule import by_priority
from stretto.core.state import RunState, TaskState, queue_of

_IN_DOUBT = "; its action was under way, and whether it happened is in doubt"


def submitted(state: RunState, event: RunSubmitted) -> RunState:
    """Fill the state with what the run was given."""
    return replace(
        state,
        run=event.run,
        goal=event.goal,
        inputs=event.inputs,
        workspace=event.workspace,
        edition=event.edition,
        parent=event.parent,
        catalogue=event.catalogue,
        roster=roster(event.catalogue),
        given=event.plan,
        streamed=event.streamed,
        specs=event.plan.inputs if event.plan is not None else event.specs,
        budget=event.budget,
        deadline=event.deadline,
        started=event.at,
        expected=event.expected,
        root=event.lineage[0] if event.lineage else "",
        forked_from=event.lineage[-1] if event.lineage else "",
        lineage=event.lineage,
        kept=Map(event.kept),
        begun=Map(dict.fromkeys(event.begun)),
        undone=Map(dict.fromkeys(event.undone)),
    )


def plan_closed(state: RunState, event: PlanClosed) -> RunState:
    """Rank the tasks, and let go what waited for the whole plan."""
    order = by_priority(state)
    tasks = state.tasks.mutate()
    items = Map({queue: bits for queue, bits in state.ready.items() if "\n" in queue})  # they keep their places
    ready = items.mutate()
    for rank, id_ in enumerate(order):
        one = tasks[id_] = replace(tasks[id_], rank=rank)
        if one.ready:
            queue, place = queue_of(one)
            ready[queue] = ready.get(queue, 0) | 1 << place
    return replace(
        state,
        tasks=tasks.finish(),
        ranked=Map(enumerate(order)),
        plan_open=False,
        status=RunStatus.RUNNING,
        deliver=event.deliver,
        diagnostics=event.diagnostics,
        ready=ready.finish(),
        held=0,
    )


def stopped(state: RunState, reason: str, *, sparing: bool = True) -> RunState:
    """End every open task, `sparing` those that take others back: while there are any, nothing else is open.

    This is the one fact that looks at the whole plan.
    """
    state = all_unheard(state)
    if sparing and state.undoing:
        return state
    tasks = state.tasks.mutate()
    for id_, one in state.tasks.items():
        if not one.status.final:
            doubtful = cut_off(state, one)
            tasks[id_] = replace(
                unheard(one) if one.calling else one,
                status=TaskStatus.CANCELLED,
                ready=False,
                request=None,
                retry_at=None,
                answer_by=None,
                reserved=FREE,
                in_doubt=doubtful,
                reason=f"{reason}{_IN_DOUBT}" if doubtful else reason,
                ended=state.at,
                ending=state.seq,
                children_open=0,
            )
    return replace(
        state,
        tasks=tasks.finish(),
        ready=Map(),
        held=0,
        active=Map(),
        busy=Map(),
        drawn=Map(),
        under_way=0,
        reserved=FREE,
        requests=Map(),
        unclear=None,
        offered=None,
        draft=None,
        open_tasks=0,
        timers=Map(),
        abreast=Map(),
        undoing=Map(),
        accounts=Map({id_: replace(one, reserved=FREE) for id_, one in state.accounts.items()}),
    )


def cut_off(state: RunState, one: TaskState) -> bool:
    """Whether a task's action may have happened although nobody will hear of it."""
    if one.status is TaskStatus.UNKNOWN or one.in_doubt or (one.calls and dangerous(one)):
        return True
    if one.status is not TaskStatus.RUNNING or one.agent is None or one.children is not None:
        return False
    return not state.roster.effect(one.task, one.agent).repeatable
