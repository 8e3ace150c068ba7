"""What to try next when an attempt failed: a table by class of failure, bounded by tries."""

from dataclasses import dataclass

from stretto.core.canonical import digest
from stretto.core.domain import FailureClass, SideEffect


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """Try again up to `tries` more times, first after `pause` seconds, then twice as long each time."""

    tries: int = 0
    pause: float = 0.0
    safe_only: bool = True  # only where doing it twice does no harm


DEFAULT: dict[FailureClass, Rung] = {
    FailureClass.TRANSIENT: Rung(tries=3, pause=0.5, safe_only=False),
    FailureClass.RATE_LIMITED: Rung(tries=5, pause=2.0, safe_only=False),
    FailureClass.UNAVAILABLE: Rung(tries=2, pause=1.0, safe_only=False),
    FailureClass.INVALID_OUTPUT: Rung(tries=1),
    FailureClass.TIMED_OUT: Rung(tries=1),
    FailureClass.ERROR: Rung(tries=1, pause=0.1),
    FailureClass.REFUSED: Rung(),
    FailureClass.DENIED: Rung(),
    FailureClass.OVER_BUDGET: Rung(),
    FailureClass.UNKNOWN: Rung(),
}

LONGEST_PAUSE = 60.0


def pause_before(
    failure: FailureClass,
    *,
    tried: int,
    attempt: int,
    effect: SideEffect,
    most_attempts: int | None,
    retries: dict[str, int],
    name: str,
    retry_after: float | None = None,
) -> float | None:
    """Give the seconds to wait before the next try, or None when there is none left.

    `tried` counts the earlier failures of this class, `name` makes the jitter (up to a quarter) the same on
    every replay.
    """
    rung = DEFAULT[failure]
    if most_attempts is not None and attempt >= most_attempts:
        return None
    if tried >= retries.get(failure.value, rung.tries) or (rung.safe_only and not effect.repeatable):
        return None
    pause: float = min(rung.pause * 2.0**tried, LONGEST_PAUSE)
    jitter = int(digest([name, attempt])[:6], 16) / 0xFFFFFF
    return max(pause * (1 + jitter / 4), retry_after or 0.0)
