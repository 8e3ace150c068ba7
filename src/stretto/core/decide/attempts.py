"""What follows from the end of an attempt: its outcome, its review, the ladder, a doubt."""

from typing import Any

import msgspec

from stretto.core.canonical import digest
from stretto.core.commands import (
    LookedUp,
    ReportOutcome,
    ReportReview,
)
from stretto.core.context import effect_of, stale_reads
from stretto.core.decide.draft import Draft
from stretto.core.decide.ending import settle_parent
from stretto.core.decide.holds import probed_by, weigh
from stretto.core.decide.ladder import Setback, climb
from stretto.core.decide.people import ask, hand_back, hand_on, is_personal
from stretto.core.domain import (
    FREE,
    Completed,
    Cost,
    Failed,
    FailureClass,
    InputRequired,
    SideEffect,
    TaskStatus,
    Unknown,
)
from stretto.core.events import (
    AttemptCompleted,
    AttemptDoubted,
    AttemptFailed,
    AttemptForgotten,
    AttemptSuspended,
    ReadStale,
    ResultRejected,
    RetryDue,
    TaskCompleted,
)
from stretto.core.ladder import brought_by
from stretto.core.state import TaskState

_DOUBTFUL = (TaskStatus.RUNNING, TaskStatus.UNKNOWN)


def outcome(draft: Draft, command: ReportOutcome) -> None:
    """Take in how an attempt ended."""
    one = draft.state.tasks.get(command.task)
    if one is None or one.status is not TaskStatus.RUNNING or one.attempt != command.attempt:
        return
    if not (one.in_doubt and isinstance(command.outcome, Unknown)):  # that it is in doubt is known already
        take(draft, one, command.task, command.attempt, command.outcome)


def take(draft: Draft, one: TaskState, id_: str, attempt: int, outcome: Any) -> None:
    """Note an outcome, and what follows from it."""
    probed = probed_by(draft.state, one, id_)
    match outcome:
        case Completed():
            draft.say(
                AttemptCompleted,
                task=id_,
                attempt=attempt,
                output=outcome.output,
                artifacts=outcome.artifacts,
                citations=outcome.citations,
                cost=outcome.cost,
                personal=is_personal(draft.state, one),
                gaps=outcome.gaps,
            )
        case Failed():
            draft.say(
                AttemptFailed,
                task=id_,
                attempt=attempt,
                failure=outcome.failure,
                message=outcome.message,
                cost=outcome.cost,
                produced=outcome.produced,
            )
            setback = Setback(
                failure=outcome.failure,
                message=outcome.message,
                agent=str(one.agent),
                retry_after=outcome.retry_after,
                repeated=_repeats(one, outcome.produced),
            )
            climb(draft, id_, setback)
        case InputRequired():
            draft.say(
                AttemptSuspended,
                task=id_,
                attempt=attempt,
                unknown=False,
                message=outcome.question,
                cost=outcome.cost,
            )
            if outcome.request is not None:
                hand_on(draft, id_, attempt, outcome.request)
            else:
                ask(draft, id_, attempt, "question", outcome.question)
        case Unknown():
            if draft.state.roster.agents[str(one.agent)].looks_up and not one.in_doubt:
                draft.say(AttemptDoubted, task=id_, attempt=attempt, cost=outcome.cost)
            else:
                doubt(draft, id_, attempt, outcome.message, outcome.cost)
    weigh(draft, str(one.agent), outcome, probed)


def review(draft: Draft, command: ReportReview) -> None:
    """Accept a result, or send it back up the ladder."""
    one = draft.state.tasks.get(command.task)
    if one is None or one.status is not TaskStatus.REVIEWING or one.attempt != command.attempt:
        return
    review = command.review
    if review.accepted:
        stale = stale_reads(draft.state, one)
        if stale:
            again = one.agent is not None and effect_of(draft.state, one, one.agent) is SideEffect.NONE
            draft.say(ReadStale, task=command.task, attempt=command.attempt, entries=stale, redone=again)
            if again:
                draft.say(RetryDue, task=command.task, attempt=command.attempt)
                return
        draft.say(TaskCompleted, task=command.task, reviewer=review.reviewer)
        settle_parent(draft, command.task)
        return
    produced = digest(msgspec.to_builtins(one.result))
    draft.say(
        ResultRejected,
        task=command.task,
        attempt=command.attempt,
        reviewer=review.reviewer,
        findings=review.findings,
        produced=produced,
    )
    if one.taken_by is not None:
        hand_back(draft, command.task, review.findings)
        return
    setback = Setback(
        failure=FailureClass.INVALID_OUTPUT,
        message=f"the review by {review.reviewer} rejects the result: {'; '.join(review.findings)}",
        agent=str(one.agent),
        feedback=review.findings,
        repeated=_repeats(one, produced),
    )
    climb(draft, command.task, setback)


def _repeats(one: TaskState, produced: str) -> bool:
    """Whether a revision brought a result that was rejected before, on the same arguments."""
    revised = bool(one.climbed) and one.climbed[-1].do == "revise"
    return revised and bool(produced) and brought_by(one.key, produced) in one.rejected


def doubt(draft: Draft, id_: str, attempt: int, message: str, cost: Cost = FREE) -> None:
    """Ask a person what became of an attempt."""
    draft.say(AttemptSuspended, task=id_, attempt=attempt, unknown=True, message=message, cost=cost)
    ask(draft, id_, attempt, "doubt", f"{message}; did it happen? Answer done, retry or fail")


def recover(draft: Draft) -> None:
    """Put in doubt what a dead owner had under way; what may be repeated is simply done again."""
    state = draft.state
    for id_ in sorted(state.active, key=lambda name: state.tasks[name].position):
        one = state.tasks[id_]
        if one.status is not TaskStatus.RUNNING or one.agent is None or one.in_doubt:
            continue
        if (kept := state.kept.get(str(one.key))) is not None:
            done = Completed(output=kept.output, artifacts=kept.artifacts, citations=kept.citations)
            take(draft, one, id_, one.attempt, done)
        elif not effect_of(state, one, one.agent).repeatable:
            in_doubt(draft, id_, f"the process died while {one.agent!r} was at work")


def in_doubt(draft: Draft, id_: str, message: str) -> None:
    """Put an attempt under way in doubt: its agent is asked what became of it, or a person."""
    one = draft.state.tasks[id_]
    if draft.state.roster.agents[str(one.agent)].looks_up:
        draft.say(AttemptDoubted, task=id_, attempt=one.attempt)
    else:
        doubt(draft, id_, one.attempt, message)


def looked_up(draft: Draft, command: LookedUp) -> None:
    """Take in what the agent knows of an action in doubt."""
    one = draft.state.tasks.get(command.task)
    if one is None or one.status not in _DOUBTFUL or one.attempt != command.attempt or not one.in_doubt:
        return
    if one.request is not None:
        return  # a person is asked already
    if command.outcome is None:
        draft.say(AttemptForgotten, task=command.task, attempt=command.attempt)
    else:
        take(draft, one, command.task, command.attempt, command.outcome)
