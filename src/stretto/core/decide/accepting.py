"""A result counts: by review, or by the word of a person before whom a review put it."""

import msgspec

from stretto.core.canonical import digest
from stretto.core.commands import AnswerRequest
from stretto.core.context import effect_of, stale_reads
from stretto.core.decide.draft import Draft
from stretto.core.decide.ending import complete
from stretto.core.domain import FailureClass, Request, SideEffect
from stretto.core.events import ReadStale, ResultRejected, RetryDue, RetryScheduled


def accept(draft: Draft, id_: str, attempt: int, reviewer: str) -> None:
    """Let a result count, unless what it read was written anew meanwhile and it can simply be done again."""
    one = draft.state.tasks[id_]
    stale = stale_reads(draft.state, one)
    if stale:
        again = one.agent is not None and effect_of(draft.state, one, one.agent) is SideEffect.NONE
        draft.say(ReadStale, task=id_, attempt=attempt, entries=stale, redone=again)
        if again:
            draft.say(RetryDue, task=id_, attempt=attempt)
            return
    complete(draft, id_, reviewer)


def settle_review(draft: Draft, request: Request, command: AnswerRequest, by: str) -> None:
    """Carry out a person's word on a result: it counts, or goes back with what the person says is wrong."""
    id_ = request.task
    if command.decision == "approve":
        accept(draft, id_, request.attempt, command.actor)
        return
    said = command.reason or (command.value if isinstance(command.value, str) else "")
    one = draft.state.tasks[id_]
    findings = (said,) if said else tuple(found for review in one.reviews[-1:] for found in review.findings)
    produced = digest(msgspec.to_builtins(one.result))
    draft.say(
        ResultRejected, task=id_, attempt=one.attempt, reviewer=command.actor, findings=findings, produced=produced
    )
    draft.say(
        RetryScheduled,
        task=id_,
        attempt=one.attempt,
        until=draft.at,
        rung=FailureClass.INVALID_OUTPUT.value,
        feedback=findings or (f"{by} wants it done again",),
    )
    draft.say(RetryDue, task=id_, attempt=one.attempt)
