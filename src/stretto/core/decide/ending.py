"""How tasks end, and what ends with them: those that cannot do without, the fan-out they belong to, the run."""

from stretto.core.decide.draft import Draft
from stretto.core.domain import (
    FailureClass,
    TaskStatus,
)
from stretto.core.events import (
    TaskCompleted,
    TaskFailed,
    TaskSkipped,
)
from stretto.core.plan.references import Need
from stretto.core.state import TaskState


def fail(draft: Draft, id_: str, failure: FailureClass, message: str) -> None:
    """Let a task fail, and with it what cannot do without it."""
    draft.say(TaskFailed, task=id_, failure=failure, message=message)
    let_fall(draft, id_, wanted=False)
    settle_parent(draft, id_)


def skip(draft: Draft, id_: str, because: str, *, wanted: bool, excused: bool = False, reason: str = "") -> None:
    """Leave a task out, and with it what cannot do without it; `wanted` when the plan foresaw it.

    `excused` leaves a gap, but what only waits for the task goes on.
    """
    reason = reason or (f"it needs {because!r}, which was skipped" if wanted else _why_without(draft, because))
    draft.say(TaskSkipped, task=id_, reason=reason, because=because, wanted=wanted, excused=excused)
    let_fall(draft, id_, wanted=wanted, excused=excused)
    settle_parent(draft, id_)


def let_fall(draft: Draft, root: str, *, wanted: bool, excused: bool = False) -> None:
    """Skip what cannot do without a fallen task, and what cannot do without those."""
    stack = [root]
    while stack:
        fallen = stack.pop()
        for position in sorted(draft.state.dependents.get(fallen, ())):
            id_ = draft.state.ids[position]
            later = draft.state.tasks[id_]
            if later.status.final or not takes_along(draft.state.tasks[fallen], later.needs[fallen]):
                continue
            reason = f"it needs {fallen!r}, which was skipped" if wanted else _why_without(draft, fallen)
            draft.say(TaskSkipped, task=id_, reason=reason, because=fallen, wanted=wanted, excused=excused)
            stack.append(id_)


def takes_along(earlier: TaskState, need: Need) -> bool:
    """Whether a task that ended without a result takes along one that needs it so."""
    if earlier.status not in (TaskStatus.FAILED, TaskStatus.SKIPPED, TaskStatus.CANCELLED):
        return False
    return need is Need.RESULT or (need is Need.ORDER and not earlier.wanted and not earlier.excused)


def _why_without(draft: Draft, name: str) -> str:
    status = draft.state.tasks[name].status.value
    return f"it needs {name!r}, which {'failed' if status == 'failed' else f'was {status}'}"


def settle_parent(draft: Draft, id_: str) -> None:
    """End the fan-out that a task belongs to, if this was its last item."""
    parent = draft.state.tasks[id_].parent
    if parent is not None:
        settle_fan_out(draft, parent)


def settle_fan_out(draft: Draft, id_: str) -> None:
    """End a fan-out whose items have all ended."""
    state, one = draft.state, draft.state.tasks[id_]
    if one.status.final or one.children is None or one.children_open:
        return
    items = [state.tasks[f"{id_}[{number}]"] for number in range(one.children)]
    lost = [item for item in items if item.status is not TaskStatus.COMPLETED and not item.wanted and not item.excused]
    left_out = [item for item in items if item.excused]
    tolerant = one.task.for_each is not None and one.task.for_each.allow_failures
    if lost and (not tolerant or len(lost) == len(items)):
        first = lost[0]
        message = f"{len(lost)} of {len(items)} items failed, the first with: {first.reason}"
        fail(draft, id_, first.failure or FailureClass.ERROR, message)
    elif left_out and not any(item.status is TaskStatus.COMPLETED for item in items):
        reason = f"all {len(left_out)} items were left out, the first: {left_out[0].reason}"
        skip(draft, id_, "", wanted=False, excused=True, reason=reason)
    else:
        draft.say(TaskCompleted, task=id_)
