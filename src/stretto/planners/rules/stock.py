"""What the skills of a team take and make, and what of it may serve what: found by names and types."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from stretto.core.plan.schemas import ANYTHING, arguments
from stretto.planners.rules.kinds import GOALISH, Kind, list_of, of
from stretto.planners.rules.ranking import Entry
from stretto.planners.rules.supplies import Option, Supply, made_by, options, spread_out
from stretto.planners.rules.words import named

_COLLECTS = frozenset(named("results result parts sections findings outputs pieces"))
_UNTYPED: tuple[str, ...] = ()


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


def alternatives(taken: list[Argument]) -> list[Argument]:
    """Give the arguments of which a skill needs one or another: it needs none for certain, and some may be null."""
    if any(one.required for one in taken):
        return []
    return [one for one in taken if one.left_out and not one.asks]


def serving(supplies: Iterable[Supply], argument: Argument) -> list[Option]:
    """Give the ways in which supplies can serve an argument."""
    return [way for one in supplies for way in options(one, argument.kind, argument.name, required=argument.required)]


class Stock:
    """Every skill's arguments and results, in the order of registration."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self.arguments = {name: _arguments(one) for name, one in entries.items()}
        self.position = {name: number for number, name in enumerate(entries)}
        self._made = {name: tuple(made_by(name, one.skill.output)) for name, one in entries.items()}
        self._all = tuple(supply for made in self._made.values() for supply in made)
        self._shelves: dict[tuple[str, tuple[str, ...]], list[int]] = {}
        for number, supply in enumerate(self._all):
            for mark in set(_marks(supply)):
                self._shelves.setdefault(mark, []).append(number)
        self._plain: dict[tuple[str, str], dict[str, list[Option]]] = {}
        self._spread: dict[tuple[str, str, str], list[Option]] = {}

    def ways(self, skill: str, argument: Argument) -> dict[str, list[Option]]:
        """Give the ways in which the results of other skills can serve an argument, by the skill that makes them."""
        key = skill, argument.name
        if key not in self._plain:
            numbers = sorted({number for mark in _sought(argument) for number in self._shelves.get(mark, ())})
            near = (self._all[number] for number in numbers)
            found = {
                maker: serving(supplies, argument) for maker, supplies in groupby(near, lambda one: str(one.maker))
            }
            self._plain[key] = {maker: ways for maker, ways in found.items() if ways and maker != skill}
        return self._plain[key]

    def spread_ways(self, maker: str, skill: str, argument: Argument) -> list[Option]:
        """Give the ways in which the list that a fan-out of `maker` gives can serve an argument."""
        key = maker, skill, argument.name
        if key not in self._spread:
            self._spread[key] = serving(map(spread_out, self._made[maker]), argument)
        return self._spread[key]


def _arguments(entry: Entry) -> list[Argument]:
    _, required, _ = arguments(entry.skill.inputs)
    kinds = {name: of(ANYTHING) for name in required} | of(entry.skill.inputs).fields
    return [
        Argument(name=name, kind=kind, required=name in required, left_out=name not in required and kind.nullable)
        for name, kind in kinds.items()
    ]


def _marks(supply: Supply) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Give whereby a supply is found: a whole result by its type, a part of one by its type or its names.

    A list is found by its items' type as well, and a value by the type of a list of such values.
    """
    kind = supply.kind
    types = {kind.type_name, list_of(kind).type_name, *([kind.item.type_name] if kind.many else [])}
    if not supply.steps:
        yield "whole", _UNTYPED
        yield from (("whole of", one) for one in types)
        return
    for one in types - {_UNTYPED}:
        yield "part of", one
    for one in (*types, *supply.called):
        yield "called", one
        yield "last", one[-1:]


def _sought(argument: Argument) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Give the marks of everything that may serve an argument."""
    name, typed = named(argument.name), argument.kind.type_name
    if typed:
        yield from (("whole of", typed), ("whole of", _UNTYPED), ("part of", typed), ("called", typed))
    else:
        yield "whole", _UNTYPED
    if name:
        yield "last", name[-1:]
