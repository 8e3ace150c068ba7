"""What people are asked, and what follows from their word."""

from dataclasses import replace

from stretto.core.canonical import short
from stretto.core.chains import BY_HAND, answers_for, assigned
from stretto.core.commands import (
    AnswerRequest,
)
from stretto.core.context import labels as labels_of
from stretto.core.context import resolve
from stretto.core.decide.accepting import settle_review
from stretto.core.decide.draft import Draft
from stretto.core.decide.ending import complete, fail, skip
from stretto.core.decide.ladder import climb, not_begun
from stretto.core.domain import (
    PERSONAL_LABELS,
    FailureClass,
    Request,
)
from stretto.core.events import (
    AttemptCompleted,
    PersonAnswered,
    PersonAsked,
    PlanRefused,
    RetryDue,
    RetryScheduled,
    RevisionRefused,
)
from stretto.core.state import RunState, TaskState

PERSONAL = PERSONAL_LABELS


ALLOWED = {
    "approval": ("approve", "deny", "edit", "done"),
    "question": ("answer", "fail", "deny", "done"),
    "doubt": ("done", "retry", "fail"),
    "goal": ("answer", "deny"),
    "failure": ("retry", "done", "skip", "fail"),
    "alternatives": ("answer",),
    "review": ("approve", "retry", "done", "skip", "fail"),
}


def ask(draft: Draft, id_: str, attempt: int, kind: str, question: str) -> None:
    """Open a request about an attempt."""
    one = draft.state.tasks[id_]
    name = short([draft.state.run, id_, attempt, one.round, kind])
    request = Request(id=name, task=id_, attempt=attempt, kind=kind, question=question, asked=draft.at)  # type: ignore[arg-type]
    if is_for_people(draft.state, one):
        request = replace(request, arguments=resolve(draft.state, one))
    draft.say(PersonAsked, request=assigned(draft.state, request, one.agent))


def hand_on(draft: Draft, id_: str, attempt: int, asked: Request) -> None:
    """Open what a team's run asks as a request of this run; the word that is given goes back to the team."""
    one = draft.state.tasks[id_]
    name = short([draft.state.run, id_, attempt, one.round, asked.id])
    draft.say(PersonAsked, request=replace(asked, id=name, origin=asked.id, task=id_, attempt=attempt, asked=draft.at))


def answer(draft: Draft, command: AnswerRequest) -> None:
    """Take a person's word on an open request, if it is theirs to say."""
    request = draft.state.requests.get(command.request)
    if request is None or command.decision not in ALLOWED[request.kind] or not answers_for(request, command.actor):
        return
    if command.decision == "edit" and not isinstance(command.value, dict):
        return
    settle(draft, request, command)


def settle(draft: Draft, request: Request, command: AnswerRequest) -> None:
    """Close a request with a word, and let follow from it what must."""
    id_, by, decision = request.task, command.actor.removeprefix("person:"), command.decision
    own = bool(id_) and is_for_people(draft.state, draft.state.tasks[id_])
    if own and decision == "answer":
        decision = "done"  # the answer is the result
    draft.say(
        PersonAnswered,
        request=request.id,
        task=id_,
        decision=decision,
        by=by,
        reason=command.reason,
        value=command.value,
    )
    said = f": {command.reason}" if command.reason else ""
    if request.via or request.call:
        return  # the word is for the team's run, or for an inner call
    if request.kind == "goal":
        if decision == "deny":
            reason = f"{by} would not say: {request.question}{said}"
            if draft.state.draft is not None:
                draft.say(RevisionRefused, revision=draft.state.revision, reason=reason)
                return
            draft.say(PlanRefused, revision=draft.state.revision, reason=reason)
        return
    if request.kind == "review" and decision in ("approve", "retry"):
        settle_review(draft, request, command, by)
    elif decision == "deny" and own:
        fail(draft, id_, FailureClass.REFUSED, f"denied by {by}{said}")
    elif decision == "deny":
        one = draft.state.tasks[id_]
        agent = one.turn or one.agent or draft.state.roster.candidates(one.task)[0]
        climb(draft, id_, not_begun(agent, FailureClass.DENIED, f"denied by {by}{said}", final=True))
    elif decision == "fail":
        failure, told = FailureClass.UNKNOWN, ""
        if request.kind == "failure":
            last = draft.state.tasks[id_].climbed[-1]
            failure, told = last.failure, f"{last.why}; "
        fail(draft, id_, failure, f"{told}given up by {by}{said}")
    elif decision == "skip" and request.kind == "failure":
        last = draft.state.tasks[id_].climbed[-1]
        reason = f"left out by {by}{said}, after {last.failure.value}: {last.why}"
        skip(draft, id_, "", wanted=False, excused=True, reason=reason)
    elif decision == "skip":
        skip(draft, id_, "", wanted=False, reason=f"left out by {by}{said}")
    elif decision == "done":
        personal = is_personal(draft.state, draft.state.tasks[id_])
        draft.say(AttemptCompleted, task=id_, attempt=request.attempt, output=command.value, personal=personal)
        undoes = draft.state.tasks[id_].task.undoes is not None
        nobody_knows = command.value is None and request.kind in ("doubt", "failure")
        if nobody_knows or undoes:  # nobody knows the result: the person's word stands for its review
            complete(draft, id_, command.actor)


def hand_back(draft: Draft, id_: str, findings: tuple[str, ...]) -> None:
    """Ask again for what a person did in the place of an agent, and the review did not accept."""
    attempt = draft.state.tasks[id_].attempt
    draft.say(RetryScheduled, task=id_, attempt=attempt, until=draft.at, rung=BY_HAND, feedback=findings)
    draft.say(RetryDue, task=id_, attempt=attempt)


def is_for_people(state: RunState, one: TaskState) -> bool:
    """Whether a task is done by a person, so that an answer is its result."""
    return one.agent is not None and state.roster.agents[one.agent].kind == "person"


def is_personal(state: RunState, one: TaskState) -> bool:
    """Whether what a task brings has to lie beside the chain."""
    added = set(state.roster.skill(one.task, one.agent).labels) if one.agent else set()
    return bool((labels_of(state, one) | added) & PERSONAL)
