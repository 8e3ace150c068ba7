"""What still lies ahead of a run: the chain of tasks that its end hangs on, and when that will be. Pure.

The critical path method (Kelley and Walker, 1959), with what is known instead of what was planned: tasks that ended
count with the moment they ended, the others with what their agents took in earlier runs or declare.
"""

from dataclasses import dataclass

from stretto.core.domain import RunStatus, Task
from stretto.core.plan.scheduling import needed
from stretto.core.state import RunState, TaskState, candidates_for
from stretto.telling.rows import outline


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """`path` is the chain of tasks that ends last. `end` is when, in seconds since the epoch: the end of a run that has
    ended, None where nobody can know. `unknown` counts the tasks ahead whose duration nobody knows; they count as 0 s.
    """

    path: tuple[str, ...]
    end: float | None
    unknown: int


def outlook(state: RunState, now: float) -> Outlook:
    """Look ahead at a moment; linear in tasks and what they wait for."""
    planned = {
        id_: one
        for id_, one in ((state.ids[position], state.tasks[state.ids[position]]) for position in range(len(state.ids)))
        if one.parent is None
    }
    ends: dict[str, float] = {}
    came: dict[str, str | None] = {}
    ahead: dict[str, int] = {}
    for id_, _ in outline({id_: tuple(one.needs) for id_, one in planned.items()}):
        one = planned[id_]
        known = {name: need for name, need in one.needs.items() if name in ends}
        last = max(needed(one.task, known, ends), key=lambda name: ends[name], default=None)
        ready = ends[last] if last is not None else state.started
        seconds = expected(state, one)
        ahead[id_] = (ahead[last] if last is not None else 0) + (seconds is None and not one.status.final)
        ends[id_] = _end(one, ready, seconds or 0.0, now)
        came[id_] = last
    path = []
    here = max(ends, key=lambda id_: (ends[id_], id_), default=None)
    last_end, unknown = (ends[here], ahead[here]) if here is not None else (None, 0)
    while here is not None:
        path.append(here)
        here = came[here]
    if state.ended is not None:
        return Outlook(path=tuple(reversed(path)), end=state.ended, unknown=0)
    standing = state.standing in (RunStatus.WAITING, RunStatus.PLANNING)
    return Outlook(path=tuple(reversed(path)), end=None if standing else last_end, unknown=unknown)


def expected(state: RunState, one: TaskState) -> float | None:
    """Give the seconds that a task is expected to take: as earlier runs took, else as its agents declare; else None."""
    return least_known(
        [
            state.expected.get(f"{name}/{one.task.skill}", state.roster.agents[name].latency)
            for name in ([one.agent] if one.agent else candidates_for(state, one))
        ]
    )


def least_known(seconds: list[float | None]) -> float | None:
    """Give the least of the durations that are known; None where none is."""
    return min((one for one in seconds if one is not None), default=None)


def _end(one: TaskState, ready: float, seconds: float, now: float) -> float:
    if one.ended is not None and one.status.final:
        return one.ended
    if one.started is not None:
        return max(now, one.started + seconds)
    return max(now, ready + _pause(one.task)) + seconds


def _pause(task: Task) -> float:
    return task.wait or 0.0
