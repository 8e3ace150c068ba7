"""Another plan, or part of one once more, in a run that goes on. These facts look at the whole plan: people make them.

Every book of the state is drawn up anew from its tasks: positions, ranks, queues, places, reservations, keys.
"""

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence

from immutables import Map
from msgspec.structs import replace

from stretto.core.calls import piece_of
from stretto.core.chains import put_to, reminder_of
from stretto.core.domain import Cost, Entry, Hold, Kept, RunStatus, SideEffect, Task, TaskStatus
from stretto.core.events import (
    PlanRevised,
    ResultReused,
    RevisionBegun,
    RevisionRefused,
    RunForked,
    TaskDrafted,
    TasksReopened,
)
from stretto.core.evolve.joins import joining
from stretto.core.evolve.pausing import continued
from stretto.core.evolve.queues import changed, unready
from stretto.core.plan.references import Need, needs
from stretto.core.schedule import by_priority
from stretto.core.state import (
    WAIT,
    Account,
    PlanDraft,
    Result,
    RunState,
    TaskState,
    accepted,
    child_id,
    queue_of,
)

_UNDER_WAY = (TaskStatus.RUNNING, TaskStatus.REVIEWING, TaskStatus.WAITING, TaskStatus.UNKNOWN)


def reopened(state: RunState, event: TasksReopened) -> RunState:
    """Open tasks once more; a fan-out is spread anew when it is named itself."""
    opened = set(event.tasks)
    found: dict[str, TaskState] = {}
    for one in _planned(state):
        id_ = one.task.id
        items = [state.tasks[child_id(id_, number)] for number in range(one.children or 0)]
        if id_ in opened:
            found[id_] = _fresh(state, one.task, one, _again(one, event))
            continue
        again = [number for number, item in enumerate(items) if child_id(id_, number) in opened]
        found[id_] = replace(one, status=TaskStatus.RUNNING, failure=None, reason="", ended=None) if again else one
        for number, item in enumerate(items):
            name = child_id(id_, number)
            found[name] = _fresh(state, one.task, item, _again(item, event, name)) if number in again else item
    if event.task in opened:
        found[event.task] = _told(found[event.task], event)
    draft = state.draft and PlanDraft(why=state.draft.why, by=state.draft.by)
    state = replace(state, revision=event.revision, draft=draft)
    return _assembled(state, found, {id_: id_ for id_ in found if id_ not in opened})


def drafting(state: RunState, event: RevisionBegun) -> RunState:
    """Open a draft beside the plan; a run that had ended goes on."""
    automatic = event.by == "system"
    goal = f"{state.goal.rstrip()} {event.words}" if event.words else state.goal
    state = _going_on(replace(state, revision=event.revision, goal=goal, replans=state.replans + automatic))
    return replace(state, draft=PlanDraft(why=event.why, by=event.by))


def drafted(state: RunState, event: TaskDrafted) -> RunState:
    """Put a task into the draft."""
    draft = state.draft or PlanDraft(why="", by="")
    tasks = draft.tasks.set(len(draft.tasks), event.task)
    return replace(state, draft=replace(draft, tasks=tasks, ids=draft.ids.set(event.task.id, None)))


def withdrawn(state: RunState, event: RevisionRefused) -> RunState:
    """Drop the draft; the plan stays as it was."""
    return replace(_clear(state), draft=None, diagnostics=event.diagnostics or state.diagnostics)


def revised(state: RunState, event: PlanRevised) -> RunState:
    """Put another plan in place; what is carried stays as it stands, everything else begins anew."""
    found: dict[str, TaskState] = {}
    for task in event.tasks:
        before = state.tasks.get(event.carried.get(task.id, ""))
        if before is None:
            found[task.id] = _fresh(state, task, state.tasks.get(task.id))
            continue
        found[task.id] = replace(before, task=task)
        for number in range(before.children or 0):
            item = state.tasks[child_id(before.task.id, number)]
            found[child_id(task.id, number)] = replace(item, task=task, parent=task.id)
    names = {old: new for new, old in event.carried.items()}
    for new, old in event.carried.items():
        for number in range(state.tasks[old].children or 0):
            names[child_id(old, number)] = child_id(new, number)
    state = replace(
        _clear(state),
        revision=event.revision,
        deliver=event.deliver,
        diagnostics=event.diagnostics,
        draft=None,
        inputs={**state.inputs, **event.inputs},
        specs=state.specs if event.specs is None else event.specs,
    )
    return _assembled(state, found, names)


def reused(state: RunState, event: ResultReused) -> RunState:
    """Take the result of an action that was done before."""
    state = unready(state, state.tasks[event.task])
    kept = state.kept[event.key]
    state = changed(
        state,
        event.task,
        ready=False,
        status=TaskStatus.REVIEWING,
        agent=event.agent,
        key=event.key,
        result=Result(output=kept.output, artifacts=kept.artifacts, citations=kept.citations),
        started=event.at,
        in_doubt=False,
    )
    return replace(state, keys=state.keys.set(event.key, event.task))


def forked(state: RunState, event: RunForked) -> RunState:
    """Go on as a run of its own, without the parent's deadline.

    Whoever is asked has all of their time anew. What the parent has to tell people it tells; of the fork they hear what
    it asks.
    """
    state = _going_on(state)
    asked = {one.task for one in state.requests.values()}
    alerts = {
        id_: one for id_, one in state.notices.items() if one.notice.kind == "request" and one.notice.task in asked
    }
    return replace(
        _asked_anew(state, event.at),
        notices=Map(alerts),
        root=event.root,
        forked_from=event.parent,
        lineage=event.lineage or tuple(dict.fromkeys((event.root, event.parent))),
        deadline=None,
        ratings=Map(),
        kept=state.kept.update(event.kept),
        begun=state.begun.update(dict.fromkeys(event.begun)),
        undone=state.undone.update(dict.fromkeys(event.undone)),
    )


def _asked_anew(state: RunState, at: float) -> RunState:
    """Have the time of everybody who is asked begin now."""
    tasks, requests = state.tasks.mutate(), state.requests.mutate()
    for id_, request in state.requests.items():
        if request.due is not None or reminder_of(request) is not None:
            requests[id_] = put_to(request, request.step, at)
        one = state.tasks.get(request.task)
        if one is not None and one.answer_by is not None:
            tasks[request.task] = replace(one, answer_by=at + one.answer_by - request.asked)
    return replace(state, tasks=tasks.finish(), requests=requests.finish())


def action_of(state: RunState, one: TaskState) -> Kept | None:
    """Give what an accepted action brought that is declared to change the world; None for anything else."""
    result = one.result
    if one.status is not TaskStatus.COMPLETED or one.agent is None or one.key is None or result is None:
        return None
    if state.roster.effect(one.task, one.agent) in (SideEffect.NONE, SideEffect.UNDECLARED):
        return None
    return Kept(output=result.output, artifacts=result.artifacts, citations=result.citations)


def _planned(state: RunState) -> Iterator[TaskState]:
    """Give the tasks of the plan, without the items of fan-outs, in its order."""
    return (one for n in range(len(state.ids)) if (one := state.tasks[state.ids[n]]).parent is None)


def _again(one: TaskState, event: TasksReopened, name: str = "") -> int:
    """Count the times that an action is done again on purpose; one that was undone has to be."""
    return one.again + (one.undone or (event.again and event.task == (name or one.task.id)))


def _told(one: TaskState, event: TasksReopened) -> TaskState:
    """Give a task with what a person says about its next attempt."""
    task = one.task if event.agent is None else dataclasses.replace(one.task, agent=event.agent)
    return replace(one, task=task, feedback=(event.feedback,) if event.feedback else ())


def _fresh(state: RunState, task: Task, before: TaskState | None, again: int = 0) -> TaskState:
    """Give a task that has everything before it; its attempts are counted on, an action in doubt stays so."""
    attempt = max(before.attempt if before is not None else 0, state.used.get(task.id, 0))
    if before is None:
        return TaskState(task=task, position=0, needs=Map(), blockers=0, attempt=attempt, since=attempt)
    doubtful = before.in_doubt and before.status is TaskStatus.CANCELLED and before.task.skill == task.skill
    return TaskState(
        task=task,
        position=0,
        needs=Map(),
        blockers=0,
        status=TaskStatus.UNKNOWN if doubtful else TaskStatus.PENDING,
        in_doubt=doubtful,
        agent=before.agent if doubtful else None,
        key=before.key if doubtful else None,
        parent=before.parent,
        item=before.item,
        number=before.number,
        same_before=before.same_before,
        attempt=attempt,
        since=attempt,
        again=again,
        round=before.round,
        answers=before.answers if before.task.inputs == task.inputs else (),
        cost=before.cost,
        meter=before.meter,
    )


def _assembled(state: RunState, found: Mapping[str, TaskState], names: Mapping[str, str]) -> RunState:
    """Draw up the books of a state from its tasks; `names` tells what those that were carried are called now."""
    state = _going_on(_remembered(state, found, names))
    planned = [id_ for id_, one in found.items() if one.parent is None]
    order = [*planned, *(id_ for id_, one in found.items() if one.parent is not None)]
    waits = {id_: {name: need for name, need in needs(found[id_].task).items() if name != id_} for id_ in planned}
    carried = set(names.values())
    dependents: dict[str, dict[int, None]] = {}
    tasks: dict[str, TaskState] = {}
    for position, id_ in enumerate(order):
        one = found[id_]
        before = waits[one.parent or id_]
        missing, joins = 0, None
        if one.parent is None:
            waited_for = [name for name, need in before.items() if need is not Need.MEMBER]
            missing = sum(name not in found or not found[name].status.final for name in waited_for)
            joins = one.joining if id_ in carried and one.started is not None else joining(one.task, found)
            missing += joins is not None and not joins.met
            for name in before:
                dependents.setdefault(name, {})[position] = None
        open_items = sum(not found[child_id(id_, n)].status.final for n in range(one.children or 0))
        tasks[id_] = replace(
            one,
            position=position,
            needs=Map(before),
            blockers=missing,
            ready=False,
            rank=None,
            joining=joins,
            children_open=open_items,
        )
    state = replace(
        state,
        tasks=Map(tasks),
        ids=Map(enumerate(order)),
        dependents=Map({name: Map(positions) for name, positions in dependents.items()}),
        ready=Map(),
        held=0,
        plan_open=False,
        refused=None,
    )
    ranked = by_priority(state)
    tasks.update((id_, replace(tasks[id_], rank=rank)) for rank, id_ in enumerate(ranked))
    ready: dict[str, int] = {}
    timers = _timers(state, tasks, names)
    for id_, one in tasks.items():
        if one.status is TaskStatus.PENDING and not one.blockers and one.retry_at is None and one.request is None:
            if one.task.wait is not None and one.parent is None and id_ not in carried:
                timers[f"{WAIT}/{id_}"] = state.at + one.task.wait
            if f"{WAIT}/{id_}" in timers:
                continue
            tasks[id_] = one = replace(one, ready=True)
            queue, place = queue_of(one)
            ready[queue] = ready.get(queue, 0) | 1 << place
    running = [one for one in tasks.values() if _is_running(one)]
    busy: dict[str, int] = {}
    for one in running:
        busy[str(one.agent)] = busy.get(str(one.agent), 0) + 1
    asked = {one.request for one in tasks.values() if one.request is not None} | {state.unclear}
    return replace(
        state,
        tasks=Map(tasks),
        ranked=Map(enumerate(ranked)),
        ready=Map(ready),
        active=Map({id_: None for id_, one in tasks.items() if _is_active(one)}),
        busy=Map(busy),
        under_way=len(running),
        open_tasks=sum(not one.status.final for one in tasks.values()),
        completed=sum(_counts(one) for one in tasks.values()),
        undos=sum(one.task.undoes is not None for one in tasks.values()),
        undoing=Map({id_: None for id_, one in tasks.items() if one.task.undoes and not one.status.final}),
        timers=Map(timers),
        abreast=_abreast(tasks, running),
        accounts=_accounts(state, names, running),
        reserved=sum((one.reserved for one in tasks.values()), _kept_for_calls(state)),
        drawn=_drawn(state, busy),
        holds=_unprobed(state, {f"{id_}/{one.attempt}" for id_, one in tasks.items() if _is_running(one)}),
        requests=Map({id_: one for id_, one in state.requests.items() if id_ in asked}),
    )


def _counts(one: TaskState) -> bool:
    """Whether a task is one of the completed ones: neither undone, nor there to undo another."""
    return one.status is TaskStatus.COMPLETED and not one.undone and one.task.undoes is None


def _timers(state: RunState, tasks: Mapping[str, TaskState], names: Mapping[str, str]) -> dict[str, float]:
    """Give the timers of the tasks that were carried and go on, under the names that they have now."""
    found = {}
    for timer, until in state.timers.items():
        kind, _, id_ = timer.partition("/")
        if (name := names.get(id_)) is not None and not tasks[name].status.final:
            found[f"{kind}/{name}"] = until
    return found


def _abreast(tasks: Mapping[str, TaskState], running: Sequence[TaskState]) -> Map[str, int]:
    """Count the items under way of the fan-outs that bound them."""
    bounded = {
        id_: 0
        for id_, one in tasks.items()
        if one.children is not None and not one.status.final and one.task.for_each and one.task.for_each.parallel
    }
    for one in running:
        if one.parent in bounded:
            bounded[one.parent] += 1
    return Map(bounded)


def _accounts(state: RunState, names: Mapping[str, str], running: Sequence[TaskState]) -> Map[str, Account]:
    """Give what the tasks with a budget have used of it, with what is reserved for those that go on."""
    found = {names.get(id_, id_): replace(one, reserved=Cost()) for id_, one in state.accounts.items()}
    reserved = [(one.task.id, one.reserved) for one in running]
    for name in state.calling:  # of reviews of tasks that are called as before
        id_ = piece_of(name).task
        reserved += [(id_.partition("[")[0], state.calls[name].reserved)] if names.get(id_) == id_ else []
    for id_, cost in reserved:
        if (account := found.get(id_)) is not None:
            found[id_] = replace(account, reserved=account.reserved + cost)
    return Map(found)


def _kept_for_calls(state: RunState) -> Cost:
    """Give what is reserved for the open calls of the run itself."""
    return sum((state.calls[name].reserved for name in state.calling), Cost())


def _drawn(state: RunState, busy: Mapping[str, int]) -> Map[str, int]:
    """Count the attempts under way by provider."""
    drawn: dict[str, int] = {}
    for agent, count in busy.items():
        if provider := state.roster.agents[agent].provider:
            drawn[provider] = drawn.get(provider, 0) + count
    return Map(drawn)


def _unprobed(state: RunState, running: Collection[str]) -> Map[str, Hold]:
    """Give the holds, with room for another probe where the attempt that probed is withdrawn."""
    return Map(
        {
            key: hold if hold.probe in running else dataclasses.replace(hold, probe="")
            for key, hold in state.holds.items()
        }
    )


def _remembered(state: RunState, found: Mapping[str, TaskState], names: Mapping[str, str]) -> RunState:
    """Keep what must outlive tasks that are gone or begin anew: actions done, attempts counted, entries written."""
    kept, begun, used, keys = state.kept.mutate(), state.begun.mutate(), state.used.mutate(), {}
    for id_, one in state.tasks.items():
        used[id_] = max(used.get(id_, 0), one.attempt)
        on_purpose = id_ in found and found[id_].again != one.again
        if id_ not in names and not on_purpose and (brought := action_of(state, one)) is not None:
            kept[str(one.key)] = brought
        for call in one.calls.values() if id_ not in names and not on_purpose else ():
            if call.status == "done" and call.effect is not SideEffect.NONE:
                kept[call.action] = Kept(output=call.output)
            elif call.in_doubt or (call.status == "open" and not call.effect.repeatable):
                begun[call.action] = None
    for key, id_ in state.keys.items():
        if id_ in names:
            keys[key] = names[id_]
    context = {
        key: tuple(_still(state, entry, found, names) for entry in versions) for key, versions in state.context.items()
    }
    state = replace(state, kept=kept.finish(), begun=begun.finish(), used=used.finish())
    return replace(state, keys=Map(keys), context=Map(context))


def _still(state: RunState, entry: Entry, found: Mapping[str, TaskState], names: Mapping[str, str]) -> Entry:
    """Give a context entry that can be read whatever becomes of the task that wrote it."""
    if entry.frozen:
        return entry
    name = names.get(entry.task)
    if name is not None and found[name].status is TaskStatus.COMPLETED:
        return dataclasses.replace(entry, task=name)
    return dataclasses.replace(entry, frozen=True, output=accepted(state, entry.task))


def _is_running(one: TaskState) -> bool:
    return one.status is TaskStatus.RUNNING and one.agent is not None and one.children is None


def _is_active(one: TaskState) -> bool:
    return (one.status in _UNDER_WAY and one.children is None) or one.retry_at is not None or one.request is not None


def _clear(state: RunState) -> RunState:
    """Ask nobody any more what the goal means: the plan that it was for is not made."""
    if state.unclear is None:
        return state
    return replace(state, unclear=None, requests=state.requests.delete(state.unclear))


def _going_on(state: RunState) -> RunState:
    """Give a run that goes on, whether or not it had ended; a deadline that has passed is forgotten.

    One that had ended is paused no more, and gets a new account of what was spent for nothing.
    """
    if state.status.final:
        state = continued(state)
    return replace(
        state,
        status=RunStatus.RUNNING if state.status.final or not state.plan_open else state.status,
        ended=None,
        delivery=None,
        cancelled=None,
        cancelling=None,
        stopped=None,
        deadline=None if state.deadline_passed else state.deadline,
        deadline_passed=False,
        offered=None,
        requests=state.requests if state.offered is None else state.requests.delete(state.offered),
    )
