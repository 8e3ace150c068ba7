"""Inner calls: how one is told from the next, which are given instead of made, and which are in doubt."""

from collections.abc import Iterator
from dataclasses import replace

from stretto.core.canonical import digest, short
from stretto.core.domain import AgentCard, Call, FailureClass, Piece, Role, SideEffect, TaskStatus
from stretto.core.ladder import MAY_HAVE_HAPPENED
from stretto.core.routing import GRAVITY
from stretto.core.state import CallState, RunState, TaskState

COORDINATION: frozenset[Role] = frozenset({"planner", "reviewer", "synthesiser", "summariser"})
"""Roles that are no work in themselves; what is called for them is coordination as well."""

STALE_AFTER = frozenset({FailureClass.INVALID_OUTPUT, FailureClass.REFUSED, FailureClass.ERROR})
"""Failures of an attempt after which calls without a side effect are made anew: the same answers led there."""


def call_id(call: Call) -> str:
    """Name a call within its piece of work: by its key, what it calls, and with which arguments.

    Raises ValueError for arguments that are no JSON value.
    """
    return short([call.key, call.what, call.arguments], 16)


def piece_of(name: str) -> Piece:
    """Give the piece of work that one of the run's own calls is of, by the name that the state has for the call."""
    work, _, rest = name.rpartition("/")[0].partition("/")
    task, _, number = rest.rpartition("/")
    return Piece(work=work, task=task, number=int(number))  # type: ignore[arg-type]


def call_of(state: RunState, of: Piece, id_: str) -> CallState | None:
    """Give what is known of a call."""
    if of.work != "run":
        return state.calls.get(f"{of.name}/{id_}")
    one = state.tasks.get(of.task)
    return None if one is None else one.calls.get(id_)


def action_key(state: RunState, of: Piece, call: Call) -> str:
    """Name the action of a call for the outside world; the same in every attempt at a task on the same arguments."""
    whose = state.tasks[of.task].key if of.work == "run" else [state.root or state.run, of.work, of.task]
    return digest([whose, call.key, call.what, call.arguments])[:40]


def goes_on(state: RunState, of: Piece) -> bool:
    """Whether a piece of work is still called for."""
    one = state.tasks.get(of.task)
    match of.work:
        case "plan":
            return state.planning and state.unclear is None and state.revision == of.number
        case "summarise":
            return bool(state.run) and not state.status.final and state.cancelling is None
        case "synthesise":
            return state.settled and state.revision == of.number
        case "review":
            return one is not None and one.status is TaskStatus.REVIEWING and one.attempt == of.number
    return one is not None and one.status is TaskStatus.RUNNING and one.attempt == of.number and not one.in_doubt


def is_given(state: RunState, of: Piece, known: CallState) -> bool:
    """Whether a call is not made, because it is known what comes of it."""
    if known.denied:
        return True
    if known.status == "failed":
        return not known.effect.repeatable and known.failure in MAY_HAVE_HAPPENED
    fresh = of.work != "run" or known.effect is not SideEffect.NONE or known.number >= state.tasks[of.task].recalls
    return known.status == "done" and fresh


def is_doubtful(state: RunState, of: Piece, call: Call) -> bool:
    """Whether it has to be found out whether a call was made before: here, or by a run this one was forked from."""
    known = call_of(state, of, call_id(call))
    if known is not None and (known.tries or known.by):
        return known.in_doubt
    return bool(state.begun) and not call.effect.repeatable and action_key(state, of, call) in state.begun


def weighed(state: RunState, call: Call) -> Call:
    """Give a call with the gravest side effect that it may have: a skill's own where it calls one."""
    skills = [skill for card in tools_of(state, call) for skill in card.skills if skill.name == call.what]
    effect = max([call.effect, *(skill.effect for skill in skills)], key=GRAVITY.index)
    return call if effect is call.effect else replace(call, effect=effect)


def tools_of(state: RunState, call: Call) -> list[AgentCard]:
    """Give the cards of the agents whose skill a call names; none where it calls a function, or a model."""
    if call.role != "tool":
        return []
    return [state.roster.agents[name] for name in state.roster.by_skill.get(call.what, ())]


def open_calls(state: RunState, task: str) -> Iterator[tuple[Piece, str, CallState]]:
    """Give the open calls of a task's attempt."""
    one = state.tasks[task]
    for id_ in one.calling:
        yield Piece(work="run", task=task, number=one.calls[id_].number), id_, one.calls[id_]


def dangerous(one: TaskState) -> bool:
    """Whether a task has an inner call under way, or in doubt, that must not be made twice."""
    return any(not call.effect.repeatable and call.status in ("open", "lost") for call in one.calls.values())
