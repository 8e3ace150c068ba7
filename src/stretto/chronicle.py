"""The events of a run, a line each, so that a person finds a point in it."""

import re
from collections.abc import Sequence
from typing import Any

from stretto.core.events import (
    ArgumentsShortened,
    AttemptCompleted,
    AttemptFailed,
    AttemptStarted,
    CallBegun,
    CallEnded,
    CallFailed,
    CallForgotten,
    CallJudged,
    CallLost,
    CallRefused,
    EditionChanged,
    Event,
    GoalInterpreted,
    PersonAnswered,
    PersonAsked,
    PlanClosed,
    PlanRefused,
    PlanRevised,
    ResultRejected,
    ResultReviewed,
    RevisionBegun,
    RevisionRefused,
    RunCancelled,
    RunCancelling,
    RunEnded,
    RunForked,
    RunRated,
    RunSubmitted,
    TaskAdded,
    TaskCompleted,
    TaskDrafted,
    TaskExpanded,
    TaskFailed,
    TaskSkipped,
    TasksReopened,
)
from stretto.ports import Recorded
from stretto.views import edition_name, moment

_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def chronicle(recorded: Sequence[Recorded]) -> list[dict[str, Any]]:
    """Give each event for people and programs: number, moment, actor, type and what happened in a line."""
    return [
        {
            "seq": one.seq,
            "at": moment(one.event.at),
            "actor": one.actor,
            "type": type(one.event).__name__,
            "text": told(one.event),
        }
        for one in recorded
    ]


def told(event: Event) -> str:
    """Say in a line what happened."""
    match event:
        case RunSubmitted():
            return f"the goal: {event.goal}"
        case GoalInterpreted():
            return f"{event.interpretation.planner} planner: {event.interpretation.restated}"
        case TaskAdded() | TaskDrafted():
            return f"{event.task.id}: {event.task.objective or event.task.skill}"
        case PlanClosed():
            return f"the plan is whole, revision {event.revision}"
        case AttemptStarted():
            return f"{event.task}: attempt {event.attempt} by {event.agent}"
        case AttemptCompleted():
            return f"{event.task}: attempt {event.attempt} brought a result"
        case AttemptFailed():
            return f"{event.task}: attempt {event.attempt} failed ({event.failure.value}): {event.message}"
        case ArgumentsShortened():
            told = ", ".join(
                f"{name} to {one.kept:,} of {one.characters:,} characters ({one.how})"
                for name, one in event.arguments.items()
            )
            return f"{event.task}: shortened {told}"
        case ResultReviewed():
            told = "; ".join(note for review in event.reviews for note in review.notes)
            scores = [score for review in event.reviews for score in review.scores]
            met = f"{sum(score.met for score in scores)} of {len(scores)} criteria met" if scores else ""
            checked, stand = sum(one.checked for one in event.reviews), sum(one.supported for one in event.reviews)
            held = f"{stand} of {checked} claims stand in their evidence" if checked else ""
            return f"{event.task}: reviewed: {'; '.join(part for part in (met, held, told) if part)}"
        case ResultRejected():
            return f"{event.task}: {event.reviewer} rejects the result: {'; '.join(event.findings)}"
        case CallBegun():
            return f"{event.of.name}: {event.key} calls {event.what}"
        case CallEnded():
            return f"{event.of.name}: a call brought something, {event.cost}"
        case CallFailed():
            return f"{event.of.name}: a call failed ({event.failure.value}): {event.message}"
        case CallRefused():
            return f"{event.of.name}: {event.key} is refused ({event.failure.value}): {event.message}"
        case CallJudged():
            return f"{event.of.name}: {event.key} would call {event.what}: {event.verdict.reason}"
        case CallForgotten():
            return f"{event.of.name}: a call was not made, a person is asked first"
        case CallLost():
            return f"{event.of.name}: nobody heard the end of a call"
        case TaskExpanded():
            return f"{event.task}: {len(event.items)} items"
        case TaskCompleted():
            return f"{event.task}: accepted"
        case TaskFailed():
            return f"{event.task}: failed ({event.failure.value}): {event.message}"
        case TaskSkipped():
            return f"{event.task}: skipped: {event.reason}"
        case PersonAsked():
            return f"{event.request.task or 'the goal'}: {event.request.question}"
        case PersonAnswered():
            said = f": {event.value}" if event.decision == "answer" else ""
            return f"{event.task or 'the goal'}: {event.by} says {event.decision}{said}"
        case PlanRefused() | RevisionRefused():
            return event.reason
        case EditionChanged():
            return f"goes on with {edition_name(event.edition)} of the workspace: {event.reason}"
        case RunCancelling():
            return f"{event.by} cancels it{f': {event.reason}' if event.reason else ''}"
        case RunCancelled():
            return f"cancelled by {event.by}"
        case TasksReopened():
            return f"{event.by} opens {', '.join(event.tasks)} again"
        case RevisionBegun():
            return event.why
        case PlanRevised():
            return f"revision {event.revision}: {len(event.carried)} of {len(event.tasks)} tasks stay as they stand"
        case RunForked():
            return f"forked from {event.parent} after event {event.fork_at}"
        case RunRated():
            return f"{event.by} gives it {event.score} of 5{f': {event.words}' if event.words else ''}"
        case RunEnded():
            return f"{event.status.value}, {len(event.delivery.gaps)} gaps"
        case _:
            what = _WORDS.sub(" ", type(event).__name__).lower()
            task = getattr(event, "task", "")
            return f"{task}: {what}" if isinstance(task, str) and task else what
