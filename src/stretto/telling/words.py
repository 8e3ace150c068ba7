"""Times, costs and counts in few letters."""

from collections.abc import Mapping
from decimal import Decimal

from stretto.core.domain import Budget, Cost

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def span(seconds: float) -> str:
    """Give a length of time in at most six letters: 0.3 s, 12 s, 3:07, 2h05, 3d04h."""
    seconds = max(seconds, 0.0)
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}:{whole % _MINUTE:02}"
    if whole < _DAY:
        return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02}"
    return f"{whole // _DAY}d{whole % _DAY // _HOUR:02}h"


def ticking(seconds: float) -> str:
    """Give a length of time that still grows, in whole seconds."""
    whole = int(max(seconds, 0.0))
    return f"{whole} s" if whole < _MINUTE else span(whole)


def count(number: int, noun: str) -> str:
    """Give a number of things."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def money(amount: Decimal) -> str:
    """Give dollars: to the cent, or two digits that count where it is less."""
    if not amount:
        return "$0"
    if amount == amount.to_integral_value():
        return f"${amount:.0f}"
    if abs(amount) >= Decimal("0.1"):
        return f"${amount:.2f}"
    return f"${Decimal(f'{amount:.2g}'):f}"


def cost(spent: Cost) -> str:
    """Give what something cost."""
    dollars = money(spent.money)
    if not spent.tokens:
        return dollars
    return f"{dollars}, {tokens(spent.tokens)}" if spent.money else tokens(spent.tokens)


def tokens(number: int) -> str:
    """Give model tokens: 950 tok, 12k tok, 3.4M tok."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            value = number / size
            return f"{value:.1f}{letter} tok" if value < 10 else f"{value:.0f}{letter} tok"
    return f"{number} tok"


def against(spent: Cost, steps: int, budget: Budget) -> list[tuple[str, float]]:
    """Give each amount against its limit, and which share of the limit is used; without a limit only the cost."""
    said = []
    if budget.money is not None:
        share = float(spent.money / budget.money) if budget.money else 1.0
        said.append((f"{money(spent.money)} of {money(budget.money)}", share))
    elif spent.money or budget.tokens is None:
        said.append((money(spent.money), 0.0))
    if budget.tokens is not None:
        share = spent.tokens / budget.tokens if budget.tokens else 1.0
        said.append((f"{spent.tokens} of {tokens(budget.tokens)}", share))
    elif spent.tokens:
        said.append((tokens(spent.tokens), 0.0))
    if budget.steps is not None:
        said.append((f"{steps} of {count(budget.steps, 'step')}", steps / budget.steps if budget.steps else 1.0))
    return said


def listed(counts: Mapping[str, int]) -> str:
    """Give counts as a list: "7 done, 3 running"."""
    return ", ".join(f"{number} {word}" for word, number in counts.items() if number)
