"""Timers of tasks: the wait before one may start, and the deadline by which it has to be done."""

from msgspec.structs import replace

from stretto.core.events import WaitEnded
from stretto.core.evolve.queues import ready
from stretto.core.state import LIMIT, WAIT, RunState, TaskState


def unblocked(state: RunState, id_: str) -> RunState:
    """Let a task go on that no other holds back any more: it is ready at once, or after its wait."""
    wait = state.tasks[id_].task.wait
    if wait is None:
        return ready(state, id_)
    return replace(state, timers=state.timers.set(f"{WAIT}/{id_}", state.at + wait))


def wait_ended(state: RunState, event: WaitEnded) -> RunState:
    """Make a task ready that has waited; a repeated task goes on with its next round instead."""
    state = without_timer(state, f"{WAIT}/{event.task}")
    return ready(state, event.task) if state.tasks[event.task].children is None else state


def limited(state: RunState, id_: str, one: TaskState) -> RunState:
    """Set the deadline of a task that starts for the first time; `one` is how it stood before."""
    seconds = one.task.limits.deadline
    if seconds is None or one.parent is not None or one.started is not None:
        return state
    return replace(state, timers=state.timers.set(f"{LIMIT}/{id_}", state.at + seconds))


def without_timers(state: RunState, id_: str) -> RunState:
    """Drop what a task that has ended waited for."""
    for kind in (WAIT, LIMIT) if state.timers else ():
        state = without_timer(state, f"{kind}/{id_}")
    return state


def without_timer(state: RunState, name: str) -> RunState:
    return replace(state, timers=state.timers.delete(name)) if name in state.timers else state
