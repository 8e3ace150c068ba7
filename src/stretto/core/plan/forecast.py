"""What a plan will take as far as agents declare it: the critical path, the time, the cost, how much side by side."""

from dataclasses import dataclass

from stretto.core.domain import Cost, Plan, Task
from stretto.core.plan.graph import Graph
from stretto.core.plan.scheduling import needed, rounds_at_least
from stretto.core.routing import Roster
from stretto.core.spans import most_at_once


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """`path` is the longest chain: by declared seconds, then by tasks. `seconds` are those of the path.

    `undeclared` counts the tasks of the path whose agents declare no duration; they count as 0 s. `cost` is the least
    that the plan reserves, a fan-out counted as one item. `abreast` is how many tasks run at once where each starts as
    soon as it can and limits of runs and agents are left aside.
    """

    path: tuple[str, ...]
    seconds: float
    undeclared: int
    cost: Cost
    abreast: int


def forecast(plan: Plan, graph: Graph, agents: Roster) -> Forecast:
    """Look ahead; tasks on a circle, and those behind one, do not count. Linear but for a sort."""
    ends: dict[str, tuple[float, int]] = {}
    came: dict[str, str | None] = {}
    spans: list[tuple[tuple[float, int], tuple[float, int]]] = []
    for id_ in graph.order:
        task = graph.tasks[id_]
        last = max(needed(task, graph.before[id_], ends), key=lambda name: ends[name], default=None)
        seconds, tasks = ends[last] if last is not None else (0.0, 0)
        seconds += task.wait or 0.0
        ends[id_] = (seconds + (duration(task, agents) or 0.0) * rounds_at_least(task), tasks + 1)
        came[id_] = last
        spans.append(((seconds, tasks), ends[id_]))
    path = []
    here = max(ends, key=lambda id_: ends[id_], default=None)
    seconds = ends[here][0] if here is not None else 0.0
    while here is not None:
        path.append(here)
        here = came[here]
    return Forecast(
        path=tuple(reversed(path)),
        seconds=seconds,
        undeclared=sum(duration(graph.tasks[id_], agents) is None for id_ in path),
        cost=sum((cost_of(task, agents) for task in plan.tasks), start=Cost()),
        abreast=most_at_once(spans),
    )


def duration(task: Task, agents: Roster) -> float | None:
    """Give the seconds that the quickest agent for a task declares; None when none does."""
    declared = (agents.agents[name].latency for name in agents.candidates(task))
    return min((one for one in declared if one is not None), default=None)


def cost_of(task: Task, agents: Roster) -> Cost:
    """Give the cost that the cheapest agent for a task declares for one attempt."""
    costs = [agents.agents[name].cost for name in agents.candidates(task)]
    return min(costs, key=lambda one: (one.money, one.tokens), default=Cost())
