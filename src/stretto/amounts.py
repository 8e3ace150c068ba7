"""Amounts as people write them: budgets like "$2, 50 steps", lengths of time like "10m"."""

from datetime import datetime
from decimal import Decimal, InvalidOperation

from stretto.core.domain import Budget
from stretto.core.errors import UsageError
from stretto.core.lengths import read_length


def budget_of(text: str) -> Budget:
    """Read "$2", "0.50 USD", "20000 tokens", "30 steps", or several with commas; raises UsageError."""
    money: Decimal | None = None
    tokens: int | None = None
    steps: int | None = None
    for part in filter(None, (one.strip() for one in text.replace("_", "").split(","))):
        amount, _, unit = part.partition(" ")
        unit = unit.strip().lower().rstrip("s")
        try:
            number = Decimal(amount.removeprefix("$"))
        except InvalidOperation:
            raise _not_a_budget(text) from None
        if not number.is_finite() or number < 0:
            raise _not_a_budget(text)
        if amount.startswith("$") or unit in ("", "usd", "dollar"):
            money = number
        elif unit == "token" and number == int(number):
            tokens = int(number)
        elif unit in ("step", "attempt") and number == int(number):
            steps = int(number)
        else:
            raise _not_a_budget(text)
    if money is None and tokens is None and steps is None:
        raise _not_a_budget(text)
    return Budget(money=money, tokens=tokens, steps=steps)


def seconds_of(text: str) -> float:
    """Read "90", "90s", "10m", "1h30m", "2d" as seconds; raises UsageError."""
    try:
        return read_length(text)
    except ValueError as error:
        raise UsageError(str(error)) from None


def deadline_of(text: str, now: float) -> float:
    """Read a length of time from now, or a moment like 2026-12-31T18:00; gives seconds since the epoch."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return now + seconds_of(text)
    if moment.timestamp() <= now:
        raise UsageError(f"the deadline {text} has passed already")
    return moment.timestamp()


def _not_a_budget(text: str) -> UsageError:
    return UsageError(f"{text!r} is no budget; write it like '$2', '20000 tokens', '30 steps', or several with commas")
