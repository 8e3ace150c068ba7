"""Rounds of a repeated task, one after the other, each beside it as an item of a fan-out is."""

from msgspec.structs import replace

from stretto.core.canonical import digest
from stretto.core.domain import TaskStatus
from stretto.core.events import RoundOpened
from stretto.core.evolve.queues import ready, unready
from stretto.core.evolve.waiting import limited
from stretto.core.state import Rounds, RunState, TaskState, child_id


def round_opened(state: RunState, event: RoundOpened) -> RunState:
    """Put the next round beside its task, ready to start."""
    whole, position = state.tasks[event.task], len(state.ids)
    state = limited(unready(state, whole), event.task, whole)
    name = child_id(event.task, event.round)
    one = TaskState(
        task=whole.task,
        position=position,
        needs=whole.needs,
        blockers=0,
        parent=event.task,
        number=event.round,
        same_before=event.round,
    )
    whole = replace(
        whole,
        ready=False,
        status=TaskStatus.RUNNING,
        children=event.round + 1,
        children_open=1,
        started=whole.started if whole.started is not None else event.at,
        rounds=whole.rounds or Rounds(),
    )
    state = replace(
        state,
        tasks=state.tasks.set(event.task, whole).set(name, one),
        ids=state.ids.set(position, name),
        open_tasks=state.open_tasks + 1,
    )
    return ready(state, name)


def round_started(state: RunState, one: TaskState, arguments: str) -> RunState:
    """Note what a round got, by its hash."""
    whole = state.tasks[str(one.parent)]
    noted = replace(whole, rounds=replace(whole.rounds or Rounds(), arguments=arguments))
    return replace(state, tasks=state.tasks.set(str(one.parent), noted))


def round_accepted(state: RunState, one: TaskState) -> RunState:
    """Note what a round brought; its task is judged again where a condition says when it is done."""
    id_ = str(one.parent)
    whole = state.tasks[id_]
    rounds, number = whole.rounds or Rounds(), one.number or 0
    mark = digest([rounds.arguments, one.result.output if one.result is not None else None])
    earlier = rounds.seen.get(mark)
    seen = rounds.seen if earlier is not None else rounds.seen.set(mark, number)
    whole = replace(whole, rounds=replace(rounds, seen=seen, repeats=earlier))
    state = replace(state, tasks=state.tasks.set(id_, whole))
    judged = whole.task.repeat is not None and whole.task.repeat.until is not None
    return ready(state, id_) if judged and not whole.status.final else state
