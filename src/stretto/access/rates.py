"""How often somebody may ask: token buckets, pure over the clock they are given, in bounded memory.

A bucket holds `burst` tokens, is filled up at a steady rate, and gives one to who asks (the token bucket of RFC 2697).
Moments are seconds of a clock that never goes back, such as `time.monotonic`.
"""

import ipaddress
from dataclasses import dataclass
from typing import Final

from stretto.access.roles import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """`burst` at once, and `per_second` in the long run. Both are above 0, and the burst is at least 1."""

    burst: int
    per_second: float

    def __post_init__(self) -> None:
        if self.burst < 1 or not self.per_second > 0:
            raise ValueError(f"no limit: {self.burst} at once, {self.per_second} a second")

    @property
    def window(self) -> float:
        """Seconds after which an empty bucket is full again."""
        return self.burst / self.per_second


OF_PRINCIPAL: Final = Limit(burst=500, per_second=200)
"""Requests with a key or a session: a page of a large run, and a program that asks often."""
OF_ADDRESS: Final = Limit(burst=100, per_second=20)
"""Requests of a client that nobody knows yet."""
OF_FAILURES: Final = Limit(burst=10, per_second=1 / 30)
"""Keys and sessions that were none."""
MOST_CLIENTS: Final = 10_000
"""Buckets kept at once."""


class Buckets:
    """A bucket for each client, under one limit.

    Where there are `most` of them, clients that have none share one: so memory is bounded, and many addresses together
    get no more than `most + 1` buckets hold. A bucket is forgotten only when it is full, which changes nothing.
    """

    def __init__(self, limit: Limit, most: int = MOST_CLIENTS) -> None:
        self._limit, self._most = limit, most
        self._shared = _Bucket(limit)
        self._young: dict[str, _Bucket] = {}
        self._old: dict[str, _Bucket] = {}
        self._turned = float("-inf")

    def __len__(self) -> int:
        """How many clients have a bucket of their own."""
        return len(self._young) + len(self._old)

    def take(self, client: str, now: float) -> float:
        """Take a token and give 0, or give the seconds until there is one."""
        return self._bucket(client, now).take(now)

    def _bucket(self, client: str, now: float) -> "_Bucket":
        self._turn(now)
        bucket = self._young.get(client) or self._old.pop(client, None)
        if bucket is None:
            if len(self) >= self._most:
                return self._shared
            bucket = _Bucket(self._limit)
        self._young[client] = bucket
        return bucket

    def _turn(self, now: float) -> None:
        """Forget what nobody touched for a whole window: it is full. No client pays for more than its own bucket."""
        if now - self._turned >= self._limit.window:
            self._old, self._young, self._turned = self._young, {}, now


class _Bucket:
    __slots__ = ("_at", "_limit", "_tokens")

    def __init__(self, limit: Limit) -> None:
        self._limit, self._tokens, self._at = limit, float(limit.burst), float("-inf")

    def take(self, now: float) -> float:
        self._fill(now)
        if self._tokens >= 1.0 - _GRAIN:
            self._tokens = max(self._tokens - 1.0, 0.0)
            return 0.0
        return (1.0 - self._tokens) / self._limit.per_second

    def _fill(self, now: float) -> None:
        if now > self._at:
            self._tokens = min(self._tokens + (now - self._at) * self._limit.per_second, self._limit.burst)
            self._at = now


_GRAIN = 1e-9
"""What a token may lack by rounding."""


class RateLimits:
    """The limits of one server process. Each method gives 0 where it goes on, or the seconds to wait."""

    def __init__(
        self, *, principal: Limit = OF_PRINCIPAL, address: Limit = OF_ADDRESS, failures: Limit = OF_FAILURES
    ) -> None:
        self._principals, self._addresses, self._failures = Buckets(principal), Buckets(address), Buckets(failures)

    def request(self, principal: Principal, now: float) -> float:
        """Count a request of somebody who is known."""
        return self._principals.take(principal.key or principal.actor, now)

    def stranger(self, address: str, now: float) -> float:
        """Count a request of somebody who shows neither key nor session."""
        return self._addresses.take(client_of(address), now)

    def failure(self, address: str, now: float) -> float:
        """Count a key or session that was none; while there is something to wait, say that and nothing else.

        A right key is never held up by wrong ones: whoever shares an address with somebody who guesses, behind a proxy
        say, would be shut out by them, and 256 random bits are not guessed at any rate.
        """
        return self._failures.take(client_of(address), now)


def client_of(address: str) -> str:
    """Give whom an address stands for: itself, or for IPv6 its network of 64 bits, all of which one client may have.

    What is no address stands for one client, whatever it says.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or found.packed[:8].hex())
