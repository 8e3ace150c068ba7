"""Circuit breakers: when an agent or provider has failed so often that asking it on is waste, and when to try again.

Closed, open, half-open (Nygard, "Release It!"): too many of the last attempts failed, and it opens for a while; then
one attempt probes it, which closes it or opens it for twice as long. Pure, and of no run: a `Tally` is all it keeps.
"""

from msgspec import Struct
from msgspec.structs import replace

from stretto.core.domain import Breaker, FailureClass

COUNTED = frozenset(
    {
        FailureClass.TRANSIENT,
        FailureClass.UNAVAILABLE,
        FailureClass.TIMED_OUT,
        FailureClass.RATE_LIMITED,
        FailureClass.ERROR,
    }
)
"""Failures that say something of the agent, not of what it was asked. An error may say either."""


class Tally(Struct, frozen=True, kw_only=True, gc=False):
    """The last attempts, a bit each, the newest lowest, set where one failed; and how often in a row it has opened."""

    recent: int = 0
    times: int = 0

    @property
    def open(self) -> bool:
        """Whether it is open or half-open."""
        return self.times > 0


def counted(tally: Tally, breaker: Breaker, *, failed: bool) -> Tally:
    """Count one attempt."""
    return replace(tally, recent=(tally.recent << 1 | failed) & (1 << breaker.window) - 1)


def trips(tally: Tally, breaker: Breaker) -> bool:
    """Whether a closed breaker opens now."""
    return 0 < breaker.failures <= tally.recent.bit_count() and not tally.open


def opened(tally: Tally, times: int) -> Tally:
    """Give the tally of a breaker that has opened so many times in a row."""
    return replace(tally, recent=0, times=times)


def pause_of(breaker: Breaker, times: int) -> float:
    """Give the seconds for which it opens: doubled each time in a row."""
    return min(breaker.pause * 2.0 ** min(times - 1, 64), breaker.longest)
