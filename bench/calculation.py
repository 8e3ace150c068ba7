"""How often `calculate` is right: `python bench/calculation.py`.

Random expressions are written beside their results, which come from the standard library's fractions and from a
table of units of its own: nothing of the evaluator is used to know the truth. Every result must be equal as a
fraction; roots that never end must agree to 14 digits.
"""

import argparse
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction

from stretto.specialists.calculate import evaluate

LENGTHS = {"mm": "0.001", "cm": "0.01", "m": "1", "km": "1000", "mile": "1609.344", "ft": "0.3048", "inch": "0.0254"}
MASSES = {"g": "0.001", "kg": "1", "t": "1000", "lb": "0.45359237", "mg": "0.000001"}
TIMES = {"s": "1", "min": "60", "h": "3600", "day": "86400", "week": "604800", "ms": "0.001"}
DIMENSIONS = (LENGTHS, MASSES, TIMES)

Case = tuple[str, Fraction]


class Writer:
    """Writes expressions and knows what they come to."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def literal(self) -> Case:
        kind = self.random.randrange(4)
        if kind == 0:
            number = self.random.randrange(1, 100)
            return str(number), Fraction(number)
        if kind == 1:
            text = f"{self.random.randrange(1000)}.{self.random.randrange(1000):03}"
            return text, Fraction(text)
        if kind == 2:
            text = f"{self.random.randrange(1, 10)}e{self.random.randrange(-3, 4)}"
            return text, Fraction(Decimal(text))
        number = self.random.randrange(1000, 10_000_000)
        return f"({number:,})", Fraction(number)

    def arithmetic(self, depth: int = 3) -> Case:
        if depth == 0:
            return self.literal()
        while True:
            left, one = self.arithmetic(depth - 1)
            right, other = self.arithmetic(depth - 1)
            sign = self.random.choice("+-*/^")
            if sign == "+":
                return f"({left} + {right})", one + other
            if sign == "-":
                return f"({left} - {right})", one - other
            if sign == "*":
                return f"({left} × {right})", one * other
            if sign == "/" and other:
                return f"({left} / {right})", one / other
            power = self.random.randrange(-3, 4)
            if sign == "^" and (one or power > 0):
                return f"({left})^{power}", one**power

    def bare(self) -> Case:
        """Without parentheses: what binds tighter is the parser's to know."""
        texts, values = zip(*(self.literal() for _ in range(4)), strict=True)
        signs = [self.random.choice("+-*") for _ in range(3)]
        text = texts[0] + "".join(f" {sign} {one}" for sign, one in zip(signs, texts[1:], strict=True))
        total, term, way = Fraction(0), values[0], 1
        for sign, one in zip(signs, values[1:], strict=True):
            if sign == "*":
                term *= one
            else:
                total, term, way = total + way * term, one, 1 if sign == "+" else -1
        return text, total + way * term

    def percentages(self) -> Case:
        base, value = self.literal()
        rate = self.random.randrange(1, 300)
        part = Fraction(rate, 100)
        return self.random.choice(
            [
                (f"{rate}% of {base}", part * value),
                (f"{base} + {rate} %", value * (1 + part)),
                (f"{base} - {rate} percent", value * (1 - part)),
                (f"{base} * {rate}%", value * part),
                (f"growth({base}, {base} * 3)", Fraction(2)),
            ]
        )

    def functions(self) -> Case:
        values = [Fraction(self.random.randrange(-9999, 9999), 100) for _ in range(self.random.randrange(2, 9))]
        said = ", ".join(str(float(one)) for one in values)
        ordered = sorted(values)
        name, value = self.random.choice(
            [
                ("sum", sum(values, Fraction(0))),
                ("mean", sum(values, Fraction(0)) / len(values)),
                ("median", statistics.median(ordered)),
                ("min", ordered[0]),
                ("max", ordered[-1]),
                ("count", Fraction(len(values))),
                ("variance", statistics.variance(values)),
                ("pvariance", statistics.pvariance(values)),
            ]
        )
        return f"{name}({said})", Fraction(value)

    def roots(self) -> Case:
        root = Fraction(self.random.randrange(1, 500), self.random.randrange(1, 50))
        degree = self.random.choice((2, 3, 5))
        power = root**degree
        return f"root({power.numerator}/{power.denominator}, {degree})", root

    def units(self) -> Case:
        """Quantities of one dimension, added and converted; the truth is in the unit converted to."""
        table = self.random.choice(DIMENSIONS)
        total, parts = Fraction(0), []
        for place in range(self.random.randrange(1, 4)):
            text, value = self.literal()
            unit = self.random.choice(list(table))
            sign = self.random.choice("+-") if place else "+"
            total += (1 if sign == "+" else -1) * value * Fraction(table[unit])
            parts.append(f" {sign} {text} {unit}" if place else f"{text} {unit}")
        wanted = self.random.choice(list(table))
        return f"{''.join(parts)} in {wanted}", total / Fraction(table[wanted])

    def speeds(self) -> Case:
        (way, length), (time_, span) = self.literal(), self.literal()
        one, other = self.random.choice(list(LENGTHS)), self.random.choice(list(TIMES))
        to, per = self.random.choice(list(LENGTHS)), self.random.choice(list(TIMES))
        metres, seconds = length * Fraction(LENGTHS[one]), span * Fraction(TIMES[other])
        if not seconds:
            return self.speeds()
        wanted = Fraction(LENGTHS[to]) / Fraction(TIMES[per])
        return f"{way} {one} / ({time_} {other}) in {to}/{per}", metres / seconds / wanted

    def temperatures(self) -> Case:
        number = Fraction(self.random.randrange(-2000, 5000), 10)
        return self.random.choice(
            [
                (f"{float(number)} °C in °F", number * 9 / 5 + 32),
                (f"{float(number)} degF in degC", (number - 32) * 5 / 9),
                (f"{float(number)} degC in kelvin", number + Fraction("273.15")),
            ]
        )

    def money(self) -> Case:
        text, amount = self.literal()
        rate = Fraction(self.random.randrange(50, 200), 100)
        hours = self.random.randrange(1, 300)
        return self.random.choice(
            [
                (f"{text} EUR * {float(rate)} USD/EUR", amount * rate),
                (f"{float(rate)} EUR/h * {hours} min in EUR", rate * hours / 60),
                (f"${float(rate)}M / {hours}", rate * 10**6 / hours),
            ]
        )


def right(text: str, truth: Fraction) -> bool:
    """Whether the expression comes to the truth."""
    return Fraction(evaluate(text).exact) == truth


def root_right(number: int) -> bool:
    """Whether a square root that never ends is right to 14 digits, and said to be rounded."""
    found = evaluate(f"sqrt({number})")
    with localcontext() as context:
        context.prec = 40
        truth = Decimal(number).sqrt()
        if truth == truth.to_integral_value():
            return found.exact == str(int(truth))
        return found.rounded and abs(Decimal(found.text.removeprefix("≈ ")) / truth - 1) < Decimal("1e-14")


def measure(count: int, seed: int) -> tuple[Counter[str], Counter[str], list[str]]:
    """Give how many of each kind were tried and right, and what was wrong."""
    writer = Writer(seed)
    kinds: dict[str, Callable[[], Case]] = {
        "nested arithmetic": writer.arithmetic, "precedence": writer.bare, "percentages": writer.percentages,
        "functions": writer.functions, "exact roots": writer.roots, "units": writer.units, "speeds": writer.speeds,
        "temperatures": writer.temperatures, "money": writer.money,
    }  # fmt: skip
    tried: Counter[str] = Counter()
    good: Counter[str] = Counter()
    wrong: list[str] = []
    for kind, write in kinds.items():
        for _ in range(count):
            text, truth = write()
            tried[kind] += 1
            if right(text, truth):
                good[kind] += 1
            else:
                wrong.append(f"{kind}: {text} is {truth}, not {evaluate(text).exact}")
    for number in range(2, 2 + count):
        tried["endless roots"] += 1
        good["endless roots"] += root_right(number)
    return tried, good, wrong


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2_000, help="expressions of each kind")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.perf_counter()
    tried, good, wrong = measure(options.count, options.seed)
    took = time.perf_counter() - began
    for kind, number in tried.items():
        print(f"{kind:<18} {good[kind]:>6} of {number:>6} right")
    total = sum(tried.values())
    print(f"{'all':<18} {sum(good.values()):>6} of {total:>6} right; {took / total * 1e6:.0f} us each")
    print("\n".join(wrong[:10]))


if __name__ == "__main__":
    main()
