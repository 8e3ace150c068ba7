"""`decide`: which facts follow from a command. None when it is late, doubled or moot; all of them or none."""

from collections.abc import Sequence
from typing import Any, assert_never

from stretto.core.budget import room_for, why_over
from stretto.core.canonical import digest, short
from stretto.core.commands import (
    AddTask,
    AnswerRequest,
    Cancel,
    ChangeLimits,
    ClarifyGoal,
    ClosePlan,
    Command,
    Deliver,
    FailPlan,
    FireTimer,
    InterpretGoal,
    Judged,
    LookedUp,
    Recover,
    ReportOutcome,
    ReportReview,
    SubmitGoal,
)
from stretto.core.context import action_key, binding, effect_of, stale_reads, versions_read
from stretto.core.context import labels as labels_of
from stretto.core.domain import (
    FREE,
    Completed,
    Cost,
    Delivery,
    Failed,
    FailureClass,
    InputRequired,
    Plan,
    Preview,
    Request,
    RunStatus,
    SideEffect,
    TaskStatus,
    Unknown,
    Verdict,
)
from stretto.core.events import (
    AttemptCompleted,
    AttemptDoubted,
    AttemptFailed,
    AttemptForgotten,
    AttemptStarted,
    AttemptSuspended,
    DeadlinePassed,
    Event,
    GoalInterpreted,
    LimitsChanged,
    PersonAnswered,
    PersonAsked,
    PlanClosed,
    PlanRefused,
    ReadStale,
    ResultRejected,
    RetryDue,
    RetryScheduled,
    RunCancelled,
    RunEnded,
    RunSubmitted,
    TaskAdded,
    TaskCompleted,
    TaskExpanded,
    TaskFailed,
    TaskJudged,
    TaskSkipped,
)
from stretto.core.evolve import evolve
from stretto.core.ladder import pause_before
from stretto.core.plan.check import check
from stretto.core.plan.diagnostics import errors
from stretto.core.plan.references import Need
from stretto.core.state import RunState, TaskState, gaps

PERSONAL = frozenset({"pii", "phi", "personal", "confidential"})
MOST_DIAGNOSTICS = 200


def decide(state: RunState, command: Command) -> Sequence[Event]:
    """Give the facts that follow from a command, in order."""
    return step(state, command)[0]


def step(state: RunState, command: Command) -> tuple[Sequence[Event], RunState]:
    """Give the facts and the state after them, so that a shell folds them only once."""
    draft = _Draft(state, command)
    match command:
        case Judged():
            _judged(draft, command)
        case ReportOutcome():
            _outcome(draft, command)
        case ReportReview():
            _review(draft, command)
        case AddTask():
            _add_task(draft, command)
        case ClosePlan():
            _close_plan(draft, command)
        case FailPlan():
            if state.planning and command.revision == state.revision:
                draft.say(PlanRefused, revision=command.revision, reason=command.reason)
        case InterpretGoal():
            due = state.planning and command.revision == state.revision
            if due and state.interpretation != command.interpretation:
                draft.say(
                    GoalInterpreted,
                    revision=command.revision,
                    interpretation=command.interpretation,
                    inputs=command.inputs,
                    specs=command.specs,
                )
        case ClarifyGoal():
            _clarify(draft, command)
        case SubmitGoal():
            _submit(draft, command)
        case FireTimer():
            _timer(draft, command)
        case AnswerRequest():
            _answer(draft, command)
        case Recover():
            _recover(draft)
        case LookedUp():
            _looked_up(draft, command)
        case ChangeLimits():
            if state.run and not state.status.final and (command.budget or command.deadline is not None):
                draft.say(LimitsChanged, budget=command.budget, deadline=command.deadline)
        case Cancel():
            if state.run and not state.status.final:
                draft.say(RunCancelled, by=command.actor, reason=command.reason)
                delivery = Delivery(gaps=gaps(draft.state))
                draft.say(RunEnded, status=RunStatus.CANCELLED, delivery=delivery)
        case Deliver():
            _deliver(draft, command)
        case _:
            assert_never(command)
    return draft.events, draft.state


class _Draft:
    """The facts of one decision, and the state they lead to so far."""

    def __init__(self, state: RunState, command: Command) -> None:
        self.state = state
        self.events: list[Event] = []
        self._at = max(command.at, state.at)

    def say(self, fact: Any, **fields: Any) -> None:
        event = fact(at=self._at, **fields)
        self.events.append(event)
        self.state = evolve(self.state, event)

    @property
    def at(self) -> float:
        return self._at


def _submit(draft: _Draft, command: SubmitGoal) -> None:
    if draft.state.run:
        return
    draft.say(
        RunSubmitted,
        run=command.run,
        goal=command.goal,
        inputs=command.inputs,
        catalogue=command.catalogue,
        plan=command.plan,
        budget=command.budget,
        deadline=command.deadline,
        workspace=command.workspace,
        specs=command.specs,
    )


def _clarify(draft: _Draft, command: ClarifyGoal) -> None:
    state = draft.state
    if not state.planning or state.unclear is not None:
        return
    if (command.revision, command.round) != (state.revision, len(state.clarified)):
        return
    request = Request(
        id=short([state.run, "goal", command.revision, command.round]),
        task="",
        attempt=0,
        kind="goal",
        question=command.question,
        choices=command.choices,
        asked=draft.at,
    )
    draft.say(PersonAsked, request=request)


def _add_task(draft: _Draft, command: AddTask) -> None:
    state, task = draft.state, command.task
    if not state.planning or command.revision != state.revision or task.id in state.tasks:
        return
    draft.say(TaskAdded, task=task)
    for name, need in draft.state.tasks[task.id].needs.items():
        earlier = draft.state.tasks.get(name)
        if earlier is not None and _takes_along(earlier, need):
            _skip(draft, task.id, name, wanted=earlier.wanted)
            return


def _close_plan(draft: _Draft, command: ClosePlan) -> None:
    state = draft.state
    if not state.planning or command.revision != state.revision:
        return
    if not state.tasks and not _answers_itself(state):
        draft.say(PlanRefused, revision=command.revision, reason="the plan has no task")
        return
    written = [state.tasks[state.ids[n]] for n in range(len(state.ids))]
    plan = Plan(
        tasks=tuple(one.task for one in written if one.parent is None),
        inputs=state.specs,
        deliver=command.deliver,
    )
    seconds = None if state.deadline is None else state.deadline - draft.at
    found = check(plan, state.catalogue, budget=state.budget, seconds=seconds) if plan.tasks else []
    if wrong := errors(found):
        said = tuple(wrong[:MOST_DIAGNOSTICS])
        reason = f"{len(wrong)} defects, the first: {wrong[0].message} [{wrong[0].code}]"
        draft.say(PlanRefused, revision=command.revision, reason=reason, diagnostics=said)
        return
    draft.say(
        PlanClosed,
        revision=command.revision,
        deliver=command.deliver,
        diagnostics=tuple(found[:MOST_DIAGNOSTICS]),
    )


def _answers_itself(state: RunState) -> bool:
    return state.interpretation is not None and state.interpretation.mode == "direct"


def _judged(draft: _Draft, command: Judged) -> None:
    one = draft.state.tasks.get(command.task)
    if one is None or not one.ready or command.attempt != one.attempt + 1:
        return
    if command.skip is not None:
        _skip(draft, command.task, "", wanted=True, reason=command.skip)
    elif command.refusal is not None:
        _fail(draft, command.task, FailureClass.REFUSED, command.refusal)
    elif command.items is not None:
        _expand(draft, command)
    elif command.verdict is not None:
        _act_on_verdict(draft, command, one, command.verdict)


def _expand(draft: _Draft, command: Judged) -> None:
    one, items = draft.state.tasks[command.task], command.items or ()
    spec = one.task.for_each
    most = (spec.max if spec else None) or draft.state.catalogue.rules.fan_out
    if len(items) > most:
        _fail(draft, command.task, FailureClass.REFUSED, f"{len(items)} items; the bound is {most}")
        return
    draft.say(TaskExpanded, task=command.task, items=tuple(items))
    _settle_fan_out(draft, command.task)


def _act_on_verdict(draft: _Draft, command: Judged, one: TaskState, verdict: Verdict) -> None:
    preview = command.preview or Preview()
    if verdict.decision == "deny":
        draft.say(TaskJudged, task=command.task, attempt=command.attempt, agent=command.agent, verdict=verdict)
        _fail(draft, command.task, FailureClass.DENIED, verdict.reason)
        return
    if verdict.decision == "ask":
        bound = binding(one.task.skill, command.arguments, preview.diff, preview.preimage)
        if one.approved != bound:
            _ask_approval(draft, command, one, bound, preview, verdict)
            return
        verdict = Verdict(decision="allow", rule=verdict.rule, reason=f"{verdict.reason}; a person approved")
    _start(draft, command, one, verdict)


def _ask_approval(
    draft: _Draft, command: Judged, one: TaskState, bound: str, preview: Preview, verdict: Verdict
) -> None:
    draft.say(TaskJudged, task=command.task, attempt=command.attempt, agent=command.agent, verdict=verdict)
    again = " (what was approved has changed)" if one.approved is not None else ""
    request = Request(
        id=short([draft.state.run, command.task, command.attempt, one.round, bound]),
        task=command.task,
        attempt=command.attempt,
        kind="approval",
        question=f"{one.task.objective or one.task.skill}: {verdict.reason}{again}",
        arguments=command.arguments,
        diff=preview.diff,
        preimage=preview.preimage,
        binding=bound,
        asked=draft.at,
    )
    draft.say(PersonAsked, request=request)


def _start(draft: _Draft, command: Judged, one: TaskState, verdict: Verdict) -> None:
    state, cost = draft.state, draft.state.roster.agents[command.agent].cost
    if not room_for(state, cost, state.reserved):
        if not room_for(state, cost, FREE):
            _fail(draft, command.task, FailureClass.OVER_BUDGET, why_over(state, cost))
        return  # others hold the room: it is judged again when they settle
    key = action_key(state, one, command.arguments)
    effect = effect_of(state, one, command.agent)
    taken = state.keys.get(key)
    if taken not in (None, command.task) and effect not in (SideEffect.NONE, SideEffect.UNDECLARED):
        message = f"the same action as task {taken!r}, with the same arguments; nothing declares them as two"
        _fail(draft, command.task, FailureClass.DENIED, message)
        return
    draft.say(
        AttemptStarted,
        task=command.task,
        attempt=command.attempt,
        agent=command.agent,
        key=key,
        arguments=digest(command.arguments),
        verdict=verdict,
        reserved=cost,
        reads=versions_read(state, one),
    )


def _outcome(draft: _Draft, command: ReportOutcome) -> None:
    one = draft.state.tasks.get(command.task)
    if one is None or one.status is not TaskStatus.RUNNING or one.attempt != command.attempt:
        return
    if not (one.in_doubt and isinstance(command.outcome, Unknown)):  # that it is in doubt is known already
        _take(draft, one, command.task, command.attempt, command.outcome)


def _take(draft: _Draft, one: TaskState, id_: str, attempt: int, outcome: Any) -> None:
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
                personal=_is_personal(draft.state, one),
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
            _climb(draft, id_, outcome.failure, outcome.message, (), outcome.retry_after)
        case InputRequired():
            draft.say(
                AttemptSuspended,
                task=id_,
                attempt=attempt,
                unknown=False,
                message=outcome.question,
                cost=outcome.cost,
            )
            _ask(draft, id_, attempt, "question", outcome.question)
        case Unknown():
            if draft.state.roster.agents[str(one.agent)].looks_up and not one.in_doubt:
                draft.say(AttemptDoubted, task=id_, attempt=attempt, cost=outcome.cost)
            else:
                _doubt(draft, id_, attempt, outcome.message, outcome.cost)


def _doubt(draft: _Draft, id_: str, attempt: int, message: str, cost: Cost = FREE) -> None:
    draft.say(AttemptSuspended, task=id_, attempt=attempt, unknown=True, message=message, cost=cost)
    _ask(draft, id_, attempt, "doubt", f"{message}; did it happen? Answer done, retry or fail")


def _ask(draft: _Draft, id_: str, attempt: int, kind: str, question: str) -> None:
    one = draft.state.tasks[id_]
    name = short([draft.state.run, id_, attempt, one.round, kind])
    request = Request(id=name, task=id_, attempt=attempt, kind=kind, question=question, asked=draft.at)  # type: ignore[arg-type]
    draft.say(PersonAsked, request=request)


def _review(draft: _Draft, command: ReportReview) -> None:
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
        _settle_parent(draft, command.task)
        return
    draft.say(
        ResultRejected,
        task=command.task,
        attempt=command.attempt,
        reviewer=review.reviewer,
        findings=review.findings,
    )
    message = f"the review by {review.reviewer} rejects the result: {'; '.join(review.findings)}"
    _climb(draft, command.task, FailureClass.INVALID_OUTPUT, message, review.findings)


def _climb(
    draft: _Draft,
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
        _fail(draft, id_, failure, message)
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


def _fail(draft: _Draft, id_: str, failure: FailureClass, message: str) -> None:
    draft.say(TaskFailed, task=id_, failure=failure, message=message)
    _let_fall(draft, id_, wanted=False)
    _settle_parent(draft, id_)


def _skip(draft: _Draft, id_: str, because: str, *, wanted: bool, reason: str = "") -> None:
    reason = reason or (f"it needs {because!r}, which was skipped" if wanted else _why_without(draft, because))
    draft.say(TaskSkipped, task=id_, reason=reason, because=because, wanted=wanted)
    _let_fall(draft, id_, wanted=wanted)
    _settle_parent(draft, id_)


def _let_fall(draft: _Draft, root: str, *, wanted: bool) -> None:
    """Skip what cannot do without a fallen task, and what cannot do without those."""
    stack = [root]
    while stack:
        fallen = stack.pop()
        for position in sorted(draft.state.dependents.get(fallen, ())):
            id_ = draft.state.ids[position]
            later = draft.state.tasks[id_]
            if later.status.final or not _takes_along(draft.state.tasks[fallen], later.needs[fallen]):
                continue
            reason = f"it needs {fallen!r}, which was skipped" if wanted else _why_without(draft, fallen)
            draft.say(TaskSkipped, task=id_, reason=reason, because=fallen, wanted=wanted)
            stack.append(id_)


def _takes_along(earlier: TaskState, need: Need) -> bool:
    if earlier.status not in (TaskStatus.FAILED, TaskStatus.SKIPPED, TaskStatus.CANCELLED):
        return False
    return need is Need.RESULT or (need is Need.ORDER and not earlier.wanted)


def _why_without(draft: _Draft, name: str) -> str:
    status = draft.state.tasks[name].status.value
    return f"it needs {name!r}, which {'failed' if status == 'failed' else f'was {status}'}"


def _settle_parent(draft: _Draft, id_: str) -> None:
    parent = draft.state.tasks[id_].parent
    if parent is not None:
        _settle_fan_out(draft, parent)


def _settle_fan_out(draft: _Draft, id_: str) -> None:
    """End a fan-out whose items have all ended."""
    state, one = draft.state, draft.state.tasks[id_]
    if one.status.final or one.children is None or one.children_open:
        return
    items = [state.tasks[f"{id_}[{number}]"] for number in range(one.children)]
    lost = [item for item in items if item.status is not TaskStatus.COMPLETED and not item.wanted]
    tolerant = one.task.for_each is not None and one.task.for_each.allow_failures
    if lost and (not tolerant or len(lost) == len(items)):
        first = lost[0]
        message = f"{len(lost)} of {len(items)} items failed, the first with: {first.reason}"
        _fail(draft, id_, first.failure or FailureClass.ERROR, message)
    else:
        draft.say(TaskCompleted, task=id_)


def _recover(draft: _Draft) -> None:
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
            _doubt(draft, id_, one.attempt, f"the process died while {one.agent!r} was at work")


def _looked_up(draft: _Draft, command: LookedUp) -> None:
    one = draft.state.tasks.get(command.task)
    if one is None or one.status is not TaskStatus.RUNNING or one.attempt != command.attempt or not one.in_doubt:
        return
    if command.outcome is None:
        draft.say(AttemptForgotten, task=command.task, attempt=command.attempt)
    else:
        _take(draft, one, command.task, command.attempt, command.outcome)


def _timer(draft: _Draft, command: FireTimer) -> None:
    state = draft.state
    if command.timer == "deadline":
        due = state.deadline is not None and draft.at >= state.deadline
        if due and not state.deadline_passed and not state.status.final:
            draft.say(DeadlinePassed, deadline=state.deadline)
        return
    id_ = command.timer.removeprefix("retry/")
    one = state.tasks.get(id_)
    if one is not None and one.retry_at is not None and draft.at >= one.retry_at:
        draft.say(RetryDue, task=id_, attempt=one.attempt)


_ALLOWED = {
    "approval": ("approve", "deny", "edit"),
    "question": ("answer", "fail", "deny"),
    "doubt": ("done", "retry", "fail"),
    "goal": ("answer", "deny"),
}


def _answer(draft: _Draft, command: AnswerRequest) -> None:
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
    if request.kind == "goal":
        if command.decision == "deny":
            reason = f"{by} would not say: {request.question}{why}"
            draft.say(PlanRefused, revision=draft.state.revision, reason=reason)
        return
    if command.decision == "deny":
        _fail(draft, id_, FailureClass.DENIED, f"denied by {by}{why}")
    elif command.decision == "fail":
        _fail(draft, id_, FailureClass.UNKNOWN, f"given up by {by}{why}")
    elif command.decision == "done":
        personal = _is_personal(draft.state, draft.state.tasks[id_])
        draft.say(AttemptCompleted, task=id_, attempt=request.attempt, output=command.value, personal=personal)
        if command.value is None:  # nobody knows the result: the person's word stands for its review
            draft.say(TaskCompleted, task=id_, reviewer=command.actor)
            _settle_parent(draft, id_)


def _is_personal(state: RunState, one: TaskState) -> bool:
    added = set(state.roster.skill(one.task, one.agent).labels) if one.agent else set()
    return bool((labels_of(state, one) | added) & PERSONAL)


def _deliver(draft: _Draft, command: Deliver) -> None:
    state, delivery = draft.state, command.delivery
    if not state.settled:
        return
    short_of = RunStatus.PARTIAL if state.completed else RunStatus.FAILED
    draft.say(
        RunEnded,
        status=short_of if delivery.gaps else RunStatus.FINISHED,
        delivery=delivery,
        personal=any(one.labels & PERSONAL for one in state.tasks.values()),
    )
