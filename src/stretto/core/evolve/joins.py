"""How far a join is: which members it took, and which may still complete."""

from collections.abc import Mapping

from immutables import Map
from msgspec.structs import replace

from stretto.core.domain import Task, TaskStatus
from stretto.core.plan.references import Need
from stretto.core.state import Joining, TaskState


def joining(task: Task, tasks: Mapping[str, TaskState]) -> Joining | None:
    """Give how far the join of a new task is; members that ended before count in the order of their ends."""
    if task.join is None:
        return None
    members = [name for name in dict.fromkeys(task.join.of) if name != task.id]
    ended = sorted(
        (one.ended or 0.0, one.position, name)
        for name in members
        if (one := tasks.get(name)) is not None and one.status is TaskStatus.COMPLETED
    )
    taken = [name for _, _, name in ended][: task.join.number]
    still = (name for name in members if (one := tasks.get(name)) is None or not one.status.final)
    return Joining(wanted=task.join.number, taken=Map(enumerate(taken)), open=Map(dict.fromkeys(still)))


def one_less(later: TaskState, name: str, status: TaskStatus) -> TaskState:
    """Give a task after one that it waits for, or joins, has ended."""
    blockers = later.blockers - (later.needs[name] is not Need.MEMBER)
    found = later.joining
    if found is not None and name in found.open:
        takes = status is TaskStatus.COMPLETED and not found.met
        taken = found.taken.set(len(found.taken), name) if takes else found.taken
        now = replace(found, taken=taken, open=found.open.delete(name))
        blockers -= now.met and not found.met
        return replace(later, blockers=blockers, joining=now)
    return replace(later, blockers=blockers)
