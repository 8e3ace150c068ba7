"""What follows from a review: the result counts, goes back with what is wrong, goes to another, or before a person."""

import msgspec

from stretto.core.canonical import digest, short
from stretto.core.chains import assigned
from stretto.core.commands import ReportReview
from stretto.core.decide.accepting import accept
from stretto.core.decide.draft import Draft
from stretto.core.decide.ladder import Setback, arguments_of, climb
from stretto.core.decide.people import hand_back, is_personal
from stretto.core.domain import FailureClass, Request, Review, TaskStatus
from stretto.core.events import PersonAsked, ResultRejected, ResultReviewed
from stretto.core.ladder import brought_by
from stretto.core.state import TaskState

PATIENCE = 2
"""Revisions in a row that may pass without a better score than the result before them had."""


def review(draft: Draft, command: ReportReview) -> None:
    """Take in what the reviewers say to a result."""
    one = draft.state.tasks.get(command.task)
    if one is None or one.status is not TaskStatus.REVIEWING or one.attempt != command.attempt:
        return
    said = command.earlier if command.review.accepted and command.earlier else (*command.earlier, command.review)
    if any(one.scores or one.notes or one.checked for one in said):
        personal = is_personal(draft.state, one)
        draft.say(ResultReviewed, task=command.task, attempt=command.attempt, reviews=said, personal=personal)
    if command.review.accepted:
        accept(draft, command.task, command.attempt, command.review.reviewer)
    elif command.review.verdict == "escalate" and one.taken_by is None and one.task.undoes is None:
        _put_before_a_person(draft, command.task, command.review)
    else:
        _reject(draft, command.task, command.review)


def repeats(one: TaskState, produced: str) -> str:
    """Say that a revision brought a result that was rejected before, on the same arguments; empty when it did not."""
    if not (_revised(one) and produced and brought_by(one.key, produced) in one.rejected):
        return ""
    return "the revision brought what was rejected before"


def _reject(draft: Draft, id_: str, review: Review) -> None:
    one = draft.state.tasks[id_]
    produced = digest(msgspec.to_builtins(one.result))
    draft.say(
        ResultRejected,
        task=id_,
        attempt=one.attempt,
        reviewer=review.reviewer,
        findings=review.findings,
        produced=produced,
    )
    if one.taken_by is not None:
        hand_back(draft, id_, review.findings)
        return
    setback = Setback(
        failure=FailureClass.INVALID_OUTPUT,
        message=f"the review by {review.reviewer} rejects the result: {'; '.join(review.findings)}",
        agent=str(one.agent),
        feedback=review.findings,
        stuck=repeats(one, produced) or _stands_still(one, review),
        elsewhere=review.verdict == "hand_over",
    )
    climb(draft, id_, setback)


def _stands_still(one: TaskState, review: Review) -> str:
    """Say why revisions lead nowhere; empty when they may still."""
    if _revised(one) and review.scores and review.findings == one.feedback:
        return "the revision was found fault with in the very same words"
    if len(one.marks) > PATIENCE and max(one.marks[-PATIENCE:]) <= one.marks[-PATIENCE - 1]:
        return f"the score did not rise over {PATIENCE} revisions"
    return ""


def _revised(one: TaskState) -> bool:
    return bool(one.climbed) and one.climbed[-1].do == "revise"


def _put_before_a_person(draft: Draft, id_: str, review: Review) -> None:
    """Ask a person what becomes of a result that the reviewers do not decide about."""
    state, one = draft.state, draft.state.tasks[id_]
    why = "; ".join(review.findings) or "it does not say why"
    request = Request(
        id=short([state.run, id_, one.attempt, one.round, "review"]),
        task=id_,
        attempt=one.attempt,
        kind="review",
        question=f"the review by {review.reviewer} leaves the result to a person: {why}; "
        "does it do? Answer approve, retry, done, skip or fail",
        arguments=arguments_of(state, one),
        asked=draft.at,
        result=one.result.output if one.result is not None else None,
    )
    draft.say(PersonAsked, request=assigned(state, request, one.agent))
