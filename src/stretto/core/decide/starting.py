"""Whether a ready task starts: what was judged about it, what a verdict asks for, what the budget holds."""

from stretto.core.budget import Room, most_of, out_of_time, room_ever, why_over
from stretto.core.canonical import digest, short
from stretto.core.chains import assigned
from stretto.core.commands import (
    Judged,
)
from stretto.core.context import action_key, binding, effect_of, versions_read
from stretto.core.decide.attempts import in_doubt
from stretto.core.decide.draft import Draft
from stretto.core.decide.ending import complete, fail, go_on, settle_fan_out, settle_parent, skip
from stretto.core.decide.holds import admitted
from stretto.core.decide.ladder import hold_up
from stretto.core.decide.waiting import is_overdue, too_late
from stretto.core.domain import (
    FailureClass,
    Preview,
    Request,
    SideEffect,
    Verdict,
)
from stretto.core.events import (
    AttemptStarted,
    PersonAsked,
    ResultReused,
    RoundJudged,
    RoundOpened,
    TaskCompleted,
    TaskExpanded,
    TaskJudged,
)
from stretto.core.state import TaskState, candidates_for

DONE_BEFORE = "done before"
"""Stands as the reviewer of a result that an earlier run brought."""


def judged(draft: Draft, command: Judged) -> None:
    """Take in what was found about a ready task."""
    state, one = draft.state, draft.state.tasks.get(command.task)
    if one is None or not one.ready or command.attempt != one.attempt + 1:
        return
    if state.cancelling is not None or command.revision not in (None, state.revision):
        return
    if command.agent not in candidates_for(state, one):
        return
    if is_overdue(state, one, draft.at):
        fail(draft, command.task, FailureClass.TIMED_OUT, too_late(one))
    elif command.skip is not None:
        skip(draft, command.task, "", wanted=True, reason=command.skip)
    elif command.refusal is not None and one.rounds is not None:
        fail(draft, command.task, FailureClass.REFUSED, command.refusal)
    elif command.refusal is not None:
        hold_up(draft, command.task, command.agent, command.failure, command.refusal)
    elif command.items is not None:
        _expand(draft, command)
    elif command.rounds is not None:
        _repeat(draft, command, one)
    elif command.verdict is not None:
        _act_on_verdict(draft, command, one, command.verdict)


def _expand(draft: Draft, command: Judged) -> None:
    one, items = draft.state.tasks[command.task], command.items or ()
    spec = one.task.for_each
    most = (spec.max if spec else None) or draft.state.catalogue.rules.fan_out
    if len(items) > most:
        message = f"{len(items)} items; the bound is {most}"
        hold_up(draft, command.task, command.agent, FailureClass.REFUSED, message)
        return
    draft.say(TaskExpanded, task=command.task, items=tuple(items))
    settle_fan_out(draft, command.task)


def _repeat(draft: Draft, command: Judged, one: TaskState) -> None:
    if command.rounds != (one.children or 0) or one.task.repeat is None:
        return
    if not command.rounds:
        draft.say(RoundOpened, task=command.task, round=0)
        return
    draft.say(RoundJudged, task=command.task, round=command.rounds - 1, done=not command.again)
    if command.again:
        go_on(draft, command.task)
    else:
        complete(draft, command.task)


def _act_on_verdict(draft: Draft, command: Judged, one: TaskState, verdict: Verdict) -> None:
    preview = command.preview or Preview()
    if verdict.decision == "deny":
        draft.say(TaskJudged, task=command.task, attempt=command.attempt, agent=command.agent, verdict=verdict)
        hold_up(draft, command.task, command.agent, FailureClass.DENIED, verdict.reason)
        return
    if verdict.decision == "ask":
        bound = binding(one.task.skill, command.arguments, preview.diff, preview.preimage)
        if one.approved != bound:
            _ask_approval(draft, command, one, bound, preview, verdict)
            return
        verdict = Verdict(decision="allow", rule=verdict.rule, reason=f"{verdict.reason}; a person approved")
    _start(draft, command, one, verdict)


def _ask_approval(
    draft: Draft, command: Judged, one: TaskState, bound: str, preview: Preview, verdict: Verdict
) -> None:
    draft.say(TaskJudged, task=command.task, attempt=command.attempt, agent=command.agent, verdict=verdict)
    again = " (what was approved has changed)" if one.approved is not None else ""
    if one.taken_by is not None:
        again = f" (the result of {one.taken_by} was sent back: {'; '.join(one.feedback)})"
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
    draft.say(PersonAsked, request=assigned(draft.state, request, command.agent))


def _start(draft: Draft, command: Judged, one: TaskState, verdict: Verdict) -> None:
    state = draft.state
    if over := out_of_time(state, one, draft.at):
        hold_up(draft, command.task, command.agent, FailureClass.OVER_BUDGET, over)
        return
    cost = most_of(state, one, command.agent)
    if cost is None or not Room(state).holds(one, cost):
        if cost is None or not room_ever(state, one, cost):
            why = why_over(state, one, command.agent)
            hold_up(draft, command.task, command.agent, FailureClass.OVER_BUDGET, why)
        return  # others hold the room: it is judged again when they settle
    if not admitted(draft, command.agent):
        return  # it is judged again when agent and provider may take it
    key = action_key(state, one, command.arguments)
    effect = effect_of(state, one, command.agent)
    if key in state.kept and effect is not SideEffect.NONE:
        draft.say(ResultReused, task=command.task, agent=command.agent, key=key)
        draft.say(TaskCompleted, task=command.task, reviewer=DONE_BEFORE)
        settle_parent(draft, command.task)
        return
    taken = state.keys.get(key)
    if taken not in (None, command.task) and effect not in (SideEffect.NONE, SideEffect.UNDECLARED):
        message = f"the same action as task {taken!r}, with the same arguments; nothing declares them as two"
        hold_up(draft, command.task, command.agent, FailureClass.DENIED, message)
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
    if key in state.begun and not effect.repeatable:
        in_doubt(draft, command.task, f"the run {state.forked_from} began this and nobody knows whether it happened")
