"""Exact amounts: fractions, their texts, powers and roots, with bounds on how large they may grow."""

import math
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, InvalidOperation, Overflow
from fractions import Fraction

from stretto.specialists.calculate.model import BadExpression

MOST_BITS = 13_000
"""Of a numerator or denominator: about 3,900 decimal digits."""
SHOWN_DIGITS = 15
WORKING_DIGITS = 50
_LONGEST_DECIMAL = 60
_WORK = Context(prec=WORKING_DIGITS, Emax=MAX_EMAX, Emin=MIN_EMIN)


def bounded(amount: Fraction) -> Fraction:
    """Give the amount; raises BadExpression when it has grown beyond what can be worked with."""
    if amount.numerator.bit_length() > MOST_BITS or amount.denominator.bit_length() > MOST_BITS:
        raise BadExpression(
            f"a number in it has more than {int(MOST_BITS * math.log10(2)):,} digits", mend="round or scale on the way"
        )
    return amount


def power(base: Fraction, exponent: Fraction) -> tuple[Fraction, bool]:
    """Give base to the exponent, and whether it had to be rounded; raises BadExpression."""
    if base == 0 and exponent < 0:
        raise BadExpression("zero to a negative power is a division by zero")
    if base in (0, 1) and exponent.denominator == 1:
        return (Fraction(1) if exponent == 0 else base), False
    bits = max(base.numerator.bit_length(), base.denominator.bit_length()) - (abs(base) == 1)
    if bits * abs(exponent) > MOST_BITS + bits:
        raise BadExpression(
            f"the power has more than {int(MOST_BITS * math.log10(2)):,} digits", mend="take a smaller exponent"
        )
    if exponent.denominator == 1:
        return bounded(base ** int(exponent)), False
    rooted, rounded = root(base, exponent.denominator)
    if not rounded:
        return bounded(rooted ** int(exponent.numerator)), False
    if base < 0:
        raise BadExpression("a negative number has no such power among the real numbers")
    return from_decimal(_WORK.power(to_decimal(base), to_decimal(exponent))), True


def root(amount: Fraction, degree: int) -> tuple[Fraction, bool]:
    """Give the real root of a degree above 0, and whether it had to be rounded; raises BadExpression."""
    if amount < 0:
        if degree % 2 == 0:
            raise BadExpression("a negative number has no even root among the real numbers")
        found, rounded = root(-amount, degree)
        return -found, rounded
    top, bottom = _whole_root(amount.numerator, degree), _whole_root(amount.denominator, degree)
    if top is not None and bottom is not None:
        return Fraction(top, bottom), False
    if degree == 2:
        return from_decimal(_WORK.sqrt(to_decimal(amount))), True
    return from_decimal(_WORK.power(to_decimal(amount), _WORK.divide(Decimal(1), Decimal(degree)))), True


def to_decimal(amount: Fraction) -> Decimal:
    """Give the amount to the working digits."""
    return _WORK.divide(Decimal(amount.numerator), Decimal(amount.denominator))


def from_decimal(number: Decimal) -> Fraction:
    """Give a decimal as a fraction; raises BadExpression beyond bounds."""
    if not number.is_finite() or abs(number.adjusted()) > MOST_BITS // 4:
        raise BadExpression("the result is too large or too small to work with")
    return bounded(Fraction(number))


def transcendental(name: str, amount: Fraction) -> Fraction:
    """Give exp, ln or log10 to the working digits; raises BadExpression."""
    number = to_decimal(amount)
    if name != "exp" and amount <= 0:
        raise BadExpression(f"{name} is for numbers above zero")
    if name == "exp" and abs(amount) > 5_000:
        raise BadExpression("the result is too large or too small to work with")
    try:
        return from_decimal(getattr(_WORK, name)(number))
    except (Overflow, InvalidOperation):
        raise BadExpression("the result is too large or too small to work with") from None


def decimal_text(amount: Fraction) -> str | None:
    """Give the decimal that the amount exactly is, or None when it never ends or is very long."""
    rest, twos, fives = amount.denominator, 0, 0
    twos = (rest & -rest).bit_length() - 1
    rest >>= twos
    while rest % 5 == 0 and fives <= _LONGEST_DECIMAL:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives)
    if rest != 1 or places > _LONGEST_DECIMAL:
        return None
    digits = str(abs(amount.numerator) * 10**places // amount.denominator).rjust(places + 1, "0")
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return f"-{text}" if amount < 0 else text


def exact_text(amount: Fraction) -> str:
    """Give the amount as a decimal, or as a fraction where that would never end."""
    return decimal_text(amount) or f"{amount.numerator}/{amount.denominator}"


def rounded_text(amount: Fraction, digits: int = SHOWN_DIGITS) -> str:
    """Give the amount to so many significant digits, without trailing zeros."""
    shown = Context(prec=digits, Emax=MAX_EMAX, Emin=MIN_EMIN).plus(to_decimal(amount)).normalize(_WORK)
    return f"{shown:f}" if -7 < shown.adjusted() < 21 else f"{shown:e}"


def nearest_float(amount: Fraction) -> float | None:
    """Give the nearest float, or None beyond its range."""
    try:
        return float(amount)
    except OverflowError:
        return None


def round_half_away(amount: Fraction, places: int = 0) -> Fraction:
    """Round as on paper: halves go away from zero. `places` may be negative."""
    scale = Fraction(10) ** places
    whole = math.floor(abs(amount) * scale + Fraction(1, 2))
    return Fraction(whole if amount >= 0 else -whole) / scale


def _whole_root(number: int, degree: int) -> int | None:
    """Give the whole number whose power this is, or None."""
    if number < 2:
        return number
    if degree >= number.bit_length():
        return None
    if degree == 2:
        found = math.isqrt(number)
        return found if found * found == number else None
    low, high = 1, 1 << (number.bit_length() // degree + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**degree <= number else (low, middle - 1)
    return low if low**degree == number else None
