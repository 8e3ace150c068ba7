"""The links of a task graph, led from names back to nodes. A link names tools, and a tool may be used twice."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter

from stretto.core.plan.diagnostics import Diagnostic, diagnose, listed, shown, under
from stretto.core.plan.foreign.form import TaskGraph, ends
from stretto.core.plan.foreign.mentions import mentioned
from stretto.core.plan.names import Names, Slips

_NUMBERED = re.compile(r"\W*(?:step|task)[ _-]?(\d{1,5})\W*", re.IGNORECASE)
_COUNTED = re.compile(r"(.+?)[ _#-]*\(?(\d{1,4})\)?")
_MOST = 1000  # pairs of nodes that one link may join


@dataclass(slots=True, kw_only=True)
class Links:
    """What the links of a graph say: pairs (source, target) of nodes with the place of the link, and what is wrong."""

    pairs: dict[tuple[int, int], str] = field(default_factory=dict)
    found: list[Diagnostic] = field(default_factory=list)

    def by_target(self) -> dict[int, list[int]]:
        """Give the nodes that links to each node lead from."""
        sources: dict[int, list[int]] = {}
        for source, target in self.pairs:
            sources.setdefault(target, []).append(source)
        return sources


def read_links(graph: TaskGraph) -> Links:
    """Lead the links back to nodes, as far as that is safe.

    A name with a slip, or `Step 2` for the second node, is understood. Of a name that several nodes bear the
    arguments tell which is meant; where they do not, every later node waits for every earlier one, so that
    whatever was meant holds. A link to a name that no node bears, and that no other link leads from, orders
    nothing and is dropped. Of links that contradict the arguments, the arguments hold.
    """
    links = Links()
    if not isinstance(graph.links, list):
        if graph.links is not None:
            links.found.append(diagnose("bad-value", graph.at_links, "the links are no list", "Write a list of links."))
        return links
    names = _Names(graph)
    for number, (source, target) in enumerate(map(ends, graph.links)):
        place = under(graph.at_links, number)
        if source is None or target is None:
            mend = 'Write {"source": "TOOL", "target": "TOOL"}.'
            links.found.append(diagnose("bad-value", place, "a link has no source and target", mend))
            continue
        sides = names.nodes(source, f"{place}.source", links.found), names.nodes(target, f"{place}.target", links.found)
        if sides[0] and sides[1]:
            for pair in names.pairs(sides[0], sides[1], source, target, place, links.found):
                links.pairs.setdefault(pair, place)
    links.found += names.twice(links.found)
    circle = _circle([(a, b) for a, b in map(ends, graph.links) if a is not None and b is not None])
    if circle is not None:
        said = f"the links run in a circle: {' → '.join(circle)}"
        links.found.append(diagnose("cycle", graph.at_links, said, "Remove one of them."))
    if names.is_sound:
        _drop_contradictions(links, names.referred, together=circle is None)
    return links


def argument_circle(graph: TaskGraph) -> Diagnostic | None:
    """Say where nodes refer to each other's results, or a node to its own, so that none can begin."""
    circle = _circle([(str(source), str(target)) for source, target in references_of(graph)])
    if circle is None:
        return None
    way = " → ".join(f"node {one}" for one in circle)
    return diagnose("cycle", graph.at_nodes, f"the arguments refer in a circle: {way}", "Mend one of the references.")


def references_of(graph: TaskGraph) -> list[tuple[int, int]]:
    """Give who refers to whose result by arguments, as (source, target); what leads nowhere is left out."""
    count = len(graph.nodes)
    return [
        (source, target) for target in range(count) for source in mentioned(graph.arguments(target)) if source < count
    ]


class _Names:
    """The names that links use, and the nodes that bear them."""

    def __init__(self, graph: TaskGraph) -> None:
        self.bearers: dict[str, list[int]] = {}
        for number in range(len(graph.nodes)):
            self.bearers.setdefault(graph.tool(number), []).append(number)
        self.referred = set(references_of(graph))
        every = {source for number in range(len(graph.nodes)) for source in mentioned(graph.arguments(number))}
        in_range = all(source < len(graph.nodes) for source in every)
        self.is_sound = in_range and _circle([(str(one), str(other)) for one, other in self.referred]) is None
        self._at_nodes = graph.at_nodes
        self._slips = Slips(self.bearers)
        self._known = Names(lambda: self.bearers)
        named = [ends(one) for one in graph.links]
        self._sources = {source for source, _ in named}
        self._numbers = self._numbered([one for one in named if None not in one])

    def nodes(self, name: str, place: str, found: list[Diagnostic]) -> list[int]:
        """Give the nodes that a name stands for, and say what is wrong with it."""
        if name in self.bearers:
            return self.bearers[name]
        repaired, meant = True, list[int]()
        if (nth := self._nth(name)) is not None:
            meant, mend = [nth], f"It was read as node {nth}, counted from 0: the tool's name with a number."
        elif (near := self._slips.only(name)) is not None:
            meant, mend = self.bearers[near], f"It was read as {shown(near)}: the names differ by a slip of the pen."
        elif name in self._numbers:
            meant, mend = [self._numbers[name]], f"It was read as node {self._numbers[name]}, counted from 0."
        elif place.endswith("target") and name not in self._sources and not _NUMBERED.fullmatch(name):
            mend = "It was dropped: nothing of the plan waits by it."
        else:
            mend, repaired = self._known.mend(name, "Name the tool of a node."), False
        message = f"a link names {shown(name)}, and no node is called so"
        found.append(replace(diagnose("dangling-reference", place, message, mend), repaired=repaired))
        return meant

    def twice(self, found: list[Diagnostic]) -> Iterator[Diagnostic]:
        """Say which tools several nodes have though links go by tools, unless a link is in doubt already."""
        if any(one.code == "ambiguous-link" for one in found):
            return
        for name, numbers in self.bearers.items():
            if len(numbers) > 1 and self._sources:
                message = f"nodes {listed(map(str, numbers))} are all called {shown(name)}, and links go by such names"
                mend = "No link needs to tell them apart."
                place = under(self._at_nodes, numbers[-1])
                yield replace(diagnose("ambiguous-link", place, message, mend), repaired=True)

    def _nth(self, name: str) -> int | None:
        """Read `TOOL-2` as the second node of a tool that several have."""
        match = _COUNTED.fullmatch(name)
        bearers = self.bearers.get(match[1], []) if match else []
        number = int(match[2]) if match else 0
        return bearers[number - 1] if len(bearers) > 1 and 0 < number <= len(bearers) else None

    def pairs(
        self, sources: list[int], targets: list[int], source: str, target: str, place: str, found: list[Diagnostic]
    ) -> Iterator[tuple[int, int]]:
        """Give the pairs of nodes that a link joins, and say when its names leave that open."""
        several = len(sources) * len(targets) <= _MOST
        every = [(one, other) for one in sources for other in targets] if several else []
        if len(every) == 1:
            yield from every
            return
        told = [pair for pair in every if pair in self.referred]
        forward = [(one, other) for one, other in every if one < other]
        if told:
            mend = "The arguments tell which are meant."
        elif forward:
            mend = "Each later one waits for each earlier one, so that whatever was meant holds."
        else:
            mend = "Number the nodes, and name them by number."
        twice = shown(source if len(sources) > 1 else target)
        message = f"the link names {twice}, and several nodes are called so"
        found.append(replace(diagnose("ambiguous-link", place, message, mend), repaired=bool(told or forward)))
        yield from told or forward

    def _numbered(self, named: list[tuple[str | None, str | None]]) -> dict[str, int]:
        """Read `Step 2` as the second node, if all links that count so lead forward between nodes that are there."""
        numbers: dict[str, int] = {}
        for name in dict.fromkeys(str(one) for pair in named for one in pair):
            if name not in self.bearers and (match := _NUMBERED.fullmatch(name)):
                numbers[name] = int(match[1]) - 1
        count = sum(map(len, self.bearers.values()))

        def leads_forward(source: str | None, target: str | None) -> bool:
            first, second = (
                numbers.get(str(one), self.bearers[one][0] if one in self.bearers else None) for one in (source, target)
            )
            return first is None or second is None or first < second

        sound = all(0 <= one < count for one in numbers.values()) and all(
            leads_forward(*pair) for pair in named if pair[0] in numbers or pair[1] in numbers
        )
        return numbers if sound else {}


def _drop_contradictions(links: Links, referred: set[tuple[int, int]], *, together: bool) -> None:
    """Leave out the links that lead back against the arguments, or `together` with the links before them.

    The arguments run in no circle. Of more links than `_MOST` that do with them, nothing is left out.
    """
    if (
        _circle([(str(one), str(other)) for one, other in (*referred, *links.pairs)]) is None
        or len(links.pairs) > _MOST
    ):
        return
    later: dict[int, set[int]] = {}
    for source, target in referred:
        later.setdefault(source, set()).add(target)
    for source, target in list(links.pairs):
        if source != target and source in _reached(later, target):
            place = links.pairs.pop((source, target))
            message = f"the link says that node {target} waits for node {source}, and the arguments say the contrary"
            links.found.append(diagnose("contradicting-link", place, message, "The arguments hold; mend the link."))
        elif together:
            later.setdefault(source, set()).add(target)


def _reached(later: dict[int, set[int]], start: int) -> set[int]:
    """Give a node and all that come later."""
    reached, todo = {start}, [start]
    while todo:
        fresh = later.get(todo.pop(), set()) - reached
        reached |= fresh
        todo += fresh
    return reached


def _circle(edges: list[tuple[str, str]]) -> list[str] | None:
    """Give the names on the way round a circle, the first again at the end; None when there is none."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for source, target in edges:
        sorter.add(target, source)
    try:
        sorter.prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle if len(circle) <= 10 else [*circle[:9], "…", circle[-1]]
    return None
