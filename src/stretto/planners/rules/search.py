"""The cheapest way back: for every argument the supplies that serve it, for every skill what making its result costs.

Costs are those of Knuth's generalisation of shortest paths: a skill costs its own run plus the cheapest supply of
each argument it needs. They grow strictly along the way, so the way back never runs in a circle.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from stretto.core.domain import InputSpec, Json, SideEffect
from stretto.planners.rules.goals import Clause, Said
from stretto.planners.rules.ranking import Entry
from stretto.planners.rules.stock import Argument, Stock, alternatives, serving
from stretto.planners.rules.supplies import Option, from_inputs, from_words

_ALREADY = 0.01
"""What a task costs that is wanted anyway."""
_ROUNDS = 8
_ITSELF = -1
"""Stands for the result of a skill, beside its needs by number."""
HARMLESS = frozenset({SideEffect.NONE, SideEffect.IDEMPOTENT, SideEffect.UNDECLARED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way to give an argument, and what it costs in all."""

    option: Option
    total: float


class Search:
    """What the skills of a team can make of what is at hand. `wanted` are the skills that the goal asks for."""

    def __init__(
        self,
        entries: dict[str, Entry],
        stock: Stock,
        inputs: dict[str, Json],
        specs: dict[str, InputSpec],
        wanted: frozenset[str],
    ) -> None:
        self._entries, self._stock, self._wanted = entries, stock, wanted
        self._inputs, self._specs = inputs, specs
        self._at_hand = tuple(from_inputs(inputs, specs))
        self._served: dict[tuple[str, str, frozenset[str]], list[Option]] = {}

    def arguments(self, skill: str) -> list[Argument]:
        """Give the arguments of a skill."""
        return self._stock.arguments[skill]

    def own_cost(self, skill: str) -> float:
        """Give what one run of a skill costs: a step, its usual seconds, its money."""
        card = self._entries[skill].agent
        cost = 1.0 + (card.latency or 0.0) / 10 + float(card.cost.money) * 100
        return cost * _ALREADY if skill in self._wanted else cost

    def market(self, clause: Clause, said: tuple[Said, ...], *, collected: bool) -> "Market":
        """Give what everything costs for one clause; `collected` says whether there is anything to be collected.

        Skills that are served item by item give lists; which those are is found by looking again until it holds.
        """
        spread: frozenset[str] = frozenset()
        for _ in range(_ROUNDS):
            market = self._prices(clause, said, collected, spread)
            if market.spreads == spread:
                break
            spread = market.spreads
        return market

    def _prices(self, clause: Clause, said: tuple[Said, ...], collected: bool, spread: frozenset[str]) -> "Market":
        words = list(from_words(clause, said, self._inputs, self._specs))
        ways: dict[tuple[str, str], list[Option]] = {}
        needs: dict[str, list[list[Option]]] = {}
        for skill, arguments in self._stock.arguments.items():
            for one in arguments:
                ways[skill, one.name] = [*serving(words, one), *self._serving(skill, one, spread)]
            needs[skill] = [
                ways[skill, one.name] for one in arguments if one.required and not (one.collects and collected)
            ]
            if either := alternatives(arguments):
                needs[skill].append([option for one in either for option in ways[skill, one.name]])
        totals = _cheapest({skill: self.own_cost(skill) for skill in needs}, needs)
        return Market(totals=totals, ways=ways, needs=needs)

    def _serving(self, skill: str, argument: Argument, spread: frozenset[str]) -> list[Option]:
        """Give the ways to serve an argument that no clause changes: what is at hand, then what skills make."""
        key = skill, argument.name, spread
        if key not in self._served:
            made = {} if argument.collects else dict(self._stock.ways(skill, argument))
            for maker in spread - {skill} if not argument.collects else ():
                made[maker] = self._stock.spread_ways(maker, skill, argument)
            makers = sorted(filter(self._may_make, made), key=self._stock.position.__getitem__)
            ways = [way for maker in makers for way in made[maker]]
            self._served[key] = [*serving(self._at_hand, argument), *ways]
        return self._served[key]

    def _may_make(self, skill: str) -> bool:
        """Whether a skill may be a means to an end: a side effect is none, unless the goal asks for it."""
        return skill in self._wanted or self._entries[skill].skill.effect in HARMLESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What results cost for one clause: `totals` by skill (one that cannot be served is missing)."""

    totals: dict[str, float]
    ways: dict[tuple[str, str], list[Option]]
    needs: dict[str, list[list[Option]]]

    def best(self, skill: str, argument: Argument) -> list[Way]:
        """Give the ways to serve an argument that can be gone, the cheapest first; ties in order of registration."""
        ways = [Way(option=one, total=_total(one, self.totals)) for one in self.ways[skill, argument.name]]
        return sorted((one for one in ways if one.total < math.inf), key=lambda one: one.total)

    @property
    def spreads(self) -> frozenset[str]:
        """The skills that are best served item by item."""
        found = set()
        for skill in self.totals:
            chosen = [min(options_, key=lambda one: _total(one, self.totals)) for options_ in self.needs[skill]]
            if any(one.each for one in chosen):
                found.add(skill)
        return frozenset(found)


def _total(option: Option, totals: dict[str, float]) -> float:
    maker = option.supply.maker
    return option.penalty + (totals.get(maker, math.inf) if maker is not None else 0.0)


def _cheapest(own: Mapping[str, float], needs: Mapping[str, list[list[Option]]]) -> dict[str, float]:
    """Give what the result of each skill costs, by Knuth's generalisation of Dijkstra's algorithm (1977).

    A skill costs its own run and the cheapest option for each of its needs; one that cannot be served is missing.
    """
    totals: dict[str, float] = {}
    prices: dict[tuple[str, int], float] = {}
    missing = {skill: len(slots) for skill, slots in needs.items()}
    waiting: dict[str, list[tuple[int, str, int]]] = {}
    heap = [(own[skill], skill, _ITSELF) for skill, slots in needs.items() if not slots]
    for skill, slots in needs.items():
        for slot, ways in enumerate(slots):
            for way in ways:
                if way.supply.maker is None:
                    heap.append((way.penalty, skill, slot))
                else:
                    waiting.setdefault(way.supply.maker, []).append((way.penalty, skill, slot))
    heapify(heap)
    while heap:
        cost, skill, slot = heappop(heap)
        if slot == _ITSELF:
            totals[skill] = cost
            for penalty, user, needed in waiting.get(skill, ()):
                heappush(heap, (cost + penalty, user, needed))
        elif (skill, slot) not in prices:
            prices[skill, slot] = cost
            missing[skill] -= 1
            if not missing[skill]:
                whole = own[skill] + sum(prices[skill, one] for one in range(len(needs[skill])))
                heappush(heap, (whole, skill, _ITSELF))
    return totals
