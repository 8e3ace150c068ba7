"""What there is to say about each task of a run: one row per task, and one per item of a fan-out. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from stretto.core.domain import TaskStatus
from stretto.core.plan.references import Need
from stretto.core.state import WAIT, RunState, TaskState, candidates_for, child_id
from stretto.telling.standstill import held_note
from stretto.telling.words import count, listed, span


class Kind(StrEnum):
    """How a task stands, for somebody who watches. The value is the word that counts are given in."""

    ASKING = "waiting for a person"
    RUNNING = "running"
    RETRYING = "to be tried again"
    FAILED = "failed"
    READY = "ready"
    BLOCKED = "to come"
    DONE = "done"
    UNDONE = "undone"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in (Kind.FAILED, Kind.DONE, Kind.UNDONE, Kind.SKIPPED, Kind.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One task. `depth` is how many tasks come before it at the least, one after the other.

    `seconds` are those it has taken so far, None before it starts; `ticks` says that they still grow. `next` says that
    everything it waits for has begun; `item` that it is one item of a fan-out, counted in the row of its `parent`.
    """

    id: str
    kind: Kind
    name: str
    depth: int
    agent: str = ""
    seconds: float | None = None
    ticks: bool = False
    note: str = ""
    ended: float = 0.0
    next: bool = False
    parent: str | None = None
    counts: Mapping[str, int] | None = None

    @property
    def item(self) -> bool:
        return self.parent is not None


def outline(before: Mapping[str, Sequence[str]]) -> list[tuple[str, int]]:
    """Give tasks with their depth so that each comes after what it waits for, and chains stay together.

    `before` names for each task, in the order of the plan, those it waits for; unknown names count as gone. Tasks that
    wait for each other in a circle come last.
    """
    after: dict[str, list[str]] = {id_: [] for id_ in before}
    missing = {}
    for id_, names in before.items():
        known = [name for name in names if name in before and name != id_]
        missing[id_] = len(known)
        for name in known:
            after[name].append(id_)
    depth = dict.fromkeys(before, 0)
    stack = [id_ for id_, number in reversed(missing.items()) if not number]
    order = []
    while stack:
        id_ = stack.pop()
        order.append((id_, depth[id_]))
        freed = []
        for later in after[id_]:
            depth[later] = max(depth[later], depth[id_] + 1)
            missing[later] -= 1
            if not missing[later]:
                freed.append(later)
        stack += reversed(freed)
    return order + [(id_, 0) for id_, number in missing.items() if number]


def rows_of(state: RunState, now: float) -> list[Row]:
    """Give the rows of a run: tasks in topological order, under each fan-out its items."""
    planned = {}
    for position in range(len(state.ids)):
        id_ = state.ids[position]
        one = state.tasks[id_]
        if one.parent is None:
            planned[id_] = tuple(one.needs)
    rows = []
    for id_, depth in outline(planned):
        one = state.tasks[id_]
        if one.children is None:
            rows.append(_row(state, id_, one, depth, now))
            continue
        items = [
            _row(state, name, state.tasks[name], depth + 1, now)
            for name in (child_id(id_, number) for number in range(one.children))
        ]
        rows += [_fan(state, id_, one, items, depth, now), *items]
    return rows


def counts(kinds: Iterable[Kind]) -> dict[str, int]:
    """Count kinds in their order, as words."""
    found = Counter(kinds)
    return {kind.value: found[kind] for kind in Kind if found[kind]}


def kind_of(one: TaskState) -> Kind:
    """Tell how a task stands."""
    match one.status:
        case TaskStatus.COMPLETED:
            return Kind.UNDONE if one.undone else Kind.DONE
        case TaskStatus.FAILED:
            return Kind.FAILED
        case TaskStatus.SKIPPED:
            return Kind.SKIPPED
        case TaskStatus.CANCELLED:
            return Kind.CANCELLED
        case TaskStatus.WAITING | TaskStatus.UNKNOWN:
            return Kind.ASKING
        case TaskStatus.RUNNING | TaskStatus.REVIEWING:
            return Kind.RUNNING
        case TaskStatus.PENDING:
            if one.retry_at is not None:
                return Kind.RETRYING
            return Kind.READY if one.ready else Kind.BLOCKED


def _row(state: RunState, id_: str, one: TaskState, depth: int, now: float) -> Row:
    kind = kind_of(one)
    return Row(
        id=id_,
        kind=kind,
        name=id_,
        depth=depth,
        agent=_at_work(state, one),
        seconds=_seconds(one, kind, now),
        ticks=not kind.ended,
        note=_note(state, id_, one, kind, now),
        ended=one.ended or 0.0,
        next=kind is Kind.READY or (kind is Kind.BLOCKED and _next(state, one)),
        parent=one.parent,
    )


def _at_work(state: RunState, one: TaskState) -> str:
    """Name the agent that does a task, did it, or is to do it next; none while several could."""
    if one.turn and one.status is TaskStatus.PENDING:
        return one.turn
    able = candidates_for(state, one)
    return one.agent or (able[0] if len(able) == 1 else "")


def _fan(state: RunState, id_: str, one: TaskState, items: Sequence[Row], depth: int, now: float) -> Row:
    """Give the row of a fan-out or a repetition: it stands as the liveliest of its items does."""
    kind = kind_of(one)
    found = counts(item.kind for item in items)
    if kind is Kind.RUNNING:
        lively = (Kind.ASKING, Kind.RUNNING, Kind.RETRYING, Kind.READY)
        kind = next((sort for sort in lively if sort.value in found), kind)
    agents = {item.agent: None for item in items if item.agent and item.seconds is not None}
    first, *more = agents or {"": None}
    done_first = sorted(found.items(), key=lambda one: one[0] != Kind.DONE)
    told = listed(dict(done_first)) or "no items"
    if (pause := state.timers.get(f"{WAIT}/{id_}")) is not None:
        told = f"{told}; the next round in {span(max(pause - now, 0.0))}"
    elif one.status is TaskStatus.COMPLETED and one.reason:
        told = f"{told}; {one.reason}"
    return Row(
        id=id_,
        kind=kind,
        name=f"{id_}[{one.children}]",
        depth=depth,
        agent=f"{first} +{len(more)}" if more else first,
        seconds=_seconds(one, kind, now),
        ticks=not kind.ended,
        note=f"{told}; {one.reason}" if kind is Kind.FAILED and one.reason else told,
        ended=one.ended or 0.0,
        next=kind is Kind.READY,
        counts=found,
    )


def _seconds(one: TaskState, kind: Kind, now: float) -> float | None:
    if one.started is None:
        return None
    return (one.ended if kind.ended and one.ended is not None else max(now, one.started)) - one.started


def _note(state: RunState, id_: str, one: TaskState, kind: Kind, now: float) -> str:
    match kind:
        case Kind.ASKING:
            request = state.requests.get(one.request or "")
            return (
                f"waits for a person: {request.question}" if request else "in doubt: nobody knows whether it happened"
            )
        case Kind.RUNNING:
            if one.in_doubt:
                return "in doubt after a stop: looking up whether it happened"
            about = "under review" if one.status is TaskStatus.REVIEWING else subject(one)
            return f"attempt {one.attempt} after {one.setback}" if one.attempt > 1 and one.setback else about
        case Kind.RETRYING:
            left = max((one.retry_at or now) - now, 0.0)
            return f"attempt {one.attempt + 1} in {span(left)} after {one.setback}"
        case Kind.FAILED:
            tries = f" ({count(one.attempt, 'attempt')})" if one.attempt > 1 else ""
            failure = one.failure.value if one.failure else ""
            told = one.reason if one.reason.startswith(failure) else f"{failure}: {one.reason}"
            return f"{told}{tries}"
        case Kind.READY:
            if state.held >> one.position & 1:
                return "waits for the whole plan"
            return held_note(state, one, now) or "ready, waits for a free place"
        case Kind.BLOCKED:
            if (until := state.timers.get(f"{WAIT}/{id_}")) is not None:
                return f"waits {span(max(until - now, 0.0))} more"
            return f"waits for {_waited_for(state, one)}"
        case Kind.DONE:
            done = f"{one.attempt} attempts" if one.attempt > 1 else _item(one)
            return "; ".join(filter(None, (_took(one), done)))
        case Kind.UNDONE:
            return f"undone because {one.because}"
        case Kind.SKIPPED | Kind.CANCELLED:
            return one.reason


def subject(one: TaskState) -> str:
    """Say what a task is about: its item, else its objective, else its skill."""
    return _item(one) or one.task.objective or one.task.skill


def _item(one: TaskState) -> str:
    if one.parent is None or isinstance(one.item, dict | list):
        return ""
    if one.task.repeat is not None:
        return f"round {one.number}"
    return one.item.rstrip("/").rsplit("/", 1)[-1] if isinstance(one.item, str) else str(one.item)


def _open_needs(state: RunState, one: TaskState) -> list[str]:
    """Name what a task still waits for, in the order of the plan; tasks that are not planned yet come last."""
    known, end = state.tasks, len(state.ids)
    names = [name for name in one.needs if name not in known or not known[name].status.final]
    return sorted(names, key=lambda name: (known[name].position if name in known else end, name))


def _waited_for(state: RunState, one: TaskState) -> str:
    """Say what holds a task back; of a join, how many of which members it still takes."""
    names = _open_needs(state, one)
    if one.joining is None or one.joining.met:
        return _names([name for name in names if one.needs[name] is not Need.MEMBER])
    members = [name for name in names if name in one.joining.open]
    others = [name for name in names if one.needs[name] is not Need.MEMBER and name not in members]
    left = one.joining.wanted - len(one.joining.taken)
    told = _names(members) if left == len(members) else f"{left} of {_names(members)}"
    return f"{told}; {_names(others)}" if others else told


def _took(one: TaskState) -> str:
    if one.joining is None:
        return ""
    return f"took {_names([one.joining.taken[number] for number in range(len(one.joining.taken))])}"


def _next(state: RunState, one: TaskState) -> bool:
    """Whether everything that a task waits for has begun."""
    waited = (state.tasks.get(name) for name in one.needs)
    return all(other is not None and (other.status.final or other.started is not None) for other in waited)


def _names(names: Sequence[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
