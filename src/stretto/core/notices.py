"""Alerts: which facts people are told of, in which words, and how often it is tried. Pure.

An alert is due while it is in the state, so it is sent at least once; its id comes from the place of the fact in the
run, and is the same after any crash.
"""

from typing import TypeAlias

from msgspec.structs import replace

from stretto.core.domain import Notice, NoticeKind
from stretto.core.effects import Notify
from stretto.core.events import (
    BreakerOpened,
    DeadlinePassed,
    Event,
    NoticeTried,
    PersonAsked,
    PersonReminded,
    RequestEscalated,
    RequestExpired,
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
    kind, task, text, urgent, to = found
    id_ = f"{state.run}/{state.seq}"
    notice = Notice(id=id_, kind=kind, run=state.run, text=text, task=task, at=event.at, urgent=urgent, to=to)
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


_Said: TypeAlias = tuple[NoticeKind, str, str, bool, str]


def _of(state: RunState, event: Event) -> _Said | None:
    """Give kind, task, text, whether it is urgent, and for whom it is (empty: everybody)."""
    match event:
        case PersonAsked() | PersonReminded() | RequestEscalated() | RequestExpired():
            return _of_request(state, event)
        case BreakerOpened() if not event.run and event.times == 1:
            key, seconds = event.agent, event.until - event.at
            name = f"provider {key.removeprefix(PROVIDER)}" if key.startswith(PROVIDER) else f"agent {key}"
            return "breaker", "", f"{name} is held for {seconds:.3g} s: {event.why}", False, ""
        case RunPaused():
            return ("stalled" if event.alarm else "halted"), "", f"the run is paused: {event.reason}", event.alarm, ""
        case RunCancelled():
            why = f": {event.reason}" if event.reason else ""
            return "halted", "", f"the run was cancelled by {event.by.removeprefix('person:')}{why}", False, ""
        case RunStopped():
            return "halted", event.task, event.reason, True, ""
        case DeadlinePassed():
            return "halted", "", "the run's deadline passed", False, ""
        case RunEnded():
            gaps = len(event.delivery.gaps)
            missing = f", {gaps} missing" if gaps else ""
            text = f"the run is {event.status.value}: {state.completed} of {state.planned} tasks done{missing}"
            return "ended", "", text, False, ""
    return None


def _of_request(state: RunState, event: PersonAsked | PersonReminded | RequestEscalated | RequestExpired) -> _Said:
    request = event.request if isinstance(event, PersonAsked) else state.requests[event.request]
    what, task = request.task or "the goal", state.tasks.get(request.task)
    match event:
        case RequestExpired():
            return "escalated", request.task, f"{what}: {event.reason}; it comes to {event.otherwise}", True, ""
        case PersonReminded():
            return "reminder", request.task, f"{what} still waits for {event.to}: {request.question}", False, event.to
        case RequestEscalated():
            return "escalated", request.task, f"{what} waits for {event.to} now: {request.question}", True, event.to
    if task is not None and task.task.undoes is not None:
        text = f"{task.task.undoes} could not be taken back: {request.question}"
        return "compensation", request.task, text, True, request.to
    return (
        "request",
        request.task,
        f"{what} waits for {request.to or 'a person'}: {request.question}",
        False,
        request.to,
    )
