"""Rates: how much was begun in the last sixty seconds, and when one more may begin. Pure, and exact.

A window that slides: in no sixty seconds more is begun than the rate allows, whatever the bursts. (A token bucket
is smaller, and lets through up to twice the rate in a minute.) Tokens are counted as declared when an attempt begins,
and as used when it has ended.
"""

from immutables import Map
from msgspec import Struct, field
from msgspec.structs import replace

from stretto.core.domain import Rate, Start

SPAN = 60.0


class Window(Struct, frozen=True, kw_only=True, gc=False):
    """The attempts that began within the last sixty seconds, numbered as they began."""

    starts: Map[int, Start] = field(default_factory=Map)
    numbers: Map[str, int] = field(default_factory=Map)  # of attempts by name
    first: int = 0
    end: int = 0
    tokens: int = 0


def counted(window: Window, start: Start) -> Window:
    """Count an attempt that begins; one that is known already takes so many tokens from now on."""
    known = window.numbers.get(start.attempt)
    if known is not None:
        before = window.starts[known]
        starts = window.starts.set(known, Start(at=before.at, tokens=start.tokens, attempt=start.attempt))
        return replace(window, starts=starts, tokens=window.tokens - before.tokens + start.tokens)
    window = pruned(window, start.at)
    return replace(
        window,
        starts=window.starts.set(window.end, start),
        numbers=window.numbers.set(start.attempt, window.end),
        end=window.end + 1,
        tokens=window.tokens + start.tokens,
    )


def settled(window: Window, attempt: str, tokens: int) -> Window:
    """Take in how many tokens an attempt has used; one that is older than the window changes nothing."""
    known = window.numbers.get(attempt)
    return window if known is None else counted(window, Start(at=0.0, tokens=tokens, attempt=attempt))


def pruned(window: Window, at: float) -> Window:
    """Forget what began sixty seconds ago or earlier."""
    first, tokens = window.first, window.tokens
    gone = []
    while first < window.end and window.starts[first].at + SPAN <= at:
        gone.append((first, window.starts[first]))
        tokens -= window.starts[first].tokens
        first += 1
    if not gone:
        return window
    starts, numbers = window.starts.mutate(), window.numbers.mutate()
    for number, start in gone:
        del starts[number]
        del numbers[start.attempt]
    return replace(window, starts=starts.finish(), numbers=numbers.finish(), first=first, tokens=tokens)


def free_at(window: Window, rate: Rate, at: float, tokens: int) -> float:
    """Give the moment from which one more attempt of so many tokens keeps the rate; `at` when it does now.

    An attempt of more tokens than the rate allows in a minute waits until it has the window for itself.
    """
    window = pruned(window, at)
    free = at
    if rate.requests is not None and window.end - window.first >= rate.requests:
        free = window.starts[window.end - rate.requests].at + SPAN
    if rate.tokens is not None:
        used, number = window.tokens, window.first
        while number < window.end and used > 0 and used + tokens > rate.tokens:
            used -= window.starts[number].tokens
            free = max(free, window.starts[number].at + SPAN)
            number += 1
    return free
