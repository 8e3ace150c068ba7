"""Numbers as they stand in cells of tables: `1,234.5`, `1.234,50`, `12 %`, `$5`, `(300)`, `5 km`."""

import re
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from stretto.core.domain import Json
from stretto.specialists.calculate.amounts import bounded
from stretto.specialists.calculate.model import BadExpression
from stretto.specialists.calculate.tokens import CURRENCY_SIGNS
from stretto.specialists.calculate.units import CURRENCIES, Units, unit_named
from stretto.specialists.calculate.values import Value

EMPTY = frozenset({"", "-", "–", "—", "n/a", "na", "nan", "null", "none", "n.a.", "…"})
LONGEST = 100

_DIGITS = r"\d[\d.,_'’\u00a0\u202f ]*(?:[eE][+-]?\d{1,3})?|\.\d+"
_CELL = re.compile(
    rf"(?P<sign>[-+−(]?)\s*(?P<before>[$€£¥₹₩₽₪]|[A-Z]{{3}}\s)?\s*(?P<inner>[-−]?)(?P<digits>{_DIGITS})\s*"
    r"(?P<after>%|[$€£¥₹₩₽₪]|[^\W\d][\w°/²³^]*|°[CF])?\s*(?P<close>\)?)"
)
_POINT = re.compile(r"\d+(\.\d*)?|\.\d+|\d{1,3}(,\d{3})+(\.\d*)?")
_COMMA = re.compile(r"\d+,\d{1,2}|\d{1,3}(\.\d{3})+(,\d+)|\d{1,3}(\.\d{3}){2,}")


def read_cell(cell: Json) -> Value | None:
    """Give the number of a cell, None for an empty one; raises BadExpression for anything else."""
    if cell is None:
        return None
    if isinstance(cell, bool):
        raise BadExpression(f"{cell} is no number")
    if isinstance(cell, int | float):
        if cell != cell or cell in (float("inf"), float("-inf")):
            return None
        return Value(bounded(Fraction(repr(cell)) if isinstance(cell, float) else Fraction(cell)))
    if not isinstance(cell, str):
        raise BadExpression(f"a {type(cell).__name__} is no number")
    text = cell.strip()
    if text.lower() in EMPTY:
        return None
    found = _CELL.fullmatch(text) if len(text) <= LONGEST else None
    amount = read_digits(found["digits"]) if found else None
    if found is None or amount is None or (found["sign"] == "(") != bool(found["close"]):
        raise BadExpression(f"{text[:40]!r} is no number")
    if (found["sign"] in ("-", "−", "(")) != bool(found["inner"]):
        amount = -amount
    return _with_unit(Value(amount), (found["before"] or "").strip(), found["after"] or "", text)


def read_digits(text: str) -> Fraction | None:
    """Read digits with separators; a comma before one or two last digits is a decimal comma. None when unsure."""
    mantissa, _, exponent = text.strip().lower().partition("e")
    plain = re.sub(r"[_'’\u00a0\u202f ](?=\d{3})", "", mantissa.strip())
    if _POINT.fullmatch(plain):
        plain = plain.replace(",", "")
    elif _COMMA.fullmatch(plain):
        plain = plain.replace(".", "").replace(",", ".")
    else:
        return None
    return Fraction(Decimal(plain)) * Fraction(10) ** int(exponent or 0)


def _with_unit(value: Value, before: str, after: str, text: str) -> Value:
    if after == "%" and not before:
        return replace(value, amount=value.amount / 100, percent=True)
    named = [CURRENCY_SIGNS.get(one, one) for one in (before, after) if one]
    if not named:
        return value
    if len(named) > 1 and named[0] != named[1]:
        raise BadExpression(f"{text[:40]!r} names two units")
    return replace(value, units=_units(named[0], text))


def _units(name: str, text: str) -> Units:
    if name in CURRENCIES:
        return ((name, 1),)
    known = unit_named(name)
    if known is None:
        raise BadExpression(f"{text[:40]!r}: {name!r} is no unit that is known")
    return ((known, 1),)
