"""Another plan for a run that goes on: edited by a person, or made anew because the old one leads nowhere.

Whoever wrote it, it is checked as a whole like any plan. Finished tasks that it leaves unchanged keep their results.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from stretto.core.canonical import canonical, short
from stretto.core.chains import HAND_OVER, RETRY, STOP, WITHOUT, alternative, answers_for, assigned
from stretto.core.commands import AnswerRequest, Cancel, ClosePlan, EditPlan, Replan, RetryTask
from stretto.core.decide.control import (
    at_work,
    cancel,
    end_cancelled,
    retry,
    settle,
    unready_for_change,
    why_not_dropped,
)
from stretto.core.decide.draft import Draft
from stretto.core.decide.ending import takes_along
from stretto.core.decide.people import settle as settle_word
from stretto.core.domain import FailureClass, InputSpec, Json, Plan, Request, SideEffect, Task, TaskStatus
from stretto.core.events import (
    PersonAnswered,
    PersonAsked,
    PlanRefused,
    PlanRevised,
    RevisionBegun,
    RevisionRefused,
    TaskDrafted,
    TaskFailed,
)
from stretto.core.hindrances import substitutes
from stretto.core.plan.check import check
from stretto.core.plan.diagnostics import Diagnostic, errors
from stretto.core.plan.graph import graph_of
from stretto.core.plan.likeness import signatures
from stretto.core.state import PlanDraft, RunState, TaskState, is_broken

MOST_DIAGNOSTICS = 200
UNTRUSTED = "untrusted"


# ---- edited by a person


def edit(draft: Draft, command: EditPlan) -> None:
    """Put an edited plan in place."""
    if why_no_edit(draft.state, command) is None:
        plan = Plan(tasks=command.tasks, deliver=command.deliver, inputs=_specs(draft.state, command))
        _put_in_place(draft, plan, command.actor, command.inputs, command.specs, refresh=command.refresh)


def why_no_edit(state: RunState, command: EditPlan) -> str | None:
    """Say why an edited plan is refused, whatever its own defects; None when it can be put in place."""
    never_closed = state.refused is not None or (state.plan_open and state.status.final)
    mends = never_closed and bool(state.run) and state.cancelling is None and not state.undoing
    problem = None if mends else unready_for_change(state, command.revision)
    if problem is None and mends and command.revision != state.revision:
        problem = f"its plan has changed meanwhile: it is at revision {state.revision}, not {command.revision}"
    if problem is None and (wrong := errors(defects(state, command))):
        problem = f"the plan has {len(wrong)} defects, the first: {wrong[0].message} [{wrong[0].code}]"
    if problem is None:
        inputs = {**state.inputs, **command.inputs}
        found = carried(state, command.tasks, inputs, state.at, refresh=command.refresh)
        problem = why_not_dropped(state, found.dropped)
    return problem


def defects(state: RunState, command: EditPlan) -> list[Diagnostic]:
    """Give what the checker finds in an edited plan, against the agents that the run knows."""
    plan = Plan(tasks=command.tasks, deliver=command.deliver, inputs=_specs(state, command))
    return check(plan, state.catalogue, budget=state.budget)


def _specs(state: RunState, command: EditPlan) -> dict[str, InputSpec]:
    return state.specs if command.specs is None else command.specs


# ---- made anew


def replan(draft: Draft, command: Replan) -> None:
    """Have the unfinished part planned anew, because a person wants it."""
    if why_no_replan(draft.state, command) is None:
        by, state = command.actor, draft.state
        why = f"{by.removeprefix('person:')} asked for a new plan"
        draft.say(RevisionBegun, revision=state.revision + 1, why=why, by=by, words=command.words)


def why_no_replan(state: RunState, command: Replan) -> str | None:
    """Say why a run cannot be planned anew; None when it can."""
    if state.draft is not None and command.revision == state.revision:
        return "it is being planned anew already"
    return unready_for_change(state, command.revision)


def may_replan(state: RunState) -> bool:
    """Whether a run may be planned anew without a person's word: not a handed-over plan, and not too often."""
    answers_itself = state.interpretation is not None and state.interpretation.mode == "direct"
    over = state.status.final or state.deadline_passed or state.cancelling is not None or state.stopped is not None
    bound = state.replans < state.catalogue.rules.replans
    handed_over = state.given is not None or state.streamed
    return not over and state.draft is None and not handed_over and not answers_itself and bound


def begin_revision(draft: Draft, why: str) -> None:
    """Have the unfinished part planned anew."""
    draft.say(RevisionBegun, revision=draft.state.revision + 1, why=why, by="system")


def draft_task(draft: Draft, begun: PlanDraft, task: Task) -> None:
    """Put a task of the new plan beside the running one."""
    if task.id not in begun.ids:
        draft.say(TaskDrafted, revision=draft.state.revision, task=task)


def close_draft(draft: Draft, begun: PlanDraft, command: ClosePlan) -> None:
    """Check the new plan as a whole, and put it in place or refuse it."""
    state = draft.state
    inputs, specs = begun.inputs, {**state.specs, **begun.specs}
    tasks = _asking(state, [begun.tasks[n] for n in range(len(begun.tasks))])
    plan = Plan(tasks=tuple(tasks), deliver=command.deliver, inputs=specs)
    found = carried(state, tasks, {**state.inputs, **inputs}, draft.at, refresh=True)
    if not tasks:
        refuse_revision(draft, "the new plan has no task")
    elif wrong := errors(check(plan, state.catalogue, budget=state.budget)):
        reason = f"the new plan has {len(wrong)} defects, the first: {wrong[0].message} [{wrong[0].code}]"
        refuse_revision(draft, reason, tuple(wrong[:MOST_DIAGNOSTICS]))
    elif reason := (why_not_dropped(state, found.dropped) or ""):
        refuse_revision(draft, reason)
    else:
        _put_in_place(draft, plan, begun.by, inputs, specs, refresh=True)


def refuse_revision(draft: Draft, reason: str, found: tuple[Diagnostic, ...] = ()) -> None:
    """Go on with the plan there is; where there never was a whole one, the run ends."""
    revision = draft.state.revision
    if draft.state.plan_open:
        draft.say(PlanRefused, revision=revision, reason=reason, diagnostics=found)
    else:
        draft.say(RevisionRefused, revision=revision, reason=reason, diagnostics=found)


def _asking(state: RunState, tasks: list[Task]) -> list[Task]:
    """Give the tasks of a new plan; after untrusted reading, side effects that no plan had before ask a person."""
    if not any(UNTRUSTED in one.labels for one in state.tasks.values()):
        return tasks
    known = {canonical([one.task.skill, one.task.inputs]) for one in state.tasks.values()}
    return [
        replace(task, approval="ask")
        if _acts(state, task) and canonical([task.skill, task.inputs]) not in known
        else task
        for task in tasks
    ]


def _acts(state: RunState, task: Task) -> bool:
    return any(state.roster.effect(task, name) is not SideEffect.NONE for name in state.roster.candidates(task))


# ---- what stays


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """Which tasks of a new plan stay as they stand, by the names they had, and which of the old are dropped."""

    names: dict[str, str]
    dropped: list[str]


def carried(
    state: RunState, tasks: Sequence[Task], inputs: Mapping[str, Json], now: float, *, refresh: bool
) -> Carried:
    """Hold a new plan against the old one, by content. What waits for a task that begins anew does so too.

    With `refresh`, what failed and results older than the `fresh` of their skill are not carried.
    """
    old = {id_: one for id_, one in state.tasks.items() if one.parent is None and one.task.undoes is None}
    before = signatures([one.task for one in old.values()], state.inputs)
    alike: dict[str, list[str]] = {}
    for id_, mark in before.items():
        if old[id_].status is TaskStatus.COMPLETED:
            alike.setdefault(mark, []).append(id_)
    after, graph = signatures(tasks, inputs), graph_of(tasks)
    names: dict[str, str] = {}
    taken = {id_ for id_, mark in after.items() if before.get(id_) == mark}
    for id_ in graph.order:
        if any(name not in names for name in graph.before[id_]):
            continue
        mark = after[id_]
        was = id_ if id_ in taken else next((one for one in alike.get(mark, ()) if one not in taken), None)
        if was is not None and _stays(state, old[was], id_, graph.before[id_], names, now, refresh=refresh):
            names[id_] = was
            taken.add(was)
    stayed = set(names.values())
    return Carried(names=names, dropped=[id_ for id_ in old if id_ not in stayed])


def _stays(
    state: RunState,
    one: TaskState,
    id_: str,
    before: Mapping[str, object],
    names: Mapping[str, str],
    now: float,
    *,
    refresh: bool,
) -> bool:
    match one.status:
        case TaskStatus.COMPLETED:
            return not is_broken(state, one.task.id) and not (refresh and is_old(state, one, now))
        case TaskStatus.CANCELLED:
            return False
        case TaskStatus.FAILED:
            return not refresh and one.task.id == id_
        case TaskStatus.SKIPPED if one.excused:
            return not refresh and one.task.id == id_
        case TaskStatus.SKIPPED if not one.wanted:
            fallen = (state.tasks[names[name]] for name in before)
            kinds = (one.needs.get(names[name]) for name in before)
            return any(need is not None and takes_along(other, need) for other, need in zip(fallen, kinds, strict=True))
    return one.task.id == id_


def is_old(state: RunState, one: TaskState, now: float) -> bool:
    """Whether a result rests on live data that is no longer fresh; of a fan-out, any item's."""
    items = [state.tasks[f"{one.task.id}[{number}]"] for number in range(one.children or 0)] or [one]
    for item in items:
        if item.agent is None or item.ended is None:
            continue
        fresh = state.roster.skill(item.task, item.agent).fresh
        if fresh is not None and now - item.ended > fresh:
            return True
    return False


def finished(state: RunState) -> list[TaskState]:
    """Give the tasks of the plan that are completed."""
    return [one for one in state.tasks.values() if one.parent is None and one.status is TaskStatus.COMPLETED]


def _put_in_place(
    draft: Draft,
    plan: Plan,
    by: str,
    inputs: dict[str, Json],
    specs: dict[str, InputSpec] | None,
    *,
    refresh: bool,
) -> None:
    state = draft.state
    found = carried(state, plan.tasks, {**state.inputs, **inputs}, draft.at, refresh=refresh)
    seconds = None if state.deadline is None else state.deadline - draft.at
    said = check(plan, state.catalogue, budget=state.budget, seconds=seconds)
    draft.say(
        PlanRevised,
        revision=state.revision + 1,
        by=by,
        tasks=plan.tasks,
        deliver=plan.deliver,
        diagnostics=tuple(said[:MOST_DIAGNOSTICS]),
        carried=found.names,
        inputs=inputs,
        specs=specs,
    )
    settle(draft)


# ---- what follows by itself


def follow(draft: Draft) -> None:
    """Say what follows by itself: a quiet run that is being cancelled ends, a lost agent is planned around."""
    state = draft.state
    if state.cancelling is not None and not state.status.final and not at_work(state):
        end_cancelled(draft, state.cancelling_by, undo=state.cancelling_undo)
        return
    for event in tuple(draft.events):
        match event:
            case TaskFailed(failure=FailureClass.UNAVAILABLE):
                _around(draft, event.task)
            case RevisionRefused() if draft.state.draft is None:
                _offer(draft, event.reason)
            case _:
                pass


def _around(draft: Draft, id_: str) -> None:
    state = draft.state
    over = state.status.final or state.cancelling is not None or state.stopped is not None
    if state.plan_open or state.draft is not None or over or state.refused is not None:
        return  # of a plan that never was whole, what has begun is finished, and that is all
    if may_replan(state):
        begin_revision(draft, f"{id_!r} has nobody left to do it: {state.tasks[id_].reason}")
    else:
        _offer(draft, f"{id_!r} has nobody left to do it: {state.tasks[id_].reason}", id_)


def _offer(draft: Draft, why: str, id_: str | None = None) -> None:
    """Ask a person how to go on where no plan leads around a failed task."""
    state = draft.state
    if id_ is None:
        id_ = next((name for name in _in_order(state) if _is_gone(state.tasks[name])), None)
    if id_ is None or state.offered is not None or state.status.final or state.cancelling is not None or state.stopped:
        return
    others = [f"{HAND_OVER}{agent} ({skill})" for agent, skill in substitutes(state, state.tasks[id_].task)]
    request = Request(
        id=short([state.run, id_, state.revision, state.tasks[id_].attempt, "alternatives"]),
        task=id_,
        attempt=state.tasks[id_].attempt,
        kind="alternatives",
        question=f"{why}. How to go on with {id_!r}?",
        choices=(RETRY, WITHOUT, *others, STOP),
        asked=draft.at,
    )
    draft.say(PersonAsked, request=assigned(state, request))


def _in_order(state: RunState) -> list[str]:
    return [state.ids[position] for position in range(len(state.ids))]


def _is_gone(one: TaskState) -> bool:
    return one.status is TaskStatus.FAILED and one.failure is FailureClass.UNAVAILABLE


def choose(draft: Draft, command: AnswerRequest) -> bool:
    """Carry out the alternative that a person chose; gives whether the request was about alternatives."""
    request = draft.state.requests.get(command.request)
    if request is None or request.kind != "alternatives":
        return False
    chosen = alternative(request, command.value)
    if command.decision == "answer" and chosen is not None and answers_for(request, command.actor):
        carry_out(draft, request, replace(command, value=chosen))
    return True


def carry_out(draft: Draft, request: Request, command: AnswerRequest) -> None:
    """Close a request about alternatives with one of its choices, and do as it says."""
    if request.via:
        settle_word(draft, request, command)  # the word is for the team's run
        return
    chosen = str(command.value)
    draft.say(
        PersonAnswered,
        request=request.id,
        task=request.task,
        decision="answer",
        by=command.actor.removeprefix("person:"),
        reason=command.reason,
        value=chosen,
    )
    revision = draft.state.revision
    if chosen == RETRY:
        retry(draft, RetryTask(actor=command.actor, revision=revision, task=request.task))
    elif chosen == STOP:
        cancel(draft, Cancel(actor=command.actor, reason=command.reason))
    elif chosen.startswith(HAND_OVER):
        agent, _, skill = chosen.removeprefix(HAND_OVER).removesuffix(")").partition(" (")
        edit(draft, handed_over(draft.state, request.task, agent, skill, command.actor))


def handed_over(state: RunState, id_: str, agent: str, skill: str, actor: str) -> EditPlan:
    """Give the edit by which another agent does a task, or what is most like it."""
    planned = [one.task for name in _in_order(state) if (one := state.tasks[name]).parent is None]
    whole = state.tasks[id_].parent or id_
    tasks = tuple(replace(task, skill=skill, agent=agent) if task.id == whole else task for task in planned)
    return EditPlan(actor=actor, revision=state.revision, tasks=tasks, deliver=state.deliver)
