"""Numbers as a reader wants them: exact as data, short at a scale, and the same in every locale."""

from decimal import Decimal
from math import floor, log10

from stretto.specialists.report.document import Cell

_NBSP = "\u00a0"
_SUFFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def plain(value: Cell) -> str:
    """Return a cell's text: a number with no float noise and no grouping, a dash for no value."""
    if value is None:
        return "–"
    return _decimal(value) if isinstance(value, float) else str(value)


def quantity(value: Cell) -> str:
    """Return a cell's text as a quantity, with its thousands grouped."""
    if isinstance(value, float):
        return _decimal(value, group=True)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else plain(value)


def measured(value: float, unit: str) -> str:
    """Return a chart's value, whole or to four digits, with its unit, which never wraps away from it."""
    text = drawn_value(value)
    if not unit:
        return text
    return f"{text}%" if unit == "%" else f"{text}{_NBSP}{unit}"


def drawn_value(value: float) -> str:
    """Return a chart's value without its unit: a whole number as it is, any other to four digits."""
    if value == 0 or float(value).is_integer():
        return quantity(value)
    return quantity(round(value, max(0, 3 - floor(log10(abs(value))))))


def tick(value: float) -> str:
    """Return a scale's mark in few letters: 250, 1.5k, 20M."""
    for size, suffix in _SUFFIXES:
        if size <= abs(value) < 1e15:
            return f"{value / size:.6g}{suffix}"
    return f"{value:.6g}"


def _decimal(value: float, *, group: bool = False) -> str:
    # Ten significant digits hide 0.30000000000000004 and lose nothing that was measured.
    short = float(f"{value:.10g}")
    if short == 0:
        return "0"
    if not 1e-6 <= abs(short) < 1e15:
        return f"{short:.10g}"
    written = Decimal(repr(short))  # the shortest decimal that is this float, digit for digit
    text = f"{written:,f}" if group else f"{written:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
