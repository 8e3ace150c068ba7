"""What went on in runs as spans with a begin and an end: a pure fold over events, the same in every process.

    invoke_workflow              the run, from its goal to its end
    ├── plan                     each plan that was made
    ├── invoke_agent             each attempt; the next attempt at a task is linked to the one before
    │   ├── chat, execute_tool   its inner calls, and those of its review
    │   └── invoke_workflow      the run of a team that the attempt ordered
    └── wait                     each wait for a person

A span is told when it has ended. That of an attempt which brought a result waits for its review, which is told with it,
and keeps the end of the attempt itself. When attempts and waits begin and end is what `stretto.core.timeline` says.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Literal, TypeAlias

from stretto.core.canonical import digest
from stretto.core.context import Missing, labels, labels_of_piece, resolve
from stretto.core.domain import FREE, Cost, FailureClass, Json, Piece, Review, RunStatus, Usage
from stretto.core.events import (
    AttemptCompleted,
    AttemptFailed,
    AttemptForgotten,
    AttemptLost,
    AttemptStarted,
    AttemptSuspended,
    CallBegun,
    CallEnded,
    CallFailed,
    CallForgotten,
    CallLost,
    CallRefused,
    Event,
    GoalInterpreted,
    PersonAnswered,
    PersonAsked,
    PersonReminded,
    PlanClosed,
    PlanRefused,
    PlanRevised,
    ReadStale,
    RequestEscalated,
    ResultRejected,
    ResultReviewed,
    RevisionBegun,
    RevisionRefused,
    RunContinued,
    RunEnded,
    RunForked,
    RunPaused,
    RunSubmitted,
    TaskAdded,
    TaskCompleted,
    TaskDrafted,
    TaskFailed,
    TaskSkipped,
    TasksReopened,
)
from stretto.core.state import RunState, team_run
from stretto.core.timeline import Fold, Stretch
from stretto.telemetry import names
from stretto.telemetry.disclosure import Disclosure, as_text, message, shortened
from stretto.telemetry.identity import remote, root_id, span_id, trace_id

Value: TypeAlias = str | int | float | bool | tuple[str, ...]

SENT_AGAIN = 60.0
"""Seconds before the last event of a run that is taken over: what ended in them is told again, for nobody knows whether
the process that saw it lived to tell."""

MOST_GOING, MOST_ENDED = 1024, 16
"""Runs that are known: of those that go on, and of those that have ended, for what is written after their end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened in a span, at a moment in seconds since the epoch."""

    name: str
    at: float
    attributes: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Another span, of this trace or another, and what it is to this one."""

    trace: int
    span: int
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of work that has ended; times are in seconds since the epoch.

    `error` is the class of what went wrong, empty where nothing did; `what` is one of the operations in
    `stretto.telemetry.names`.
    """

    trace: int
    id: int
    parent: int | None
    what: str
    name: str
    kind: Literal["internal", "client"]
    begin: float
    end: float
    attributes: dict[str, Value]
    marks: tuple[Mark, ...] = ()
    links: tuple[Link, ...] = ()
    error: str = ""


@dataclass(slots=True, kw_only=True)
class _Begun:
    """A span that has begun; `end` is set when only its review is still to come."""

    id: int
    parent: int | None
    what: str
    name: str
    begin: float
    attributes: dict[str, Value]
    kind: Literal["internal", "client"] = "internal"
    marks: list[Mark] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    end: float | None = None
    usage: Usage = Usage()


Above: TypeAlias = Callable[[str, str, float], tuple[int, int]]
"""Gives the trace, and the span to be below, of a team's run: by the run above, its own id, and when it began."""


class Runs:
    """The spans of all runs that a process follows."""

    def __init__(self, disclosure: Disclosure) -> None:
        self._disclosure = disclosure
        self._going: OrderedDict[str, RunSpans] = OrderedDict()
        self._ended: OrderedDict[str, RunSpans] = OrderedDict()

    def recall(self, state: RunState, before: Sequence[Event]) -> Iterator[Span]:
        """Take in a run that is taken over, with all its events: what is open goes on.

        What ended just before, as far as it was not seen here, is given again.
        """
        run = self._of(state.run)
        last = before[-1].at if before else 0.0
        for span in run.take(state, before[run.seq :]):
            if span.end >= last - SENT_AGAIN:
                yield span
        self._put(run)

    def take(self, state: RunState, events: Sequence[Event]) -> Iterator[Span]:
        """Give the spans that ended with the events of a commit, after which the run stands so."""
        run = self._of(state.run)
        missing = state.seq - len(events) - run.seq
        if missing > 0:
            run.lose(missing)
        yield from run.take(state, events[max(-missing, 0) :])
        self._put(run)

    def _of(self, run: str) -> "RunSpans":
        return self._going.get(run) or self._ended.get(run) or RunSpans(run, self._disclosure, self._above)

    def _put(self, run: "RunSpans") -> None:
        """Keep a run, as the one touched last; those that nobody touched for longest go where there are too many."""
        here, there, most = self._going, self._ended, MOST_GOING
        if run.ended:
            here, there, most = there, here, MOST_ENDED
        there.pop(run.run, None)
        here[run.run] = run
        here.move_to_end(run.run)
        while len(here) > most:
            here.popitem(last=False)

    def _above(self, parent: str, run: str, began: float) -> tuple[int, int]:
        above = self._going.get(parent)
        if above is None:  # its own story was lost: ids of runs that people begin have no dots
            return trace_id(run.partition(".")[0]), root_id(parent)
        return above.trace, above.ordering(run, began)


class RunSpans:
    """The spans of one run; `seq` events of it are taken in."""

    def __init__(self, run: str, disclosure: Disclosure, above: Above) -> None:
        self.run, self.seq, self.trace = run, 0, trace_id(run)
        self._disclosure, self._above = disclosure, above
        self._clock = Fold()
        self._closed = self._handed = 0  # how much of what the clock tells is taken in
        self._act = 0
        self._root: _Begun | None = None
        self._workflow = ""
        self._plan: _Begun | None = None
        self._drafted = 0
        self._attempts: dict[str, _Begun] = {}
        self._reviewed: dict[str, _Begun] = {}
        self._latest: dict[str, int] = {}
        self._calls: dict[tuple[str, str], tuple[_Begun, int | None, Piece]] = {}
        self._waits: dict[str, tuple[_Begun, str]] = {}
        self._orders: dict[str, list[tuple[float, int]]] = {}

    @property
    def ended(self) -> bool:
        """Whether the run has ended, and nothing of it is open."""
        return self._root is None and self.seq > 0

    def lose(self, events: int) -> None:
        """Pass over events that could not be taken in: what is open cannot be told any more, but for the run."""
        self.seq += events
        self._clock = Fold()
        self._closed = self._handed = 0
        self._plan = None
        self._attempts, self._reviewed, self._calls, self._waits = {}, {}, {}, {}

    def ordering(self, team: str, began: float) -> int:
        """Give the span of the attempt that a team's run was begun for; that of the run where nobody knows."""
        before = [span for at, span in self._orders.get(team, ()) if at <= began]
        return before[-1] if before else root_id(self.run, max(self._act, 1))

    def take(self, state: RunState, events: Iterable[Event]) -> Iterator[Span]:
        """Give the spans that end with these events, after which the run stands as `state` says."""
        for event in events:
            self.seq += 1
            self._clock.take(event)
            yield from self._take(state, event)

    def _take(self, state: RunState, event: Event) -> Iterator[Span]:
        match event:
            case AttemptStarted():
                yield from self._review_over(event.task)
                yield from self._timed(state, event)
                self._start(state, event)
            case AttemptCompleted():
                yield from self._brought(state, event)
            case TaskCompleted():
                yield from self._timed(state, event)
                self._judge(event.task, event.at, event.reviewer)
                yield from self._review_over(event.task)
            case ResultReviewed():
                self._evaluate(state, event)
            case ResultRejected():
                self._judge(event.task, event.at, event.reviewer, rejected=True)
                yield from self._review_over(event.task, rejected=True)
            case TaskFailed() | TaskSkipped() | ReadStale(redone=True):
                yield from self._timed(state, event)
                yield from self._review_over(event.task)
            case CallBegun():
                self._call(state, event)
            case CallEnded() | CallFailed() | CallForgotten() | CallLost():
                yield from self._called(state, event)
            case CallRefused():
                yield self._refused(state, event)
            case PersonAsked():
                self._ask(state, event)
            case PersonAnswered():
                yield from self._answered(state, event)
                yield from self._timed(state, event)
            case RequestEscalated() | PersonReminded():
                self._remind(event)
            case RunSubmitted():
                self._submitted(event)
            case RunForked():
                self._forked(event)
            case GoalInterpreted():
                if self._plan is not None:
                    made = event.interpretation
                    self._plan.attributes |= {names.AGENT: made.planner, names.PLAN_MODE: made.mode}
            case TaskAdded() | TaskDrafted():
                self._drafted += 1
            case PlanClosed():
                yield from self._planned(event.at)
            case PlanRefused():
                yield from self._planned(event.at, "refused")
                yield from self._timed(state, event)
            case RevisionBegun():
                self._go_on(event.at)
                yield from self._planned(event.at, "given_up")
                self._begin_plan(event.revision, event.at)
                yield from self._timed(state, event)
            case RevisionRefused():
                yield from self._planned(event.at, "refused")
                yield from self._timed(state, event)
            case PlanRevised():
                self._go_on(event.at)
                self._drafted = len(event.tasks)
                yield from self._planned(event.at)
                self._renamed(event)
                yield from self._timed(state, event)
            case TasksReopened():
                self._go_on(event.at)
                yield from self._timed(state, event)
            case RunPaused() | RunContinued():
                self._mark_root(names.PAUSED if isinstance(event, RunPaused) else names.CONTINUED, event.at)
            case RunEnded():
                yield from self._timed(state, event)
                yield from self._end(state, event)
            case _:
                yield from self._timed(state, event)

    # ---- the run

    def _submitted(self, event: RunSubmitted) -> None:
        parent = None
        if event.parent:
            self.trace, parent = self._above(event.parent, self.run, event.at)
        self._workflow = PurePath(event.workspace).name
        self._begin_run(event.at, parent)
        if self._root is not None and event.parent:
            self._root.attributes[names.RUN_PARENT] = event.parent
        if self._root is not None and event.traceparent:
            trace, span = remote(event.traceparent)
            self._root.links.append(Link(trace=trace, span=span, what="started_by"))
        self._begin_plan(1, event.at)

    def _forked(self, event: RunForked) -> None:
        """Begin anew: what came before was told of the parent."""
        self._plan, self._attempts, self._reviewed, self._calls, self._waits = None, {}, {}, {}, {}
        self._closed, self._handed = len(self._clock.closed), len(self._clock.handoffs)
        self._root, self._act, self.trace = None, 0, trace_id(self.run)
        self._latest, self._orders = {}, {}
        self._begin_run(event.at, None)
        if self._root is not None:
            parent = Link(trace=trace_id(event.parent), span=root_id(event.parent), what="forked_from")
            self._root.links.append(parent)

    def _go_on(self, at: float) -> None:
        """Open a run again that had ended."""
        if self._root is None and self._act:
            before = root_id(self.run, self._act)
            self._begin_run(at, before)
            if self._root is not None:
                self._root.links.append(Link(trace=self.trace, span=before, what="reopened"))

    def _begin_run(self, at: float, parent: int | None) -> None:
        self._act += 1
        attributes: dict[str, Value] = {names.OPERATION: names.INVOKE_WORKFLOW, names.CONVERSATION: self.run}
        if self._workflow:
            attributes[names.WORKFLOW] = self._workflow
        self._root = _Begun(
            id=root_id(self.run, self._act),
            parent=parent,
            what=names.INVOKE_WORKFLOW,
            name=_named(names.INVOKE_WORKFLOW, self._workflow),
            begin=at,
            attributes=attributes,
        )

    def _end(self, state: RunState, event: RunEnded) -> Iterator[Span]:
        yield from self._planned(event.at, "given_up")
        for begun in self._attempts.values():
            begun.attributes[names.OUTCOME] = "withdrawn"
            yield self._span(begun, event.at, "withdrawn")
        self._attempts = {}
        for task in [*self._reviewed]:
            yield from self._review_over(task)
        for begun, _, _ in self._calls.values():
            yield self._span(begun, event.at, "abandoned")
        for begun, _ in self._waits.values():
            begun.attributes[names.DECISION] = "withdrawn"
            yield self._span(begun, event.at)
        self._calls, self._waits = {}, {}
        root, self._root = self._root, None
        if root is None:
            return
        root.attributes |= {
            names.RUN_STATUS: event.status.value,
            names.RUN_TASKS: state.planned,
            names.RUN_COMPLETED: state.completed,
            names.RUN_GAPS: len(event.delivery.gaps),
            **_cost(state.spent),
            **_usage(root.usage),
        }
        if self._disclosure.content:
            asked = {label for spec in state.specs.values() for label in spec.labels}
            self._tell(root, names.INPUT_MESSAGES, asked, lambda: as_text(message("user", state.goal)))
            self._tell_inputs(root, state)
            if event.delivery.answer is not None:
                everything = labels_of_piece(state, Piece(work="synthesise"))
                answer = event.delivery.answer
                self._tell(root, names.OUTPUT_MESSAGES, everything, lambda: as_text(message("assistant", answer)))
        yield self._span(root, event.at, "failed" if event.status is RunStatus.FAILED else "")

    def _mark_root(self, name: str, at: float) -> None:
        if self._root is not None:
            self._root.marks.append(Mark(name=name, at=at))

    # ---- plans

    def _begin_plan(self, revision: int, at: float) -> None:
        self._drafted = 0
        self._plan = _Begun(
            id=span_id(self.run, "plan", revision, at),
            parent=self._root_id(),
            what=names.PLAN,
            name=names.PLAN,
            begin=at,
            attributes={
                names.OPERATION: names.PLAN,
                names.CONVERSATION: self.run,
                names.PLAN_REVISION: revision,
            },
        )

    def _planned(self, at: float, error: str = "") -> Iterator[Span]:
        plan, self._plan = self._plan, None
        if plan is not None:
            plan.attributes |= {names.PLAN_TASKS: self._drafted, **_usage(plan.usage)}
            plan.name = _named(names.PLAN, str(plan.attributes.get(names.AGENT, "")))
            yield self._span(plan, at, error)

    def _renamed(self, event: PlanRevised) -> None:
        """Call what goes on by the names of the new plan."""
        new = {old: name for name, old in event.carried.items()}

        def named(task: str) -> str:
            whole = task.partition("[")[0]
            return new[whole] + task.removeprefix(whole) if whole in new else task

        self._attempts = {named(task): begun for task, begun in self._attempts.items()}
        self._reviewed = {named(task): begun for task, begun in self._reviewed.items()}
        self._latest = {named(task): span for task, span in self._latest.items()}
        self._waits = {request: (begun, named(task)) for request, (begun, task) in self._waits.items()}

    # ---- attempts

    def _start(self, state: RunState, event: AttemptStarted) -> None:
        card = state.roster.agents.get(event.agent)
        attributes: dict[str, Value] = {
            names.OPERATION: names.INVOKE_AGENT,
            names.AGENT: event.agent,
            names.CONVERSATION: self.run,
            names.TASK: event.task,
            names.ATTEMPT: event.attempt,
        }
        one = state.tasks.get(event.task)
        if one is not None:
            attributes[names.SKILL] = one.task.skill
        begun = _Begun(
            id=span_id(self.run, "attempt", event.task, event.attempt, event.at),
            parent=self._root_id(),
            what=names.INVOKE_AGENT,
            name=_named(names.INVOKE_AGENT, event.agent),
            begin=event.at,
            attributes=attributes,
        )
        if (before := self._latest.get(event.task)) is not None:
            begun.links.append(Link(trace=self.trace, span=before, what="retry_of"))
        for handoff in self._clock.handoffs[self._handed :]:
            if handoff.task == event.task:
                attributes[names.HANDOFF] = handoff.seconds
        self._handed = len(self._clock.handoffs)
        self._attempts[event.task], self._latest[event.task] = begun, begun.id
        if card is not None and card.kind == "team":
            for team in (team_run(self.run, event.task), team_run(self.run, event.task, event.agent)):
                self._orders.setdefault(team, []).append((event.at, begun.id))
        if self._disclosure.content:
            self._tell_arguments(begun, state, event)

    def _brought(self, state: RunState, event: AttemptCompleted) -> Iterator[Span]:
        begun = self._attempts.get(event.task)
        if begun is None:
            yield from self._timed(state, event)
            return
        begun.attributes |= {names.OUTCOME: "completed", **_cost(event.cost)}
        if self._disclosure.content:
            seen = self._labels(state, Piece(work="run", task=event.task, number=event.attempt))
            self._tell(begun, names.OUTPUT_MESSAGES, seen, lambda: as_text(message("assistant", event.output)))
        yield from self._timed(state, event)

    def _timed(self, state: RunState, event: Event) -> Iterator[Span]:
        """Close what the clock has closed."""
        closed = self._clock.closed
        for number in range(self._closed, len(closed)):
            yield from self._close(state, event, closed[number])
        self._closed = len(closed)

    def _close(self, state: RunState, event: Event, stretch: Stretch) -> Iterator[Span]:
        if stretch.kind == "person":
            if isinstance(event, PersonAnswered):  # which of them was answered is told already
                return
            for request in [one for one, (_, task) in self._waits.items() if task == stretch.task]:
                begun, _ = self._waits.pop(request)
                begun.attributes[names.DECISION] = "withdrawn"
                yield self._span(begun, stretch.end)
            return
        begun_here = self._attempts.pop(stretch.task, None)
        if begun_here is None:
            return
        yield from self._calls_over(begun_here.id, stretch.end)
        begun_here.end = stretch.end
        match event:
            case AttemptCompleted():
                self._reviewed[stretch.task] = begun_here
                return
            case AttemptFailed():
                outcome, error = "failed", event.failure.value
            case AttemptSuspended():
                outcome, error = ("unknown", FailureClass.UNKNOWN.value) if event.unknown else ("suspended", "")
            case AttemptForgotten():
                outcome, error = "never_happened", ""
            case AttemptLost() | AttemptStarted():
                outcome, error = "lost", "lost"
            case _:
                outcome, error = "withdrawn", "withdrawn"
        begun_here.attributes[names.OUTCOME] = outcome
        if isinstance(event, AttemptFailed | AttemptSuspended | AttemptLost):
            begun_here.attributes |= _cost(event.cost)
        if isinstance(event, AttemptFailed | AttemptSuspended) and event.message and self._disclosure.content:
            seen = self._labels(state, Piece(work="run", task=event.task, number=event.attempt))
            self._tell(begun_here, names.ERROR_MESSAGE, seen, lambda: event.message)
        begun_here.attributes |= _usage(begun_here.usage)
        yield self._span(begun_here, stretch.end, error)

    # ---- reviews

    def _evaluate(self, state: RunState, event: ResultReviewed) -> None:
        begun = self._reviewed.get(event.task)
        if begun is None:
            return
        for review in event.reviews:
            mark = _evaluation(review, event.at)
            if self._disclosure.content and review.findings:
                seen = self._labels(state, Piece(work="review", task=event.task, number=event.attempt))
                if not self._disclosure.kept_back(seen):
                    mark.attributes[names.EVALUATION_WHY] = shortened("; ".join(review.findings))
            begun.marks.append(mark)

    def _judge(self, task: str, at: float, reviewer: str, *, rejected: bool = False) -> None:
        """Note the verdict of those reviewers who did not tell theirs one by one: of a person only that it was one."""
        begun = self._reviewed.get(task)
        if begun is None or not reviewer:
            return
        told = {mark.attributes[names.EVALUATION_NAME] for mark in begun.marks}
        names_of = (one.partition(":")[0] for one in reviewer.split("+"))
        if silent := "+".join(one for one in names_of if one not in told):
            label = "rejected" if rejected else "accepted"
            attributes: dict[str, Value] = {names.EVALUATION_NAME: silent, names.EVALUATION_LABEL: label}
            begun.marks.append(Mark(name=names.EVALUATION, at=at, attributes=attributes))

    def _review_over(self, task: str, *, rejected: bool = False) -> Iterator[Span]:
        begun = self._reviewed.pop(task, None)
        if begun is None or begun.end is None:
            return
        if rejected:
            begun.attributes[names.OUTCOME] = "rejected"
        begun.attributes |= _usage(begun.usage)
        yield self._span(begun, begun.end, FailureClass.INVALID_OUTPUT.value if rejected else "")

    # ---- inner calls

    def _call(self, state: RunState, event: CallBegun) -> None:
        begun = self._begun_call(event)
        begun.attributes[names.EFFECT] = event.effect.value
        if begun.what == names.EXECUTE_TOOL and self._disclosure.content:
            seen = self._labels(state, event.of)
            self._tell(begun, names.TOOL_ARGUMENTS, seen, lambda: as_text(event.arguments))
        self._calls[event.of.name, event.call] = begun, begun.parent, event.of

    def _called(self, state: RunState, event: CallEnded | CallFailed | CallForgotten | CallLost) -> Iterator[Span]:
        begun, parent, _ = self._calls.pop((event.of.name, event.call), (None, None, None))
        if begun is None:
            return
        error = ""
        begun.attributes |= _cost(event.cost)
        if not isinstance(event, CallLost):
            begun.attributes |= _usage(event.usage)
            self._use(parent, event.usage)
        match event:
            case CallEnded() if self._disclosure.content:
                seen = self._labels(state, event.of)
                if begun.what == names.CHAT:
                    self._tell(begun, names.OUTPUT_MESSAGES, seen, lambda: as_text(_reply(event.output)))
                else:
                    self._tell(begun, names.TOOL_RESULT, seen, lambda: as_text(event.output))
            case CallFailed():
                error = event.failure.value
                if self._disclosure.content and event.message:
                    self._tell(begun, names.ERROR_MESSAGE, self._labels(state, event.of), lambda: event.message)
            case CallLost():
                error = "lost"
            case _:
                pass
        yield self._span(begun, event.at, error)

    def _refused(self, state: RunState, event: CallRefused) -> Span:
        begun = self._begun_call(event)
        if self._disclosure.content and event.message:
            self._tell(begun, names.ERROR_MESSAGE, self._labels(state, event.of), lambda: event.message)
        return self._span(begun, event.at, event.failure.value)

    def _begun_call(self, event: CallBegun | CallRefused) -> _Begun:
        attributes: dict[str, Value] = {names.CONVERSATION: self.run, names.ROLE: event.role}
        if event.of.task:
            attributes |= {names.TASK: event.of.task, names.ATTEMPT: event.of.number}
        tool = event.role == "tool"
        if tool:
            attributes |= {names.TOOL: event.what, names.TOOL_TYPE: "function", names.TOOL_CALL: event.call}
        else:
            attributes |= names.of_model(event.what)
        what = names.EXECUTE_TOOL if tool else names.CHAT
        attributes[names.OPERATION] = what
        return _Begun(
            id=span_id(self.run, "call", event.of.name, event.call, event.at),
            parent=self._parent_of(event.of),
            what=what,
            name=_named(what, str(attributes[names.TOOL if tool else names.REQUEST_MODEL])),
            kind="internal" if tool else "client",
            begin=event.at,
            attributes=attributes,
        )

    def _calls_over(self, attempt: int, at: float) -> Iterator[Span]:
        """End the calls that an attempt had open when it ended."""
        for key in [key for key, (_, parent, of) in self._calls.items() if parent == attempt and of.work == "run"]:
            begun, _, _ = self._calls.pop(key)
            yield self._span(begun, at, "abandoned")

    def _parent_of(self, of: Piece) -> int | None:
        """Give the span that a piece of work stands below."""
        if of.work == "plan" and self._plan is not None:
            return self._plan.id
        if of.work in ("run", "review"):
            return self._latest.get(of.task, self._root_id())
        return self._root_id()

    def _use(self, parent: int | None, usage: Usage) -> None:
        """Count tokens with the span that a call was made for, and with the run."""
        if not usage.tokens:
            return
        holders = [self._plan, self._root, *self._attempts.values(), *self._reviewed.values()]
        for begun in holders:
            if begun is not None and (begun.id == parent or begun is self._root):
                begun.usage = begun.usage + usage

    # ---- people

    def _ask(self, state: RunState, event: PersonAsked) -> None:
        request = event.request
        attributes: dict[str, Value] = {
            names.OPERATION: names.WAIT,
            names.CONVERSATION: self.run,
            names.REQUEST: request.id,
            names.REQUEST_KIND: request.kind,
        }
        if request.task:
            attributes |= {names.TASK: request.task, names.ATTEMPT: request.attempt}
        begun = _Begun(
            id=span_id(self.run, "wait", request.id, event.at),
            parent=self._root_id(),
            what=names.WAIT,
            name=_named(names.WAIT, request.kind),
            begin=event.at,
            attributes=attributes,
        )
        if (attempt := self._latest.get(request.task)) is not None:
            begun.links.append(Link(trace=self.trace, span=attempt, what="asked_by"))
        if self._disclosure.content:
            seen = self._labels(state, Piece(work="run", task=request.task, number=request.attempt))
            self._tell(begun, names.QUESTION, seen, lambda: request.question)
        self._waits[request.id] = begun, request.task

    def _answered(self, state: RunState, event: PersonAnswered) -> Iterator[Span]:
        begun, task = self._waits.pop(event.request, (None, ""))
        if begun is None:
            return
        begun.attributes[names.DECISION] = event.decision
        if self._disclosure.content and (event.value is not None or event.reason):
            seen = self._labels(state, Piece(work="run", task=task))
            said = event.value if event.value is not None else event.reason
            self._tell(begun, names.ANSWER, seen, lambda: said if isinstance(said, str) else as_text(said))
        yield self._span(begun, event.at)

    def _remind(self, event: RequestEscalated | PersonReminded) -> None:
        begun, _ = self._waits.get(event.request, (None, ""))
        if begun is not None:
            name = names.ESCALATED if isinstance(event, RequestEscalated) else names.REMINDED
            begun.marks.append(Mark(name=name, at=event.at))

    # ---- content

    def _tell(self, begun: _Begun, name: str, seen: Iterable[str], text: Callable[[], str]) -> None:
        """Put content on a span, or say that it was kept back, and for which labels."""
        kept_back = self._disclosure.kept_back(set(seen))
        if not kept_back:
            begun.attributes[name] = shortened(text()) if name not in _MESSAGES else text()
            return
        for key, more in ((names.WITHHELD, {name}), (names.WITHHELD_LABELS, kept_back)):
            known = begun.attributes.get(key, ())
            begun.attributes[key] = tuple(sorted({*(known if isinstance(known, tuple) else ()), *more}))

    def _tell_inputs(self, root: _Begun, state: RunState) -> None:
        """Tell each input of a run by its own labels."""
        of = {name: set(state.specs[name].labels) if name in state.specs else set() for name in state.inputs}
        told = {name: value for name, value in state.inputs.items() if not self._disclosure.kept_back(of[name])}
        if told:
            self._tell(root, names.RUN_INPUTS, (), lambda: as_text(told))
        for name in state.inputs.keys() - told.keys():
            self._tell(root, f"{names.RUN_INPUTS}.{name}", of[name], str)

    def _tell_arguments(self, begun: _Begun, state: RunState, event: AttemptStarted) -> None:
        one = state.tasks.get(event.task)
        seen = self._labels(state, Piece(work="run", task=event.task, number=event.attempt))
        seen |= {label for spec in state.specs.values() for label in spec.labels}  # its objective is made from the goal
        if one is None:
            return
        try:
            arguments = resolve(state, one)
        except Missing:
            return
        if digest(arguments) == event.arguments:  # else they are those of another attempt
            objective = [one.task.objective] if one.task.objective else []
            self._tell(
                begun, names.INPUT_MESSAGES, seen, lambda: as_text(message("user", *objective, as_text(arguments)))
            )

    def _labels(self, state: RunState, of: Piece) -> set[str]:
        """Give the labels of what a piece of work sees; of a task that is gone, all that the run knows."""
        one = state.tasks.get(of.task)
        own = labels(state, one) if one is not None else frozenset()
        return {*labels_of_piece(state, of), *own}

    # ---- the end of a span

    def _root_id(self) -> int | None:
        return self._root.id if self._root is not None else root_id(self.run, max(self._act, 1))

    def _span(self, begun: _Begun, end: float, error: str = "") -> Span:
        if error:
            begun.attributes[names.ERROR_TYPE] = error
        return Span(
            trace=self.trace,
            id=begun.id,
            parent=begun.parent,
            what=begun.what,
            name=begun.name,
            kind=begun.kind,
            begin=begun.begin,
            end=max(end, begun.begin),
            attributes=begun.attributes,
            marks=tuple(begun.marks),
            links=tuple(begun.links),
            error=error,
        )


_MESSAGES = frozenset({names.INPUT_MESSAGES, names.OUTPUT_MESSAGES})


def _named(operation: str, of: str) -> str:
    return f"{operation} {of}" if of else operation


def _evaluation(review: Review, at: float) -> Mark:
    label = "accepted" if review.accepted else "rejected"
    attributes: dict[str, Value] = {names.EVALUATION_NAME: review.reviewer or "review", names.EVALUATION_LABEL: label}
    if review.scores:
        attributes[names.EVALUATION_SCORE] = sum(one.score for one in review.scores) / len(review.scores)
    return Mark(name=names.EVALUATION, at=at, attributes=attributes)


def _cost(cost: Cost) -> dict[str, Value]:
    return {} if cost == FREE or not cost.money else {names.COST: float(cost.money)}


def _usage(usage: Usage) -> dict[str, Value]:
    if not usage.tokens:
        return {}
    cached: dict[str, Value] = {names.CACHED_TOKENS: usage.cached} if usage.cached else {}
    return {names.INPUT_TOKENS: usage.input, names.OUTPUT_TOKENS: usage.output, **cached}


def _reply(output: Json) -> Json:
    """Give what a model answered as a message; it lies in the journal as `stretto.models.prompt.Reply`."""
    text = output.get("text") if isinstance(output, dict) else output
    return message("assistant", text if text is not None else output)
