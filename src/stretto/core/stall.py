"""No progress: what was spent since the run last learned something new, and how many of its attempts fail.

Something new is an accepted result that no accepted result of the run equals. Only what costs is counted: a thousand
equal questions with different answers are work, and so are equal answers that cost nothing.
"""

from decimal import Decimal

from immutables import Map
from msgspec import Struct, field
from msgspec.structs import replace

from stretto.core.domain import FREE, Budget, Cost, Rules

MOST_ATTEMPTS = 50
"""Attempts that cost something and bring nothing new, where no budget says what is too much."""


class Pulse(Struct, frozen=True, kw_only=True, gc=False):
    """How a run is getting on."""

    recent: int = 0  # the last attempts, a bit each, the newest lowest, set where one failed
    wasted: Cost = FREE  # since the last new result
    attempts: int = 0  # that cost something, since then
    known: Map[str, None] = field(default_factory=Map)  # results by their hash


def ended(pulse: Pulse, rules: Rules, *, failed: bool) -> Pulse:
    """Count the end of an attempt."""
    if rules.most_failures is None or not (pulse.recent or failed):
        return pulse
    return replace(pulse, recent=(pulse.recent << 1 | failed) & (1 << 2 * rules.most_failures) - 1)


def wasted(pulse: Pulse, cost: Cost) -> Pulse:
    """Count what an attempt cost that brought nothing new."""
    if cost == FREE:
        return pulse
    return replace(pulse, wasted=pulse.wasted + cost, attempts=pulse.attempts + 1)


def learned(pulse: Pulse, mark: str, cost: Cost) -> Pulse:
    """Take in an accepted result, by its hash."""
    if mark in pulse.known:
        return wasted(pulse, cost)
    return replace(pulse, known=pulse.known.set(mark, None), wasted=FREE, attempts=0)


def why_stop(pulse: Pulse, rules: Rules, budget: Budget) -> str | None:
    """Say why the run had better pause, or None when it gets on."""
    most, failures = rules.most_failures, pulse.recent.bit_count()
    if most is not None and failures >= most:
        return f"{failures} of the last {min(pulse.recent.bit_length(), 2 * most)} attempts failed"
    if rules.stall is None or pulse.wasted == FREE:
        return None
    money = pulse.wasted.money if budget.money is not None else Decimal(0)
    tokens = pulse.wasted.tokens if budget.tokens is not None else 0
    if not money and not tokens:  # no budget says what this is too much of
        spent = pulse.attempts >= MOST_ATTEMPTS
        return f"{pulse.attempts} attempts in a row cost {pulse.wasted} and brought nothing new" if spent else None
    if budget.money is not None and money > budget.money * Decimal(str(rules.stall)):
        return f"${money} of ${budget.money} went by without anything new"
    if budget.tokens is not None and tokens > budget.tokens * rules.stall:
        return f"{tokens} of {budget.tokens} tokens went by without anything new"
    return None
