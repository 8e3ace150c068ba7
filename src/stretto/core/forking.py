"""Where a run is forked: at which event, and which actions of its parent the fork must not do again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stretto.core.calls import call_of
from stretto.core.context import effect_of
from stretto.core.domain import Kept, SideEffect, TaskStatus
from stretto.core.events import (
    AttemptFailed,
    AttemptForgotten,
    AttemptStarted,
    AttemptSuspended,
    CallBegun,
    CallEnded,
    CallFailed,
    CallForgotten,
    DeadlinePassed,
    Event,
    NoticeTried,
    PlanRevised,
    ResultReused,
    RunEnded,
    RunForked,
    RunRated,
    RunSubmitted,
    TaskCompleted,
    TaskExpanded,
    TaskFailed,
    TaskSkipped,
    TasksReopened,
)
from stretto.core.evolve import evolve
from stretto.core.ladder import MAY_HAVE_HAPPENED
from stretto.core.state import RunState, TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class Deeds:
    """Actions of a run that one which descends from it must not do again under their keys.

    `kept` are results by key, `begun` the keys of those with no known end, `undone` of those that were taken back.
    """

    kept: dict[str, Kept]
    begun: tuple[str, ...]
    undone: tuple[str, ...]


def whole(events: Sequence[Event], at: int) -> int:
    """Give the number of events up to the end of the decision that event `at` belongs to.

    The facts of one decision have one moment: half of a decision is no state that a run was ever in.
    """
    while 0 < at < len(events) and events[at].at == events[at - 1].at:
        at += 1
    return at


def before_the_end(events: Sequence[Event]) -> int:
    """Give the number of events before a run ended, was cancelled or ran out of time; of one that goes on, of all."""
    at = len(events) - 1
    while at >= 0 and isinstance(events[at], NoticeTried | RunRated):
        at -= 1  # what is told and said of an ended run
    if at < 0 or not isinstance(events[at], RunEnded):
        return len(events)
    for number in range(at, -1, -1):
        match events[number]:
            case DeadlinePassed():
                return _cut(events, number)
            case TasksReopened() | PlanRevised() | RunForked():
                break
            case _:
                pass
    return _cut(events, at)


def before_task(events: Sequence[Event], task: str) -> int | None:
    """Give the number of events before a task first began, or ended without beginning; None for an unknown one."""
    for number, event in enumerate(events):
        match event:
            case AttemptStarted() | TaskExpanded() | TaskSkipped() | TaskFailed() | ResultReused():
                if event.task == task:
                    return _cut(events, number)
            case _:
                pass
    return None


def _cut(events: Sequence[Event], at: int) -> int:
    """Give the number of events before the decision that the event after them belongs to."""
    while 0 < at < len(events) and events[at - 1].at == events[at].at:
        at -= 1
    return at


def later_deeds(state: RunState, later: Iterable[Event]) -> Deeds:
    """Give what a run did after a state, and what was done for it before."""
    kept: dict[str, Kept] = dict(state.kept)
    open_: dict[str, None] = dict.fromkeys(state.begun)
    open_ |= {str(one.key): None for id_ in state.active if _acts(state, one := state.tasks[id_])}
    calls = (call for one in state.tasks.values() if one.calls for call in one.calls.values())
    open_ |= {one.action: None for one in calls if one.in_doubt or (one.status == "open" and _changes(one.effect))}
    for event in later:
        match event:
            case AttemptStarted():
                if effect_of(state, state.tasks[event.task], event.agent) is not SideEffect.NONE:
                    open_[event.key] = None
            case CallBegun() if _changes(event.effect):
                open_[event.action] = None
            case CallEnded() | CallFailed() | CallForgotten():
                _call_ended(state, event, kept, open_)
            case RunForked() | RunSubmitted():
                kept |= event.kept
                open_ |= dict.fromkeys(event.begun)
            case AttemptFailed() | AttemptForgotten() | AttemptSuspended(unknown=False):
                open_.pop(str(state.tasks[event.task].key), None)
            case TaskCompleted():
                one = state.tasks[event.task]
                if one.key in open_ and one.result is not None and one.status is TaskStatus.REVIEWING:
                    del open_[one.key]
                    result = one.result
                    kept[one.key] = Kept(output=result.output, artifacts=result.artifacts, citations=result.citations)
            case _:
                pass
        state = evolve(state, event)
    standing = {key: one for key, one in kept.items() if key not in state.undone}
    return Deeds(kept=standing, begun=tuple(open_), undone=tuple(state.undone))


def _call_ended(
    state: RunState, event: CallEnded | CallFailed | CallForgotten, kept: dict[str, Kept], open_: dict[str, None]
) -> None:
    """Take in what became of an inner call that may have changed the world."""
    call = call_of(state, event.of, event.call)
    if call is None or call.action not in open_:
        return
    if isinstance(event, CallEnded):
        kept[call.action] = Kept(output=event.output)
    if not isinstance(event, CallFailed) or event.failure not in MAY_HAVE_HAPPENED:
        del open_[call.action]


def _changes(effect: SideEffect) -> bool:
    return effect is not SideEffect.NONE


def _acts(state: RunState, one: TaskState) -> bool:
    """Whether an attempt under way may change the world."""
    under_way = one.status is TaskStatus.RUNNING and one.agent is not None
    return under_way and effect_of(state, one, str(one.agent)) is not SideEffect.NONE
