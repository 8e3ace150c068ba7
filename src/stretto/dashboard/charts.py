"""Small charts of our own: a line over weeks, drawn as SVG, with the same told in words."""

from collections.abc import Callable, Mapping
from html import escape
from typing import Final

from stretto.dashboard.parts import Tag

WIDTH, HEIGHT, EDGE = 240, 56, 5
MOST_WEEKS: Final = 26


def weekly(name: str, weeks: Mapping[str, float | None], bound: float | None, told: Callable[[float], str]) -> None:
    """Draw a number week by week, with what it should be as a broken line; nothing before there are two weeks."""
    known = [(week, value) for week, value in sorted(weeks.items()) if value is not None][-MOST_WEEKS:]
    if len(known) < 2:
        return
    spoken = f"{name} by week: " + ", ".join(f"{week} {told(value)}" for week, value in known)
    Tag("div", "chart", role="img", aria_label=spoken, innerHTML=line_chart(known, bound, told))


def line_chart(known: list[tuple[str, float]], bound: float | None, told: Callable[[float], str]) -> str:
    """Give the SVG of at least two values by week."""
    values = [value for _, value in known] + ([bound] if bound is not None else [])
    low, high = min(values), max(values)
    scale = (HEIGHT - 2 * EDGE) / (high - low) if high > low else 0.0

    def y(value: float) -> float:
        return HEIGHT - EDGE - (value - low) * scale if scale else HEIGHT / 2

    step = (WIDTH - 2 * EDGE) / (len(known) - 1)
    places = [(EDGE + number * step, y(value)) for number, (_, value) in enumerate(known)]
    line = " ".join(f"{across:.1f},{down:.1f}" for across, down in places)
    dots = "".join(
        f'<circle cx="{across:.1f}" cy="{down:.1f}" r="2.5"><title>{escape(f"{week}: {told(value)}")}</title></circle>'
        for (across, down), (week, value) in zip(places, known, strict=True)
    )
    target = (
        f'<line class="target" x1="{EDGE}" x2="{WIDTH - EDGE}" y1="{y(bound):.1f}" y2="{y(bound):.1f}"/>'
        if bound is not None
        else ""
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true">{target}'
        f'<polyline points="{line}"/>{dots}</svg>'
    )
