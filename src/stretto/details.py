"""Everything of one task: what it was asked, who tried it, what came of it, who judged it and who decided.

A fold over the events of its run, for programs and pages alike. What an attempt got is not written down again with it:
it is resolved once more in the state before the attempt, and held against the hash that the journal kept.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from stretto.choice import choice_view
from stretto.chronicle import chronicle
from stretto.core.canonical import canonical, digest
from stretto.core.context import Missing, effect_of, labels, resolve
from stretto.core.domain import FREE, Cost, FailureClass, Json, Request, Review, Shortening, Verdict
from stretto.core.errors import UsageError
from stretto.core.events import (
    ArgumentsShortened,
    AttemptCompleted,
    AttemptDoubted,
    AttemptFailed,
    AttemptForgotten,
    AttemptLost,
    AttemptStarted,
    AttemptSuspended,
    CallBegun,
    CallEnded,
    CallFailed,
    CallForgotten,
    CallJudged,
    CallLost,
    CallRefused,
    CompensationPlanned,
    Event,
    NobodyAnswered,
    PersonAnswered,
    PersonAsked,
    PersonReminded,
    PlanRevised,
    ReadStale,
    RequestEscalated,
    RequestExpired,
    ResultRejected,
    ResultReused,
    ResultReviewed,
    RunCancelled,
    RunEnded,
    TaskAdded,
    TaskCompleted,
    TaskDrafted,
    TaskFailed,
    TaskJudged,
    TaskSkipped,
    TasksReopened,
)
from stretto.core.evolve import evolve
from stretto.core.plan.names import Names
from stretto.core.plan.writing import write_task
from stretto.core.state import RunState, TaskState, accepted, written
from stretto.ports import Recorded
from stretto.usage import standing_of
from stretto.views import artifact_bytes, moment, request_view, task_view

MOST = 20_000
"""Characters of a value that are shown, unless the whole is asked for."""

Ending: TypeAlias = Literal[
    "under way",
    "in review",
    "accepted",
    "sent back",
    "failed",
    "asked",
    "in doubt",
    "never happened",
    "lost",
    "withdrawn",
    "done before",
]
"""How an attempt stands: `asked` ended with a question to a person, `in doubt` is one of which nobody knows whether it
happened, `lost` one whose process died, `withdrawn` one that was no longer wanted, `done before` one that was not made,
for its result is known from before."""


def task_details(state: RunState, recorded: Sequence[Recorded], id_: str, *, whole: bool = False) -> dict[str, Any]:
    """Give everything of a task; `recorded` are the events that lead to `state`.

    Values of more than `MOST` characters are cut, unless the `whole` is asked for. Raises UsageError for a task that
    the run has not, with the one that may be meant.
    """
    if id_ not in state.tasks:
        raise UsageError(f"there is no task {id_!r}. {Names(lambda: list(state.tasks)).mend(id_)}")
    one, life = state.tasks[id_], _Life()
    about = list(facts_about(recorded, id_))
    for name, fact in about:
        life.take(name, fact)
    most = None if whole else MOST
    pasts = _pasts(state, recorded, life.attempts, id_)
    return {
        **task_view(state, id_),
        "plan": write_task(one.task),
        "effect": effect_of(state, one, one.agent).value if one.agent else None,
        "labels": sorted(labels(state, one) | one.labels),
        "parent": one.parent,
        "item": shown(one.item, most) if one.parent is not None and one.task.for_each is not None else None,
        "items": _items(state, id_, one),
        "needs": sorted(one.needs),
        "needed_by": sorted(state.ids[position] for position in state.dependents.get(id_, ())),
        "result": _result(state, id_, one, most),
        "assignments": [_assignment(attempt, pasts, most) for attempt in life.attempts],
        "verdicts": life.verdicts,
        "requests": [_request(asked) for asked in life.requests.values()],
        "calls": [_call(one, call, most) for call in life.calls],
        "context": _context(state, id_, one, most),
        "story": chronicle([fact for _, fact in about]),
    }


def shown(value: Json, most: int | None = MOST) -> dict[str, Any]:
    """Give a value with its size in characters; one that is longer than `most` only as the beginning of its text."""
    text = value if isinstance(value, str) else canonical(value).decode()
    if most is None or len(text) <= most:
        return {"value": value, "characters": len(text), "cut": False}
    return {"value": text[:most], "characters": len(text), "cut": True}


def facts_about(recorded: Sequence[Recorded], id_: str) -> Iterator[tuple[str, Recorded]]:
    """Give the events that a task was in, oldest first, with the name that it had then; the end of the run is one."""
    found, name = [], id_
    for one in reversed(recorded):
        event = one.event
        if isinstance(event, PlanRevised):
            plan_id, _, rest = name.partition("[")
            found.append((name, one))
            if plan_id not in event.carried:
                break  # it began with this plan
            name = event.carried[plan_id] + (f"[{rest}" if rest else "")
        elif isinstance(event, RunEnded | RunCancelled) or name in _tasks_of(event):
            found.append((name, one))
    return iter(found[::-1])


def _tasks_of(event: Event) -> Collection[str]:
    """Name the tasks that an event is about."""
    match event:
        case TaskAdded() | TaskDrafted():
            return (event.task.id,)
        case CompensationPlanned():
            return (event.task, event.undo.id)
        case PersonAsked():
            return (event.request.task,)
        case TasksReopened():
            return event.tasks
        case CallBegun() | CallEnded() | CallFailed() | CallRefused() | CallJudged() | CallForgotten() | CallLost():
            return (event.of.task,)
    name = getattr(event, "task", None)
    return (name,) if isinstance(name, str) else ()


@dataclass(slots=True)
class _Attempt:
    """One attempt, as far as the events tell."""

    name: str
    seq: int
    number: int
    agent: str
    begin: float
    verdict: Verdict | None = None
    key: str = ""
    arguments: str = ""
    chosen_by: str = ""
    reserved: Cost = FREE
    reads: dict[str, int] = field(default_factory=dict)
    end: float | None = None
    ending: Ending = "under way"
    failure: FailureClass | None = None
    message: str = ""
    cost: Cost = FREE
    shortened: dict[str, Shortening] = field(default_factory=dict)
    reviews: tuple[Review, ...] = ()
    judged_by: str = ""
    findings: tuple[str, ...] = ()
    stale: dict[str, tuple[int, int]] = field(default_factory=dict)

    def close(self, at: float, ending: Ending, cost: Cost = FREE, message: str = "") -> None:
        """End it, or say more exactly how it ended."""
        self.end = at if self.end is None else self.end
        self.ending, self.cost = ending, self.cost + cost
        self.message = message or self.message


@dataclass(slots=True)
class _Asked:
    """A request, and what became of it."""

    request: Request
    answer: PersonAnswered | None = None
    reminded: list[PersonReminded] = field(default_factory=list)
    escalated: list[RequestEscalated] = field(default_factory=list)
    expired: RequestExpired | NobodyAnswered | None = None


@dataclass(slots=True)
class _Called:
    """An inner call, each time it was made or refused."""

    begun: CallBegun | CallRefused
    end: CallEnded | CallFailed | CallForgotten | CallLost | None = None


@dataclass(slots=True)
class _Life:
    """A task's events, folded."""

    attempts: list[_Attempt] = field(default_factory=list)
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    requests: dict[str, _Asked] = field(default_factory=dict)
    calls: list[_Called] = field(default_factory=list)
    chosen_by: str = ""  # the person who opened the task again for an agent

    def take(self, name: str, told: Recorded) -> None:
        """Fold one more event of a task that has this name by then."""
        event = told.event
        match event:
            case AttemptStarted():
                self._judge(told.seq, event.at, event.agent, event.attempt, event.verdict)
                self._begin(
                    _Attempt(
                        name=name,
                        seq=told.seq,
                        number=event.attempt,
                        agent=event.agent,
                        begin=event.at,
                        verdict=event.verdict,
                        key=event.key,
                        chosen_by=self.chosen_by,
                        arguments=event.arguments,
                        reserved=event.reserved,
                        reads=event.reads,
                    )
                )
            case TaskJudged():
                self._judge(told.seq, event.at, event.agent, event.attempt, event.verdict)
            case ArgumentsShortened() if self.attempts:
                self.attempts[-1].shortened = event.arguments
            case ResultReused():
                self._begin(_Attempt(name=name, seq=told.seq, number=0, agent=event.agent, begin=event.at))
                self.attempts[-1].key = event.key
                self.attempts[-1].close(event.at, "done before")
            case PersonAsked():
                self.requests[event.request.id] = _Asked(event.request)
            case PersonAnswered() if event.request in self.requests:
                self.requests[event.request].answer = event
            case PersonReminded() if event.request in self.requests:
                self.requests[event.request].reminded.append(event)
            case RequestEscalated() if event.request in self.requests:
                self.requests[event.request].escalated.append(event)
            case RequestExpired() | NobodyAnswered() if event.request in self.requests:
                self.requests[event.request].expired = event
            case CallBegun() | CallRefused():
                self.calls.append(_Called(event))
            case CallJudged():
                self._judge(told.seq, event.at, event.what, event.of.number, event.verdict, call=event.key)
            case CallEnded() | CallFailed() | CallForgotten() | CallLost():
                self._end_call(event)
            case _:
                self._end(name, told)

    def _begin(self, attempt: _Attempt) -> None:
        if self.attempts and self.attempts[-1].ending in ("under way", "in doubt"):
            self.attempts[-1].close(attempt.begin, "lost")
        self.attempts.append(attempt)

    def _judge(self, seq: int, at: float, agent: str, attempt: int, verdict: Verdict, call: str = "") -> None:
        self.verdicts.append(
            {
                "seq": seq,
                "at": moment(at),
                "agent": agent,
                "attempt": attempt,
                "call": call or None,
                "decision": verdict.decision,
                "rule": verdict.rule,
                "reason": verdict.reason,
            }
        )

    def _end_call(self, event: CallEnded | CallFailed | CallForgotten | CallLost) -> None:
        for one in reversed(self.calls):
            begun = one.begun
            if begun.call == event.call and begun.of == event.of and one.end is None:
                one.end = event
                return

    def _end(self, name: str, told: Recorded) -> None:
        """Fold an event that ends an attempt, or says what its result was worth."""
        event = told.event
        if isinstance(event, TasksReopened):
            self.chosen_by = event.by if event.agent and event.task == name else ""
        if isinstance(event, AttemptCompleted) and not self._open(event.attempt):
            by = next((one.answer.by for one in reversed(self.requests.values()) if one.answer is not None), "")
            self._begin(_Attempt(name=name, seq=told.seq, number=event.attempt, agent=by, begin=event.at))
        if not self.attempts:
            return
        last = self.attempts[-1]
        match event:
            case AttemptCompleted():
                last.close(event.at, "in review", event.cost)
            case AttemptFailed():
                last.close(event.at, "failed", event.cost, event.message)
                last.failure = event.failure
            case AttemptSuspended():
                last.close(event.at, "in doubt" if event.unknown else "asked", event.cost, event.message)
            case AttemptDoubted():
                last.ending, last.message, last.failure = "in doubt", event.message, event.failure
                last.cost += event.cost
            case AttemptForgotten():
                last.close(event.at, "never happened")
            case AttemptLost():
                last.close(event.at, "lost", event.cost)
            case ResultReviewed():
                last.reviews = event.reviews
            case ResultRejected():
                last.ending, last.judged_by, last.findings = "sent back", event.reviewer, event.findings
            case ReadStale():
                last.stale = event.entries
                if event.redone:
                    last.ending = "sent back"
            case TaskCompleted() if last.ending == "in review":
                last.ending, last.judged_by = "accepted", event.reviewer
            case TaskFailed() | TaskSkipped() | TasksReopened() | PlanRevised() | RunCancelled() | RunEnded():
                stays = isinstance(event, PlanRevised) and name.partition("[")[0] in event.carried
                if last.ending in ("under way", "in review") and not stays:
                    last.close(event.at, "withdrawn")

    def _open(self, attempt: int) -> bool:
        return bool(self.attempts) and self.attempts[-1].ending in ("under way", "in doubt", "asked")


def _pasts(state: RunState, recorded: Sequence[Recorded], attempts: list[_Attempt], id_: str) -> dict[int, RunState]:
    """Give, for each attempt, a state that tells what it got and why its agent was chosen: by the attempt's event.

    The present one does for an attempt whose arguments are still the same, and that no other could have been given;
    for others the run is folded up to there.
    """
    one, pasts, wanted = state.tasks[id_], {}, set()
    now = _resolved(state, id_)
    for attempt in attempts:
        alone = attempt.name == id_ and not one.turn and not one.climbed
        if alone and len(state.roster.candidates(one.task)) == 1 and digest(now) == attempt.arguments:
            pasts[attempt.seq] = state
        elif attempt.arguments:
            wanted.add(attempt.seq)
    if wanted:
        past, last = RunState(), max(wanted)
        for told in recorded[:last]:
            if told.seq in wanted:
                pasts[told.seq] = past
            past = evolve(past, told.event)
    return pasts


def _resolved(state: RunState, id_: str) -> dict[str, Json] | None:
    try:
        return resolve(state, state.tasks[id_])
    except Missing:
        return None


def _assignment(one: _Attempt, pasts: dict[int, RunState], most: int | None) -> dict[str, Any]:
    before = pasts.get(one.seq)
    got = _resolved(before, one.name) if before is not None else None
    known = got is not None and digest(got) == one.arguments
    return {
        "attempt": one.number,
        "seq": one.seq,
        "agent": one.agent,
        "begin": moment(one.begin),
        "end": moment(one.end),
        "seconds": round(one.end - one.begin, 6) if one.end is not None else None,
        "ending": one.ending,
        "failure": one.failure.value if one.failure else None,
        "message": one.message,
        "cost": {"money": float(one.cost.money), "tokens": one.cost.tokens},
        "reserved": {"money": float(one.reserved.money), "tokens": one.reserved.tokens},
        "key": one.key or None,
        "arguments": {name: shown(value, most) for name, value in got.items()} if got is not None and known else None,
        "arguments_sha256": one.arguments or None,
        "shortened": {
            name: {"characters": how.characters, "kept": how.kept, "how": how.how, "why": how.why}
            for name, how in one.shortened.items()
        },
        "reads": one.reads,
        "stale": {key: {"read": read, "now": now} for key, (read, now) in one.stale.items()},
        "choice": choice_view(before, one.name, one.agent, one.chosen_by) if before is not None else None,
        "reviews": [_review(review) for review in one.reviews],
        "judged_by": one.judged_by or None,
        "findings": list(one.findings),
    }


def _review(one: Review) -> dict[str, Any]:
    return {
        "reviewer": one.reviewer,
        "model": one.by or None,
        "accepted": one.accepted,
        "verdict": one.verdict,
        "findings": list(one.findings),
        "notes": list(one.notes),
        "scores": [
            {
                "criterion": score.criterion,
                "met": score.met,
                "score": score.score,
                "quotes": list(score.quotes),
                "feedback": score.feedback,
            }
            for score in one.scores
        ],
    }


def _request(one: _Asked) -> dict[str, Any]:
    answer, expired = one.answer, one.expired
    return {
        **request_view(one.request),
        "answer": None
        if answer is None
        else {
            "at": moment(answer.at),
            "decision": answer.decision,
            "by": answer.by,
            "reason": answer.reason,
            "value": answer.value,
        },
        "reminders": [{"at": moment(event.at), "to": event.to} for event in one.reminded],
        "handed_on": [{"at": moment(event.at), "to": event.to, "due": moment(event.due)} for event in one.escalated],
        "expired": None if expired is None else {"at": moment(expired.at), "reason": getattr(expired, "reason", "")},
    }


def _call(task: TaskState, one: _Called, most: int | None) -> dict[str, Any]:
    begun, end = one.begun, one.end
    standing = task.calls.get(begun.call)
    usage = end.usage if isinstance(end, CallEnded | CallFailed | CallForgotten) else None
    cost = end.cost if end is not None else FREE
    failed = begun if isinstance(begun, CallRefused) else end if isinstance(end, CallFailed) else None
    return {
        "key": begun.key,
        "what": begun.what,
        "role": begun.role,
        "of": begun.of.name,
        "attempt": begun.of.number,
        "effect": begun.effect.value if isinstance(begun, CallBegun) else None,
        "status": _standing(begun, end) if standing is None else standing_of(task, standing),
        "begin": moment(begun.at),
        "end": moment(end.at if end is not None else begun.at if failed is begun else None),
        "verdict": {
            "decision": begun.verdict.decision,
            "rule": begun.verdict.rule,
            "reason": begun.verdict.reason,
        },
        "arguments": shown(begun.arguments, most) if isinstance(begun, CallBegun) else None,
        "result": shown(end.output, most) if isinstance(end, CallEnded) else None,
        "failure": failed.failure.value if failed is not None else None,
        "message": failed.message if failed is not None else "",
        "money": float(cost.money),
        "tokens": cost.tokens,
        "input": usage.input if usage else 0,
        "output": usage.output if usage else 0,
        "by": (standing.by or None) if standing is not None else None,
    }


def _standing(begun: CallBegun | CallRefused, end: Event | None) -> str:
    match begun, end:
        case CallRefused(), _:
            return "refused"
        case _, CallEnded():
            return "done"
        case _, CallFailed():
            return "failed"
        case _, CallLost() | CallForgotten():
            return "lost"
    return "open"


def _items(state: RunState, id_: str, one: TaskState) -> dict[str, int] | None:
    """Count the items of a fan-out, or the rounds of a repetition, by status; None for a task that has none."""
    if one.children is None:
        return None
    found: dict[str, int] = {}
    for number in range(one.children):
        status = state.tasks[f"{id_}[{number}]"].status.value
        found[status] = found.get(status, 0) + 1
    return found


def _result(state: RunState, id_: str, one: TaskState, most: int | None) -> dict[str, Any] | None:
    """Give what was brought: of a fan-out what was accepted of its items'."""
    result = one.result
    if one.children is not None:
        try:
            output = accepted(state, id_)
        except LookupError:
            return None
    elif result is None:
        return None
    else:
        output = result.output
    return {
        "output": shown(output, most),
        "artifacts": [
            {"name": artifact.name, "media": artifact.media, "bytes": len(artifact_bytes(artifact))}
            for artifact in (result.artifacts if result else ())
        ],
        "citations": [
            {"file": cited.file, "line": cited.line, "text": cited.text}
            for cited in (result.citations if result else ())
        ],
        "gaps": [{"task": gap.task, "what": gap.what, "why": gap.why} for gap in (result.gaps if result else ())],
    }


def _context(state: RunState, id_: str, one: TaskState, most: int | None) -> dict[str, Any]:
    """Give which entries of the shared context it read in its latest attempt, and which it wrote."""
    return {
        "read": dict(one.reads),
        "stale": {key: {"read": read, "now": now} for key, (read, now) in one.stale.items()},
        "written": [
            {
                "key": key,
                "version": entry.version,
                "at": moment(entry.at),
                "newest": entry.version == len(versions),
                "value": shown(written(state, entry), most),
            }
            for key, versions in state.context.items()
            for entry in versions
            if entry.task == id_
        ],
    }
