"""Tasks come into the plan, spread over items, and come to their end."""

from collections import Counter
from typing import Any

from immutables import Map
from msgspec.structs import replace

from stretto.core.canonical import digest
from stretto.core.context import labels
from stretto.core.domain import FREE, Entry, Task, TaskStatus
from stretto.core.events import (
    TaskAdded,
    TaskCompleted,
    TaskExpanded,
)
from stretto.core.evolve.attempts import released
from stretto.core.evolve.joins import joining, one_less
from stretto.core.evolve.queues import ready, unready
from stretto.core.evolve.rounds import round_accepted
from stretto.core.evolve.waiting import limited, unblocked, without_timers
from stretto.core.plan.references import Need, needs
from stretto.core.state import RunState, TaskState, child_id

_NOBODY: Map[int, None] = Map()


def added(state: RunState, event: TaskAdded) -> RunState:
    """Add a task of the plan."""
    return enlisted(state, event.task)


def enlisted(state: RunState, task: Task) -> RunState:
    """Add a task, waiting for what it needs; one that comes after the plan was ranked takes the last rank."""
    position = len(state.ids)
    waits_for = {name: need for name, need in needs(task).items() if name != task.id}
    blockers = 0
    dependents = state.dependents
    for name, need in waits_for.items():
        dependents = dependents.set(name, dependents.get(name, _NOBODY).set(position, None))
        earlier = state.tasks.get(name)
        blockers += need is not Need.MEMBER and (earlier is None or not earlier.status.final)
    joins = joining(task, state.tasks)
    blockers += joins is not None and not joins.met
    rank = len(state.ranked) if state.ranked else None
    needed = Map(waits_for)
    one = TaskState(task=task, position=position, rank=rank, needs=needed, blockers=blockers, joining=joins)
    state = replace(
        state,
        ranked=state.ranked.set(rank, task.id) if rank is not None else state.ranked,
        tasks=state.tasks.set(task.id, one),
        ids=state.ids.set(position, task.id),
        dependents=dependents,
        open_tasks=state.open_tasks + 1,
    )
    return state if blockers else unblocked(state, task.id)


def expanded(state: RunState, event: TaskExpanded) -> RunState:
    """Put one task per item beside the fan-out."""
    parent = state.tasks[event.task]
    state = limited(unready(state, parent), event.task, parent)
    tasks, ids, position = state.tasks.mutate(), state.ids.mutate(), len(state.ids)
    equal: Counter[str] = Counter()
    names = []
    for number, item in enumerate(event.items):
        mark = digest(item)
        id_ = child_id(event.task, number)
        tried = state.used.get(id_, 0)
        tasks[id_] = TaskState(
            task=parent.task,
            position=position + number,
            needs=parent.needs,
            blockers=0,
            parent=event.task,
            item=item,
            number=number,
            same_before=equal[mark],
            attempt=tried,
            since=tried,
            again=parent.again,
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
    if parent.task.for_each is not None and parent.task.for_each.parallel is not None:
        state = replace(state, abreast=state.abreast.set(event.task, 0))
    for name in names:
        state = ready(state, name)
    return state


def completed(state: RunState, event: TaskCompleted) -> RunState:
    """Count the result: it may be read from now on."""
    one = state.tasks[event.task]
    carried = labels(state, one)
    if one.agent is not None:
        carried |= set(state.roster.skill(one.task, one.agent).labels)
    for number in range(one.children or 0):
        carried |= state.tasks[child_id(event.task, number)].labels
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
    if one.task.undoes is None:
        state = replace(state, completed=state.completed + 1)
    elif (back := state.tasks.get(one.task.undoes)) is not None and not back.undone:
        tasks, undone = (
            state.tasks.set(one.task.undoes, replace(back, undone=True)),
            state.undone.set(str(back.key), None),
        )
        state = replace(state, tasks=tasks, undone=undone, completed=state.completed - 1)
    state = over(state, event.task, status=TaskStatus.COMPLETED, labels=carried)
    return round_accepted(state, one) if one.parent is not None and one.task.repeat is not None else state


def over(state: RunState, id_: str, **fields: Any) -> RunState:
    """Bring a task to its end: those that wait for it wait for one less."""
    state = released(state, id_, FREE)
    one = state.tasks[id_]
    state = unready(state, one)
    state = without_timers(state, id_)
    if id_ in state.abreast:
        state = replace(state, abreast=state.abreast.delete(id_))
    if one.request is not None:
        state = replace(state, requests=state.requests.delete(one.request))
    one = replace(
        one, ready=False, request=None, retry_at=None, answer_by=None, ended=state.at, ending=state.seq, **fields
    )
    tasks = state.tasks.set(id_, one)
    if id_ in state.undoing:
        state = replace(state, undoing=state.undoing.delete(id_))
    if one.parent is not None:
        parent = tasks[one.parent]
        tasks = tasks.set(one.parent, replace(parent, children_open=parent.children_open - 1))
    freed = []
    for position in sorted(state.dependents.get(id_, _NOBODY)):
        later = tasks[state.ids[position]]
        now = replace(later, blockers=later.blockers - 1) if later.joining is None else one_less(later, id_, one.status)
        tasks = tasks.set(later.task.id, now)
        waits = later.status is TaskStatus.PENDING and later.retry_at is None and not later.ready
        if later.blockers and not now.blockers and waits:
            freed.append(later.task.id)
    active = state.active.delete(id_) if id_ in state.active else state.active
    state = replace(state, tasks=tasks, active=active, open_tasks=state.open_tasks - 1)
    for name in freed:
        state = unblocked(state, name)
    return state
