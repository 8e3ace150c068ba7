"""Every decision of a run for its audit: what policies said, what people were asked and said, and what came of it."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from stretto.chronicle import told
from stretto.core.domain import Request, Verdict
from stretto.core.events import (
    AttemptStarted,
    CallBegun,
    CallJudged,
    CallRefused,
    Event,
    LimitsChanged,
    PersonAnswered,
    PersonAsked,
    PlanRevised,
    RequestExpired,
    ResultRejected,
    RevisionBegun,
    RunCancelled,
    RunCancelling,
    RunContinued,
    RunForked,
    RunPaused,
    RunSubmitted,
    TaskCompleted,
    TaskJudged,
    TasksReopened,
)
from stretto.core.state import RunState
from stretto.ports import Recorded
from stretto.views import moment

_CONTROL: Mapping[type[Event], str] = MappingProxyType(
    {
        LimitsChanged: "change limits",
        PlanRevised: "change the plan",
        RevisionBegun: "plan anew",
        RunCancelled: "cancel",
        RunCancelling: "cancel",
        RunContinued: "go on",
        RunForked: "fork",
        RunPaused: "pause",
        RunSubmitted: "begin",
        TasksReopened: "do again",
    }
)
"""What somebody did to a run as a whole."""


def decisions(state: RunState, recorded: Sequence[Recorded]) -> list[dict[str, Any]]:
    """Give each decision, oldest first: its event and moment, who decided, on what, how, why, and the task's outcome.

    `kind` is `policy` for a verdict, `person` for a word that somebody was asked for, `silence` where nobody answered,
    `review` for a result that was accepted or sent back, and `control` for what was done to the run as a whole.
    """
    asked: dict[str, Request] = {}
    found = []
    for one in recorded:
        event, entry = one.event, None
        match event:
            case AttemptStarted() | TaskJudged():
                entry = _of_policy(event.verdict, event.task, f"{event.agent}, attempt {event.attempt}")
            case CallBegun() | CallJudged() | CallRefused():
                entry = _of_policy(event.verdict, event.of.task, f"{event.of.name} calls {event.what}")
            case PersonAsked():
                asked[event.request.id] = event.request
            case PersonAnswered():
                entry = _of_person(event, asked.get(event.request))
            case RequestExpired():
                entry = _entry("silence", "nobody", event.task, event.otherwise, event.reason)
            case ResultRejected():
                entry = _entry("review", event.reviewer, event.task, "send back", "; ".join(event.findings))
            case TaskCompleted() if event.reviewer:
                entry = _entry("review", event.reviewer, event.task, "accept", "")
            case _ if (done := _CONTROL.get(type(event))) is not None:
                entry = _entry("control", one.actor, "", done, told(event))
            case _:
                pass
        if entry is not None:
            outcome = state.tasks[entry["task"]].status.value if entry["task"] in state.tasks else state.standing.value
            found.append({"run": state.run, "seq": one.seq, "at": moment(event.at), **entry, "outcome": outcome})
    return found


def _of_policy(verdict: Verdict, task: str, what: str) -> dict[str, Any]:
    return _entry("policy", f"rule {verdict.rule}", task, verdict.decision, verdict.reason, what)


def _of_person(event: PersonAnswered, request: Request | None) -> dict[str, Any]:
    kind = "silence" if event.by.startswith("system:") else "person"
    entry = _entry(kind, event.by, event.task, event.decision, event.reason)
    if request is None:
        return entry
    return {**entry, "what": request.question, "request": request.id, "binding": request.binding, "value": event.value}


def _entry(kind: str, who: str, task: str, decision: str, reason: str, what: str = "") -> dict[str, Any]:
    return {"kind": kind, "who": who, "task": task, "what": what, "decision": decision, "reason": reason}
