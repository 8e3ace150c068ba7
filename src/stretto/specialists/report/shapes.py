"""Shapes: the parts of a chart's SVG; across in per cent, down in pixels, so that text never scales."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A bar, column or dot with its words; `x` and `width` in per cent, `y` and `height` in pixels."""

    x: str
    y: str
    width: str = "0"
    height: str = "0"
    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A text at a scale: its place, its text-anchor, and whether it is left out where the page is narrow."""

    at: str
    text: str
    anchor: str = "end"
    wide: bool = False


def percent(value: float) -> str:
    """Return `value` as an SVG length in per cent."""
    return f"{_short(value, 3)}%"


def pixels(value: float) -> str:
    """Return `value` as an SVG length in pixels."""
    return _short(value, 1)


def _short(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
