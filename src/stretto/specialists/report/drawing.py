"""Drawings: all that the template needs to draw one chart; what it draws is decided here, not there."""

from dataclasses import dataclass

from stretto.specialists.report.bars import ROW_HEIGHT, bars
from stretto.specialists.report.document import Chart
from stretto.specialists.report.numbers import measured
from stretto.specialists.report.plot import MOST_COLUMNS, PLOT_HEIGHT, Plot, columns, line
from stretto.specialists.report.prose import one_line
from stretto.specialists.report.series import description, points, with_others, with_wider_buckets
from stretto.specialists.report.shapes import Shape

PLOT_TOP = 10

_AXIS_HEIGHT = 26
_LONG_TICK = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """One chart, laid out: bars or a plot, or neither but a note; `rows` are its figures in words."""

    title: str
    unit: str
    description: str
    note: str = ""
    height: int = 0
    bars: tuple[Shape, ...] = ()
    plot: Plot | None = None
    gutter: int = 0
    rows: tuple[tuple[str, str], ...] = ()


def drawn(chart: Chart) -> Drawing:
    """Lay out `chart`, which is sound and clean."""
    given = points(chart)
    unit = one_line(chart.unit)
    title = one_line(chart.title, otherwise="Chart")
    words = description(chart, given)
    if not given:
        return Drawing(title=title, unit=unit, description=words, note=words)
    rows = tuple((point.label, measured(point.value, unit)) for point in given)
    if chart.kind == "bar":
        series = with_others(given)
        return Drawing(
            title=title,
            unit=unit,
            description=words,
            note=series.note,
            height=ROW_HEIGHT * len(series.points),
            bars=bars(series.points),
            rows=rows,
        )
    series = with_wider_buckets(given, MOST_COLUMNS if chart.kind == "timeline" else len(given))
    plot = columns(series.points, unit) if chart.kind == "timeline" else line(series.points, unit)
    return Drawing(
        title=title,
        unit=unit,
        description=words,
        note=series.note,
        height=PLOT_TOP + PLOT_HEIGHT + _AXIS_HEIGHT,
        plot=plot,
        # Two widths, each with a class in the style sheet; the ticks stand in what they leave free.
        gutter=76 if any(len(mark.text) > _LONG_TICK for mark in plot.ticks) else 48,
        rows=rows,
    )
