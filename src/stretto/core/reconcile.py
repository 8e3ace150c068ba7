"""`reconcile`: what should be under way now. Recovery is calling it again; a running loop asks for the changes."""

from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heapreplace

from stretto.core.budget import room_for
from stretto.core.chains import timer_of
from stretto.core.domain import FREE, TaskStatus
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
    TasksReopened,
)
from stretto.core.holds import Openings, hold_timers
from stretto.core.notices import alerts
from stretto.core.routing import free_agent
from stretto.core.state import RunState, candidates_for, head_of


def reconcile(state: RunState) -> Sequence[Effect]:
    """Give all the work that the state calls for."""
    found = [*_of_run(state), *judgements(state)]
    for id_ in state.active:
        found += _of_active(state, id_)
    return found


def changes(before: RunState, after: RunState, events: Iterable[Event]) -> Sequence[Change]:
    """Give what became due between two states of a running loop, and what is to be withdrawn.

    `events` are the facts in between; the work is proportional to them, not to the plan.
    """
    old: dict[str, Effect] = {effect.key: effect for effect in (*_of_run(before), *judgements(before))}
    new: dict[str, Effect] = {effect.key: effect for effect in (*_of_run(after), *judgements(after))}
    for id_ in _touched(before, after, events):
        for state, known in ((before, old), (after, new)):
            known.update((effect.key, effect) for effect in _of_active(state, id_))
    withdrawn = [Withdraw(key=key) for key in old if key not in new]
    return [*withdrawn, *(effect for key, effect in new.items() if key not in old)]


def judgements(state: RunState) -> list[Judge]:
    """Give the next ready tasks, as many as there are free places, each with the agent that would do it."""
    places = state.catalogue.rules.parallel - state.under_way
    if places <= 0 or state.status.final or state.halted:
        return []
    queues = [(*head_of(state, name, bits), name, bits) for name, bits in state.ready.items() if bits]
    heapify(queues)
    busy: dict[str, int] = dict(state.busy)
    openings = Openings(state)
    found: list[Judge] = []
    held = state.reserved
    while queues and len(found) < places:
        _, id_, name, bits = queues[0]
        one = state.tasks[id_]
        candidates = candidates_for(state, one)
        agent = free_agent(openings.among(candidates), state.roster, busy)
        if agent is None:
            heappop(queues)
            continue
        cost = state.roster.agents[agent].cost
        if not room_for(state, cost, held, len(found)) and room_for(state, cost, FREE):
            heappop(queues)  # the room is taken by work under way: wait for it to settle
            continue
        held = held + cost if cost != FREE else held
        busy[agent] = busy.get(agent, 0) + 1
        openings.take(agent)
        found.append(Judge(task=id_, attempt=one.attempt + 1, round=one.round, agent=agent, revision=state.revision))
        bits &= bits - 1
        if bits:
            heapreplace(queues, (*head_of(state, name, bits), name, bits))
        else:
            heappop(queues)
    return found


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
    if state.deadline is not None and not state.deadline_passed:
        found.append(Wait(timer="deadline", until=state.deadline))
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
