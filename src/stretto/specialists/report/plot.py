"""Plots: points in order across an area with a scale at its side, as columns or as a line with dots."""

import re
from dataclasses import dataclass

from stretto.specialists.report.numbers import measured, tick
from stretto.specialists.report.prose import shortened
from stretto.specialists.report.scale import Scale, scale
from stretto.specialists.report.series import Point
from stretto.specialists.report.shapes import Mark, Shape, percent, pixels

PLOT_HEIGHT = 180
MOST_COLUMNS = 120

# More dots than this hide the line; what they say is in the figures below the chart.
_MOST_DOTS = 40
_AXIS_LABEL = 18
_DAY = re.compile(r"\d{4}-\d\d-\d\d[ T](?=\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A plot's parts; `line` and `area` are path data 1000 units wide, empty for columns."""

    shapes: tuple[Shape, ...]
    line: str = ""
    area: str = ""
    baseline: str
    ticks: tuple[Mark, ...]
    axis: tuple[Mark, ...]


def columns(shown: tuple[Point, ...], unit: str) -> Plot:
    """Return a column per point, from zero, left to right."""
    span = scale(tuple(point.value for point in shown), from_zero=True)
    each = 100 / len(shown)
    return Plot(
        shapes=tuple(_column(point, i * each, each, span, unit) for i, point in enumerate(shown)),
        baseline=_down(span, 0.0),
        ticks=_ticks(span),
        axis=_axis(shown, tuple((i + 0.5) * each for i in range(len(shown)))),
    )


def line(shown: tuple[Point, ...], unit: str) -> Plot:
    """Return a line through the points, the first at the left edge and the last at the right one."""
    span = scale(tuple(point.value for point in shown), from_zero=False)
    last = len(shown) - 1
    across = tuple(i * 100 / last for i in range(last + 1)) if last else (50.0,)
    down = [_down(span, point.value) for point in shown]
    baseline = _down(span, 0.0)
    path = "L".join(f"{x * 10:.2f} {y}" for x, y in zip(across, down, strict=True))
    dots = tuple(
        Shape(x=percent(x), y=y, label=point.label, value=measured(point.value, unit))
        for x, y, point in zip(across, down, shown, strict=True)
    )
    return Plot(
        shapes=dots if len(dots) <= _MOST_DOTS else (),
        line=f"M{path}",
        area=f"M{across[0] * 10:.2f} {baseline}L{path}L{across[-1] * 10:.2f} {baseline}Z",
        baseline=baseline,
        ticks=_ticks(span),
        axis=_axis(shown, across),
    )


def _column(point: Point, left: float, each: float, span: Scale, unit: str) -> Shape:
    zero, end = span.place(0.0) * PLOT_HEIGHT, span.place(point.value) * PLOT_HEIGHT
    # A value too small to see still shows one pixel, on its own side of zero.
    height = max(abs(end - zero), 1.0 if point.value else 0.0)
    top = PLOT_HEIGHT - zero - (height if point.value > 0 else 0.0)
    return Shape(
        x=percent(left + 0.09 * each),
        y=pixels(top),
        width=percent(0.82 * each),
        height=pixels(height),
        label=point.label,
        value=measured(point.value, unit),
    )


def _ticks(span: Scale) -> tuple[Mark, ...]:
    return tuple(Mark(at=_down(span, value), text=tick(value)) for value in span.ticks)


def _axis(shown: tuple[Point, ...], across: tuple[float, ...]) -> tuple[Mark, ...]:
    last = len(shown) - 1
    # Of times within one day, only the first needs to say the day.
    day = _shared_day(shown)
    texts = [shortened(point.label[len(day) if i else 0 :], _AXIS_LABEL) for i, point in enumerate(shown)]
    if last == 0:
        return (Mark(at="50%", text=texts[0], anchor="middle"),)
    marks = [Mark(at="0%", text=texts[0], anchor="start")]
    for quarter in (1, 2, 3) if last >= 8 else (2,) if last % 2 == 0 else ():
        i = round(last * quarter / 4)
        narrow = quarter == 2 and len(texts[i]) <= 8
        marks.append(Mark(at=percent(across[i]), text=texts[i], anchor="middle", wide=not narrow))
    marks.append(Mark(at="100%", text=texts[last], anchor="end"))
    return tuple(marks)


def _shared_day(shown: tuple[Point, ...]) -> str:
    found = _DAY.match(shown[0].label)
    return found[0] if found and all(point.label.startswith(found[0]) for point in shown) else ""


def _down(span: Scale, value: float) -> str:
    return pixels((1 - span.place(value)) * PLOT_HEIGHT)
