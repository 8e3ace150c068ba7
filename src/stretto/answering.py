"""A person's word on what a run asks, as a command; what makes no sense is refused with what would."""

from collections.abc import Iterable
from datetime import UTC, datetime

from stretto.core.chains import alternative, answers_for
from stretto.core.commands import AnswerRequest
from stretto.core.decide.people import ALLOWED, is_for_people
from stretto.core.domain import Json, Request
from stretto.core.errors import UsageError
from stretto.core.events import Event, PersonAnswered, PersonAsked
from stretto.core.state import RunState

_STANDS = {
    "approval": "{} waits for leave",
    "question": "{} asks something",
    "doubt": "{} is in doubt",
    "goal": "{} is unclear",
    "failure": "{} failed",
    "alternatives": "{} can be reached in several ways",
    "review": "a person decides about {}",
}


def words_for(request: Request) -> tuple[str, ...]:
    """Give the decisions that may be said to a request."""
    return ALLOWED[request.kind]


def answer_of(
    state: RunState, request_id: str, decision: str, *, actor: str, value: Json = None, reason: str = ""
) -> AnswerRequest:
    """Give the command that answers an open request of a run.

    `value` is the answer, the result of what was done by hand, or the arguments to go on with for `edit`. Raises
    UsageError for a request that is not open, a decision that it does not take, and a person who has no say in it.
    """
    request = state.requests.get(request_id)
    if request is None:
        raise UsageError(f"run {state.run} has no open request {request_id!r}; it may have been answered meanwhile")
    about = request.task or "the goal"
    if decision not in (allowed := words_for(request)):
        *first, last = allowed
        wanted = f"{', '.join(first)} or {last}" if first else last
        stands = _STANDS[request.kind].format(repr(request.task) if request.task else about)
        raise UsageError(f"{stands}: answer {wanted}, not {decision!r}")
    if not answers_for(request, actor):
        raise UsageError(f"only {request.to} may answer this now")
    if decision == "edit" and not isinstance(value, dict):
        raise UsageError(f"{about}: an edit gives the arguments to go on with, as a mapping by name")
    of_person = bool(request.task) and is_for_people(state, state.tasks[request.task])
    if decision == "answer" and value is None and not of_person:
        raise UsageError(f"{about}: which answer? Give it as the value")
    if request.kind == "alternatives":
        chosen = alternative(request, str(value))
        if chosen is None:
            listed = "; ".join(f"{number} {one}" for number, one in enumerate(request.choices, 1))
            raise UsageError(f"{value!r} is none of the choices, name or number one of: {listed}")
        value = chosen
    return AnswerRequest(actor=actor, request=request.id, decision=decision, reason=reason, value=value)  # type: ignore[arg-type]


def answered(events: Iterable[Event], request: str) -> PersonAnswered | None:
    """Give the word that a request was settled by; None while it is open, or where it was never said."""
    found = None
    for event in events:
        if isinstance(event, PersonAnswered) and event.request == request:
            found = event
    return found


def why_settled(events: Iterable[Event], request: str) -> str:
    """Say in plain words why a request is open no longer; nothing of one that was never asked."""
    known = list(events)
    if (said := answered(known, request)) is not None:
        who = "Nobody answered in time" if said.by.startswith("system:") else f"{said.by} has decided it already"
        reason = f" ({said.reason})" if said.reason and not said.by.startswith("system:") else ""
        return f"{who}: {said.decision}{reason}, at {datetime.fromtimestamp(said.at, UTC):%Y-%m-%d %H:%M:%S} UTC"
    if any(isinstance(event, PersonAsked) and event.request.id == request for event in known):
        return "It is asked no longer: the run has ended, or the task was changed"
    return ""


def is_word_of(said: PersonAnswered, command: AnswerRequest) -> bool:
    """Whether a word that is in the record is this one."""
    same = said.decision == command.decision or (said.decision, command.decision) == ("done", "answer")
    return same and said.by == command.actor.removeprefix("person:") and said.reason == command.reason
