"""Where the boxes of a graph stand and how its lines run. Pure: the same graph gives the same picture.

Boxes stand in columns by how many come before them, on a grid of rows. Within a column they are ordered by their
neighbours (the barycentre method of Sugiyama, Tagawa and Toda, 1981), and each stands as near to its neighbours as that
order allows (pool adjacent violators: Ayer and others, 1955). Lines run through the gutters between columns and the
gaps between rows, so that none crosses a box.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import fmean
from typing import Final, TypeAlias

from stretto.telling.rows import outline

WIDTH, HEIGHT = 208, 44
"""Pixels of a box."""
GUTTER, GAP = 56, 16
"""Pixels between two columns, and between two rows."""
SWEEPS: Final = 3
"""How often the order is bettered, forth and back."""

Point: TypeAlias = tuple[float, float]
_Free: TypeAlias = Callable[[int, int, int], bool]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a box stands on the grid."""

    column: int
    row: int

    @property
    def x(self) -> int:
        return self.column * (WIDTH + GUTTER)

    @property
    def y(self) -> int:
        return self.row * (HEIGHT + GAP)


@dataclass(frozen=True, slots=True)
class Edge:
    """A line from a box to one that waits for it, through points; it bends between the first two and the last two."""

    before: str
    after: str
    points: tuple[Point, ...]

    @property
    def path(self) -> str:
        """The line as an SVG path."""
        (x, y), *rest = self.points
        parts = [f"M{x:g} {y:g}"]
        for to_x, to_y in rest:
            if to_y == y:
                parts.append(f"H{to_x:g}")
            else:
                middle = (x + to_x) / 2
                parts.append(f"C{middle:g} {y:g} {middle:g} {to_y:g} {to_x:g} {to_y:g}")
            x, y = to_x, to_y
        return "".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A picture: places by box, lines, and how large it is in pixels."""

    places: Mapping[str, Place]
    edges: tuple[Edge, ...]
    width: int
    height: int


def layout(before: Mapping[str, Sequence[str]], rows: Mapping[str, int] | None = None) -> Layout:
    """Lay out a graph: `before` names for each box those that it waits for, `rows` how many rows a box takes (else 1).

    Unknown names are left out; boxes that wait for each other in a circle stand in the first column. Takes time in
    proportion to boxes and lines, but for sorting.
    """
    known = {id_: [name for name in names if name in before and name != id_] for id_, names in before.items()}
    order = outline(known)
    columns: list[list[str]] = [[] for _ in range(1 + max((depth for _, depth in order), default=-1))]
    for id_, depth in order:
        columns[depth].append(id_)
    after: dict[str, list[str]] = {id_: [] for id_ in known}
    for id_, names in known.items():
        for name in names:
            after[name].append(id_)
    _sort(columns, known, after)
    tall = {id_: max(1, (rows or {}).get(id_, 1)) for id_ in known}
    row = _settle(columns, known, after, tall)
    places = {id_: Place(number, row[id_]) for number, column in enumerate(columns) for id_ in column}
    deepest = max((row[id_] + tall[id_] for id_ in known), default=0)
    return Layout(
        places=places,
        edges=tuple(_lines(places, known, tall)),
        width=max(len(columns) * (WIDTH + GUTTER) - GUTTER, 0),
        height=max(deepest * (HEIGHT + GAP) - GAP, 0),
    )


def grid(ids: Sequence[str], deep: int) -> Layout:
    """Lay out boxes that have no lines, in columns `deep` rows deep."""
    places = {id_: Place(number // deep, number % deep) for number, id_ in enumerate(ids)}
    columns = -(-len(ids) // deep)
    return Layout(
        places=places,
        edges=(),
        width=max(columns * (WIDTH + GUTTER) - GUTTER, 0),
        height=max(min(deep, len(ids)) * (HEIGHT + GAP) - GAP, 0),
    )


def _sort(columns: Sequence[list[str]], before: Mapping[str, list[str]], after: Mapping[str, list[str]]) -> None:
    """Order each column by the mean place of its neighbours."""
    at = {id_: number / len(column) for column in columns for number, id_ in enumerate(column)}

    def settle(column: list[str], neighbours: Mapping[str, list[str]]) -> None:
        wanted = {id_: fmean(at[name] for name in neighbours[id_]) if neighbours[id_] else at[id_] for id_ in column}
        column.sort(key=wanted.__getitem__)
        at.update((id_, number / len(column)) for number, id_ in enumerate(column))

    for _ in range(SWEEPS):
        for column in columns[1:]:
            settle(column, before)
        for column in reversed(columns[:-1]):
            settle(column, after)


def _settle(
    columns: Sequence[list[str]],
    before: Mapping[str, list[str]],
    after: Mapping[str, list[str]],
    tall: Mapping[str, int],
) -> dict[str, int]:
    """Give each box its row: near its neighbours, in the order of its column."""
    row: dict[str, float] = {}
    for column in columns:
        row.update(zip(column, accumulate((tall[id_] for id_ in column), initial=0), strict=False))

    def pull(column: list[str], neighbours: Mapping[str, list[str]]) -> None:
        wanted = [fmean(row[name] for name in neighbours[id_]) if neighbours[id_] else row[id_] for id_ in column]
        row.update(zip(column, _spread(wanted, [tall[id_] for id_ in column]), strict=True))

    for _ in range(SWEEPS):
        for column in columns[1:]:
            pull(column, before)
        for column in reversed(columns[:-1]):
            pull(column, after)
    for column in columns[1:]:
        pull(column, before)
    top = min(row.values(), default=0.0)
    found: dict[str, int] = {}
    for column in columns:
        free = 0
        for id_ in column:
            found[id_] = max(free, round(row[id_] - top))
            free = found[id_] + tall[id_]
    return found


def _spread(wanted: Sequence[float], tall: Sequence[int]) -> list[float]:
    """Give the places nearest to those wanted (by squares) at which each box begins below the one before."""
    offset, pools = 0, list[tuple[float, int]]()
    for here, height in zip(wanted, tall, strict=True):
        total, many = here - offset, 1
        while pools and pools[-1][0] / pools[-1][1] >= total / many:
            other, more = pools.pop()
            total, many = total + other, many + more
        pools.append((total, many))
        offset += height
    level = [total / many for total, many in pools for _ in range(many)]
    above = accumulate(tall, initial=0)
    return [here + offset for here, offset in zip(level, above, strict=False)]


def _lines(places: Mapping[str, Place], before: Mapping[str, list[str]], tall: Mapping[str, int]) -> list[Edge]:
    taken: dict[int, list[int]] = defaultdict(list)
    for id_, place in places.items():
        for row in range(place.row, place.row + tall[id_]):
            taken[row].append(place.column)
    for columns in taken.values():
        columns.sort()

    def free(row: int, start: int, end: int) -> bool:
        """Whether no box stands in a row between two columns."""
        columns = taken.get(row, [])
        place = bisect_right(columns, start)
        return place == len(columns) or columns[place] >= end

    edges = []
    for id_, names in before.items():
        there = places[id_]
        for name in names:
            here = places[name]
            if here.column >= there.column:
                continue  # part of a circle
            begin = (here.x + WIDTH, here.y + HEIGHT / 2)
            end = (there.x, there.y + HEIGHT / 2)
            edges.append(Edge(name, id_, (begin, *_corners(here, there, free), end)))
    return edges


def _corners(here: Place, there: Place, free: _Free) -> tuple[Point, ...]:
    """Give where a line turns: along the row of either end where that is free, else through a gap between rows."""
    out, into = here.x + WIDTH + GUTTER, there.x - GUTTER
    if there.column == here.column + 1:
        return ()
    if free(here.row, here.column, there.column):
        return () if here.row == there.row else ((into, here.y + HEIGHT / 2),)
    if free(there.row, here.column, there.column):
        return ((out, there.y + HEIGHT / 2),)
    gap = here.y - GAP / 2 if there.row < here.row else here.y + HEIGHT + GAP / 2
    return ((out, gap), (into, gap))
