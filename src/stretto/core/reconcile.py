"""`reconcile`: what should be under way now. Recovery is calling it again; a running loop asks for the changes."""

from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heapreplace

from stretto.core.budget import Room, most_of, room_ever
from stretto.core.chains import timer_of
from stretto.core.domain import TaskStatus
from stretto.core.effects import (
    AskPerson,
    Change,
    Effect,
    Judge,
    LookUp,
    MakePlan,
    ReviewResult,
    RunTask,
    Synthesise,
    Wait,
    Withdraw,
)
from stretto.core.events import (
    DeadlinePassed,
    Event,
    PersonAsked,
    PlanRefused,
    PlanRevised,
    RunCancelled,
    RunCancelling,
    RunContinued,
    RunEnded,
    RunPaused,
    RunStopped,
    TaskAdded,
    TasksReopened,
)
from stretto.core.holds import Openings, hold_timers
from stretto.core.notices import alerts
from stretto.core.routing import free_agent
from stretto.core.state import LIMIT, WAIT, RunState, TaskState, candidates_for, head_of


def reconcile(state: RunState) -> Sequence[Effect]:
    """Give all the work that the state calls for."""
    found = [*_of_run(state), *judgements(state)]
    for id_ in state.active:
        found += _of_active(state, id_)
    return [*found, *_timers(state, state.timers)]


def changes(before: RunState, after: RunState, events: Iterable[Event]) -> Sequence[Change]:
    """Give what became due between two states of a running loop, and what is to be withdrawn.

    `events` are the facts in between; the work is proportional to them, not to the plan.
    """
    old: dict[str, Effect] = {effect.key: effect for effect in (*_of_run(before), *judgements(before))}
    new: dict[str, Effect] = {effect.key: effect for effect in (*_of_run(after), *judgements(after))}
    for id_ in _touched(before, after, events):
        for state, known in ((before, old), (after, new)):
            known.update((effect.key, effect) for effect in _of_active(state, id_))
    if before.timers is not after.timers or before.halted != after.halted:
        for state, known in ((before, old), (after, new)):
            known.update({effect.key: effect for effect in _timers(state, _retimed(before, after, events))})
    withdrawn = [Withdraw(key=key) for key in old if key not in new]
    return [*withdrawn, *(effect for key, effect in new.items() if key not in old)]


def _timers(state: RunState, names: Iterable[str]) -> list[Effect]:
    """Give the timers of tasks that are set, of those named; none runs while nothing new may begin."""
    if state.halted:
        return []
    return [Wait(timer=name, until=state.timers[name]) for name in names if name in state.timers]


def _retimed(before: RunState, after: RunState, events: Iterable[Event]) -> dict[str, None]:
    """Name the timers that may have changed: of the tasks that facts are about, and of those that wait for them."""
    names: dict[str, None] = {}
    if before.halted != after.halted or any(isinstance(event, TasksReopened | PlanRevised) for event in events):
        return dict.fromkeys((*before.timers, *after.timers))
    for id_ in _touched(before, after, events):
        later = (after.ids[position] for position in after.dependents.get(id_, ()))
        names.update({f"{kind}/{name}": None for name in (id_, *later) for kind in (WAIT, LIMIT)})
    return names if after.timers else dict.fromkeys(before.timers)


def judgements(state: RunState) -> list[Judge]:
    """Give the next ready tasks, as many as there are free places, each with the agent that would do it."""
    places = state.catalogue.rules.parallel - state.under_way
    if places <= 0 or state.status.final or state.halted:
        return []
    queues = [(*head_of(state, name, bits), name, bits) for name, bits in state.ready.items() if bits]
    busy: dict[str, int] = dict(state.busy)
    openings = Openings(state)
    found: list[Judge] = []
    room, within = Room(state), _room_within(state)
    queues = [entry for entry in queues if within.get(entry[2].partition("\n")[2], 1)] if within else queues
    heapify(queues)
    while queues and len(found) < places:
        _, id_, name, bits = queues[0]
        one = state.tasks[id_]
        candidates = candidates_for(state, one)
        agent = free_agent(openings.among(candidates), state.roster, busy)
        if agent is None:
            heappop(queues)
            continue
        cost = most_of(state, one, agent)
        if cost is not None:
            if not room.holds(one, cost) and room_ever(state, one, cost):
                heappop(queues)  # the room is taken by work under way: wait for it to settle
                continue
            room.take(one, cost)
        busy[agent] = busy.get(agent, 0) + 1
        openings.take(agent)
        found.append(
            Judge(task=id_, attempt=one.attempt + 1, round=judged_before(one), agent=agent, revision=state.revision)
        )
        bits &= bits - 1
        if one.parent in within:
            within[one.parent] -= 1
        if bits and within.get(one.parent, 1):
            heapreplace(queues, (*head_of(state, name, bits), name, bits))
        else:
            heappop(queues)
    return found


def _room_within(state: RunState) -> dict[str | None, int]:
    """Give how many more items may be under way at once, by fan-out that bounds them."""
    spreads = ((id_, busy, state.tasks[id_].task.for_each) for id_, busy in state.abreast.items())
    return {id_: max(spread.parallel - busy, 0) for id_, busy, spread in spreads if spread and spread.parallel}


def judged_before(one: TaskState) -> int:
    """Give what tells one judgement of an attempt from the next: answers had, or rounds run."""
    return one.round if one.rounds is None else one.children or 0


def of_task(state: RunState, id_: str) -> Effect | None:
    """Give the work that one active task calls for."""
    one = state.tasks[id_]
    if one.status is TaskStatus.RUNNING and one.agent is not None:
        if one.in_doubt:
            return LookUp(task=id_, attempt=one.attempt, agent=one.agent)
        return RunTask(task=id_, attempt=one.attempt, agent=one.agent)
    if one.status is TaskStatus.REVIEWING:
        return ReviewResult(task=id_, attempt=one.attempt)
    if one.status is TaskStatus.UNKNOWN and one.in_doubt and one.request is None and one.agent is not None:
        return LookUp(task=id_, attempt=one.attempt, agent=one.agent)
    if one.request is not None:
        return _ask(state, one.request, id_)
    if one.retry_at is not None and not state.halted:
        return Wait(timer=f"retry/{id_}", until=one.retry_at)
    return None


def patience(state: RunState, id_: str) -> list[Effect]:
    """Give the timer of a person who is asked what becomes of a failure, where there is an end to the waiting."""
    one = state.tasks.get(id_)
    if one is None or one.request is None or one.answer_by is None or state.halted:
        return []
    return [Wait(timer=f"failure/{id_}", until=one.answer_by)]


def _ask(state: RunState, request: str, task: str) -> AskPerson:
    asked = state.requests[request]
    only = asked.chain is not None and asked.chain.only
    return AskPerson(request=request, task=task, step=asked.step if only else 0)


def _asking(state: RunState, request: str, task: str) -> list[Effect]:
    """Give the work of asking, and the timer of whoever is asked; no clock runs while nothing new may begin."""
    asking = _ask(state, request, task)
    timer = None if state.halted else timer_of(state.requests[request])
    return [asking] if timer is None else [asking, timer]


def _of_active(state: RunState, id_: str) -> list[Effect]:
    """Give the work of a task, and the timer of whoever is asked about it."""
    effect = of_task(state, id_) if id_ in state.active else None
    if effect is None:
        return patience(state, id_)
    if not isinstance(effect, AskPerson):
        return [effect, *patience(state, id_)]
    return [*_asking(state, effect.request, id_), *patience(state, id_)]


def _of_run(state: RunState) -> list[Effect]:
    found: list[Effect] = [*alerts(state)]
    if not state.run or state.status.final:
        return found
    if state.cancelling is not None:
        found.append(Wait(timer="cancel", until=state.cancelling))
    if state.offered is not None:
        found += _asking(state, state.offered, "")
    if state.unclear is not None:
        found += _asking(state, state.unclear, "")
    elif state.planning and not state.halted:
        found.append(MakePlan(revision=state.revision, round=len(state.clarified)))
    if (until := state.until) is not None and not state.deadline_passed:
        found.append(Wait(timer="deadline", until=until))
    found += hold_timers(state)
    if state.settled:
        found.append(Synthesise(revision=state.revision))
    return found


def _touched(before: RunState, after: RunState, events: Iterable[Event]) -> dict[str, None]:
    touched: dict[str, None] = {}
    for event in events:
        match event:
            case PersonAsked():
                touched[event.request.task] = None
            case TaskAdded():
                touched[event.task.id] = None
            case (
                DeadlinePassed()
                | RunCancelled()
                | RunCancelling()
                | PlanRefused()
                | RunStopped()
                | RunEnded()
                | RunPaused()
                | RunContinued()
            ):
                touched.update(dict.fromkeys(before.active))
            case TasksReopened() | PlanRevised():
                touched.update(dict.fromkeys(before.active))
                touched.update(dict.fromkeys(after.active))
            case _:
                name = getattr(event, "task", None)
                if isinstance(name, str):
                    touched[name] = None
    return touched
