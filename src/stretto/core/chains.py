"""Chains of people: who is in charge of a request, until when, and who or what comes next.

A request carries its chain, so that what was promised when it was asked holds to its end.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from stretto.core.domain import Chain, Fallback, Json, Request, SideEffect, Task
from stretto.core.effects import Wait
from stretto.core.state import RunState

TIMER = "ask/"
TAKEN_OVER = ("approval", "question")
"""Kinds of requests to which a person may say: I have done it myself."""

BY_HAND = "by hand"
"""The rung of a result that a person brought and the review sent back."""

RETRY = "retry it now"
WITHOUT = "go on without it"
STOP = "stop the run"
HAND_OVER = "hand it to "
"""What people may choose where no plan leads around a failed task; the last goes on with an agent and its skill."""

Moment: TypeAlias = Literal["remind", "due"]


def assigned(state: RunState, request: Request, agent: str | None = None) -> Request:
    """Put a new request to the first of its chain; without a chain it is for anybody, for as long as it takes."""
    task = state.tasks[request.task].task if request.task else None
    chain = chain_for(state, request.kind, task, agent)
    if chain is None:
        return replace(request, since=request.asked)
    return put_to(replace(request, chain=chain), 0, request.asked)


def chain_for(state: RunState, kind: str, task: Task | None, agent: str | None) -> Chain | None:
    """Give the chain for a kind of request: the task's, else the skill's, else the workspace's."""
    levels = [state.catalogue.ask]
    if task is not None and agent is not None:
        levels.insert(0, state.roster.skill(task, agent).ask)
    if task is not None:
        levels.insert(0, task.ask)
    return next((level.get(kind) or level["default"] for level in levels if kind in level or "default" in level), None)


def put_to(request: Request, step: int, at: float) -> Request:
    """Put a request to the person of a step, from a moment on."""
    if request.chain is None:
        return request
    ask = request.chain.steps[step]
    due = None if ask.within is None else at + ask.within
    return replace(request, step=step, to=ask.who, since=at, due=due, reminded=0)


def timer_of(request: Request) -> Wait | None:
    """Give the next moment at which something follows from the chain: a reminder, or the end of somebody's time."""
    reminder, due = reminder_of(request), request.due
    if reminder is not None and (due is None or reminder < due):
        return Wait(timer=_name(request, f"remind/{request.reminded + 1}"), until=reminder)
    return Wait(timer=_name(request, "due"), until=due) if due is not None else None


def reminder_of(request: Request) -> float | None:
    """Give the moment of the next reminder, if there is to be one before the end of the step."""
    if request.chain is None or request.step >= len(request.chain.steps):
        return None
    every = request.chain.steps[request.step].remind
    return None if every is None else request.since + every * (request.reminded + 1)


def fired(request: Request, timer: str, at: float) -> Moment | None:
    """Say what a timer of this request means at a moment; None when it is early or late."""
    waits = timer_of(request)
    if waits is None or waits.timer != timer or at < waits.until:
        return None
    return "due" if timer.endswith("due") else "remind"


def request_of(timer: str) -> str:
    """Give the request that a timer is about."""
    return timer.removeprefix(TIMER).partition("/")[0]


def answers_for(request: Request, actor: str) -> bool:
    """Whether a person's word counts: anybody's does, unless the chain is for those in charge only."""
    if request.chain is None or not request.chain.only or not request.to:
        return True
    return name_of(actor) == request.to


def name_of(actor: str) -> str:
    """Give the plain name of an actor like `person:ann (typed by root)`."""
    return actor.removeprefix("person:").partition(" (")[0]


def holds(request: Request, effect: SideEffect) -> Fallback:
    """Say what follows when nobody answered, as far as it suits the kind of the request.

    Silence is no leave for what cannot be undone, and no answer to what was not asked.
    """
    otherwise = request.chain.otherwise if request.chain is not None else "wait"
    match request.kind, otherwise:
        case "approval", "approve":
            return "deny" if effect is SideEffect.IRREVERSIBLE else "approve"
        case "review", "approve" | "skip":
            return otherwise
        case "review", "deny" | "fail":
            return "fail"
        case "approval", "skip":
            return "deny"
        case "goal", "fail" | "skip":
            return "deny"
        case "doubt" | "failure", "deny":
            return "fail"
        case ("approval" | "question" | "goal", "deny") | ("approval" | "question" | "doubt" | "failure", "fail"):
            return otherwise
        case ("question" | "failure" | "alternatives", "skip") | ("question" | "goal", "answer"):
            return otherwise
        case "alternatives", "deny" | "fail":
            return "skip"
        case "alternatives", "answer" if request.chain and alternative(request, request.chain.value):
            return "answer"
    return "wait"


def alternative(request: Request, said: Json) -> str | None:
    """Give the choice that an answer names, by its number, its words, or how they begin; None when it names none."""
    text = str(said).strip().casefold()
    if text.isdecimal() and 0 < int(text[:9]) <= len(request.choices):
        return request.choices[int(text[:9]) - 1]
    found = [one for one in request.choices if text and one.casefold().startswith(text)]
    return found[0] if len(found) == 1 or (found and found[0].casefold() == text) else None


def why(request: Request) -> str:
    """Say who let which moment pass."""
    missed = request.missed if request.due is None else (*request.missed, (request.to, request.due))
    told = ", ".join(f"{who or 'anybody'} by {_utc(due)}" for who, due in missed)
    return f"nobody answered: {told}"


def coming(request: Request) -> tuple[str, ...]:
    """Name who and what comes after the person in charge: people, and at last what then holds."""
    if request.chain is None or request.due is None:
        return ()
    later = [one.who or "anybody" for one in request.chain.steps[request.step + 1 :]]
    return (*later, request.chain.otherwise)


def _name(request: Request, what: str) -> str:
    return f"{TIMER}{request.id}/{request.step}/{what}"


def _utc(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S} UTC"
