"""Timers of tasks: a wait is over, or a task was not done by its deadline."""

from stretto.core.context import effect_of
from stretto.core.decide.attempts import doubt
from stretto.core.decide.draft import Draft
from stretto.core.decide.ending import fail
from stretto.core.domain import FailureClass, TaskStatus
from stretto.core.events import AttemptDoubted, AttemptFailed, RoundOpened, TaskOverdue, WaitEnded
from stretto.core.state import WAIT, RunState, TaskState, child_id


def timer_fired(draft: Draft, timer: str) -> None:
    """Take in that the moment of a task's timer has come."""
    moment = draft.state.timers.get(timer)
    if moment is None or draft.at < moment:
        return
    kind, _, id_ = timer.partition("/")
    if kind == WAIT:
        draft.say(WaitEnded, task=id_)
        rounds = draft.state.tasks[id_].children
        if rounds is not None:
            draft.say(RoundOpened, task=id_, round=rounds)
    else:
        _overdue(draft, id_)


def is_overdue(state: RunState, one: TaskState, at: float) -> bool:
    """Whether the deadline of a task, or of the whole that it is a part of, has passed."""
    whole = state.tasks[one.parent] if one.parent is not None else one
    seconds = whole.task.limits.deadline
    return seconds is not None and whole.started is not None and at >= whole.started + seconds


def too_late(one: TaskState) -> str:
    """Say which deadline passed."""
    return f"not done within {one.task.limits.deadline:g} s"


def _overdue(draft: Draft, id_: str) -> None:
    draft.say(TaskOverdue, task=id_)
    children = draft.state.tasks[id_].children
    for name in [id_] if children is None else [child_id(id_, number) for number in range(children)]:
        _stop(draft, name)
    whole = draft.state.tasks[id_]
    if not whole.status.final and children is not None and not whole.children_open:  # between two rounds
        fail(draft, id_, FailureClass.TIMED_OUT, too_late(whole))


def _stop(draft: Draft, id_: str) -> None:
    """Let a task fail; what may have happened is in doubt instead, and stays so until somebody knows."""
    one = draft.state.tasks[id_]
    if one.status.final or one.status is TaskStatus.UNKNOWN or one.in_doubt:
        return
    message = too_late(one)
    if one.status is TaskStatus.RUNNING and one.agent is not None:
        if not effect_of(draft.state, one, one.agent).repeatable:
            if draft.state.roster.agents[one.agent].looks_up:
                draft.say(AttemptDoubted, task=id_, attempt=one.attempt)
            else:
                doubt(draft, id_, one.attempt, message)
            return
        draft.say(AttemptFailed, task=id_, attempt=one.attempt, failure=FailureClass.TIMED_OUT, message=message)
    fail(draft, id_, FailureClass.TIMED_OUT, message)
