"""Units: what pint knows of them, asked with exact fractions. Loaded when an expression first names one."""

from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from stretto.core.plan.names import Names
from stretto.specialists.calculate.model import BadExpression

if TYPE_CHECKING:
    from pint import UnitRegistry

Units: TypeAlias = tuple[tuple[str, int], ...]
"""Names of units with their exponents, in the order in which they were first met."""

_CODES = (
    "AED ARS AUD BGN BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR ISK JPY KES KRW KZT MAD MXN MYR "
    "NGN NOK NZD PEN PHP PKR PLN RON RSD RUB SAR SEK SGD THB TRY TWD UAH USD VND ZAR BTC ETH"
)
CURRENCIES = frozenset(_CODES.split())
OFFSET = frozenset({"degree_Celsius", "degree_Fahrenheit", "degree_Reaumur"})
DIFFERENCES = {f"delta_{name}" for name in OFFSET} | {"kelvin", "degree_Rankine"}
MOST_EXPONENT = 12
_ALIASES = {"°C": "degC", "°F": "degF", "°K": "kelvin", "°": "degree", "Δ°C": "delta_degC", "Δ°F": "delta_degF"}
_IRRATIONAL = 10**45
"""pint holds pi to fifty digits: a factor as long as that stands for a number that has no last digit."""


@lru_cache(maxsize=1)
def _registry() -> "UnitRegistry[Any]":
    import pint  # half a second

    found: UnitRegistry[Any] = pint.UnitRegistry(non_int_type=Fraction, cache_folder=None)
    for code in sorted(CURRENCIES):
        found.define(f"{code} = [currency_{code}]")
    return found


@lru_cache(maxsize=4096)
def unit_named(name: str) -> str | None:
    """Give the full name of a unit with its prefix (`kilometer` of `km`), or None when there is none."""
    from pint.errors import UndefinedUnitError

    if name in CURRENCIES:
        return name
    if name.startswith("_") or len(name) > 40:
        return None
    spelt = _ALIASES.get(name, name)
    for one in (spelt, spelt.lower()) if len(spelt) > 3 else (spelt,):  # short signs mean their case: mW is no MW
        try:
            return str(_registry().get_name(one)) or None
        except (UndefinedUnitError, ValueError, TypeError, KeyError, AttributeError):
            continue
    return None


@lru_cache(maxsize=4096)
def symbol(name: str) -> str:
    """Give the sign of a unit: `km` of `kilometer`."""
    if name in CURRENCIES:
        return name
    return str(_registry().get_symbol(name)).replace("delta_°", "Δ°").replace("Δdegree_", "Δ°").replace("Δ°°", "Δ°")


def text_of(units: Units) -> str:
    """Give units as people write them: `km/h`, `kg·m²/s²`."""
    above = "·".join(_raised(name, power) for name, power in units if power > 0)
    below = [_raised(name, -power) for name, power in units if power < 0]
    if not below:
        return above
    if not above:
        return "1/" + "/".join(below)
    return f"{above}/{'/'.join(below)}"


def is_offset(units: Units) -> bool:
    """Whether this is a temperature on a scale whose zero is not no heat."""
    return any(name in OFFSET for name, _ in units)


def difference_of(units: Units) -> Units:
    """Give the unit of differences of an offset temperature."""
    return tuple((f"delta_{name}" if name in OFFSET else name, power) for name, power in units)


def times(left: Units, right: Units) -> tuple[Units, Fraction]:
    """Multiply units: like dimensions are put together, and the factor says by how much."""
    powers = dict(left)
    factor = Fraction(1)
    for name, power in right:
        like = name if name in powers else next((one for one in powers if _alike(one, name)), name)
        if like != name:
            factor *= _factor(((name, 1),), ((like, 1),)) ** power
        powers[like] = powers.get(like, 0) + power
    units = tuple((name, power) for name, power in powers.items() if power)
    if any(abs(power) > MOST_EXPONENT for _, power in units):
        raise BadExpression(f"a unit to a power beyond {MOST_EXPONENT}")
    if len(units) > 1 and not _dimensions(units):
        return (), factor * _factor(units, ())
    return units, factor


def to_power(units: Units, exponent: Fraction) -> Units:
    """Raise units; raises BadExpression unless whole powers come of it."""
    found = tuple((name, power * exponent) for name, power in units)
    if any(power.denominator != 1 for _, power in found):
        raise BadExpression(
            f"{text_of(units)} to the power {exponent} is no unit", mend="convert to a unit whose root there is"
        )
    if any(abs(power) > MOST_EXPONENT for _, power in found):
        raise BadExpression(f"a unit to a power beyond {MOST_EXPONENT}")
    return tuple((name, int(power)) for name, power in found if power)


def converted(amount: Fraction, units: Units, wanted: Units) -> Fraction:
    """Give the amount in other units; raises BadExpression that names both when their dimensions differ."""
    if units == wanted:
        return amount
    if not compatible(units, wanted):
        raise differing(units, wanted)
    if is_offset(units) or is_offset(wanted):
        plain = all(len(one) == 1 and one[0][1] == 1 for one in (units, wanted))
        if not plain or any(name.startswith("delta_") for name, _ in (*units, *wanted)):
            raise BadExpression(
                f"{text_of(units)} and {text_of(wanted)}: a temperature is no difference of temperatures"
            )
        return Fraction(_quantity(amount, units).to(_container(wanted)).magnitude)
    return amount * _factor(units, wanted)


def compatible(left: Units, right: Units) -> bool:
    """Whether one can be converted to the other."""
    return left == right or _dimensions(left) == _dimensions(right)


def differing(left: Units, right: Units) -> BadExpression:
    """Give the error for units that do not go together."""
    if _currencies(left) != _currencies(right) and _currencies(left) and _currencies(right):
        a, b = _currencies(left)[0], _currencies(right)[0]
        return BadExpression(
            f"{a} and {b} do not mix, currencies are not converted", mend=f"say the rate, like 3 {a} * 1.08 {b}/{a}"
        )
    said = [f"{text_of(one)} ({_kind(one)})" if one else "a plain number" for one in (left, right)]
    return BadExpression(f"{said[0]} and {said[1]} do not go together", mend="convert or divide so that units agree")


def irrational(units: Units, wanted: Units) -> bool:
    """Whether the factor between two units has no last digit (angles: it holds pi)."""
    if not units or is_offset(units) or not compatible(units, wanted):
        return False
    factor = _factor(units, wanted)
    return factor.numerator > _IRRATIONAL or factor.denominator > _IRRATIONAL


def suggestion(name: str, known: Iterable[str]) -> str:
    """Give a mend for a name that is neither value, function nor unit."""
    near = Names(lambda: known).nearest(name)
    return f"did you mean {near!r}?" if near else "give it in values, or write a unit like km, kg, h, EUR"


@lru_cache(maxsize=4096)
def _dimensions(units: Units) -> tuple[tuple[str, int], ...]:
    if not units:
        return ()
    found = _registry().get_dimensionality(_container(units))
    return tuple(sorted((str(name), int(Fraction(str(power)))) for name, power in found.items() if power))


def _alike(left: str, right: str) -> bool:
    plain = left not in OFFSET and right not in OFFSET
    return plain and _dimensions(((left, 1),)) == _dimensions(((right, 1),))


@lru_cache(maxsize=4096)
def _factor(units: Units, wanted: Units) -> Fraction:
    return Fraction(_quantity(Fraction(1), units).to(_container(wanted)).magnitude)


def _quantity(amount: Fraction, units: Units) -> Any:
    return _registry().Quantity(amount, _container(units))


def _container(units: Units) -> Any:
    from pint.util import UnitsContainer

    return UnitsContainer({name: Fraction(power) for name, power in units}, non_int_type=Fraction)


def _currencies(units: Units) -> list[str]:
    return sorted(name for name, _ in units if name in CURRENCIES)


def _kind(units: Units) -> str:
    """Name dimensions: `length`, `length/time`."""
    named = tuple((name.strip("[]").removeprefix("currency_"), power) for name, power in _dimensions(units))
    above = "·".join(_powered(name, power) for name, power in named if power > 0) or "1"
    below = "".join("/" + _powered(name, -power) for name, power in named if power < 0)
    return (above + below) if named else "no dimension"


def _raised(name: str, power: int) -> str:
    return _powered(symbol(name), power)


def _powered(name: str, power: int) -> str:
    return name if power == 1 else name + str(power).translate(str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))
