"""Values with units, and the arithmetic on them. Every operation is exact, or says that it was rounded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from stretto.specialists.calculate import units as unit
from stretto.specialists.calculate.amounts import bounded, exact_text, power, rounded_text
from stretto.specialists.calculate.model import BadExpression
from stretto.specialists.calculate.units import Units

LONGEST_SHOWN = 40
"""Characters of a number; one that is longer is shown rounded."""
DAYS: Units = (("day", 1),)


@dataclass(frozen=True, slots=True)
class Value:
    """An amount in units. `percent` marks a ratio that is shown as one; `day` a date, whose amount is its number."""

    amount: Fraction
    units: Units = ()
    rounded: bool = False
    percent: bool = False
    day: bool = False

    def __str__(self) -> str:
        if self.day:
            return date.fromordinal(int(self.amount)).isoformat()
        shown = self.amount * 100 if self.percent else self.amount
        exact = exact_text(shown)
        text = f"≈ {rounded_text(shown)}" if self.rounded or "/" in exact or len(exact) > LONGEST_SHOWN else exact
        return f"{text} %" if self.percent else f"{text} {unit.text_of(self.units)}".rstrip()


def plain(value: Value, what: str) -> Fraction:
    """Give the amount of a number without unit; raises BadExpression."""
    if value.day:
        raise BadExpression(f"{what} is a number, not the date {value}")
    if value.units:
        if not unit.compatible(value.units, ()):
            raise BadExpression(f"{what} is a plain number, not {value}", mend="divide by its unit first")
        return unit.converted(value.amount, value.units, ())
    return value.amount


def negative(value: Value) -> Value:
    """Give the value with its sign changed."""
    if value.day:
        raise BadExpression("a date has no sign")
    return replace(value, amount=-value.amount)


def add(left: Value, right: Value, sign: int = 1) -> Value:
    """Add, or take away with sign -1; raises BadExpression that names both units when they differ."""
    if left.day or right.day:
        return _dates(left, right, sign)
    rounded = left.rounded or right.rounded
    if right.percent and not left.percent:  # as on a pocket calculator: 10 % more
        _refuse_offset(left)
        return replace(left, amount=bounded(left.amount * (1 + sign * right.amount)), rounded=rounded)
    if unit.is_offset(left.units) or unit.is_offset(right.units):
        return _temperatures(left, right, sign)
    if left.units != right.units:
        # zero has no need of a unit: sums may begin with it
        if not left.amount and not left.units:
            left = replace(left, units=right.units)
        elif right.amount or right.units:
            if not unit.compatible(left.units, right.units):
                raise unit.differing(left.units, right.units)
            right = convert(right, left.units)
    percent = left.percent and right.percent
    amount = bounded(left.amount + sign * right.amount)
    return Value(amount, left.units, rounded or right.rounded, percent)


def multiply(left: Value, right: Value) -> Value:
    """Multiply; like dimensions are put together."""
    return _product(left, right.amount, right.units, right)


def divide(left: Value, right: Value) -> Value:
    """Divide; raises BadExpression for a division by zero."""
    if right.amount == 0 and not right.day:
        raise BadExpression("a division by zero")
    inverse = 1 / right.amount if right.amount else Fraction(0)
    found = _product(left, inverse, tuple((name, -power) for name, power in right.units), right)
    return replace(found, percent=left.percent and not right.units and not right.percent)


def raised(left: Value, right: Value) -> Value:
    """Raise to a power; exact where the root is."""
    exponent = plain(right, "an exponent")
    _refuse_offset(left)
    if left.day:
        raise BadExpression("a date has no powers")
    amount, rounded = power(left.amount, exponent)
    return Value(amount, unit.to_power(left.units, exponent), rounded or left.rounded or right.rounded)


def convert(value: Value, units: Units) -> Value:
    """Give the value in other units; raises BadExpression."""
    if value.day:
        raise BadExpression("a date has no units")
    amount = bounded(unit.converted(value.amount, value.units, units))
    return Value(amount, units, value.rounded or unit.irrational(value.units, units))


def alike(values: Sequence[Value]) -> list[Value]:
    """Give all values in the units of the first; raises BadExpression, also when there is none."""
    if not values:
        raise BadExpression("it needs at least one value")
    if all(one.day for one in values):
        return list(values)
    if any(one.day for one in values):
        raise BadExpression("dates and numbers do not mix")
    wanted = values[0].units
    return [one if one.units == wanted else convert(one, wanted) for one in values]


def _product(left: Value, amount: Fraction, units: Units, right: Value) -> Value:
    if left.day or right.day:
        raise BadExpression("dates are not multiplied or divided")
    rounded = left.rounded or right.rounded
    both = left.percent and right.percent
    if not left.units and not units:
        return Value(bounded(left.amount * amount), (), rounded, both)
    if (left.units and units) or not (left.units or right.units):
        _refuse_offset(left)
        _refuse_offset(right)
    elif unit.is_offset(left.units) or unit.is_offset(right.units):
        _refuse_offset(left if unit.is_offset(left.units) else right)
    together, factor = unit.times(left.units, units)
    irrational = factor.numerator > 10**45 or factor.denominator > 10**45
    return Value(bounded(left.amount * amount * factor), together, rounded or irrational)


def _temperatures(left: Value, right: Value, sign: int) -> Value:
    rounded = left.rounded or right.rounded
    if not unit.compatible(left.units, right.units):
        raise unit.differing(left.units, right.units)
    if unit.is_offset(left.units) and unit.is_offset(right.units):
        if sign > 0:
            raise BadExpression(
                "two temperatures have no sum", mend="add a difference, like 20 degC + 5 delta_degC, or take their mean"
            )
        other = unit.converted(right.amount, right.units, left.units)
        return Value(left.amount - other, unit.difference_of(left.units), rounded)
    if unit.is_offset(right.units):
        raise BadExpression(f"{left} and {right}: begin with the temperature, then add or take away the difference")
    step = unit.converted(right.amount, right.units, unit.difference_of(left.units))
    return Value(left.amount + sign * step, left.units, rounded)


def _dates(left: Value, right: Value, sign: int) -> Value:
    if left.day and right.day and sign < 0:
        return Value(left.amount - right.amount, DAYS)
    if left.day and not right.day and right.units:
        days = unit.converted(right.amount, right.units, DAYS)
        if days.denominator != 1:
            raise BadExpression(f"{right} is no whole number of days", mend="a date goes on by whole days or weeks")
        found = int(left.amount) + sign * int(days)
        if not 1 <= found <= date.max.toordinal():
            raise BadExpression("the date is outside the years 1 to 9999")
        return Value(Fraction(found), day=True)
    raise BadExpression("of dates there are differences, and days or weeks added", mend="like 2026-03-01 + 30 days")


def _refuse_offset(value: Value) -> None:
    if unit.is_offset(value.units):
        raise BadExpression(
            f"{value} is on a scale without a true zero and cannot be scaled", mend="convert first: (20 degC in K)"
        )
