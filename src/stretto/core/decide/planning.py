"""How a plan comes about: the goal is taken on, made clear, tasks are added, and the whole is checked."""

from collections.abc import Sequence

from stretto.core.canonical import short
from stretto.core.chains import assigned
from stretto.core.commands import (
    AddTask,
    ClarifyGoal,
    ClosePlan,
    FailPlan,
    InterpretGoal,
    SubmitGoal,
)
from stretto.core.decide.draft import Draft
from stretto.core.decide.ending import fall_if_lost, skip, takes_along
from stretto.core.decide.joins import drop_rest
from stretto.core.decide.revising import begin_revision, close_draft, draft_task, may_replan, refuse_revision
from stretto.core.domain import (
    Plan,
    Request,
)
from stretto.core.events import (
    GoalInterpreted,
    PersonAsked,
    PlanClosed,
    PlanRefused,
    RunSubmitted,
    TaskAdded,
)
from stretto.core.plan.check import check
from stretto.core.plan.diagnostics import Diagnostic, errors
from stretto.core.state import RunState

MOST_DIAGNOSTICS = 200


def submit(draft: Draft, command: SubmitGoal) -> None:
    """Begin the run."""
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
        parent=command.parent,
        streamed=command.streamed,
        specs=command.specs,
        expected=command.expected,
        lineage=command.lineage,
        kept=command.kept,
        begun=command.begun,
        undone=command.undone,
        traceparent=command.traceparent,
        edition=command.edition,
        asked=command.asked,
    )


def clarify(draft: Draft, command: ClarifyGoal) -> None:
    """Ask a person what the goal means."""
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
    draft.say(PersonAsked, request=assigned(state, request))


def interpret(draft: Draft, command: InterpretGoal) -> None:
    """Note what the goal is taken to mean."""
    state = draft.state
    due = state.planning and command.revision == state.revision
    fresh = (
        state.interpretation != command.interpretation
        or not command.specs.items() <= state.specs.items()
        or any(name not in state.inputs or state.inputs[name] != value for name, value in command.inputs.items())
    )
    if due and fresh:
        draft.say(
            GoalInterpreted,
            revision=command.revision,
            interpretation=command.interpretation,
            inputs=command.inputs,
            specs=command.specs,
        )


def fail_plan(draft: Draft, command: FailPlan) -> None:
    """Note that no plan could be made."""
    if not draft.state.planning or command.revision != draft.state.revision:
        return
    if draft.state.draft is not None:
        refuse_revision(draft, command.reason, command.diagnostics[:MOST_DIAGNOSTICS])
    elif command.anew and draft.state.tasks and may_replan(draft.state):
        begin_revision(draft, f"the plan broke off: {command.reason}")
    else:
        _refuse(draft, command.reason, command.diagnostics)


def add_task(draft: Draft, command: AddTask) -> None:
    """Adopt one task of the plan being written."""
    state, task = draft.state, command.task
    if not state.planning or command.revision != state.revision:
        return
    if state.draft is not None:
        draft_task(draft, state.draft, task)
        return
    if task.id in state.tasks:
        return
    draft.say(TaskAdded, task=task)
    for name, need in sorted(draft.state.tasks[task.id].needs.items()):
        earlier = draft.state.tasks.get(name)
        if earlier is not None and takes_along(earlier, need):
            skip(draft, task.id, name, wanted=earlier.wanted, excused=earlier.excused)
            return
    fall_if_lost(draft, task.id)


def close_plan(draft: Draft, command: ClosePlan) -> None:
    """Check the whole plan, and go on with it or refuse it."""
    state = draft.state
    if not state.planning or command.revision != state.revision:
        return
    if state.draft is not None:
        close_draft(draft, state.draft, command)
        return
    if not state.tasks and not _answers_itself(state):
        _refuse(draft, "the plan has no task")
        return
    written = [state.tasks[state.ids[n]] for n in range(len(state.ids))]
    plan = Plan(
        tasks=tuple(one.task for one in written if one.parent is None and one.task.undoes is None),
        inputs=state.specs,
        deliver=command.deliver,
    )
    seconds = None if state.until is None else state.until - draft.at
    found = check(plan, state.catalogue, budget=state.budget, seconds=seconds) if plan.tasks else []
    if wrong := errors(found):
        reason = f"{len(wrong)} defects, the first: {wrong[0].message} [{wrong[0].code}]"
        if state.completed and may_replan(state):
            begin_revision(draft, f"the plan was refused: {reason}")
        else:
            _refuse(draft, reason, wrong)
        return
    draft.say(
        PlanClosed,
        revision=command.revision,
        deliver=command.deliver,
        diagnostics=tuple(found[:MOST_DIAGNOSTICS]),
    )
    for task in plan.tasks if any(one.join is not None for one in plan.tasks) else ():
        drop_rest(draft, task.id)


def _refuse(draft: Draft, reason: str, diagnostics: Sequence[Diagnostic] = ()) -> None:
    """Go on without a plan. Streams and models begin tasks one by one: what began and harms nobody is finished."""
    state = draft.state
    by_model = state.interpretation is not None and state.interpretation.planner == "model"
    draft.say(
        PlanRefused,
        revision=state.revision,
        reason=reason,
        diagnostics=tuple(diagnostics[:MOST_DIAGNOSTICS]),
        finish=state.streamed or by_model,
    )


def _answers_itself(state: RunState) -> bool:
    return state.interpretation is not None and state.interpretation.mode == "direct"
