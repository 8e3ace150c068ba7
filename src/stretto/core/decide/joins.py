"""Joins: what becomes of the tasks that nobody needs once a join has what it takes, and why one can never have it."""

from stretto.core.context import effect_of
from stretto.core.decide.draft import Draft
from stretto.core.domain import SideEffect, TaskStatus
from stretto.core.events import TaskSkipped
from stretto.core.plan.diagnostics import listed
from stretto.core.plan.references import Need, named_in
from stretto.core.state import Joining, RunState, TaskState, child_id

_NAMED = 5


def just_met(state: RunState, id_: str) -> list[str]:
    """Give the tasks whose joins have what they take since this one was accepted."""
    return [
        name
        for name, joining in _joins_over(state, id_)
        if joining.met and joining.taken[len(joining.taken) - 1] == id_
    ]


def met_without(state: RunState, id_: str) -> list[str]:
    """Give the tasks whose joins have what they take and need this member no more."""
    return [
        name for name, joining in _joins_over(state, id_) if joining.met and state.tasks[name].needs[id_] is Need.MEMBER
    ]


def _joins_over(state: RunState, id_: str) -> list[tuple[str, Joining]]:
    later = (state.ids[position] for position in state.dependents.get(id_, ()))
    return [(name, joining) for name in later if (joining := state.tasks[name].joining) is not None]


def drop_rest(draft: Draft, join: str) -> None:
    """Skip the members that a join did not take, and what only served them, where nobody else needs them.

    What has begun is dropped only where it has no side effect. As long as the plan is being written nobody knows
    who will need what, and nothing is dropped.
    """
    one = draft.state.tasks[join]
    if one.joining is None or not one.joining.met or one.task.join is None or one.task.join.rest == "keep":
        return
    if draft.state.plan_open:
        return
    taken = [one.joining.taken[number] for number in range(len(one.joining.taken))]
    reason = f"not needed: {join!r} took {listed([repr(name) for name in taken], _NAMED)}"
    needed = _Needed(draft.state)
    stack = [name for name in reversed(one.task.join.of) if name in one.joining.open]
    while stack:
        id_ = stack.pop()
        if needed.by_anybody(draft.state, id_) or not _drop(draft, id_, join, reason):
            continue
        before = draft.state.tasks[id_].needs
        stack += [name for name, need in sorted(before.items()) if needed.less(draft.state, name, need)]


def why_lost(state: RunState, one: TaskState) -> tuple[str, bool]:
    """Say why a join can never have what it takes, and whether the plan foresaw it all."""
    joining, members = one.joining, dict.fromkeys(one.task.join.of if one.task.join is not None else ())
    taken = set(joining.taken.values()) if joining is not None else set()
    lost = [name for name in members if name in state.tasks and name not in taken and state.tasks[name].status.final]
    told = listed([f"{name!r} {_became(state.tasks[name])}" for name in lost], _NAMED)
    wanted = joining.wanted if joining is not None else len(members)
    return f"it needs {wanted} of {listed([repr(name) for name in members], _NAMED)}: {told}", all(
        state.tasks[name].wanted for name in lost
    )


class _Needed:
    """Who still needs a task; counted once for each, so that dropping many is linear in the links of the plan."""

    def __init__(self, state: RunState) -> None:
        self._delivered = named_in(state.deliver)
        self._open: dict[str, int] = {}

    def by_anybody(self, state: RunState, id_: str) -> bool:
        """Whether the plan delivers a task, or another one that goes on needs it."""
        return id_ in self._delivered or self._left(state, id_) > 0

    def less(self, state: RunState, id_: str, need: Need) -> bool:
        """Take note that one that needed a task was dropped; says whether to look at that task now.

        What has a side effect of its own, and was only to come first, has served nobody.
        """
        one = state.tasks.get(id_)
        if one is None or one.status.final:
            return False
        if id_ in self._open:
            self._open[id_] -= 1
        serves = need is not Need.ORDER or _harmless(state, one)
        return serves and not self.by_anybody(state, id_)

    def _left(self, state: RunState, id_: str) -> int:
        if id_ not in self._open:
            later = (state.tasks[state.ids[position]] for position in state.dependents.get(id_, ()))
            self._open[id_] = sum(_needs(one, id_) for one in later)
        return self._open[id_]


def _needs(later: TaskState, id_: str) -> bool:
    """Whether a task that waits for another, or joins it, still needs it."""
    if later.joining is None or later.task.join is None or later.needs[id_] is not Need.MEMBER:
        return not later.status.final
    return later.task.join.rest == "keep" or not (later.status.final or later.joining.met)


def _drop(draft: Draft, id_: str, join: str, reason: str) -> bool:
    """Skip a task that nobody needs, with its items or rounds; says whether it was left out as a whole."""
    one = draft.state.tasks.get(id_)
    if one is None or one.status.final:  # a plan that broke off may never have got to it
        return False
    left = True
    for number in range(one.children or 0):
        child = child_id(id_, number)
        if draft.state.tasks[child].status.final:
            continue
        if _may_drop(draft.state, draft.state.tasks[child]):
            draft.say(TaskSkipped, task=child, reason=reason, because=join, wanted=True)
        else:
            left = False
    if left and _may_drop(draft.state, one):
        draft.say(TaskSkipped, task=id_, reason=reason, because=join, wanted=True)
        return True
    return False


def _may_drop(state: RunState, one: TaskState) -> bool:
    return one.attempt == 0 or one.agent is None or effect_of(state, one, one.agent) is SideEffect.NONE


def _harmless(state: RunState, one: TaskState) -> bool:
    return all(state.roster.effect(one.task, name) is SideEffect.NONE for name in state.roster.candidates(one.task))


def _became(one: TaskState) -> str:
    return "failed" if one.status is TaskStatus.FAILED else f"was {one.status.value}"
