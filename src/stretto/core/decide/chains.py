"""What follows when people take their time: reminders, the next person, and at last what the chain says."""

from dataclasses import replace

from stretto.core.chains import WITHOUT, alternative, fired, holds, reminder_of, request_of, why
from stretto.core.commands import AnswerRequest
from stretto.core.decide.draft import Draft
from stretto.core.decide.people import settle
from stretto.core.decide.revising import carry_out
from stretto.core.domain import Chain, Request, SideEffect
from stretto.core.events import PersonReminded, RequestEscalated, RequestExpired

ACTOR = "system:chain"
_NOBODY_ELSE = Chain(steps=())


def pass_on(draft: Draft, timer: str) -> None:
    """Take in that the moment of a chain's timer has come."""
    request = draft.state.requests.get(request_of(timer))
    if request is None:
        return
    match fired(request, timer, draft.at):
        case "remind":
            _remind(draft, request)
        case "due":
            _escalate(draft, request)


def catch_up(draft: Draft) -> None:
    """Go on with every request whose time ran out while nobody drove the run; the next person gets all of theirs."""
    if draft.state.halted:
        return
    for request in sorted(draft.state.requests.values(), key=lambda one: (one.asked, one.id)):
        if request.id in draft.state.requests and request.due is not None and draft.at >= request.due:
            _escalate(draft, request)


def _remind(draft: Draft, request: Request) -> None:
    """Remind once, also of what several reminders were due for."""
    count, moment = request.reminded + 1, reminder_of(request)
    if moment is not None and draft.at > moment > request.since:
        every = (moment - request.since) / count
        count = max(count, int((draft.at - request.since) / every))
    draft.say(PersonReminded, request=request.id, task=request.task, to=request.to, reminded=count)


def _escalate(draft: Draft, request: Request) -> None:
    chain, step = request.chain or _NOBODY_ELSE, request.step + 1
    if step < len(chain.steps):
        ask = chain.steps[step]
        due = None if ask.within is None else draft.at + ask.within
        draft.say(RequestEscalated, request=request.id, task=request.task, to=ask.who, step=step, due=due)
        return
    otherwise, reason = holds(request, _effect(draft, request)), why(request)
    draft.say(RequestExpired, request=request.id, task=request.task, otherwise=otherwise, reason=reason)
    if otherwise == "wait":
        return
    word = AnswerRequest(actor=ACTOR, request=request.id, decision=otherwise, reason=reason, value=chain.value)
    if request.kind != "alternatives":
        settle(draft, draft.state.requests[request.id], word)
        return
    chosen = WITHOUT if otherwise == "skip" else alternative(request, chain.value)
    carry_out(draft, draft.state.requests[request.id], replace(word, decision="answer", value=chosen))


def _effect(draft: Draft, request: Request) -> SideEffect:
    """Give the gravest that any agent's doing it could be."""
    if not request.task:
        return SideEffect.NONE
    if request.call:
        return draft.state.tasks[request.task].calls[request.call].effect
    task, roster = draft.state.tasks[request.task].task, draft.state.roster
    grave = any(roster.effect(task, name) is SideEffect.IRREVERSIBLE for name in roster.candidates(task))
    return SideEffect.IRREVERSIBLE if grave else SideEffect.NONE
