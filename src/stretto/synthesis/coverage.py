"""Coverage: every accepted result goes into the deliverable, or is waived with a reason."""

from collections.abc import Iterable

from stretto.core.domain import Json, TaskStatus, Waiver
from stretto.core.plan.references import Need, find, parse, references
from stretto.core.state import RunState, TaskState, is_undone


def used_by(state: RunState, wanted: Json) -> set[str]:
    """Give the tasks whose results go into a deliverable, directly or through others that were accepted."""
    return _through(state, _named(wanted))


def used_with(state: RunState, ids: Iterable[str]) -> set[str]:
    """Give the tasks whose results go into those of some tasks, those included."""
    return _through(state, set(ids))


def waived(state: RunState, used: set[str]) -> tuple[Waiver, ...]:
    """Give the accepted results that are not used, each with the reason, in the order of the plan."""
    found = []
    for position in range(len(state.ids)):
        id_ = state.ids[position]
        one = state.tasks[id_]
        if one.status is TaskStatus.COMPLETED and one.parent is None and id_ not in used:
            found.append(Waiver(task=id_, why=_why(state, id_)))
    return tuple(found)


def _why(state: RunState, id_: str) -> str:
    if is_undone(state, id_):
        return "undone"
    if (undoes := state.tasks[id_].task.undoes) is not None:
        return f"it only took back what {undoes!r} did"
    readers = [name for name in _readers(state, id_) if state.tasks[name].status is not TaskStatus.COMPLETED]
    if readers:
        return f"{readers[0]!r}, which uses it, was {state.tasks[readers[0]].status.value}"
    joined = [name for name in _later(state, id_) if state.tasks[name].needs[id_] is Need.MEMBER]
    if joined and not _readers(state, id_):
        return f"{joined[0]!r} had what it takes before"
    ordered = _after(state, id_)
    if ordered:
        return f"it only had to come before {ordered[0]!r}, or to decide about it"
    if _readers(state, id_):
        return "what uses it is no part of what the plan delivers"
    return "the plan does not deliver it"


def _through(state: RunState, wanted: set[str]) -> set[str]:
    used: set[str] = set()
    stack = [name for name in wanted if name in state.tasks]
    while stack:
        id_ = stack.pop()
        if id_ in used or state.tasks[id_].status is not TaskStatus.COMPLETED or is_undone(state, id_):
            continue
        used.add(id_)
        one = state.tasks[id_]
        stack += [name for name in one.needs if name in state.tasks and _reads(state, one, name)]
        stack += [state.context[key][version - 1].task for key, version in one.reads.items() if key in state.context]
    return used


def _named(wanted: Json) -> set[str]:
    found = set()
    for _, raw in find(wanted, ""):
        try:
            reference = parse(raw)
        except ValueError:
            continue
        if reference.root == "task":
            found.add(reference.name)
    return found


def _readers(state: RunState, id_: str) -> list[str]:
    return [name for name in _later(state, id_) if _reads(state, state.tasks[name], id_)]


def _reads(state: RunState, one: TaskState, name: str) -> bool:
    """Whether a task takes the result of another: it refers to it, or took it in a join.

    It refers to a member of its join in vain where the member was not done when it started.
    """
    need = one.needs[name]
    if need is not Need.MEMBER or one.joining is None:
        return need is not Need.ORDER
    ended = state.tasks[name].ended
    there = ended is not None and one.started is not None and ended <= one.started
    return name in one.joining.taken.values() or (there and name in {found.name for found in references(one.task)})


def _after(state: RunState, id_: str) -> list[str]:
    return [name for name in _later(state, id_) if state.tasks[name].needs[id_] is Need.ORDER]


def _later(state: RunState, id_: str) -> list[str]:
    return [state.ids[position] for position in sorted(state.dependents.get(id_, ()))]
