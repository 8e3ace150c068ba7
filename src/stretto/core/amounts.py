"""Amounts as people write them: budgets like "$2, 100k tokens, 50 steps, 10m, 3 revisions", lengths like "1h30m"."""

import re
from decimal import Decimal

from stretto.core.domain import Budget
from stretto.core.lengths import UNITS, seconds_in

_TIMED = re.compile(r"(?:\d{1,9}(?:\.\d{1,9})?\s*[smhd]\s*){1,9}")
_AMOUNT = re.compile(r"(\$?)\s*(\d+(?:\.\d*)?|\.\d+)\s*+([kM]?)\s*+([A-Za-z]*)")
_LARGE = {"": 1, "k": 1_000, "M": 1_000_000}
_KINDS = {
    "": "money",
    "usd": "money",
    "dollar": "money",
    "token": "tokens",
    "step": "steps",
    "attempt": "steps",
    "revision": "revisions",
}
_TIMES = {"second": 1, "sec": 1, "minute": 60, "min": 60, "hour": 3600, "day": 86400}
_LARGEST = 10**12


def read_budget(text: str) -> Budget:
    """Read "$2", "0.50 USD", "100k tokens", "30 steps", "10m", "3 revisions", or several with commas.

    Raises ValueError with what is wrong.
    """
    found: dict[str, Decimal] = {}
    for part in filter(None, (one.strip() for one in text.replace("_", "").split(","))):
        kind, amount = _part(part)
        if kind in found:
            raise ValueError(f"{text!r} says twice how many {kind} there are; give each limit once")
        found[kind] = amount
    if not found:
        raise ValueError(f"{text!r} is no budget; {_FORM}")
    return Budget(
        money=found.get("money"),
        tokens=_whole(found, "tokens"),
        steps=_whole(found, "steps"),
        seconds=float(found["seconds"]) if "seconds" in found else None,
        revisions=_whole(found, "revisions"),
    )


def write_budget(budget: Budget) -> str:
    """Give a budget as `read_budget` reads it; empty for one without limits."""
    said = [f"${budget.money.normalize():f}"] if budget.money is not None else []
    said += [f"{amount} {kind}" for kind in ("tokens", "steps") if (amount := getattr(budget, kind)) is not None]
    said += [write_length(budget.seconds)] if budget.seconds is not None else []
    said += [f"{budget.revisions} revisions"] if budget.revisions is not None else []
    return ", ".join(said)


def write_length(seconds: float) -> str:
    """Give a length of time as `seconds_in` reads it: 1h30m, 90s as 1m30s, 0.5s."""
    said, left = "", Decimal(repr(seconds))
    for unit in ("d", "h", "m"):
        number, left = divmod(left, Decimal(int(UNITS[unit])))
        said += f"{number:f}{unit}" if number else ""
    return f"{said}{left.normalize():f}s" if left or not said else said


_FORM = "write it like '$2', '100k tokens', '30 steps', '10m', '3 revisions', or several with commas"


def _part(part: str) -> tuple[str, Decimal]:
    if _TIMED.fullmatch(part):
        return "seconds", Decimal(repr(seconds_in(part)))
    found = _AMOUNT.fullmatch(part)
    if found is None:
        raise ValueError(f"{part!r} is no budget; {_FORM}")
    dollar, number, large, unit = found[1], Decimal(found[2]), found[3], found[4].lower().removesuffix("s")
    if not dollar and not large and unit in _TIMES and number:
        return "seconds", number * _TIMES[unit]
    kind = _KINDS.get(unit)
    amount = number * _LARGE[large]
    if kind is None or (dollar and kind != "money") or amount > _LARGEST:
        raise ValueError(f"{part!r} is no budget; {_FORM}")
    if kind != "money" and amount != int(amount):
        raise ValueError(f"{part!r} is no budget: {kind} are counted whole")
    return kind, amount


def _whole(found: dict[str, Decimal], kind: str) -> int | None:
    return int(found[kind]) if kind in found else None
