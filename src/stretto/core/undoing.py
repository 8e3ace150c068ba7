"""Compensation: what has to be taken back when something that was built on it did not come about, and how.

What was done is undone in the reverse order of its completion, one after the other (Garcia-Molina and Salem, Sagas,
1987). An undoing gets what the task really got and brought, so nothing of it is worked out anew.
"""

from collections.abc import Iterable, Iterator

from stretto.core.canonical import digest
from stretto.core.context import Missing, resolve, value_of
from stretto.core.domain import FailureClass, Json, SideEffect, Task, TaskStatus, Undo
from stretto.core.ladder import LONGEST_PAUSE, MAY_HAVE_HAPPENED
from stretto.core.plan.references import Need
from stretto.core.plan.schemas import arguments
from stretto.core.plan.undoing import RESULT
from stretto.core.routing import Roster
from stretto.core.state import RunState, TaskState, child_id

TRIES = 5
"""How often an undoing that failed is tried again before a person is asked."""
FIRST_PAUSE = 0.5
"""Seconds before the first of these tries; each later one waits twice as long."""


class CannotUndo(Exception):
    """Nothing can take a task back, for the reason that the message gives."""


def undo_of(roster: Roster, task: Task, agent: str) -> Undo | None:
    """Say how what an agent did for a task is taken back: as the task says, else as the skill does."""
    own = task.undo or Undo()
    skill = own.skill or roster.skill(task, agent).undo
    return Undo(skill=skill, inputs=own.inputs) if skill is not None else None


def fallen(state: RunState) -> dict[str, str]:
    """Give the completed tasks on which something was built that did not come about, each with the cause in words.

    Built on a task is what needs its result or comes after it, and what is built on that; what has a default instead
    of the result is not. A fan-out is built on its items.
    """
    causes: dict[str, str] = {}
    for root, told in _causes(state):
        stack = [root]
        while stack:
            id_ = stack.pop()
            one = state.tasks[id_]
            below = [name for name, need in one.needs.items() if need >= Need.ORDER and name in state.tasks]
            below += [child_id(id_, number) for number in range(one.children or 0)]
            for name in below:
                if name not in causes:
                    causes[name] = told
                    stack.append(name)
    return causes


def reversible(state: RunState, ids: Iterable[str]) -> list[str]:
    """Give those tasks of some that are to be taken back, the last completed first."""
    found = [id_ for id_ in ids if _stands(state, id_)]
    return sorted(found, key=lambda id_: -(state.tasks[id_].ending or 0))


def anything_stands(state: RunState) -> bool:
    """Whether any result was accepted and not undone."""
    if not state.undos:
        return state.completed > 0
    done = (one for one in state.tasks.values() if one.status is TaskStatus.COMPLETED and one.children is None)
    return any(one.task.undoes is None and not one.undone for one in done)


def compensation(state: RunState, id_: str) -> Task:
    """Give the task that takes another back, without its arguments."""
    one = state.tasks[id_]
    undo = undo_of(state.roster, one.task, str(one.agent)) or Undo()
    name = _free(state, f"undo-{id_}")
    return Task(
        id=name,
        skill=undo.skill or "",
        objective=f"undo {id_}",
        agent=one.agent if one.agent in state.roster.by_skill.get(undo.skill or "", ()) else None,
        labels=tuple(sorted(one.labels)),
        approval="never",
        occurrence=[name, one.key],
        undoes=id_,
    )


def frozen_arguments(state: RunState, id_: str) -> dict[str, Json]:
    """Give what a task is taken back with, as inputs that stand for themselves; raises CannotUndo."""
    one = state.tasks[id_]
    undo = undo_of(state.roster, one.task, str(one.agent)) or Undo()
    able = state.roster.by_skill.get(undo.skill or "", ())
    if not able:
        raise CannotUndo(f"no agent has the skill {undo.skill!r}")
    given = _arguments(state, one, undo, one.agent if one.agent in able else able[0])
    return {name: frozen(value) for name, value in given.items()}


def frozen(value: Json) -> Json:
    """Give a value as an input that stands for itself, whatever it looks like."""
    return {"literal": value} if isinstance(value, dict | list) else value


def pause_before_retry(failure: FailureClass, one: TaskState, effect: SideEffect, most: int | None) -> float | None:
    """Give the seconds until an undoing is tried again; None when a person has to be asked.

    Where doing it twice could do harm, only failures are tried again after which nothing can have happened.
    """
    tried = sum(one.tries.values()) - 1
    if tried >= TRIES or (most is not None and one.attempt >= most):
        return None
    if failure in MAY_HAVE_HAPPENED and not effect.repeatable:
        return None
    jitter = int(digest([one.task.id, one.attempt])[:6], 16) / 0xFFFFFF
    return float(min(FIRST_PAUSE * 2.0**tried, LONGEST_PAUSE) * (1 + jitter / 4))


def _causes(state: RunState) -> Iterator[tuple[str, str]]:
    """Give what did not come about, in words: what failed before what only fell with it."""
    lost: dict[TaskStatus, list[TaskState]] = {
        TaskStatus.FAILED: [],
        TaskStatus.CANCELLED: [],
        TaskStatus.SKIPPED: [],
    }
    for position in range(len(state.ids)):
        one = state.tasks[state.ids[position]]
        if one.status in lost and one.parent is None and one.task.undoes is None and not (one.wanted or one.excused):
            lost[one.status].append(one)
    for status, ones in lost.items():
        for one in ones:
            denied = one.failure is FailureClass.DENIED
            became = "was denied" if denied else "failed" if status is TaskStatus.FAILED else f"was {status.value}"
            yield one.task.id, f"{one.task.id!r} {became}"


def _stands(state: RunState, id_: str) -> bool:
    """Whether a task did something that can be taken back and is not being so yet."""
    one = state.tasks[id_]
    if one.status is not TaskStatus.COMPLETED or one.undo is not None or one.task.undoes is not None:
        return False
    return one.children is None and one.agent is not None and undo_of(state.roster, one.task, one.agent) is not None


def _arguments(state: RunState, one: TaskState, undo: Undo, agent: str | None) -> dict[str, Json]:
    try:
        if undo.inputs is not None:
            return {name: value_of(state, value, one) for name, value in undo.inputs.items()}
        got = resolve(state, one)
    except (Missing, ValueError) as error:
        raise CannotUndo(f"what it needs is not there: {error}") from None
    skill = next(skill for skill in state.roster.agents[str(agent)].skills if skill.name == undo.skill)
    properties, _, others = arguments(skill.inputs)
    taken = dict(got) if others else {name: value for name, value in got.items() if name in properties}
    if RESULT in properties:
        taken[RESULT] = one.result.output if one.result is not None else None
    return taken


def _free(state: RunState, name: str) -> str:
    number, tried = 2, name
    while tried in state.tasks:
        tried, number = f"{name}-{number}", number + 1
    return tried
