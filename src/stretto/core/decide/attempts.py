"""What follows from the end of an attempt: its outcome, its review, the ladder, a doubt."""

from typing import Any

from stretto.core.commands import (
    LookedUp,
    ReportOutcome,
    ReportReview,
)
from stretto.core.context import effect_of, stale_reads
from stretto.core.decide.draft import Draft
from stretto.core.decide.ending import fail, settle_parent
from stretto.core.decide.people import ask, hand_on, is_personal
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
    RetryScheduled,
    TaskCompleted,
)
from stretto.core.ladder import pause_before
from stretto.core.state import TaskState


def outcome(draft: Draft, command: ReportOutcome) -> None:
    """Take in how an attempt ended."""
    one = draft.state.tasks.get(command.task)
    if one is None or one.status is not TaskStatus.RUNNING or one.attempt != command.attempt:
        return
    if not (one.in_doubt and isinstance(command.outcome, Unknown)):  # that it is in doubt is known already
        take(draft, one, command.task, command.attempt, command.outcome)


def take(draft: Draft, one: TaskState, id_: str, attempt: int, outcome: Any) -> None:
    """Note an outcome, and what follows from it."""
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
            )
            climb(draft, id_, outcome.failure, outcome.message, (), outcome.retry_after)
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
    draft.say(
        ResultRejected,
        task=command.task,
        attempt=command.attempt,
        reviewer=review.reviewer,
        findings=review.findings,
    )
    message = f"the review by {review.reviewer} rejects the result: {'; '.join(review.findings)}"
    climb(draft, command.task, FailureClass.INVALID_OUTPUT, message, review.findings)


def climb(
    draft: Draft,
    id_: str,
    failure: FailureClass,
    message: str,
    feedback: tuple[str, ...],
    retry_after: float | None = None,
) -> None:
    """Try the next rung of the ladder, or let the task fail."""
    state, one = draft.state, draft.state.tasks[id_]
    agent = str(one.agent)
    pause = pause_before(
        failure,
        tried=one.tries.get(failure.value, 1) - 1,
        attempt=one.attempt,
        effect=effect_of(state, one, agent),
        most_attempts=state.roster.limits(one.task, agent).attempts,
        retries=state.catalogue.rules.retries,
        name=f"{state.run}/{id_}",
        retry_after=retry_after,
    )
    if pause is None:
        fail(draft, id_, failure, message)
        return
    given = feedback or ((message,) if failure is FailureClass.INVALID_OUTPUT else ())
    draft.say(
        RetryScheduled,
        task=id_,
        attempt=one.attempt,
        until=draft.at + pause,
        rung=failure.value,
        feedback=given,
    )


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
        if effect_of(state, one, one.agent).repeatable:
            continue
        if state.roster.agents[one.agent].looks_up:
            draft.say(AttemptDoubted, task=id_, attempt=one.attempt)
        else:
            doubt(draft, id_, one.attempt, f"the process died while {one.agent!r} was at work")


def looked_up(draft: Draft, command: LookedUp) -> None:
    """Take in what the agent knows of an action in doubt."""
    one = draft.state.tasks.get(command.task)
    if one is None or one.status is not TaskStatus.RUNNING or one.attempt != command.attempt or not one.in_doubt:
        return
    if command.outcome is None:
        draft.say(AttemptForgotten, task=command.task, attempt=command.attempt)
    else:
        take(draft, one, command.task, command.attempt, command.outcome)
