"""How tasks end, and what ends with them: those that cannot do without, the fan-out they belong to, the run."""

from typing import assert_never

from stretto.core.decide.draft import Draft
from stretto.core.decide.joins import drop_rest, just_met, met_without, why_lost
from stretto.core.domain import (
    FailureClass,
    TaskStatus,
)
from stretto.core.events import (
    RepeatStopped,
    RoundOpened,
    RoundPaused,
    TaskCompleted,
    TaskFailed,
    TaskSkipped,
)
from stretto.core.plan.references import Need
from stretto.core.repeat import Again, Enough, InVain, after_round
from stretto.core.state import TaskState, child_id


def complete(draft: Draft, id_: str, reviewer: str = "") -> None:
    """Accept a task; what only served a join that now has what it takes is left out."""
    draft.say(TaskCompleted, task=id_, reviewer=reviewer)
    for join in just_met(draft.state, id_):
        drop_rest(draft, join)
    settle_parent(draft, id_)


def fail(draft: Draft, id_: str, failure: FailureClass, message: str) -> None:
    """Let a task fail, and with it what cannot do without it."""
    draft.say(TaskFailed, task=id_, failure=failure, message=message)
    let_fall(draft, id_, wanted=False)
    settle_parent(draft, id_)


def skip(draft: Draft, id_: str, because: str, *, wanted: bool, excused: bool = False, reason: str = "") -> None:
    """Leave a task out, and with it what cannot do without it; `wanted` when the plan foresaw it.

    `excused` leaves a gap, but what only waits for the task goes on.
    """
    reason = reason or _why_without(draft, because, wanted=wanted)
    draft.say(TaskSkipped, task=id_, reason=reason, because=because, wanted=wanted, excused=excused)
    let_fall(draft, id_, wanted=wanted, excused=excused)
    settle_parent(draft, id_)


def let_fall(draft: Draft, root: str, *, wanted: bool, excused: bool = False) -> None:
    """Skip what cannot do without a fallen task, and what cannot do without those."""
    stack = [(root, wanted)]
    while stack:
        fallen, wanted = stack.pop()
        for position in sorted(draft.state.dependents.get(fallen, ())):
            id_ = draft.state.ids[position]
            later = draft.state.tasks[id_]
            if later.status.final:
                continue
            if takes_along(draft.state.tasks[fallen], later.needs[fallen]):
                reason, foreseen = _why_without(draft, fallen, wanted=wanted), wanted
            elif later.joining is not None and later.joining.lost:
                reason, foreseen = why_lost(draft.state, later)
            else:
                continue
            draft.say(TaskSkipped, task=id_, reason=reason, because=fallen, wanted=foreseen, excused=excused)
            stack.append((id_, foreseen))


def fall_if_lost(draft: Draft, id_: str) -> None:
    """Skip a task whose join too few members can still complete."""
    one = draft.state.tasks[id_]
    if one.joining is not None and one.joining.lost and not one.status.final:
        reason, foreseen = why_lost(draft.state, one)
        skip(draft, id_, "", wanted=foreseen, reason=reason)


def takes_along(earlier: TaskState, need: Need) -> bool:
    """Whether a task that ended without a result takes along one that needs it so."""
    if earlier.status not in (TaskStatus.FAILED, TaskStatus.SKIPPED, TaskStatus.CANCELLED):
        return False
    return need is Need.RESULT or (need is Need.ORDER and not earlier.wanted and not earlier.excused)


def _why_without(draft: Draft, name: str, *, wanted: bool) -> str:
    if wanted:
        return f"it needs {name!r}, which was skipped"
    status = draft.state.tasks[name].status.value
    return f"it needs {name!r}, which {'failed' if status == 'failed' else f'was {status}'}"


def settle_parent(draft: Draft, id_: str) -> None:
    """End the fan-out that a task belongs to, if this was its last item; go on with a repetition after a round."""
    one = draft.state.tasks[id_]
    if one.parent is not None and one.task.repeat is not None:
        settle_round(draft, one.parent)
    elif one.parent is not None:
        settle_fan_out(draft, one.parent)


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
        complete(draft, id_)


def settle_round(draft: Draft, id_: str) -> None:
    """Go on after a round of a repeated task has ended; where a condition decides, it is judged first."""
    for join in met_without(draft.state, id_):
        drop_rest(draft, join)  # a round with side effects was let finish; no other one has to follow
    whole = draft.state.tasks[id_]
    if whole.status.final or whole.ready:
        return
    last = draft.state.tasks[child_id(id_, (whole.children or 1) - 1)]
    if last.status is TaskStatus.COMPLETED:
        go_on(draft, id_)
    elif last.wanted:
        skip(draft, id_, "", wanted=True, reason=last.reason)
    elif last.excused:
        skip(draft, id_, "", wanted=False, excused=True, reason=last.reason)
    else:
        fail(draft, id_, last.failure or FailureClass.ERROR, f"round {last.number}: {last.reason}")


def go_on(draft: Draft, id_: str) -> None:
    """Do what follows a round that was accepted and not said to be the last: another one, a pause, or the end."""
    whole = draft.state.tasks[id_]
    following = after_round(whole)
    match following:
        case Again(pause=0.0):
            draft.say(RoundOpened, task=id_, round=whole.children or 0)
        case Again():
            draft.say(RoundPaused, task=id_, round=whole.children or 0, until=draft.at + following.pause)
        case Enough():
            if following.reason is not None:
                draft.say(RepeatStopped, task=id_, reason=following.reason)
            complete(draft, id_)
        case InVain():
            fail(draft, id_, FailureClass.INVALID_OUTPUT, following.reason)
        case _:
            assert_never(following)
