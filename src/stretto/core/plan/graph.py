"""The graph of a plan: who waits for whom, in which order, and where it runs in circles."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from stretto.core.domain import Task
from stretto.core.plan.references import Need, needs


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """`before` lists what each task waits for, `after` who waits for it, `order` is topological.

    Tasks on a circle, and those behind one, are missing from `order`. Edges to unknown tasks and to itself
    are left out.
    """

    tasks: dict[str, Task]
    before: dict[str, dict[str, Need]]
    after: dict[str, list[str]]
    order: list[str]


def graph_of(tasks: Sequence[Task]) -> Graph:
    """Draw the graph; linear in tasks and edges."""
    by_id = {task.id: task for task in tasks}
    before: dict[str, dict[str, Need]] = {}
    after: dict[str, list[str]] = {id_: [] for id_ in by_id}
    for task in tasks:
        found = {name: need for name, need in needs(task).items() if name in by_id and name != task.id}
        before[task.id] = found
        for name in found:
            after[name].append(task.id)
    missing = {id_: len(found) for id_, found in before.items()}
    queue = deque(id_ for id_ in by_id if not missing[id_])
    order = []
    while queue:
        id_ = queue.popleft()
        order.append(id_)
        for later in after[id_]:
            missing[later] -= 1
            if not missing[later]:
                queue.append(later)
    return Graph(tasks=by_id, before=before, after=after, order=order)


def circles(graph: Graph, most: int = 20) -> list[list[str]]:
    """Give circles of waiting tasks, each once, as the ids on the way round; at most `most` of them."""
    left = set(graph.tasks) - set(graph.order)
    found: list[list[str]] = []
    for start in graph.tasks:
        if start not in left or len(found) == most:
            continue
        way: dict[str, None] = {}
        here: str | None = start
        while here is not None and here not in way:
            way[here] = None
            here = next((name for name in graph.before[here] if name in left), None)
        if here is not None:
            ids = list(way)
            circle = ids[ids.index(here) :]
            found.append([here, *circle[:0:-1]])
        left.difference_update(way)
    return found


def downstream(graph: Graph, roots: Iterable[str], at_least: Need) -> set[str]:
    """Give the roots and everything that depends on them at least so strongly."""
    reached = set(roots)
    stack = list(reached)
    while stack:
        here = stack.pop()
        for later in graph.after.get(here, ()):
            if later not in reached and graph.before[later].get(here, Need.SOFT) >= at_least:
                reached.add(later)
                stack.append(later)
    return reached


def ancestors_among(graph: Graph, marked: Sequence[str]) -> dict[str, int]:
    """Give, for each task in order, which of the marked tasks it comes after, as bits in their order."""
    return _reached(graph.order, graph.before, marked)


def descendants_among(graph: Graph, marked: Sequence[str]) -> dict[str, int]:
    """Give, for each task in order, which of the marked tasks come after it, as bits in their order."""
    return _reached(graph.order[::-1], graph.after, marked)


def _reached(order: Sequence[str], edges: Mapping[str, Iterable[str]], marked: Sequence[str]) -> dict[str, int]:
    bit = {id_: 1 << number for number, id_ in enumerate(marked)}
    reached: dict[str, int] = {}
    for id_ in order:
        bits = 0
        for other in edges[id_]:
            bits |= reached.get(other, 0) | bit.get(other, 0)
        reached[id_] = bits
    return reached
