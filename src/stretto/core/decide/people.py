"""What people are asked, and what follows from their word."""

from dataclasses import replace

from stretto.core.canonical import short
from stretto.core.commands import (
    AnswerRequest,
)
from stretto.core.context import labels as labels_of
from stretto.core.decide.draft import Draft
from stretto.core.decide.ending import fail, settle_parent, skip
from stretto.core.decide.ladder import climb, not_begun
from stretto.core.domain import (
    FailureClass,
    Json,
    Request,
)
from stretto.core.events import (
    AttemptCompleted,
    PersonAnswered,
    PersonAsked,
    PlanRefused,
    RevisionRefused,
    TaskCompleted,
)
from stretto.core.state import RunState, TaskState

PERSONAL = frozenset({"pii", "phi", "personal", "confidential"})


_ALLOWED = {
    "approval": ("approve", "deny", "edit"),
    "question": ("answer", "fail", "deny"),
    "doubt": ("done", "retry", "fail"),
    "goal": ("answer", "deny"),
    "failure": ("retry", "done", "skip", "fail"),
    "alternatives": ("answer",),
}


def alternative(request: Request, said: Json) -> str | None:
    """Give the choice that an answer names, by its number, its words, or how they begin; None when it names none."""
    text = str(said).strip().casefold()
    if text.isdecimal() and 0 < int(text[:9]) <= len(request.choices):
        return request.choices[int(text[:9]) - 1]
    found = [one for one in request.choices if text and one.casefold().startswith(text)]
    return found[0] if len(found) == 1 or (found and found[0].casefold() == text) else None


def ask(draft: Draft, id_: str, attempt: int, kind: str, question: str) -> None:
    """Open a request about an attempt."""
    one = draft.state.tasks[id_]
    name = short([draft.state.run, id_, attempt, one.round, kind])
    request = Request(id=name, task=id_, attempt=attempt, kind=kind, question=question, asked=draft.at)  # type: ignore[arg-type]
    draft.say(PersonAsked, request=request)


def hand_on(draft: Draft, id_: str, attempt: int, asked: Request) -> None:
    """Open what a team's run asks as a request of this run; the word that is given goes back to the team."""
    one = draft.state.tasks[id_]
    name = short([draft.state.run, id_, attempt, one.round, asked.id])
    draft.say(PersonAsked, request=replace(asked, id=name, origin=asked.id, task=id_, attempt=attempt, asked=draft.at))


def answer(draft: Draft, command: AnswerRequest) -> None:
    """Take a person's word on an open request."""
    request = draft.state.requests.get(command.request)
    if request is None or command.decision not in _ALLOWED[request.kind]:
        return
    if command.decision == "edit" and not isinstance(command.value, dict):
        return
    id_, by = request.task, command.actor.removeprefix("person:")
    draft.say(
        PersonAnswered,
        request=request.id,
        task=id_,
        decision=command.decision,
        by=by,
        reason=command.reason,
        value=command.value,
    )
    why = f": {command.reason}" if command.reason else ""
    if request.via:
        return  # the word is for the team's run
    if request.kind == "goal":
        if command.decision == "deny":
            reason = f"{by} would not say: {request.question}{why}"
            if draft.state.draft is not None:
                draft.say(RevisionRefused, revision=draft.state.revision, reason=reason)
                return
            draft.say(PlanRefused, revision=draft.state.revision, reason=reason)
        return
    if command.decision == "deny":
        one = draft.state.tasks[id_]
        agent = one.turn or one.agent or next(iter(draft.state.roster.candidates(one.task)), "")
        climb(draft, id_, not_begun(agent, FailureClass.DENIED, f"denied by {by}{why}", final=True))
    elif command.decision == "fail":
        failure, told = FailureClass.UNKNOWN, ""
        if request.kind == "failure":
            last = draft.state.tasks[id_].climbed[-1]
            failure, told = last.failure, f"{last.why}; "
        fail(draft, id_, failure, f"{told}given up by {by}{why}")
    elif command.decision == "skip":
        last = draft.state.tasks[id_].climbed[-1]
        reason = f"left out by {by}{why}, after {last.failure.value}: {last.why}"
        skip(draft, id_, "", wanted=False, excused=True, reason=reason)
    elif command.decision == "done":
        personal = is_personal(draft.state, draft.state.tasks[id_])
        draft.say(AttemptCompleted, task=id_, attempt=request.attempt, output=command.value, personal=personal)
        if command.value is None:  # nobody knows the result: the person's word stands for its review
            draft.say(TaskCompleted, task=id_, reviewer=command.actor)
            settle_parent(draft, id_)


def is_personal(state: RunState, one: TaskState) -> bool:
    """Whether what a task brings has to lie beside the chain."""
    added = set(state.roster.skill(one.task, one.agent).labels) if one.agent else set()
    return bool((labels_of(state, one) | added) & PERSONAL)
