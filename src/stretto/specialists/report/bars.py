"""Bars: one row per point, its label above its bar, so that a phone shows what a wide page shows."""

from stretto.specialists.report.numbers import drawn_value
from stretto.specialists.report.prose import shortened
from stretto.specialists.report.scale import Scale
from stretto.specialists.report.series import Point
from stretto.specialists.report.shapes import Shape, percent, pixels

ROW_HEIGHT = 40

# As much as fits on a wide page; a narrow one cuts it where its column ends.
_LABEL = 80
# A value that is not zero always shows: small is not nothing.
_SLIVER = 0.4


def bars(shown: tuple[Point, ...]) -> tuple[Shape, ...]:
    """Return a bar for each point, from zero to its value, the longest span taking the whole width."""
    low = min(0.0, *(point.value for point in shown))
    high = max(0.0, *(point.value for point in shown))
    span = Scale(low=low, high=high if high > low else low + 1.0, ticks=())
    zero = span.place(0.0)
    return tuple(_bar(point, i, span.place(point.value), zero) for i, point in enumerate(shown))


def _bar(point: Point, row: int, end: float, zero: float) -> Shape:
    width = max(abs(end - zero) * 100, _SLIVER if point.value else 0.0)
    return Shape(
        x=percent(min(min(end, zero) * 100, 100 - width)),
        y=pixels(row * ROW_HEIGHT),
        width=percent(width),
        height="8",
        label=shortened(point.label, _LABEL),
        value=drawn_value(point.value),
    )
