"""Inner calls: whether one may be made, what follows from its end, and what becomes of those that nobody heard of."""

from typing import assert_never

from stretto.core.budget import call_room, lost_call, most_of_call, why_no_room
from stretto.core.calls import action_key, call_id, call_of, goes_on, is_doubtful, is_given, open_calls, piece_of
from stretto.core.canonical import digest, short
from stretto.core.chains import assigned
from stretto.core.commands import BeginCall, EndCall
from stretto.core.context import labels_of_piece
from stretto.core.decide.draft import Draft
from stretto.core.domain import (
    FREE,
    PERSONAL_LABELS,
    Called,
    Cost,
    Failed,
    FailureClass,
    InputRequired,
    Piece,
    Request,
    SideEffect,
    Unknown,
    Verdict,
)
from stretto.core.events import (
    AttemptSuspended,
    CallBegun,
    CallEnded,
    CallFailed,
    CallForgotten,
    CallJudged,
    CallLost,
    CallRefused,
    PersonAsked,
)
from stretto.core.state import CallState, RunState, TaskState


def begin_call(draft: Draft, command: BeginCall) -> None:
    """Begin an inner call where it is allowed, has room, and is not known already; else refuse it, or ask a person.

    No fact follows where it has to wait for room that work under way holds, and where its piece of work is moot.
    """
    state, of, call = draft.state, command.of, command.call
    if not goes_on(state, of):
        return
    id_ = call_id(call)
    known = call_of(state, of, id_)
    if (known.tries if known else 0) != command.tries or (known is not None and known.status in ("open", "asked")):
        return
    if known is not None and is_given(state, of, known):
        return
    action = known.action if known is not None and known.action else action_key(state, of, call)
    if (done := state.kept.get(action)) is not None and call.effect is not SideEffect.NONE and not command.never:
        _begin(draft, command, id_, action, FREE, Verdict(decision="allow", rule="kept", reason="it was done before"))
        draft.say(CallEnded, of=of, call=id_, output=done.output, personal=is_personal(state, of))
        return
    if is_doubtful(state, of, call) and command.found is not None:
        _take_found(draft, command, id_, known, command.found)
        return
    if is_doubtful(state, of, call) and not command.never:
        _ask_what_became_of_it(draft, command, id_, known)
        return
    verdict = command.verdict
    if verdict.decision == "ask" and of.work != "run":
        verdict = Verdict(decision="deny", rule=verdict.rule, reason=f"{verdict.reason}, and only a task can ask")
    if verdict.decision == "ask" and (known is None or not known.approved):
        _ask_approval(draft, command, id_, verdict)
        return
    if verdict.decision == "ask":
        verdict = Verdict(decision="allow", rule=verdict.rule, reason=f"{verdict.reason}; a person approved")
    if verdict.decision == "deny":
        _refuse(draft, command, id_, FailureClass.DENIED, verdict, f"{call.what}: {verdict.reason}")
        return
    most = most_of_call(state, of, call, command.besides)
    if most is None:
        why = f"what {call.what} costs nobody knows, and a budget limits it; say its price, or raise the budget"
        _refuse(draft, command, id_, FailureClass.OVER_BUDGET, verdict, why)
        return
    match call_room(state, of, most, command.besides):
        case "now":
            _begin(draft, command, id_, action, most, verdict)
        case "never":
            why = why_no_room(state, of, most, command.besides)
            _refuse(draft, command, id_, FailureClass.OVER_BUDGET, verdict, f"{call.what}: {why}")


def end_call(draft: Draft, command: EndCall) -> None:
    """Take in how an inner call ended; one that was in doubt is in none when it brought something."""
    state, of, id_ = draft.state, command.of, command.call
    known = call_of(state, of, id_)
    if known is None or known.tries != command.tries or state.status.final:
        return
    outcome = command.outcome
    personal = is_personal(state, of)
    if known.status != "open" or known.number != of.number:
        open_ = of.work == "run" and not state.tasks[of.task].status.final
        if known.in_doubt and open_ and isinstance(outcome, Called):
            cost = outcome.cost.beyond(known.cost)  # what it counted as having cost until now
            draft.say(CallEnded, of=of, call=id_, output=outcome.output, cost=cost, personal=personal)
        return
    match outcome:
        case Called():
            draft.say(
                CallEnded,
                of=of,
                call=id_,
                output=outcome.output,
                cost=outcome.cost,
                usage=outcome.usage,
                personal=personal,
            )
        case Failed():
            draft.say(
                CallFailed,
                of=of,
                call=id_,
                failure=outcome.failure,
                message=outcome.message,
                cost=outcome.cost,
                usage=command.usage,
                personal=personal,
            )
        case InputRequired():
            draft.say(CallForgotten, of=of, call=id_, cost=outcome.cost, usage=command.usage)
        case Unknown():
            _lose(draft, of, id_, known)
        case _:
            assert_never(outcome)


def lose_calls(draft: Draft, task: str) -> TaskState:
    """Let go of the open calls of a task's attempt that has ended: nobody hears of them any more."""
    for of, id_, call in list(open_calls(draft.state, task)):
        _lose(draft, of, id_, call)
    return draft.state.tasks[task]


def lose_own_calls(draft: Draft) -> None:
    """Let go of the open calls of the run itself, whose owner died."""
    for name in sorted(draft.state.calling):
        _lose(draft, piece_of(name), name.rpartition("/")[2], draft.state.calls[name])


def is_personal(state: RunState, of: Piece) -> bool:
    """Whether what a call gets and brings has to lie beside the chain."""
    return bool(labels_of_piece(state, of) & PERSONAL_LABELS)


def _begin(draft: Draft, command: BeginCall, id_: str, action: str, reserved: Cost, verdict: Verdict) -> None:
    of, call = command.of, command.call
    draft.say(
        CallBegun,
        of=of,
        call=id_,
        key=call.key,
        role=call.role,
        what=call.what,
        action=action,
        verdict=verdict,
        effect=call.effect,
        reserved=reserved,
        arguments=call.arguments,
        personal=is_personal(draft.state, of),
    )


def _take_found(draft: Draft, command: BeginCall, id_: str, known: CallState | None, found: Called) -> None:
    """Take in what a call in doubt was found to have brought."""
    of = command.of
    if known is None:
        action = action_key(draft.state, of, command.call)
        _begin(draft, command, id_, action, FREE, Verdict(decision="allow", rule="found", reason="it had happened"))
    cost = found.cost if known is None else found.cost.beyond(known.cost)
    personal = is_personal(draft.state, of)
    draft.say(CallEnded, of=of, call=id_, output=found.output, cost=cost, usage=found.usage, personal=personal)


def _refuse(draft: Draft, command: BeginCall, id_: str, failure: FailureClass, verdict: Verdict, message: str) -> None:
    of, call = command.of, command.call
    draft.say(
        CallRefused,
        of=of,
        call=id_,
        key=call.key,
        role=call.role,
        what=call.what,
        failure=failure,
        verdict=verdict,
        message=message,
        personal=is_personal(draft.state, of),
    )


def _ask_approval(draft: Draft, command: BeginCall, id_: str, verdict: Verdict) -> None:
    of, call = command.of, command.call
    draft.say(
        CallJudged, of=of, call=id_, key=call.key, role=call.role, what=call.what, effect=call.effect, verdict=verdict
    )
    agent = draft.state.tasks[of.task].agent
    _suspend(draft, command, id_, "approval", f"{agent} wants to call {call.what}: {verdict.reason}")


def _ask_what_became_of_it(draft: Draft, command: BeginCall, id_: str, known: CallState | None) -> None:
    of, call = command.of, command.call
    why = command.doubt or "nobody heard its end"
    if of.work != "run":
        verdict = Verdict(decision="deny", rule="doubt", reason=f"whether it was made is in doubt: {why}")
        _refuse(draft, command, id_, FailureClass.UNKNOWN, verdict, f"{call.what}: {verdict.reason}")
        return
    verdict = Verdict(decision="ask", rule="doubt", reason=why)
    draft.say(
        CallJudged, of=of, call=id_, key=call.key, role=call.role, what=call.what, effect=call.effect, verdict=verdict
    )
    question = f"{call.what} was called, and {why}; did it happen? Answer done, retry or fail"
    _suspend(draft, command, id_, "doubt", question)


def _suspend(draft: Draft, command: BeginCall, id_: str, kind: str, question: str) -> None:
    """End the attempt until a person has said what becomes of a call."""
    of, call = command.of, command.call
    lose_calls(draft, of.task)
    one = draft.state.tasks[of.task]
    name = short([draft.state.run, of.task, of.number, one.round, kind, id_])
    draft.say(
        AttemptSuspended,
        task=of.task,
        attempt=of.number,
        unknown=kind == "doubt",
        message=question,
        cost=command.besides,
    )
    request = Request(
        id=name,
        task=of.task,
        attempt=of.number,
        kind=kind,  # type: ignore[arg-type]
        question=question,
        arguments=call.arguments,
        binding=digest([call.what, call.arguments]),
        asked=draft.at,
        call=id_,
        tool=call.what,
    )
    draft.say(PersonAsked, request=assigned(draft.state, request, one.agent))


def _lose(draft: Draft, of: Piece, id_: str, call: CallState) -> None:
    draft.say(CallLost, of=of, call=id_, cost=lost_call(draft.state, of, call.reserved))
