"""What code that is not ours brings, as the journal can hold it: texts, costs, and the class of what it raised."""

from decimal import Decimal
from typing import Any, cast

from stretto.core.domain import Cost, Failed, FailureClass, SideEffect, Unknown, Usage

LONGEST_MESSAGE = 2000
LARGEST_COUNT = 2**53
MOST_MONEY = Decimal(10**12)


def broken(error: BaseException, cost: Cost, effect: SideEffect) -> Failed | Unknown:
    """Give the outcome of a call that raised what is no word of an agent.

    A lost reply is `Unknown` where doing it twice could do harm.
    """
    said = say(error)
    match error:
        case ConnectionRefusedError():  # never connected: nothing can have happened
            return Failed(failure=FailureClass.TRANSIENT, message=said, cost=cost)
        case TimeoutError() | ConnectionError() if not effect.repeatable:
            return Unknown(message=said, cost=cost)
        case TimeoutError():
            return Failed(failure=FailureClass.TIMED_OUT, message=said, cost=cost)
        case ConnectionError():
            return Failed(failure=FailureClass.TRANSIENT, message=said, cost=cost)
    return Failed(failure=FailureClass.ERROR, message=said, cost=cost)


def say(error: BaseException) -> str:
    """Give an exception as one text, whatever it is made of."""
    text = text_of(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def text_of(error: BaseException) -> str:
    """Give the message of an exception, also of one whose message cannot be read."""
    try:
        return clean(str(error))
    except Exception:
        return "its message cannot be read"


def clean(text: object) -> str:
    """Give text that can be stored: no lone surrogates, no book."""
    whole = str(text).encode(errors="replace").decode()
    return whole if len(whole) <= LONGEST_MESSAGE else whole[:LONGEST_MESSAGE] + "…"


def is_cost(cost: object) -> bool:
    """Whether this is a cost that can be kept and added up."""
    if not isinstance(cost, Cost) or not is_count(cost.tokens):
        return False
    money = cast(Any, cost.money)
    return bool(hasattr(money, "is_finite") and money.is_finite() and 0 <= money < MOST_MONEY)


def is_usage(usage: object) -> bool:
    """Whether this is a count of tokens that can be kept."""
    return isinstance(usage, Usage) and all(is_count(one) for one in (usage.input, usage.output, usage.cached))


def is_count(number: object) -> bool:
    """Whether this is a number of things."""
    return isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= LARGEST_COUNT
