"""A person's hand on a run: stop it with grace, do a task once more."""

from stretto.core.calls import dangerous
from stretto.core.commands import Cancel, RetryTask
from stretto.core.context import effect_of
from stretto.core.decide.attempts import doubt
from stretto.core.decide.draft import Draft
from stretto.core.decide.ending import fall_if_lost, skip, takes_along
from stretto.core.decide.undoing import undo_everything
from stretto.core.domain import Delivery, RunStatus, TaskStatus
from stretto.core.events import RunCancelled, RunCancelling, RunEnded, TasksReopened
from stretto.core.plan.names import Names
from stretto.core.plan.references import Need
from stretto.core.state import RunState, TaskState, child_id, gaps, is_broken

_FALLEN = (TaskStatus.FAILED, TaskStatus.SKIPPED, TaskStatus.CANCELLED)
_AT_WORK = (TaskStatus.RUNNING, TaskStatus.REVIEWING)


def cancel(draft: Draft, command: Cancel) -> None:
    """End a run: at once, or after the grace that attempts under way are given."""
    state = draft.state
    if not state.run or state.status.final or (command.undo and state.cancelled is not None):
        return
    if command.grace > 0 and at_work(state):
        if state.cancelling is None:
            until = draft.at + command.grace
            draft.say(RunCancelling, by=command.actor, until=until, reason=command.reason, undo=command.undo)
        return
    end_cancelled(draft, command.actor, command.reason, undo=command.undo)


def end_cancelled(draft: Draft, by: str, reason: str = "", *, undo: bool = False) -> None:
    """End a run at once; what is finished stays, or with `undo` is taken back before."""
    draft.say(RunCancelled, by=by, reason=reason, undo=undo)
    if undo and undo_everything(draft, f"the run was cancelled by {by.removeprefix('person:')}"):
        return
    draft.say(RunEnded, status=RunStatus.CANCELLED, delivery=Delivery(gaps=gaps(draft.state)))


def at_work(state: RunState) -> bool:
    """Whether an attempt is under way, or what one brought is being reviewed."""
    return bool(state.under_way) or any(state.tasks[id_].status in _AT_WORK for id_ in state.active)


def retry(draft: Draft, command: RetryTask) -> None:
    """Open a task once more, with all that fell because of it."""
    state = draft.state
    if why_no_retry(state, command) is not None:
        return
    draft.say(
        TasksReopened,
        revision=state.revision + 1,
        task=command.task,
        tasks=tuple(opened_by(state, command.task, again=command.again)),
        by=command.actor,
        agent=command.agent,
        feedback=command.feedback,
        again=command.again and state.tasks[command.task].status is TaskStatus.COMPLETED,
    )
    settle(draft)


def settle(draft: Draft) -> None:
    """Say what follows from a plan that was opened again: what cannot start falls, what is in doubt is asked about."""
    for position in range(len(draft.state.ids)):
        id_ = draft.state.ids[position]
        one = draft.state.tasks[id_]
        if one.status is TaskStatus.PENDING:
            for name, need in sorted(one.needs.items()):
                earlier = draft.state.tasks.get(name)
                if earlier is not None and one.parent is None and takes_along(earlier, need):
                    skip(draft, id_, name, wanted=earlier.wanted, excused=earlier.excused)
                    break
            else:
                if one.parent is None:
                    fall_if_lost(draft, id_)
        elif _is_unasked(draft.state, one):
            doubt(draft, id_, one.attempt, f"the run was stopped while {one.agent!r} was at work")


def _is_unasked(state: RunState, one: TaskState) -> bool:
    """Whether an action is in doubt that nobody looks up and no person was asked about."""
    doubtful = one.status is TaskStatus.UNKNOWN and one.in_doubt and one.request is None
    return doubtful and not state.roster.agents[str(one.agent)].looks_up


def why_no_retry(state: RunState, command: RetryTask) -> str | None:
    """Say why a task cannot be done once more; None when it can."""
    id_, one = command.task, state.tasks.get(command.task)
    if problem := unready_for_change(state, command.revision):
        return problem
    if one is None:
        return f"there is no task {id_!r}. {Names(lambda: list(state.tasks)).mend(id_)}"
    if one.status is TaskStatus.COMPLETED and one.parent is not None and one.task.repeat is not None:
        return f"{id_!r} is a round that was accepted, and what came later rests on it; do {one.parent!r} once more"
    if one.status is TaskStatus.COMPLETED and not command.again:
        return f"{id_!r} is completed; say --again to do it, and what follows from it, once more"
    if one.status in (TaskStatus.WAITING, TaskStatus.UNKNOWN):
        return f"{id_!r} waits for a person; answer that instead: stretto show tells how"
    if not one.status.final:
        return f"{id_!r} is {one.status.value}; only a task that has ended can be done once more"
    if command.agent is not None:
        able = state.roster.by_skill.get(one.task.skill, ())
        if command.agent not in able:
            mend = Names(lambda: able).mend(command.agent)
            return f"no agent {command.agent!r} has the skill {one.task.skill!r}. {mend}"
    opened = opened_by(state, id_, again=command.again)
    return why_not_dropped(state, opened)


def unready_for_change(state: RunState, revision: int) -> str | None:
    """Say why the plan of a run cannot be changed now; None when it can."""
    if not state.run:
        return "there is no such run"
    if state.cancelling is not None:
        return "it is being cancelled; wait until it has ended"
    if state.undoing:
        return "what it did is being taken back; wait until that has ended"
    if state.refused is not None or (state.plan_open and state.status.final):
        return "its plan never came to be; hand over one with stretto edit RUN --plan FILE"
    if state.plan_open:
        return "its plan is still being written; wait until it is whole"
    if revision != state.revision:
        return f"its plan has changed meanwhile: it is at revision {state.revision}, not {revision}; look at it again"
    return None


def why_not_dropped(state: RunState, ids: list[str]) -> str | None:
    """Say which of these tasks has an action under way that nobody may drop; None when there is none."""
    items = [child_id(id_, number) for id_ in ids for number in range(state.tasks[id_].children or 0)]
    for id_ in (*ids, *items):
        if is_held(state, one := state.tasks[id_]):
            stands, mend = "is at work", "wait until it has ended"
            if one.request is not None:
                stands, mend = "is in doubt", "answer that first: stretto show tells how"
            return f"{id_!r} {stands}, and its action may not be repeated; {mend}"
    return None


def is_held(state: RunState, one: TaskState) -> bool:
    """Whether a task has an action under way, done but not accepted, or in doubt, that must not be done twice."""
    if one.status is TaskStatus.UNKNOWN:
        return True
    if one.status is TaskStatus.RUNNING and dangerous(one):
        return True
    if one.status not in _AT_WORK or one.agent is None or one.children is not None:
        return False
    return not effect_of(state, one, one.agent).repeatable


def opened_by(state: RunState, id_: str, *, again: bool) -> list[str]:
    """Give what is opened with a task: what it lacks, and what fell because of it; if `again`, its descendants."""
    one = state.tasks[id_]
    redone = again and one.status is TaskStatus.COMPLETED
    whole = one.parent or id_
    lacking = _lacking(state, whole)
    first = [id_] if redone else _first(state, id_, whole, anew=bool(lacking))
    opened = dict.fromkeys([whole, *lacking])
    opened = _behind(state, opened, everything=redone)
    kept = {whole} if first != [whole] else set()  # the fan-out goes on with the items that are opened
    return [*first, *(name for name in opened if name != whole and name not in kept)]


def _first(state: RunState, id_: str, whole: str, *, anew: bool) -> list[str]:
    """Give what is opened of a task itself: of a fan-out that goes on, the items that it lacks.

    It begins `anew` where something before it does, and so do rounds of which one was taken back.
    """
    one = state.tasks[id_]
    if anew or (one.task.repeat is not None and is_broken(state, whole)):
        return [whole]
    items = [child_id(id_, number) for number in range(one.children or 0)]
    return [name for name in items if _is_missing(state, name)] or [id_]


def _is_missing(state: RunState, id_: str) -> bool:
    one = state.tasks[id_]
    return one.status is not TaskStatus.COMPLETED or one.undone


def _lacking(state: RunState, id_: str) -> list[str]:
    """Give what a task cannot do without and has not, and what that lacks."""
    found: dict[str, None] = {}
    stack = [id_]
    while stack:
        for name, need in sorted(state.tasks[stack.pop()].needs.items()):
            earlier = state.tasks.get(name)
            if earlier is not None and name not in found and (takes_along(earlier, need) or is_broken(state, name)):
                found[name] = None
                stack.append(name)
    return list(found)


def _behind(state: RunState, opened: dict[str, None], *, everything: bool) -> dict[str, None]:
    """Add what fell because of tasks, or `everything` that comes after them."""
    found, stack = dict(opened), list(opened)
    while stack:
        for position in sorted(state.dependents.get(stack.pop(), ())):
            id_ = state.ids[position]
            later = state.tasks[id_]
            fell = later.status in (TaskStatus.SKIPPED, TaskStatus.CANCELLED)
            if id_ not in found and (everything or (fell and _is_moved(later, found))):
                found[id_] = None
                stack.append(id_)
    while lost := [id_ for id_ in found if id_ not in opened and not everything and _still_lacks(state, id_, found)]:
        for id_ in lost:
            del found[id_]
    return found


def _is_moved(later: TaskState, found: dict[str, None]) -> bool:
    return any(name in found and need is not Need.SOFT for name, need in later.needs.items())


def _still_lacks(state: RunState, id_: str, found: dict[str, None]) -> bool:
    """Whether a task falls anyway, because of one that is not opened."""
    for name, need in state.tasks[id_].needs.items():
        earlier = state.tasks.get(name)
        if name not in found and earlier is not None and takes_along(earlier, need):
            return True
    return False
