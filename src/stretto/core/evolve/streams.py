"""A plan that was being written is never finished: what it has begun without harm is done, the rest is left out."""

from immutables import Map
from msgspec.structs import replace

from stretto.core.domain import RunStatus, TaskStatus
from stretto.core.early import harmless, sound
from stretto.core.evolve.waiting import without_timers
from stretto.core.plan.check import check_task
from stretto.core.state import RunState, TaskState


def broken_off(state: RunState, reason: str) -> RunState:
    """Leave out every adopted task that must not or cannot be done without the rest of the plan.

    Like `stopped`, this fact looks at the whole plan.
    """
    kept = _doable(state)
    left = [id_ for id_, one in state.tasks.items() if not one.status.final and id_ not in kept]
    tasks = state.tasks.mutate()
    for id_ in left:
        one = tasks[id_]
        tasks[id_] = replace(
            one, status=TaskStatus.CANCELLED, ready=False, reason=reason, ended=state.at, ending=state.seq
        )
        state = without_timers(state, id_)
    open_tasks = state.open_tasks - len(left)
    return replace(state, tasks=tasks.finish(), status=RunStatus.RUNNING, held=0, open_tasks=open_tasks)


def _doable(state: RunState) -> set[str]:
    """Give the open tasks that are under way or may begin, as long as all they wait for will end as well."""
    found = {id_ for id_, one in state.tasks.items() if not one.status.final and _by_itself(state, one)}
    stack = [id_ for id_, one in state.tasks.items() if not one.status.final and id_ not in found]
    while stack:
        for position in state.dependents.get(stack.pop(), Map()):
            later = state.ids[position]
            if later in found:
                found.remove(later)
                stack.append(later)
    return found


def _by_itself(state: RunState, one: TaskState) -> bool:
    if one.parent is not None or one.children is not None or one.task.id in state.active:
        return True
    if one.ready:
        return not state.held >> one.position & 1
    known = all(name in state.tasks for name in one.needs)
    return known and harmless(state, one) and not check_task(one.task, state.roster) and sound(state, one)
