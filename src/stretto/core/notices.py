"""Alerts: which facts people are told of, in which words, and how often it is tried. Pure.

An alert is due while it is in the state, so it is sent at least once; its id comes from the place of the fact in the
run, and is the same after any crash.
"""

from msgspec.structs import replace

from stretto.core.domain import Notice, NoticeKind
from stretto.core.effects import Notify
from stretto.core.events import (
    BreakerOpened,
    DeadlinePassed,
    Event,
    NoticeTried,
    PersonAsked,
    RunCancelled,
    RunEnded,
    RunPaused,
    RunStopped,
)
from stretto.core.holds import PROVIDER
from stretto.core.state import Alert, RunState

PAUSES = (0.5, 2.0)
"""Seconds before the second and the third try; then a channel that fails is given up."""


def noticed(state: RunState, event: Event) -> RunState:
    """Add the alert that a fact calls for, if somebody listens; `state` is the one after it."""
    if not state.catalogue.notify:
        return state
    found = _of(state, event)
    if found is None or found[0] not in state.catalogue.notify:
        return state
    kind, task, text, urgent = found
    id_ = f"{state.run}/{state.seq}"
    notice = Notice(id=id_, kind=kind, run=state.run, text=text, task=task, at=event.at, urgent=urgent)
    return replace(state, notices=state.notices.set(id_, Alert(notice=notice)))


def tried(state: RunState, event: NoticeTried) -> RunState:
    """Take in what became of sending an alert: who has it needs it no more."""
    alert = state.notices[event.notice]
    if event.until is None:
        unheard = state.unheard.set(event.notice, event.errors) if event.errors else state.unheard
        return replace(state, notices=state.notices.delete(event.notice), unheard=unheard)
    left = tuple(name for name, _ in event.errors)
    alert = Alert(notice=alert.notice, attempt=alert.attempt + 1, until=event.until, channels=left)
    return replace(state, notices=state.notices.set(event.notice, alert))


def alerts(state: RunState) -> list[Notify]:
    """Give the alerts that are due, also those of a run that has ended."""
    return [Notify(notice=id_, attempt=one.attempt, until=one.until) for id_, one in state.notices.items()]


def _of(state: RunState, event: Event) -> tuple[NoticeKind, str, str, bool] | None:
    """Give kind, task, text and whether it is urgent."""
    match event:
        case PersonAsked():
            request = event.request
            return (
                "request",
                request.task,
                f"{request.task or 'the goal'} waits for a person: {request.question}",
                False,
            )
        case BreakerOpened() if not event.run and event.times == 1:
            key, seconds = event.agent, event.until - event.at
            name = f"provider {key.removeprefix(PROVIDER)}" if key.startswith(PROVIDER) else f"agent {key}"
            return "breaker", "", f"{name} is held for {seconds:.3g} s: {event.why}", False
        case RunPaused():
            return ("stalled" if event.alarm else "halted"), "", f"the run is paused: {event.reason}", event.alarm
        case RunCancelled():
            why = f": {event.reason}" if event.reason else ""
            return "halted", "", f"the run was cancelled by {event.by.removeprefix('person:')}{why}", False
        case RunStopped():
            return "halted", event.task, event.reason, True
        case DeadlinePassed():
            return "halted", "", "the run's deadline passed", False
        case RunEnded():
            gaps = len(event.delivery.gaps)
            missing = f", {gaps} missing" if gaps else ""
            text = f"the run is {event.status.value}: {state.completed} of {len(state.ids)} tasks done{missing}"
            return "ended", "", text, False
    return None
