"""Requests open and are answered."""

from msgspec.structs import replace

from stretto.core.chains import TAKEN_OVER
from stretto.core.context import binding
from stretto.core.domain import TaskStatus, Word
from stretto.core.events import (
    PersonAnswered,
    PersonAsked,
)
from stretto.core.evolve.calls import call_answered
from stretto.core.evolve.queues import ready, unready
from stretto.core.state import RunState


def asked(state: RunState, event: PersonAsked) -> RunState:
    """Open a request; its task waits."""
    request = event.request
    if request.kind == "goal" and not request.via:
        return replace(state, requests=state.requests.set(request.id, request), unclear=request.id)
    if request.kind == "alternatives" and not request.via:
        return replace(state, requests=state.requests.set(request.id, request), offered=request.id)
    one = state.tasks[request.task]
    state = unready(state, one)
    status = TaskStatus.UNKNOWN if request.kind == "doubt" else TaskStatus.WAITING
    one = replace(one, status=status, ready=False, request=request.id)
    return replace(
        state,
        tasks=state.tasks.set(request.task, one),
        requests=state.requests.set(request.id, request),
        active=state.active.set(request.task, None),
    )


def answered(state: RunState, event: PersonAnswered) -> RunState:
    """Close a request; its task goes on where the answer allows it."""
    request = state.requests[event.request]
    state = replace(state, requests=state.requests.delete(event.request))
    if request.kind == "goal" and not request.via:
        answers = ((request.question, str(event.value)),) if event.decision == "answer" else ()
        return replace(state, unclear=None, clarified=(*state.clarified, *answers))
    if request.kind == "alternatives" and not request.via:
        return replace(state, offered=None)
    one = state.tasks[event.task]
    one = replace(one, request=None, answer_by=None, round=one.round + 1)
    if request.via:
        said = Word(
            request=request.origin, decision=event.decision, by=event.by, reason=event.reason, value=event.value
        )
        return ready(replace(state, tasks=state.tasks.set(event.task, replace(one, word=said))), event.task)
    if request.call:
        one = call_answered(one, request.call, event.decision, event.by, event.reason, event.value)
        return ready(replace(state, tasks=state.tasks.set(event.task, one)), event.task)
    if request.kind == "review":  # its result is still there, and goes as the word says
        one = replace(one, status=TaskStatus.REVIEWING)
        return replace(state, tasks=state.tasks.set(event.task, one))
    match event.decision:
        case "approve":
            one = replace(one, approved=request.binding)
        case "edit":
            one = replace(one, edited=event.value, approved=binding(one.task.skill, event.value))
        case "answer":
            one = replace(one, answers=(*one.answers, str(event.value)))
        case "done" if request.kind in TAKEN_OVER:
            agent = one.agent or state.roster.candidates(one.task)[0]
            one = replace(one, attempt=request.attempt, agent=agent, taken_by=event.by)
    state = replace(state, tasks=state.tasks.set(event.task, one))
    return ready(state, event.task) if event.decision in ("approve", "edit", "answer", "retry") else state
