"""Every fifth call of an agent fails, in every class; `make soak` does 2,000 runs."""

from tests.crash.soak import CLASSES, soak

RUNS = 300


async def test_runs_finish_though_every_fifth_call_fails_and_none_hangs_overspends_or_acts_twice() -> None:
    tally = await soak(RUNS, seed=10_000)
    assert tally.broken == []
    assert set(tally.failed) == {one.value for one in CLASSES}
    assert sum(tally.failed.values()) > 0.15 * tally.calls
    assert tally.share >= 0.99
    assert sum(tally.statuses.values()) == RUNS
