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

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import PurePath
from typing import TypeAlias

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
from stretto.core.timeline import Stretch, TimelineFold
from stretto.telemetry import names
from stretto.telemetry.contents import Contents
from stretto.telemetry.disclosure import as_text, message, shortened
from stretto.telemetry.identity import remote, root_id, span_id, trace_id
from stretto.telemetry.shape import Begun, Link, Mark, Span, Value

Above: TypeAlias = Callable[[str, str, float], tuple[int, int]]
"""Gives the trace, and the span to be below, of a team's run: by the run above, its own id, and when it began."""


class RunSpans:
    """The spans of one run; `seq` events of it are taken in."""

    def __init__(self, run: str, contents: Contents, above: Above) -> None:
        self.run, self.seq, self.trace = run, 0, trace_id(run)
        self._contents, self._above = contents, above
        self._clock = TimelineFold()
        self._closed = self._handed = 0  # how much of what the clock tells is taken in
        self._act = 0
        self._root: Begun | None = None
        self._workflow = ""
        self._plan: Begun | None = None
        self._drafted = 0
        self._attempts: dict[str, Begun] = {}
        self._reviewed: dict[str, Begun] = {}
        self._latest: dict[str, int] = {}
        self._calls: dict[tuple[str, str], tuple[Begun, int | None, Piece]] = {}
        self._waits: dict[str, tuple[Begun, str]] = {}
        self._orders: dict[str, list[tuple[float, int]]] = {}

    @property
    def ended(self) -> bool:
        """Whether the run has ended, and nothing of it is open."""
        return self._root is None and self.seq > 0

    def lose(self, events: int) -> None:
        """Pass over events that could not be taken in: what is open cannot be told any more, but for the run."""
        self.seq += events
        self._clock = TimelineFold()
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
            self._root.links += (Link(trace=trace, span=span, what="started_by"),)
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
            self._root.links += (parent,)

    def _go_on(self, at: float) -> None:
        """Open a run again that had ended."""
        if self._root is None and self._act:
            before = root_id(self.run, self._act)
            self._begin_run(at, before)
            if self._root is not None:
                self._root.links += (Link(trace=self.trace, span=before, what="reopened"),)

    def _begin_run(self, at: float, parent: int | None) -> None:
        self._act += 1
        attributes: dict[str, Value] = {names.OPERATION: names.INVOKE_WORKFLOW, names.CONVERSATION: self.run}
        if self._workflow:
            attributes[names.WORKFLOW] = self._workflow
        self._root = Begun(
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
            yield begun.ended(self.trace, event.at, "withdrawn")
        self._attempts = {}
        for task in [*self._reviewed]:
            yield from self._review_over(task)
        for begun, _, _ in self._calls.values():
            yield begun.ended(self.trace, event.at, "abandoned")
        for begun, _ in self._waits.values():
            begun.attributes[names.DECISION] = "withdrawn"
            yield begun.ended(self.trace, event.at)
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
        self._contents.tell_run(root, state, event.delivery)
        yield root.ended(self.trace, event.at, "failed" if event.status is RunStatus.FAILED else "")

    def _mark_root(self, name: str, at: float) -> None:
        if self._root is not None:
            self._root.marks += (Mark(name=name, at=at),)

    # ---- plans

    def _begin_plan(self, revision: int, at: float) -> None:
        self._drafted = 0
        self._plan = Begun(
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
            yield plan.ended(self.trace, at, error)

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
        begun = Begun(
            id=span_id(self.run, "attempt", event.task, event.attempt, event.at),
            parent=self._root_id(),
            what=names.INVOKE_AGENT,
            name=_named(names.INVOKE_AGENT, event.agent),
            begin=event.at,
            attributes=attributes,
        )
        if (before := self._latest.get(event.task)) is not None:
            begun.links += (Link(trace=self.trace, span=before, what="retry_of"),)
        for handoff in self._clock.handoffs[self._handed :]:
            if handoff.task == event.task:
                attributes[names.HANDOFF] = handoff.seconds
        self._handed = len(self._clock.handoffs)
        self._attempts[event.task], self._latest[event.task] = begun, begun.id
        if card is not None and card.kind == "team":
            for team in (team_run(self.run, event.task), team_run(self.run, event.task, event.agent)):
                self._orders.setdefault(team, []).append((event.at, begun.id))
        self._contents.tell_arguments(begun, state, event)

    def _brought(self, state: RunState, event: AttemptCompleted) -> Iterator[Span]:
        begun = self._attempts.get(event.task)
        if begun is None:
            yield from self._timed(state, event)
            return
        begun.attributes |= {names.OUTCOME: "completed", **_cost(event.cost)}
        of = Piece(work="run", task=event.task, number=event.attempt)
        self._contents.tell_of(
            begun, names.OUTPUT_MESSAGES, state, of, lambda: as_text(message("assistant", event.output))
        )
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
                yield begun.ended(self.trace, stretch.end)
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
        if isinstance(event, AttemptFailed | AttemptSuspended) and event.message:
            of = Piece(work="run", task=event.task, number=event.attempt)
            self._contents.tell_of(begun_here, names.ERROR_MESSAGE, state, of, lambda: event.message)
        begun_here.attributes |= _usage(begun_here.usage)
        yield begun_here.ended(self.trace, stretch.end, error)

    # ---- reviews

    def _evaluate(self, state: RunState, event: ResultReviewed) -> None:
        begun = self._reviewed.get(event.task)
        if begun is None:
            return
        of = Piece(work="review", task=event.task, number=event.attempt)
        for review in event.reviews:
            mark = _evaluation(review, event.at)
            if review.findings and self._contents.may_tell(state, of):
                mark.attributes[names.EVALUATION_WHY] = shortened("; ".join(review.findings))
            begun.marks += (mark,)

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
            begun.marks += (Mark(name=names.EVALUATION, at=at, attributes=attributes),)

    def _review_over(self, task: str, *, rejected: bool = False) -> Iterator[Span]:
        begun = self._reviewed.pop(task, None)
        if begun is None or begun.end is None:
            return
        if rejected:
            begun.attributes[names.OUTCOME] = "rejected"
        begun.attributes |= _usage(begun.usage)
        yield begun.ended(self.trace, begun.end, FailureClass.INVALID_OUTPUT.value if rejected else "")

    # ---- inner calls

    def _call(self, state: RunState, event: CallBegun) -> None:
        begun = self._begun_call(event)
        begun.attributes[names.EFFECT] = event.effect.value
        if begun.what == names.EXECUTE_TOOL:
            self._contents.tell_of(begun, names.TOOL_ARGUMENTS, state, event.of, lambda: as_text(event.arguments))
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
            case CallEnded() if begun.what == names.CHAT:
                reply = partial(_reply, event.output)
                self._contents.tell_of(begun, names.OUTPUT_MESSAGES, state, event.of, reply)
            case CallEnded():
                result = partial(as_text, event.output)
                self._contents.tell_of(begun, names.TOOL_RESULT, state, event.of, result)
            case CallFailed():
                error = event.failure.value
                said = event.message
                self._contents.tell_of(begun, names.ERROR_MESSAGE, state, event.of, lambda: said)
            case CallLost():
                error = "lost"
            case _:
                pass
        yield begun.ended(self.trace, event.at, error)

    def _refused(self, state: RunState, event: CallRefused) -> Span:
        begun = self._begun_call(event)
        self._contents.tell_of(begun, names.ERROR_MESSAGE, state, event.of, lambda: event.message)
        return begun.ended(self.trace, event.at, event.failure.value)

    def _begun_call(self, event: CallBegun | CallRefused) -> Begun:
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
        return Begun(
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
            yield begun.ended(self.trace, at, "abandoned")

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
        begun = Begun(
            id=span_id(self.run, "wait", request.id, event.at),
            parent=self._root_id(),
            what=names.WAIT,
            name=_named(names.WAIT, request.kind),
            begin=event.at,
            attributes=attributes,
        )
        if (attempt := self._latest.get(request.task)) is not None:
            begun.links += (Link(trace=self.trace, span=attempt, what="asked_by"),)
        of = Piece(work="run", task=request.task, number=request.attempt)
        self._contents.tell_of(begun, names.QUESTION, state, of, lambda: request.question)
        self._waits[request.id] = begun, request.task

    def _answered(self, state: RunState, event: PersonAnswered) -> Iterator[Span]:
        begun, task = self._waits.pop(event.request, (None, ""))
        if begun is None:
            return
        begun.attributes[names.DECISION] = event.decision
        said = event.value if event.value is not None else event.reason
        if said != "":
            of = Piece(work="run", task=task)
            told = said if isinstance(said, str) else as_text(said)
            self._contents.tell_of(begun, names.ANSWER, state, of, lambda: told)
        yield begun.ended(self.trace, event.at)

    def _remind(self, event: RequestEscalated | PersonReminded) -> None:
        begun, _ = self._waits.get(event.request, (None, ""))
        if begun is not None:
            name = names.ESCALATED if isinstance(event, RequestEscalated) else names.REMINDED
            begun.marks += (Mark(name=name, at=event.at),)

    # ---- the span of the run

    def _root_id(self) -> int | None:
        return self._root.id if self._root is not None else root_id(self.run, max(self._act, 1))


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


def _reply(output: Json) -> str:
    """Give what a model answered as a message; it lies in the journal as `stretto.models.prompt.Reply`."""
    text = output.get("text") if isinstance(output, dict) else output
    return as_text(message("assistant", text if text is not None else output))
