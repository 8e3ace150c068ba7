"""Tasks come into the plan, spread over items, and come to their end."""

from collections import Counter
from typing import Any

from immutables import Map
from msgspec.structs import replace

from stretto.core.canonical import digest
from stretto.core.context import labels
from stretto.core.domain import FREE, Entry, TaskStatus
from stretto.core.events import (
    TaskAdded,
    TaskCompleted,
    TaskExpanded,
)
from stretto.core.evolve.attempts import released
from stretto.core.evolve.queues import ready, unready
from stretto.core.plan.references import needs
from stretto.core.state import RunState, TaskState, child_id

_NOBODY: Map[int, None] = Map()


def added(state: RunState, event: TaskAdded) -> RunState:
    """Add a task, waiting for what it needs."""
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
    return state if blockers else ready(state, task.id)


def expanded(state: RunState, event: TaskExpanded) -> RunState:
    """Put one task per item beside the fan-out."""
    parent = state.tasks[event.task]
    state = unready(state, parent)
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
    for name in names:
        state = ready(state, name)
    return state


def completed(state: RunState, event: TaskCompleted) -> RunState:
    """Count the result: it may be read from now on."""
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
    return over(state, event.task, status=TaskStatus.COMPLETED, labels=carried)


def over(state: RunState, id_: str, **fields: Any) -> RunState:
    """Bring a task to its end: those that wait for it wait for one less."""
    state = released(state, id_, FREE)
    one = state.tasks[id_]
    state = unready(state, one)
    one = replace(one, ready=False, request=None, retry_at=None, answer_by=None, ended=state.at, **fields)
    tasks = state.tasks.set(id_, one)
    if one.parent is not None:
        parent = tasks[one.parent]
        tasks = tasks.set(one.parent, replace(parent, children_open=parent.children_open - 1))
    freed = []
    for position in sorted(state.dependents.get(id_, _NOBODY)):
        later = tasks[state.ids[position]]
        tasks = tasks.set(later.task.id, replace(later, blockers=later.blockers - 1))
        if later.blockers == 1 and later.status is TaskStatus.PENDING and later.retry_at is None and not later.ready:
            freed.append(later.task.id)
    active = state.active.delete(id_) if id_ in state.active else state.active
    state = replace(state, tasks=tasks, active=active, open_tasks=state.open_tasks - 1)
    for name in freed:
        state = ready(state, name)
    return state
