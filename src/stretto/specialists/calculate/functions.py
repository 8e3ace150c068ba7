"""The functions that an expression may call."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from stretto.specialists.calculate import units as unit
from stretto.specialists.calculate.amounts import root as exact_root
from stretto.specialists.calculate.amounts import round_half_away, transcendental
from stretto.specialists.calculate.model import BadExpression
from stretto.specialists.calculate.values import (
    Value,
    add,
    alike,
    divide,
    multiply,
    plain,
    raised,
)

LARGEST_FACTORIAL = 1_000
MOST_PLACES = 1_000


@dataclass(frozen=True, slots=True)
class Function:
    """One function: its call as shown in errors, the number of its arguments, and what it does."""

    usage: str
    least: int
    most: int | None
    work: Callable[[Sequence[Value]], Value]


def call(name: str, arguments: Sequence[Value]) -> Value:
    """Call a function by name; raises BadExpression that shows how it is called."""
    found = FUNCTIONS[name]
    if len(arguments) < found.least or (found.most is not None and len(arguments) > found.most):
        raise BadExpression(f"{name} does not take {len(arguments)} values", mend=f"write {found.usage}")
    return found.work(arguments)


def total(values: Sequence[Value]) -> Value:
    """Add values up, in the units of the first."""
    found = alike(values)
    for one in found[1:]:
        if unit.is_offset(one.units):
            add(found[0], one)
    return _like(found, sum((one.amount for one in found), Fraction(0)))


def mean(values: Sequence[Value]) -> Value:
    """Give the arithmetic mean; also of temperatures."""
    found = alike(values)
    _no_dates(found)
    return _like(found, sum((one.amount for one in found), Fraction(0)) / len(found))


def median(values: Sequence[Value]) -> Value:
    """Give the middle value, or the mean of the two in the middle."""
    found = alike(values)
    _no_dates(found)
    return _like(found, percentile_of([one.amount for one in found], Fraction(50)))


def percentile_of(amounts: Sequence[Fraction], rank: Fraction) -> Fraction:
    """Give the percentile by linear interpolation between closest ranks (Hyndman and Fan's type 7, PERCENTILE.INC)."""
    ordered = sorted(amounts)
    place = rank / 100 * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def variance_of(amounts: Sequence[Fraction], *, sample: bool) -> Fraction:
    """Give the variance, of a sample (n - 1) or of the whole; raises BadExpression for too few values."""
    if len(amounts) < (2 if sample else 1):
        raise BadExpression("the spread of a sample needs two values", mend="pstdev is that of a whole population")
    middle = sum(amounts, Fraction(0)) / len(amounts)
    squares = sum(((one - middle) ** 2 for one in amounts), Fraction(0))
    return squares / (len(amounts) - 1 if sample else len(amounts))


def growth(values: Sequence[Value]) -> Value:
    """Give (after - before) / before."""
    before, after = alike(values)
    _no_dates([before])
    if before.amount <= 0 or unit.is_offset(before.units):
        raise BadExpression(f"growth from {before} means nothing", mend="it begins above zero")
    return Value((after.amount - before.amount) / before.amount, (), before.rounded or after.rounded, percent=True)


def cagr(values: Sequence[Value]) -> Value:
    """Give the compound growth per period: (last / first) ^ (1 / periods) - 1."""
    first, last = alike(values[:2])
    periods = plain(values[2], "the number of periods") if not values[2].units else values[2].amount
    if first.amount <= 0 or last.amount < 0 or periods <= 0:
        raise BadExpression("compound growth needs a first value and a number of periods above zero")
    ratio = raised(divide(first, first) if last == first else divide(last, first), Value(1 / periods))
    return Value(ratio.amount - 1, (), ratio.rounded or first.rounded, percent=True)


def _share(values: Sequence[Value]) -> Value:
    part, whole = alike(values)
    found = divide(part, whole)
    return replace(found, percent=True)


def _extreme(choose: Callable[[Sequence[Value]], Value]) -> Callable[[Sequence[Value]], Value]:
    return lambda values: choose(alike(values))


def _percentile(values: Sequence[Value]) -> Value:
    rank = values[0].amount * 100 if values[0].percent else plain(values[0], "a percentile")
    if not 0 <= rank <= 100:
        raise BadExpression("a percentile is from 0 to 100")
    found = alike(values[1:])
    _no_dates(found)
    return _like(found, percentile_of([one.amount for one in found], rank))


def _spread(*, sample: bool, squared: bool) -> Callable[[Sequence[Value]], Value]:
    def work(values: Sequence[Value]) -> Value:
        found = alike(values)
        _no_dates(found)
        variance = variance_of([one.amount for one in found], sample=sample)
        units = unit.difference_of(found[0].units)
        rounded = any(one.rounded for one in found)
        if squared:
            return Value(variance, unit.to_power(units, Fraction(2)), rounded)
        amount, cut = exact_root(variance, 2)
        return Value(amount, units, rounded or cut, all(one.percent for one in found))

    return work


def _product(values: Sequence[Value]) -> Value:
    found = values[0]
    for one in values[1:]:
        found = multiply(found, one)
    return found


def _root(degree: int) -> Callable[[Sequence[Value]], Value]:
    def work(values: Sequence[Value]) -> Value:
        if values[0].day or unit.is_offset(values[0].units):
            raise BadExpression(f"{values[0]} has no root")
        amount, cut = exact_root(values[0].amount, degree)
        return Value(amount, unit.to_power(values[0].units, Fraction(1, degree)), cut or values[0].rounded)

    return work


def _any_root(values: Sequence[Value]) -> Value:
    degree = _whole(values[1], "the degree of a root")
    if not 1 <= degree <= 1_000:
        raise BadExpression("the degree of a root is from 1 to 1000")
    return _root(degree)(values)


def _rounding(how: Callable[[Fraction], Fraction]) -> Callable[[Sequence[Value]], Value]:
    def work(values: Sequence[Value]) -> Value:
        one = values[0]
        places = _whole(values[1], "the number of places") if len(values) > 1 else 0
        if abs(places) > MOST_PLACES:
            raise BadExpression(f"the number of places is at most {MOST_PLACES}")
        _no_dates([one])
        scale = Fraction(10) ** (places + 2 if one.percent else places)  # a percentage is rounded as it is shown
        return replace(one, amount=how(one.amount * scale) / scale)

    return work


def _logarithm(base: int) -> Callable[[Sequence[Value]], Value]:
    def work(values: Sequence[Value]) -> Value:
        amount = plain(values[0], "the argument of a logarithm")
        if base == 10:
            return _log10(amount)
        return Value(transcendental("ln", amount) / transcendental("ln", Fraction(base)), rounded=True)

    return work


def _log10(amount: Fraction) -> Value:
    found = transcendental("log10", amount)
    nearest = round_half_away(found)
    exact = abs(nearest) < MOST_PLACES and Fraction(10) ** int(nearest) == amount
    return Value(nearest if exact else found, rounded=not exact)


def _log(values: Sequence[Value]) -> Value:
    amount, base = (plain(one, "the argument of a logarithm") for one in values)
    if base <= 0 or base == 1:
        raise BadExpression("the base of a logarithm is above zero and not 1")
    found = transcendental("ln", amount) / transcendental("ln", base)
    nearest = round_half_away(found)
    exact = abs(nearest) < MOST_PLACES and abs(found - nearest) < Fraction(1, 10**20) and base ** int(nearest) == amount
    return Value(nearest if exact else found, rounded=not exact)


def _natural(name: str) -> Callable[[Sequence[Value]], Value]:
    def work(values: Sequence[Value]) -> Value:
        amount = plain(values[0], f"the argument of {name}")
        if amount == (0 if name == "exp" else 1):
            return Value(1 - amount)
        return Value(transcendental(name, amount), rounded=True)

    return work


def _factorial(values: Sequence[Value]) -> Value:
    number = _whole(values[0], "the argument of a factorial")
    if not 0 <= number <= LARGEST_FACTORIAL:
        raise BadExpression(f"a factorial is of 0 to {LARGEST_FACTORIAL}")
    return Value(Fraction(math.factorial(number)))


def _choices(how: Callable[[int, int], int]) -> Callable[[Sequence[Value]], Value]:
    def work(values: Sequence[Value]) -> Value:
        of, taken = (_whole(one, "each argument") for one in values)
        if not (0 <= of <= 10 * LARGEST_FACTORIAL and 0 <= taken <= LARGEST_FACTORIAL):
            raise BadExpression(f"it counts up to {LARGEST_FACTORIAL} of {10 * LARGEST_FACTORIAL}")
        return Value(Fraction(how(of, taken)))

    return work


def _whole_numbers(how: Callable[..., int]) -> Callable[[Sequence[Value]], Value]:
    return lambda values: Value(Fraction(how(*(_whole(one, "each argument") for one in values))))


def remainder(left: Value, right: Value) -> Value:
    """Give what is left after whole divisions, with the sign of the divisor."""
    one, other = alike([left, right])
    _no_dates([one])
    if other.amount == 0:
        raise BadExpression("a division by zero")
    return Value(one.amount % other.amount, one.units, one.rounded or other.rounded)


def _days(values: Sequence[Value]) -> Value:
    if not all(one.day for one in values):
        raise BadExpression("days is of two dates", mend="write days(2026-01-01, 2026-03-01)")
    return add(values[1], values[0], -1)


def _whole(value: Value, what: str) -> int:
    amount = plain(value, what)
    if amount.denominator != 1:
        raise BadExpression(f"{what} is a whole number, not {value}")
    return int(amount)


def _no_dates(values: Sequence[Value]) -> None:
    if any(one.day for one in values):
        raise BadExpression("dates cannot be put together so", mend="min, max and differences are possible")


def _like(values: Sequence[Value], amount: Fraction) -> Value:
    """Give an amount in the units of values that are alike."""
    _no_dates(values)
    percent, rounded = all(one.percent for one in values), any(one.rounded for one in values)
    return Value(amount, values[0].units, rounded, percent)


def _magnitude(values: Sequence[Value]) -> Value:
    _no_dates(values)
    return replace(values[0], amount=abs(values[0].amount))


_MEAN = Function("mean(a, b, ...)", 1, None, mean)
FUNCTIONS = {
    "sum": Function("sum(a, b, ...)", 1, None, total),
    "mean": _MEAN,
    "average": _MEAN,
    "avg": _MEAN,
    "median": Function("median(a, b, ...)", 1, None, median),
    "min": Function("min(a, b, ...)", 1, None, _extreme(lambda found: min(found, key=lambda one: one.amount))),
    "max": Function("max(a, b, ...)", 1, None, _extreme(lambda found: max(found, key=lambda one: one.amount))),
    "count": Function("count(a, b, ...)", 1, None, lambda values: Value(Fraction(len(values)))),
    "product": Function("product(a, b, ...)", 1, None, _product),
    "stdev": Function("stdev(a, b, ...)", 2, None, _spread(sample=True, squared=False)),
    "pstdev": Function("pstdev(a, b, ...)", 1, None, _spread(sample=False, squared=False)),
    "variance": Function("variance(a, b, ...)", 2, None, _spread(sample=True, squared=True)),
    "pvariance": Function("pvariance(a, b, ...)", 1, None, _spread(sample=False, squared=True)),
    "percentile": Function("percentile(90, a, b, ...)", 2, None, _percentile),
    "growth": Function("growth(before, after)", 2, 2, growth),
    "cagr": Function("cagr(first, last, periods)", 3, 3, cagr),
    "share": Function("share(part, whole)", 2, 2, _share),
    "abs": Function("abs(a)", 1, 1, _magnitude),
    "sqrt": Function("sqrt(a)", 1, 1, _root(2)),
    "cbrt": Function("cbrt(a)", 1, 1, _root(3)),
    "root": Function("root(a, degree)", 2, 2, _any_root),
    "round": Function("round(a) or round(a, places)", 1, 2, _rounding(round_half_away)),
    "floor": Function("floor(a) or floor(a, places)", 1, 2, _rounding(lambda one: Fraction(math.floor(one)))),
    "ceil": Function("ceil(a) or ceil(a, places)", 1, 2, _rounding(lambda one: Fraction(math.ceil(one)))),
    "trunc": Function("trunc(a) or trunc(a, places)", 1, 2, _rounding(lambda one: Fraction(math.trunc(one)))),
    "exp": Function("exp(a)", 1, 1, _natural("exp")),
    "ln": Function("ln(a)", 1, 1, _natural("ln")),
    "log": Function("log(a, base)", 2, 2, _log),
    "log10": Function("log10(a)", 1, 1, _logarithm(10)),
    "log2": Function("log2(a)", 1, 1, lambda values: _log([*values, Value(Fraction(2))])),
    "factorial": Function("factorial(n)", 1, 1, _factorial),
    "comb": Function("comb(n, k)", 2, 2, _choices(math.comb)),
    "perm": Function("perm(n, k)", 2, 2, _choices(math.perm)),
    "gcd": Function("gcd(a, b, ...)", 1, None, _whole_numbers(math.gcd)),
    "lcm": Function("lcm(a, b, ...)", 1, 20, _whole_numbers(math.lcm)),
    "mod": Function("mod(a, b)", 2, 2, lambda values: remainder(values[0], values[1])),
    "days": Function("days(from, to)", 2, 2, _days),
}
