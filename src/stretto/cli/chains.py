"""Who is asked, until when, who or what comes then, and what became of it, in words."""

from collections.abc import Callable

from stretto.cli.text import counted, one_line
from stretto.core.chains import coming
from stretto.core.domain import Request
from stretto.core.events import Event, PersonReminded, RequestEscalated, RequestExpired

_SILENCE = {
    "deny": "that is a denial",
    "fail": "it is given up",
    "skip": "it is left out",
    "approve": "that is an approval",
    "answer": "the answer given beforehand holds",
    "wait": "it goes on waiting",
}


def news(event: Event) -> str | None:
    """Give what whoever watches should hear of a chain; None for any other event."""
    match event:
        case PersonReminded():
            return f"{_subject(event.task)} still waits for {_name(event.to)}"
        case RequestEscalated():
            return f"{_subject(event.task)} waits for {_name(event.to)} now"
        case RequestExpired():
            return f"{_subject(event.task)}: {event.reason}; {_SILENCE[event.otherwise]}"
    return None


def charge(request: Request, local: Callable[[float], str]) -> str:
    """Say who is in charge until when, what comes then, and who let their time pass; `local` words a moment."""
    said = f"asked is {_name(request.to)}"
    if request.due is not None:
        said += f" until {local(request.due)}, then {', then '.join(map(one_line, coming(request)))}"
    if request.reminded:
        said += f"; reminded {counted(request.reminded, 'time')}"
    passed = ", ".join(f"{_name(who)} by {local(due)}" for who, due in request.missed)
    return f"{said}; no answer from {passed}" if passed else said


def _subject(task: str) -> str:
    return one_line(task) or "the goal"


def _name(who: str) -> str:
    return one_line(who) or "anybody"
