"""The cheapest way back: for every argument the supplies that serve it, for every skill what making its result costs.

Costs are those of Knuth's generalisation of shortest paths: a skill costs its own run plus the cheapest supply of
each argument it needs. They grow strictly along the way, so the way back never runs in a circle.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from stretto.core.domain import InputSpec, Json, SideEffect
from stretto.planners.rules.goals import Clause, Said
from stretto.planners.rules.kinds import GOALISH, Kind, of
from stretto.planners.rules.ranking import Entry
from stretto.planners.rules.supplies import Option, Supply, from_inputs, from_words, made_by, options, spread_out
from stretto.planners.rules.words import named

_ALREADY = 0.01
"""What a task costs that is wanted anyway."""
_ROUNDS = 8
_COLLECTS = frozenset(named("results result parts sections findings outputs pieces"))
HARMLESS = frozenset({SideEffect.NONE, SideEffect.IDEMPOTENT, SideEffect.UNDECLARED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a skill; `left_out` when it may be null or missing. A collector takes the results of everything
    that was asked for before.
    """

    name: str
    kind: Kind
    required: bool
    left_out: bool = False

    @property
    def asks(self) -> bool:
        """Whether it takes the goal in its own words."""
        return bool(set(named(self.name)[-1:]) & GOALISH)

    @property
    def collects(self) -> bool:
        words = named(self.name)
        holder = self.kind.types == {"array"} and self.kind.item.anything
        mapping = self.kind.types == {"object"} and not self.kind.fields and not self.kind.name
        return (holder or mapping) and bool(words) and words[-1] in _COLLECTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way to give an argument, and what it costs in all."""

    option: Option
    total: float


class Search:
    """What the skills of a team can make of what is at hand. `wanted` are the skills that the goal asks for."""

    def __init__(
        self, entries: dict[str, Entry], inputs: dict[str, Json], specs: dict[str, InputSpec], wanted: frozenset[str]
    ) -> None:
        self._entries, self._wanted = entries, wanted
        self._inputs, self._specs = inputs, specs
        self._at_hand = tuple(from_inputs(inputs, specs))
        self._made = [
            supply
            for name, one in entries.items()
            if one.skill.effect in HARMLESS or name in wanted
            for supply in made_by(name, one.skill.output)
        ]
        self._arguments = {name: _arguments(one) for name, one in entries.items()}
        self._served: dict[tuple[str, str, frozenset[str]], list[Option]] = {}

    def arguments(self, skill: str) -> list[Argument]:
        """Give the arguments of a skill."""
        return self._arguments[skill]

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
        ways = {
            (skill, one.name): [*_serving(words, one), *self._serving(skill, one, spread)]
            for skill, arguments in self._arguments.items()
            for one in arguments
        }
        needs = {
            skill: [ways[skill, one.name] for one in own if one.required and not (one.collects and collected)]
            for skill, own in self._arguments.items()
        }
        for skill, own in self._arguments.items():
            if either := alternatives(own):
                needs[skill].append([option for one in either for option in ways[skill, one.name]])
        totals: dict[str, float] = {}
        for _ in range(len(self._entries) + 1):
            changed = False
            for skill, serving in needs.items():
                total = self.own_cost(skill)
                total += sum(min((_total(one, totals) for one in options_), default=math.inf) for options_ in serving)
                if total < totals.get(skill, math.inf) - 1e-9:
                    totals[skill], changed = total, True
            if not changed:
                break
        return Market(totals=totals, ways=ways, needs=needs)

    def _serving(self, skill: str, argument: Argument, spread: frozenset[str]) -> list[Option]:
        key = skill, argument.name, spread
        if key not in self._served:
            made = (one for one in self._made if one.maker != skill)
            lists = (spread_out(one) if one.maker in spread else one for one in made)
            self._served[key] = _serving((*self._at_hand, *lists), argument)
        return self._served[key]


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


def _serving(supplies: Iterable[Supply], argument: Argument) -> list[Option]:
    found: list[Option] = []
    if argument.collects:
        supplies = (one for one in supplies if one.maker is None)
    for supply in supplies:
        found += options(supply, argument.kind, argument.name, required=argument.required)
    return found


def _arguments(entry: Entry) -> list[Argument]:
    whole = of(entry.skill.inputs)
    required = whole.plain.get("required", ())
    return [
        Argument(
            name=name,
            kind=kind,
            required=name in required,
            left_out=name not in required and kind.nullable,
        )
        for name, kind in whole.fields.items()
    ]


def alternatives(arguments: list[Argument]) -> list[Argument]:
    """Give the arguments of which a skill needs one or another: it needs none for certain, and some may be null."""
    if any(one.required for one in arguments):
        return []
    return [one for one in arguments if one.left_out and not one.asks]
