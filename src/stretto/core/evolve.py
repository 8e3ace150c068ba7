"""`evolve`: what a fact makes of a run. Total: it refuses nothing, and each fact costs the same in any plan."""

from collections import Counter
from typing import Any, assert_never

from immutables import Map
from msgspec.structs import replace

from stretto.core.canonical import digest
from stretto.core.context import binding, labels
from stretto.core.domain import FREE, Cost, Entry, RunStatus, SideEffect, TaskStatus
from stretto.core.events import (
    AttemptCompleted,
    AttemptDoubted,
    AttemptFailed,
    AttemptForgotten,
    AttemptStarted,
    AttemptSuspended,
    DeadlinePassed,
    Event,
    GoalInterpreted,
    LimitsChanged,
    PersonAnswered,
    PersonAsked,
    PlanClosed,
    PlanRefused,
    ReadStale,
    ResultRejected,
    RetryDue,
    RetryScheduled,
    RunCancelled,
    RunEnded,
    RunSubmitted,
    TaskAdded,
    TaskCompleted,
    TaskExpanded,
    TaskFailed,
    TaskJudged,
    TaskSkipped,
)
from stretto.core.plan.check import check_task
from stretto.core.plan.references import needs
from stretto.core.routing import roster
from stretto.core.schedule import by_priority
from stretto.core.state import Result, RunState, TaskState, child_id, queue_of

_NOBODY: Map[int, None] = Map()


def evolve(state: RunState, event: Event) -> RunState:
    """Give the state after a fact."""
    state = replace(state, seq=state.seq + 1, at=event.at)
    match event:
        case TaskAdded():
            return _added(state, event)
        case AttemptStarted():
            return _started(state, event)
        case AttemptCompleted():
            return _brought(state, event)
        case TaskCompleted():
            return _completed(state, event)
        case TaskFailed():
            return _over(state, event.task, status=TaskStatus.FAILED, failure=event.failure, reason=event.message)
        case TaskSkipped():
            return _over(state, event.task, status=TaskStatus.SKIPPED, reason=event.reason, wanted=event.wanted)
        case AttemptFailed():
            return _failed(state, event.task, event.cost, event.failure.value, event.message)
        case ResultRejected():
            return _failed(state, event.task, FREE, "invalid_output", "; ".join(event.findings))
        case ReadStale():
            if event.redone:
                return _set(state, event.task, status=TaskStatus.PENDING, result=None)
            return _set(state, event.task, stale=event.entries)
        case AttemptSuspended():
            status = TaskStatus.UNKNOWN if event.unknown else TaskStatus.WAITING
            return _set(_released(state, event.task, event.cost), event.task, status=status)
        case AttemptDoubted():
            return _doubted(state, event)
        case AttemptForgotten():
            return _ready(_set(_released(state, event.task, FREE), event.task, in_doubt=False), event.task)
        case RetryScheduled():
            return _set(state, event.task, retry_at=event.until, feedback=event.feedback)
        case RetryDue():
            return _ready(_set(state, event.task, retry_at=None), event.task)
        case TaskExpanded():
            return _expanded(state, event)
        case PersonAsked():
            return _asked(state, event)
        case PersonAnswered():
            return _answered(state, event)
        case TaskJudged():
            return state
        case RunSubmitted():
            return _submitted(state, event)
        case GoalInterpreted():
            return replace(
                state,
                interpretation=event.interpretation,
                inputs={**state.inputs, **event.inputs},
                specs={**state.specs, **event.specs},
            )
        case PlanClosed():
            return _plan_closed(state, event)
        case PlanRefused():
            refused = replace(state, refused=event.reason, diagnostics=event.diagnostics, plan_open=False)
            return _stopped(refused, f"the plan was refused: {event.reason}")
        case LimitsChanged():
            return replace(
                state,
                budget=event.budget if event.budget is not None else state.budget,
                deadline=event.deadline if event.deadline is not None else state.deadline,
            )
        case DeadlinePassed():
            return _stopped(replace(state, deadline_passed=True), "the deadline passed")
        case RunCancelled():
            return _stopped(replace(state, cancelled=event.by), f"cancelled by {event.by}")
        case RunEnded():
            return replace(state, status=event.status, delivery=event.delivery, ended=event.at)
    assert_never(event)


def _submitted(state: RunState, event: RunSubmitted) -> RunState:
    return replace(
        state,
        run=event.run,
        goal=event.goal,
        inputs=event.inputs,
        workspace=event.workspace,
        catalogue=event.catalogue,
        roster=roster(event.catalogue),
        given=event.plan,
        specs=event.plan.inputs if event.plan is not None else event.specs,
        budget=event.budget,
        deadline=event.deadline,
        started=event.at,
    )


def _added(state: RunState, event: TaskAdded) -> RunState:
    task, position = event.task, len(state.ids)
    waits_for = {name: need for name, need in needs(task).items() if name != task.id}
    blockers = 0
    dependents = state.dependents
    for name in waits_for:
        dependents = dependents.set(name, dependents.get(name, _NOBODY).set(position, None))
        earlier = state.tasks.get(name)
        blockers += earlier is None or not earlier.status.final
    one = TaskState(task=task, position=position, needs=Map(waits_for), blockers=blockers)
    state = replace(
        state,
        tasks=state.tasks.set(task.id, one),
        ids=state.ids.set(position, task.id),
        dependents=dependents,
        open_tasks=state.open_tasks + 1,
    )
    return state if blockers else _ready(state, task.id)


def _plan_closed(state: RunState, event: PlanClosed) -> RunState:
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


def _started(state: RunState, event: AttemptStarted) -> RunState:
    one = state.tasks[event.task]
    state = _unready(state, one)
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
            ),
        ),
        active=state.active.set(event.task, None),
        busy=state.busy.set(event.agent, state.busy.get(event.agent, 0) + 1),
        under_way=state.under_way + 1,
        steps=state.steps + 1,
        reserved=state.reserved + event.reserved if event.reserved != FREE else state.reserved,
        keys=state.keys.set(event.key, event.task),
    )


def _brought(state: RunState, event: AttemptCompleted) -> RunState:
    result = Result(output=event.output, artifacts=event.artifacts, citations=event.citations)
    state = _released(state, event.task, event.cost)
    return _set(state, event.task, status=TaskStatus.REVIEWING, result=result, in_doubt=False)


def _failed(state: RunState, id_: str, cost: Cost, failure: str, message: str) -> RunState:
    state = _released(state, id_, cost)
    one = state.tasks[id_]
    tries = one.tries.set(failure, one.tries.get(failure, 0) + 1)
    setback = f"{failure}: {message}"
    return _set(state, id_, status=TaskStatus.PENDING, tries=tries, setback=setback, in_doubt=False, result=None)


def _doubted(state: RunState, event: AttemptDoubted) -> RunState:
    """Charge what is known; the rest stays reserved until it is known what became of the attempt."""
    state = _charged(state, event.task, event.cost)
    one = state.tasks[event.task]
    left = one.reserved.beyond(event.cost)
    state = replace(state, reserved=state.reserved - one.reserved + left)
    return _set(state, event.task, in_doubt=True, told=event.cost, reserved=left)


def _released(state: RunState, id_: str, cost: Cost) -> RunState:
    """End an attempt that is under way: its place is free, its reservation is settled by its cost."""
    one = state.tasks[id_]
    state = _charged(state, id_, cost.beyond(one.told) if one.in_doubt else cost)
    one = state.tasks[id_]
    if one.status is not TaskStatus.RUNNING or one.agent is None:
        return state
    return replace(
        state,
        tasks=state.tasks.set(id_, replace(one, reserved=FREE, status=TaskStatus.PENDING)),
        busy=state.busy.set(one.agent, state.busy[one.agent] - 1),
        under_way=state.under_way - 1,
        reserved=state.reserved - one.reserved if one.reserved != FREE else state.reserved,
    )


def _charged(state: RunState, id_: str, cost: Cost) -> RunState:
    if cost == FREE:
        return state
    one = state.tasks[id_]
    tasks = state.tasks.set(id_, replace(one, cost=one.cost + cost))
    return replace(state, tasks=tasks, spent=state.spent + cost)


def _completed(state: RunState, event: TaskCompleted) -> RunState:
    one = state.tasks[event.task]
    carried = labels(state, one)
    if one.agent is not None:
        carried |= set(state.roster.skill(one.task, one.agent).labels)
    if one.task.writes is not None and one.number is None:
        key, history = one.task.writes, state.context.get(one.task.writes, ())
        entry = Entry(
            key=key,
            version=len(history) + 1,
            task=event.task,
            attempt=one.attempt,
            seq=state.seq,
            at=event.at,
            reads=one.reads,
        )
        state = replace(state, context=state.context.set(key, (*history, entry)))
    state = replace(state, completed=state.completed + 1)
    return _over(state, event.task, status=TaskStatus.COMPLETED, labels=carried)


def _over(state: RunState, id_: str, **fields: Any) -> RunState:
    """Bring a task to its end: those that wait for it wait for one less."""
    state = _released(state, id_, FREE)
    one = state.tasks[id_]
    state = _unready(state, one)
    one = replace(one, ready=False, request=None, retry_at=None, ended=state.at, **fields)
    tasks = state.tasks.set(id_, one)
    if one.parent is not None:
        parent = tasks[one.parent]
        tasks = tasks.set(one.parent, replace(parent, children_open=parent.children_open - 1))
    freed = []
    for position in sorted(state.dependents.get(id_, _NOBODY)):
        later = tasks[state.ids[position]]
        tasks = tasks.set(later.task.id, replace(later, blockers=later.blockers - 1))
        if later.blockers == 1 and not later.status.final:
            freed.append(later.task.id)
    active = state.active.delete(id_) if id_ in state.active else state.active
    state = replace(state, tasks=tasks, active=active, open_tasks=state.open_tasks - 1)
    for name in freed:
        state = _ready(state, name)
    return state


def _expanded(state: RunState, event: TaskExpanded) -> RunState:
    parent = state.tasks[event.task]
    state = _unready(state, parent)
    tasks, ids, position = state.tasks.mutate(), state.ids.mutate(), len(state.ids)
    equal: Counter[str] = Counter()
    names = []
    for number, item in enumerate(event.items):
        mark = digest(item)
        id_ = child_id(event.task, number)
        tasks[id_] = TaskState(
            task=parent.task,
            position=position + number,
            needs=parent.needs,
            blockers=0,
            parent=event.task,
            item=item,
            number=number,
            same_before=equal[mark],
        )
        ids[position + number] = id_
        equal[mark] += 1
        names.append(id_)
    tasks[event.task] = replace(
        parent,
        ready=False,
        status=TaskStatus.RUNNING,
        children=len(event.items),
        children_open=len(event.items),
        started=event.at,
    )
    state = replace(state, tasks=tasks.finish(), ids=ids.finish(), open_tasks=state.open_tasks + len(event.items))
    for name in names:
        state = _ready(state, name)
    return state


def _asked(state: RunState, event: PersonAsked) -> RunState:
    request = event.request
    if request.kind == "goal":
        return replace(state, requests=state.requests.set(request.id, request), unclear=request.id)
    one = state.tasks[request.task]
    state = _unready(state, one)
    status = TaskStatus.UNKNOWN if request.kind == "doubt" else TaskStatus.WAITING
    one = replace(one, status=status, ready=False, request=request.id)
    return replace(
        state,
        tasks=state.tasks.set(request.task, one),
        requests=state.requests.set(request.id, request),
        active=state.active.set(request.task, None),
    )


def _answered(state: RunState, event: PersonAnswered) -> RunState:
    request = state.requests[event.request]
    state = replace(state, requests=state.requests.delete(event.request))
    if request.kind == "goal":
        said = ((request.question, str(event.value)),) if event.decision == "answer" else ()
        return replace(state, unclear=None, clarified=(*state.clarified, *said))
    one = state.tasks[event.task]
    one = replace(one, request=None, round=one.round + 1)
    match event.decision:
        case "approve":
            one = replace(one, approved=request.binding)
        case "edit":
            one = replace(one, edited=event.value, approved=binding(one.task.skill, event.value))
        case "answer":
            one = replace(one, answers=(*one.answers, str(event.value)))
        case "deny" | "fail" | "done" | "retry":
            pass
    state = replace(state, tasks=state.tasks.set(event.task, one))
    return _ready(state, event.task) if event.decision in ("approve", "edit", "answer", "retry") else state


def _stopped(state: RunState, reason: str) -> RunState:
    """End every open task. This is the one fact that looks at the whole plan."""
    tasks = state.tasks.mutate()
    for id_, one in state.tasks.items():
        if not one.status.final:
            tasks[id_] = replace(
                one,
                status=TaskStatus.CANCELLED,
                ready=False,
                request=None,
                retry_at=None,
                reserved=FREE,
                reason=reason,
                ended=state.at,
                children_open=0,
            )
    return replace(
        state,
        tasks=tasks.finish(),
        ready=Map(),
        held=0,
        active=Map(),
        busy=Map(),
        under_way=0,
        reserved=FREE,
        requests=Map(),
        unclear=None,
        open_tasks=0,
    )


def _ready(state: RunState, id_: str) -> RunState:
    """Put a task into its queue; while the plan is still being written only what is harmless may start."""
    one = state.tasks[id_]
    state = replace(
        state, tasks=state.tasks.set(id_, replace(one, ready=True, status=TaskStatus.PENDING, in_doubt=False))
    )
    if id_ in state.active:
        state = replace(state, active=state.active.delete(id_))
    if state.plan_open and one.parent is None and not _may_start_early(state, one):
        return replace(state, held=state.held | 1 << one.position)
    queue, place = queue_of(one)
    return replace(state, ready=state.ready.set(queue, state.ready.get(queue, 0) | 1 << place))


def _unready(state: RunState, one: TaskState) -> RunState:
    if not one.ready:
        return state
    if one.parent is None and state.held >> one.position & 1:
        return replace(state, held=state.held ^ 1 << one.position)
    queue, place = queue_of(one)
    left = state.ready.get(queue, 0) & ~(1 << place)
    return replace(state, ready=state.ready.set(queue, left) if left else state.ready.delete(queue))


def _may_start_early(state: RunState, one: TaskState) -> bool:
    candidates = state.roster.candidates(one.task)
    harmless = all(state.roster.effect(one.task, name) is SideEffect.NONE for name in candidates)
    return bool(candidates) and harmless and not check_task(one.task, state.roster)


def _set(state: RunState, id_: str, **fields: Any) -> RunState:
    one = replace(state.tasks[id_], **fields)
    return replace(state, tasks=state.tasks.set(id_, one), active=state.active.set(id_, None))
