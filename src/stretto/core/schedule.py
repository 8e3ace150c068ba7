"""Which ready task goes first: the one with the longest way still to go, by expected durations.

Critical path first is the classical list schedule: never worse than twice the best there is (Graham's bound), and
on real workflows within a few percent of it. Durations are those that earlier runs of the store taught, else those
that agents declare; what is not known counts as one unit, so that longer chains come first.
"""

from collections.abc import Mapping

from stretto.core.plan.graph import graph_of
from stretto.core.plan.scheduling import rounds_at_least
from stretto.core.routing import Roster, lane
from stretto.core.state import RunState

UNDECLARED = 1.0


def by_priority(state: RunState) -> list[str]:
    """Give the ids of the plan's tasks, those first that the end waits for longest; ties in the order of the plan."""
    tails = tails_of(state)
    planned = [id_ for position in range(len(state.ids)) if (id_ := state.ids[position]) in tails]
    return sorted(planned, key=lambda id_: -tails[id_])


def tails_of(state: RunState) -> dict[str, float]:
    """Give, for each task of the plan, the seconds from its start to the end of the longest chain behind it."""
    expected = _Expected(state.roster, state.expected)
    tails: dict[str, float] = {}
    for id_ in reversed(_order(state)):
        after = (state.ids[position] for position in state.dependents.get(id_, ()))
        longest = max((tails[name] for name in after if name in tails), default=0.0)
        task = state.tasks[id_].task
        rounds = expected.seconds(state, id_) * rounds_at_least(task)
        tails[id_] = (task.wait or 0.0) + rounds + longest
    return tails


def _order(state: RunState) -> list[str]:
    """Give the tasks of the plan so that each comes after what it waits for: as written, if they are written so."""
    written = [id_ for position in range(len(state.ids)) if state.tasks[id_ := state.ids[position]].parent is None]
    place: Mapping[str, int] = {id_: state.tasks[id_].position for id_ in written}
    if all(min(state.dependents.get(id_, ()), default=at + 1) > at for id_, at in place.items()):
        return written
    return graph_of([state.tasks[id_].task for id_ in written]).order


class _Expected:
    """Expected seconds of tasks, the same for all tasks of a lane."""

    def __init__(self, roster: Roster, learned: Mapping[str, float]) -> None:
        self._roster, self._learned = roster, learned
        self._known: dict[str, float] = {}

    def seconds(self, state: RunState, id_: str) -> float:
        task = state.tasks[id_].task
        name = lane(task)
        if name not in self._known:
            agents = (self._roster.agents[one] for one in self._roster.candidates(task))
            declared = [self._learned.get(f"{one.name}/{task.skill}", one.latency) for one in agents]
            self._known[name] = min((one for one in declared if one is not None), default=UNDECLARED)
        return self._known[name]
