"""`evaluate`: one expression, exactly."""

import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from stretto.specialists.calculate import units as unit
from stretto.specialists.calculate.amounts import exact_text, nearest_float
from stretto.specialists.calculate.functions import FUNCTIONS
from stretto.specialists.calculate.model import BadExpression, Number
from stretto.specialists.calculate.parser import WORDS, Parser
from stretto.specialists.calculate.tokens import KEYWORDS
from stretto.specialists.calculate.values import Value

MOST_VALUES = 10_000
_NAME = re.compile(r"[^\W\d]\w*")


def evaluate(expression: str, values: Mapping[str, object] | None = None) -> Number:
    """Work out an expression exactly: numbers, percentages, units, dates, functions, and named `values`.

    A value is a number, a text like "5 km", or a list of such. Raises BadExpression with the column and the mend.
    """
    parser = Parser(expression, _names(values or {}))
    found = parser.value()
    notes = parser.notes
    if found.rounded:
        notes.append("rounded: the exact result has no last digit; 15 digits are shown")
    elif str(found).startswith("≈"):
        notes.append("the text is rounded to 15 digits; `exact` is not")
    return Number(
        expression=expression,
        text=str(found),
        value=None if found.day else nearest_float(found.amount),
        exact=str(found) if found.day else "" if found.rounded else exact_text(found.amount),
        unit="date" if found.day else unit.text_of(found.units),
        rounded=found.rounded,
        steps=parser.steps,
        notes=notes,
    )


def _names(values: Mapping[str, object]) -> dict[str, Sequence[Value]]:
    found: dict[str, Sequence[Value]] = {}
    count = 0
    for name, given in values.items():
        if not _NAME.fullmatch(name) or name in KEYWORDS or name in WORDS or name in FUNCTIONS:
            raise BadExpression(
                f"a value cannot be called {name!r}",
                mend="names are letters, digits and _, and no function's or keyword",
            )
        listed = given if isinstance(given, list | tuple) else [given]
        count += len(listed)
        if count > MOST_VALUES:
            raise BadExpression(f"more than {MOST_VALUES:,} values", mend="use aggregate for tables")
        found[name] = [_value(one, name) for one in listed]
    return found


def _value(given: object, name: str) -> Value:
    """Read one named value; a float counts as the decimal it is written as."""
    if isinstance(given, bool) or not isinstance(given, int | float | str | Fraction | Decimal):
        raise BadExpression(f"the value {name} is a number or a text like '5 km', not {given!r}")
    if isinstance(given, float) and not math.isfinite(given):
        raise BadExpression(f"the value {name} is {given}, which is no number to work with")
    if isinstance(given, str):
        try:
            return Parser(given, {}).value()
        except BadExpression as error:
            raise BadExpression(f"the value {name} ({given[:60]!r}): {error}") from None
    return Value(Fraction(repr(given)) if isinstance(given, float) else Fraction(given))
