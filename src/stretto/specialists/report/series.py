"""Series: a chart's points, folded until they can be told apart; a fold is always said in words."""

from dataclasses import dataclass
from math import ceil

from stretto.specialists.report.document import Chart
from stretto.specialists.report.numbers import measured
from stretto.specialists.report.prose import one_line, shortened

MOST_BARS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One value with its label, on one line."""

    label: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Points to draw, and a note where they are not the chart's own points one by one."""

    points: tuple[Point, ...]
    note: str = ""


def points(chart: Chart) -> tuple[Point, ...]:
    """Return the chart's points as given."""
    pairs = zip(chart.labels, chart.values, strict=True)
    return tuple(Point(label=one_line(label, otherwise="–"), value=value) for label, value in pairs)


def with_others(given: tuple[Point, ...], most: int = MOST_BARS) -> Series:
    """Keep the largest points in their given order, and sum what is beyond `most` into one last point."""
    if len(given) <= most:
        return Series(points=given)
    by_size = sorted(range(len(given)), key=lambda i: -abs(given[i].value))
    kept = sorted(by_size[: most - 1])
    rest = by_size[most - 1 :]
    others = Point(label=f"{len(rest)} others", value=sum(given[i].value for i in rest))
    note = f"The {len(kept)} largest of {len(given)}; the last bar is the sum of the other {len(rest)}."
    return Series(points=(*(given[i] for i in kept), others), note=note)


def with_wider_buckets(given: tuple[Point, ...], most: int) -> Series:
    """Sum neighbouring points, equally many each, until there are at most `most`."""
    size = ceil(len(given) / most)
    if size <= 1:
        return Series(points=given)
    groups = [given[i : i + size] for i in range(0, len(given), size)]
    return Series(
        points=tuple(Point(label=group[0].label, value=sum(p.value for p in group)) for group in groups),
        note=f"Each column is the sum of {size} neighbouring values.",
    )


def every_nth(given: tuple[Point, ...], most: int) -> Series:
    """Keep every n-th point until there are at most `most`."""
    size = ceil(len(given) / most)
    if size <= 1:
        return Series(points=given)
    return Series(points=given[::size], note=f"Only one of {size} values is shown.")


def heading(chart: Chart) -> str:
    """Return the chart's title with its unit, so that the values need not repeat it."""
    title, unit = one_line(chart.title, otherwise="Chart"), one_line(chart.unit)
    return f"{title} ({unit})" if unit else title


def description(chart: Chart, given: tuple[Point, ...]) -> str:
    """Say in a sentence what a reader would see: how many values, the highest and the lowest."""
    if not given:
        return "No values."
    kind = {"bar": "Bar chart", "line": "Line chart", "timeline": "Columns over time"}[chart.kind]
    high = max(given, key=lambda point: point.value)
    low = min(given, key=lambda point: point.value)
    unit = one_line(chart.unit)
    highest, lowest = (f"{shortened(p.label, 60)} with {measured(p.value, unit)}" for p in (high, low))
    if len(given) == 1:
        return f"{kind} of one value: {highest}."
    return f"{kind} of {len(given)} values, highest {highest}, lowest {lowest}."
