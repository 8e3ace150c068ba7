"""Buckets: no client gets more than its share, none is kept from it by others, and memory is bounded."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.access.rates import (
    MOST_CLIENTS,
    OF_ADDRESS,
    OF_FAILURES,
    OF_PRINCIPAL,
    Buckets,
    Limit,
    RateLimits,
    client_of,
)
from stretto.access.roles import owner_of_machine

LIMITS = st.builds(
    Limit, burst=st.integers(min_value=1, max_value=20), per_second=st.floats(min_value=0.01, max_value=100)
)
PAUSES = st.lists(st.floats(min_value=0, max_value=5), min_size=1, max_size=60)
CLIENTS = st.sampled_from("abcdefgh")


@given(LIMITS, PAUSES)
def test_a_client_gets_its_burst_and_what_has_come_since_and_no_more(limit: Limit, pauses: list[float]) -> None:
    buckets, now, got = Buckets(limit), 0.0, 0
    for pause in pauses:
        now += pause
        got += buckets.take("a", now) == 0
    assert got <= limit.burst + limit.per_second * now + 1e-6


@given(LIMITS, st.floats(min_value=0, max_value=1e6))
def test_a_burst_is_had_at_once(limit: Limit, now: float) -> None:
    buckets = Buckets(limit)
    assert [buckets.take("a", now) for _ in range(limit.burst)] == [0] * limit.burst
    assert buckets.take("a", now) > 0


@given(LIMITS, PAUSES)
def test_who_waits_as_long_as_was_told_is_served(limit: Limit, pauses: list[float]) -> None:
    buckets, now = Buckets(limit), 0.0
    for pause in pauses:
        now += pause
        wait = buckets.take("a", now)
        if wait:
            assert wait <= 1 / limit.per_second
            now += wait + 1e-6
            assert buckets.take("a", now) == 0


@given(LIMITS, st.lists(st.tuples(CLIENTS, st.floats(min_value=0, max_value=5)), max_size=80))
def test_clients_are_served_as_if_each_were_alone_and_nothing_forgotten(
    limit: Limit, asked: list[tuple[str, float]]
) -> None:
    together, now = Buckets(limit), 0.0
    alone: dict[str, _Kept] = {}
    for client, pause in asked:
        now += pause
        own = alone.setdefault(client, _Kept(limit))
        assert (together.take(client, now) == 0) is own.take(now)


class _Kept:
    """A bucket by the book, which never forgets."""

    def __init__(self, limit: Limit) -> None:
        self._limit, self._tokens, self._at = limit, float(limit.burst), 0.0

    def take(self, now: float) -> bool:
        self._tokens = min(self._limit.burst, self._tokens + (now - self._at) * self._limit.per_second)
        self._at = now
        if self._tokens < 1 - 1e-9:
            return False
        self._tokens = max(self._tokens - 1, 0.0)
        return True


@given(LIMITS, st.integers(min_value=1, max_value=5), PAUSES)
def test_many_addresses_get_no_more_than_the_buckets_there_are(limit: Limit, most: int, pauses: list[float]) -> None:
    buckets, now, got = Buckets(limit, most), 0.0, 0
    for number, pause in enumerate(pauses):
        now += pause / 100
        got += buckets.take(f"address {number}", now) == 0
        assert len(buckets) <= most
    # A bucket that was forgotten was full: its client had its burst left, and another takes its place.
    turns = 2 + now / limit.window
    assert got <= (most * turns + 1) * limit.burst + limit.per_second * now + 1e-6


def test_an_attacker_with_very_many_addresses_takes_no_more_room_than_ten() -> None:
    buckets = Buckets(Limit(burst=5, per_second=0.001), most=10)
    served = sum(buckets.take(f"address {number}", number * 1e-6) == 0 for number in range(100_000))
    assert len(buckets) == 10
    assert served == 10 + 5


def test_a_flood_of_addresses_does_not_give_a_client_a_new_bucket() -> None:
    buckets = Buckets(Limit(burst=2, per_second=0.001), most=10)
    while not buckets.take("thief", 0.0):
        pass
    for number in range(1000):
        buckets.take(f"address {number}", 1.0)
    assert buckets.take("thief", 2.0) > 0


def test_when_the_flood_is_over_every_client_has_its_bucket_again() -> None:
    limit = Limit(burst=2, per_second=1)
    buckets = Buckets(limit, most=10)
    for number in range(1000):
        buckets.take(f"address {number}", 0.0)
    assert buckets.take("late", 0.0) > 0
    later = 2 * limit.window
    buckets.take("somebody", later - limit.window)
    assert [buckets.take("late", later) for _ in range(2)] == [0, 0]
    assert len(buckets) < 10


@pytest.mark.parametrize(("burst", "rate"), [(0, 1.0), (-1, 1.0), (1, 0.0), (1, -1.0), (1, float("nan"))])
def test_a_limit_that_lets_nobody_through_is_refused(burst: int, rate: float) -> None:
    with pytest.raises(ValueError, match="no limit"):
        Limit(burst=burst, per_second=rate)


def test_wrong_keys_are_counted_apart_and_hold_up_nobody_who_is_known() -> None:
    limits = RateLimits(
        principal=Limit(burst=3, per_second=1),
        address=Limit(burst=2, per_second=1),
        failures=Limit(burst=1, per_second=0.1),
    )
    assert limits.failure("10.0.0.1", 0.0) == 0
    assert limits.failure("10.0.0.1", 0.0) == pytest.approx(10)
    assert limits.failure("10.0.0.2", 0.0) == 0
    assert [limits.stranger("10.0.0.1", 0.0) == 0 for _ in range(3)] == [True, True, False]
    assert [limits.request(owner_of_machine("ann"), 0.0) == 0 for _ in range(4)] == [True, True, True, False]
    assert limits.request(owner_of_machine("bob"), 0.0) == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"),
        ("10.0.0.1", "::ffff:10.0.0.1"),
        ("fe80::1%eth0", "fe80::2%eth1"),
        ("nonsense", "x" * 100_000),
        ("", "10.0.0.1, 10.0.0.2"),
    ],
)
def test_addresses_that_one_client_may_have_are_one_client(one: str, other: str) -> None:
    assert client_of(one) == client_of(other)


@pytest.mark.parametrize(
    ("one", "other"), [("10.0.0.1", "10.0.0.2"), ("2001:db8:1:2::1", "2001:db8:1:3::1"), ("10.0.0.1", "::1")]
)
def test_addresses_of_different_clients_stay_apart(one: str, other: str) -> None:
    assert client_of(one) != client_of(other)


def test_the_page_tells_the_limits_that_hold() -> None:
    page = (Path(__file__).parents[2] / "docs" / "access.md").read_text(encoding="utf-8")
    told = re.findall(r"\| (\d+) \| (\d+) a (second|minute) \|", page)
    for (burst, rate, unit), limit in zip(told, (OF_PRINCIPAL, OF_ADDRESS, OF_FAILURES), strict=True):
        assert int(burst) == limit.burst
        assert int(rate) == pytest.approx(limit.per_second * {"second": 1, "minute": 60}[unit])
    assert f"{MOST_CLIENTS:,} addresses" in page.replace("\n", " ")
