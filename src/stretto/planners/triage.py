"""Triage: is it worth orchestrating at all? Names the lightest way to pursue a goal, and what each would cost.

The overheads are those of this house, measured with `bench/tasks.py` and `bench/planning.py` on two busy cores; they
are estimates for comparison, not promises.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from stretto.core.domain import FREE, Catalogue, Cost, Estimate, Interpretation, Mode, Plan, Task
from stretto.core.plan.graph import graph_of
from stretto.core.routing import roster

RUN_SECONDS = 0.02
"""To take a goal in, keep it and hand over the delivery."""
TASK_SECONDS = 0.001
"""To judge, keep and review one task."""
GRAPH_SECONDS = 0.005
"""To plan and check a graph of about ten tasks as a whole."""


def triaged(interpretation: Interpretation, plan: Plan, catalogue: Catalogue) -> Interpretation:
    """Give the interpretation with the mode of a plan, and the estimates that speak for it."""
    agents = roster(catalogue)
    graph = graph_of(plan.tasks)
    seconds: dict[str, float | None] = {}
    cost = FREE
    for task in plan.tasks:
        names = agents.candidates(task)
        card = agents.agents[names[0]] if names else None
        seconds[task.id] = card.latency if card else None
        cost = cost + (card.cost if card else Cost())
    count = len(plan.tasks)
    spread = any(task.for_each is not None for task in plan.tasks)
    single = count == 1 and not spread
    chain = count > 0 and not spread and _one_after_the_other(plan.tasks, graph.before)
    mode: Mode = "direct" if count == 0 else "agent" if single else "chain" if chain else "orchestrate"
    known = [one for one in seconds.values() if one is not None]
    in_turn = sum(known) if known else None
    side_by_side = _longest(plan.tasks, graph.before, graph.order, seconds) if known else None
    several = f"{count} task{'s' if count != 1 else ''}" + (", some for each item of a list" if spread else "")
    light = RUN_SECONDS + count * TASK_SECONDS
    estimates = (
        Estimate(
            mode="direct",
            possible=mode == "direct",
            why="the answer is known without any agent" if mode == "direct" else "nobody here knows it without working",
            overhead=RUN_SECONDS,
        ),
        Estimate(
            mode="agent",
            possible=single,
            why="one skill goes all the way" if single else f"no single skill does it: it takes {several}",
            tasks=min(count, 1),
            seconds=in_turn if single else None,
            cost=cost if single else FREE,
            overhead=RUN_SECONDS + TASK_SECONDS,
        ),
        Estimate(
            mode="chain",
            possible=count > 0 and not spread,
            why="each task waits for the one before" if chain else "nothing would run side by side",
            tasks=count,
            seconds=in_turn,
            cost=cost,
            overhead=light,
        ),
        Estimate(
            mode="orchestrate",
            possible=count > 0,
            why=f"{several}, as a graph" if mode == "orchestrate" else "a graph would bring nothing more",
            tasks=count,
            seconds=side_by_side,
            cost=cost,
            overhead=light + GRAPH_SECONDS,
        ),
    )
    return replace(interpretation, mode=mode, estimates=estimates, reasons=(*interpretation.reasons, _say(mode, light)))


def _say(mode: Mode, light: float) -> str:
    whole = light + GRAPH_SECONDS
    match mode:
        case "direct":
            return f"answered at once: orchestrating would cost {whole * 1000:.0f} ms and bring nothing"
        case "agent":
            return f"one agent is enough: a graph's overhead of {GRAPH_SECONDS * 1000:.0f} ms is saved"
        case "chain":
            return f"a fixed chain is enough: a graph's overhead of {GRAPH_SECONDS * 1000:.0f} ms is saved"
    return f"worth orchestrating: about {whole * 1000:.0f} ms of overhead"


def _one_after_the_other(tasks: tuple[Task, ...], before: Mapping[str, Collection[str]]) -> bool:
    """Whether each task waits for exactly the one before it, so that the order is fixed."""
    first = [task.id for task in tasks if not before[task.id]]
    followed = [name for task in tasks for name in before[task.id]]
    return len(first) == 1 and len(followed) == len(set(followed)) == len(tasks) - 1


def _longest(
    tasks: tuple[Task, ...],
    before: Mapping[str, Collection[str]],
    order: Sequence[str],
    seconds: dict[str, float | None],
) -> float:
    ends: dict[str, float] = {}
    for id_ in order:
        ends[id_] = max((ends[name] for name in before[id_] if name in ends), default=0.0) + (seconds[id_] or 0.0)
    return max(ends.values(), default=0.0) if tasks else 0.0
