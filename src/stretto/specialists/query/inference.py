"""Which type a column of texts has; its law: no digit of a file is lost, so what cannot be kept exactly stays text."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

from .model import Value

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "\\n", "-", "#n/a"})
"""What stands for no value in a column of numbers or dates, in lower case."""

_INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,18})")
_DECIMAL = re.compile(r"[+-]?(?:(?:0|[1-9][0-9]{0,40})(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?")
_SURE = 15
"""A double holds any decimal number of so many digits (IEEE 754)."""
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATETIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_NUMBERISH = re.compile(r"[+-]?[$€£]? ?[0-9][0-9., '_]*(?:[eE][+-]?[0-9]+)?[%€$]?|\([0-9][0-9.,]*\)")
_THOUSANDS = re.compile(r"[+-]?[$€£]? ?[0-9]{1,3}(?:[,.' _][0-9]{3})+(?:[.,][0-9]+)?[%€$]?")
_LEADING_ZERO = re.compile(r"[+-]?0[0-9]+.*")


def is_integer(text: str) -> bool:
    """Whether a text is a whole number of 64 bits without leading zeros."""
    return _INTEGER.fullmatch(text) is not None and -(1 << 63) <= int(text) < 1 << 63


def is_decimal(text: str) -> bool:
    """Whether a text is a decimal number that a double gives back digit for digit."""
    if _DECIMAL.fullmatch(text) is None:
        return False
    if len(text) <= _SURE and "e" not in text and "E" not in text:
        return True
    number = float(text)
    return number - number == 0 and Decimal(repr(number)) == Decimal(text)


def is_date(text: str) -> bool:
    """Whether a text is a day as ISO 8601 writes it."""
    return _DATE.fullmatch(text) is not None and _exists(date.fromisoformat, text)


def is_datetime(text: str) -> bool:
    """Whether a text is a day or a moment as ISO 8601 writes it."""
    return _DATETIME.fullmatch(text) is not None and _exists(datetime.fromisoformat, text)


_FITS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("integer", is_integer),
    ("decimal", is_decimal),
    ("date", is_date),
    ("datetime", is_datetime),
)


class Inference:
    """The type of one column, found from all its values: integer, decimal, date, datetime, or else text."""

    def __init__(self) -> None:
        self._possible = _FITS
        self._numberish = True
        self._some = False
        self._missing: set[str] = set()
        self._example: dict[str, str] = {}

    def see(self, values: Iterable[str]) -> None:
        """Take some more values into account."""
        if not self._possible and not self._numberish:
            return
        telling = {value.strip() for value in values}
        missing = {value for value in telling if value.lower() in MISSING}
        self._missing |= missing - {""}
        telling -= missing
        self._some = self._some or bool(telling)
        self._possible = tuple((kind, fits) for kind, fits in self._possible if all(map(fits, telling)))
        if not self._possible and self._numberish:
            self._note_numbers(telling)

    @property
    def kind(self) -> str:
        """The type that fits every value seen."""
        return self._possible[0][0] if self._possible and self._some else "text"

    @property
    def notes(self) -> list[str]:
        """What a reader should know of the column."""
        if self.kind != "text":
            return [f"{', '.join(sorted(self._missing))} read as null"] if self._missing else []
        if not self._numberish or not self._some:
            return []
        return [f"left as text: {what}, such as {example}" for what, example in sorted(self._example.items())]

    def _note_numbers(self, values: Iterable[str]) -> None:
        """Note why a column of numbers is left as text."""
        for value in sorted(values):
            if _NUMBERISH.fullmatch(value) is None:
                self._numberish = False
                return
            if _LEADING_ZERO.fullmatch(value):
                self._example.setdefault("leading zeros", value)
            elif _THOUSANDS.fullmatch(value):
                self._example.setdefault("numbers with thousands separators", value)
            elif not (is_integer(value) or is_decimal(value)):
                self._example.setdefault("numbers written otherwise or too long to be exact", value)


def converted(values: Sequence[str], kind: str) -> Sequence[Value]:
    """Give the values of a column as its type has them; empty and blank ones as None."""
    if kind in ("integer", "decimal"):
        number: Callable[[str], Value] = int if kind == "integer" else float
        try:
            return [number(value) for value in values]
        except ValueError:
            return [None if value.strip().lower() in MISSING else number(value) for value in values]
    if kind in ("date", "datetime"):
        return [None if (day := value.strip()).lower() in MISSING else day for value in values]
    return [value if value and not value.isspace() else None for value in values]


def _exists(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True
