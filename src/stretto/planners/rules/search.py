"""The cheapest way back: for every argument the supplies that serve it, for every skill what making its result costs.

Costs are those of Knuth's generalisation of shortest paths: a skill costs its own run plus the cheapest supply of
each argument it needs. They grow strictly along the way, so the way back never runs in a circle.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from stretto.core.domain import SideEffect
from stretto.planners.rules.goals import Clause, Said
from stretto.planners.rules.kinds import Kind, of
from stretto.planners.rules.ranking import Entry
from stretto.planners.rules.supplies import Option, Supply, from_words, made_by, options
from stretto.planners.rules.words import named

_ALREADY = 0.01
"""What a task costs that is wanted anyway."""
_COLLECTS = frozenset(named("results result parts sections findings outputs pieces"))
HARMLESS = frozenset({SideEffect.NONE, SideEffect.IDEMPOTENT, SideEffect.UNDECLARED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a skill. A collector takes the results of everything that was asked for before."""

    name: str
    kind: Kind
    required: bool

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

    def __init__(self, entries: dict[str, Entry], at_hand: Iterable[Supply], wanted: frozenset[str]) -> None:
        self._entries, self._wanted = entries, wanted
        self._at_hand = tuple(at_hand)
        self._made = [
            supply
            for name, one in entries.items()
            if one.skill.effect in HARMLESS or name in wanted
            for supply in made_by(name, one.skill.output)
        ]
        self._arguments = {name: _arguments(one) for name, one in entries.items()}
        self._served: dict[tuple[str, str], list[Option]] = {}

    def arguments(self, skill: str) -> list[Argument]:
        """Give the arguments of a skill."""
        return self._arguments[skill]

    def own_cost(self, skill: str) -> float:
        """Give what one run of a skill costs: a step, its usual seconds, its money."""
        card = self._entries[skill].agent
        cost = 1.0 + (card.latency or 0.0) / 10 + float(card.cost.money) * 100
        return cost * _ALREADY if skill in self._wanted else cost

    def ways(self, skill: str, argument: Argument, clause: Clause, said: tuple[Said, ...]) -> list[Option]:
        """Give every way to serve an argument, for a clause of the goal."""
        key = skill, argument.name
        if key not in self._served:
            supplies = [one for one in (*self._at_hand, *self._made) if one.maker != skill]
            self._served[key] = _serving(supplies, argument)
        return [*_serving(from_words(clause, said), argument), *self._served[key]]

    def totals(self, clause: Clause, said: tuple[Said, ...], *, collected: bool) -> dict[str, float]:
        """Give what making each skill's result costs, for one clause; skills that cannot be served are missing.

        `collected` says whether there is anything to be collected.
        """
        found: dict[str, float] = {}
        ways = {
            skill: [
                self.ways(skill, one, clause, said)
                for one in self._arguments[skill]
                if one.required and not (one.collects and collected)
            ]
            for skill in self._entries
        }
        for _ in range(len(self._entries) + 1):
            changed = False
            for skill, needs in ways.items():
                total = self.own_cost(skill)
                for serving in needs:
                    total += min((_total(one, found) for one in serving), default=math.inf)
                if total < found.get(skill, math.inf) - 1e-9:
                    found[skill], changed = total, True
            if not changed:
                break
        return found

    def best(
        self, skill: str, argument: Argument, clause: Clause, said: tuple[Said, ...], totals: dict[str, float]
    ) -> list[Way]:
        """Give the ways to serve an argument that can be gone, the cheapest first; ties in order of registration."""
        ways = [Way(option=one, total=_total(one, totals)) for one in self.ways(skill, argument, clause, said)]
        return sorted((one for one in ways if one.total < math.inf), key=lambda one: one.total)


def _total(option: Option, totals: dict[str, float]) -> float:
    maker = option.supply.maker
    return option.penalty + (totals.get(maker, math.inf) if maker is not None else 0.0)


def _serving(supplies: Iterable[Supply], argument: Argument) -> list[Option]:
    found: list[Option] = []
    for supply in supplies:
        found += options(supply, argument.kind, argument.name, required=argument.required)
    return found


def _arguments(entry: Entry) -> list[Argument]:
    whole = of(entry.skill.inputs)
    required = whole.plain.get("required", ())
    return [Argument(name=name, kind=kind, required=name in required) for name, kind in whole.fields.items()]
