"""Where ready tasks wait, and how one is changed. While the plan is being written only what is harmless may start."""

from typing import Any

from msgspec.structs import replace

from stretto.core.domain import TaskStatus
from stretto.core.early import may_start_early
from stretto.core.state import RunState, TaskState, queue_of


def ready(state: RunState, id_: str) -> RunState:
    """Put a task into its queue; while the plan is still being written only what is harmless may start."""
    one = state.tasks[id_]
    state = replace(
        state, tasks=state.tasks.set(id_, replace(one, ready=True, status=TaskStatus.PENDING, in_doubt=False))
    )
    if id_ in state.active:
        state = replace(state, active=state.active.delete(id_))
    if state.plan_open and one.parent is None and one.task.undoes is None and not may_start_early(state, one):
        return replace(state, held=state.held | 1 << one.position)
    queue, place = queue_of(one)
    return replace(state, ready=state.ready.set(queue, state.ready.get(queue, 0) | 1 << place))


def unready(state: RunState, one: TaskState) -> RunState:
    """Take a task out of its queue."""
    if not one.ready:
        return state
    if one.parent is None and state.held >> one.position & 1:
        return replace(state, held=state.held ^ 1 << one.position)
    queue, place = queue_of(one)
    left = state.ready.get(queue, 0) & ~(1 << place)
    return replace(state, ready=state.ready.set(queue, left) if left else state.ready.delete(queue))


def changed(state: RunState, id_: str, **fields: Any) -> RunState:
    """Replace fields of a task that is not done with."""
    one = replace(state.tasks[id_], **fields)
    return replace(state, tasks=state.tasks.set(id_, one), active=state.active.set(id_, None))
