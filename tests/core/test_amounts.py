"""Amounts as people write them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.core.amounts import read_budget, write_budget, write_length
from stretto.core.domain import Budget
from stretto.core.lengths import seconds_in

budgets = st.builds(
    Budget,
    money=st.none() | st.decimals(0, 10**6, places=4),
    tokens=st.none() | st.integers(0, 10**9),
    steps=st.none() | st.integers(0, 10**6),
    seconds=st.none() | st.floats(0.001, 10**7).map(lambda one: round(one, 3)),
    revisions=st.none() | st.integers(0, 10**6),
)


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("$2", Budget(money=Decimal(2))),
        ("0.50 USD", Budget(money=Decimal("0.50"))),
        ("3 dollars", Budget(money=Decimal(3))),
        ("$.5", Budget(money=Decimal("0.5"))),
        ("$2k", Budget(money=Decimal(2000))),
        ("100k tokens", Budget(tokens=100_000)),
        ("1.5M tokens", Budget(tokens=1_500_000)),
        ("20_000 tokens", Budget(tokens=20_000)),
        ("1 token, 1 step, 1 revision", Budget(tokens=1, steps=1, revisions=1)),
        ("10m", Budget(seconds=600)),
        ("1h30m", Budget(seconds=5400)),
        ("1 h 30 m", Budget(seconds=5400)),
        ("90 s", Budget(seconds=90)),
        ("2 hours", Budget(seconds=7200)),
        ("5 min", Budget(seconds=300)),
        (
            "$2, 100k tokens, 50 steps, 10m, 3 revisions",
            Budget(money=Decimal(2), tokens=100_000, steps=50, seconds=600, revisions=3),
        ),
        ("$0, 0 revisions", Budget(money=Decimal(0), revisions=0)),
    ],
)
def test_a_budget_is_read_as_it_is_meant(text: str, budget: Budget) -> None:
    assert read_budget(text) == budget


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("much", "'much' is no budget"),
        ("", "'' is no budget"),
        (" , ", "is no budget"),
        ("-$2", "'-$2' is no budget"),
        ("$nan", "is no budget"),
        ("1e99 tokens", "is no budget"),
        ("$2, $3", "says twice how many money"),
        ("2.5 steps", "steps are counted whole"),
        ("$2 tokens", "is no budget"),
        ("0m", "more than 0 seconds"),
        ("10 parsecs", "is no budget"),
        ("9999999999999999 tokens", "is no budget"),
    ],
)
def test_what_is_no_budget_is_refused_with_a_way_to_write_one(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=r".+") as refused:
        read_budget(text)
    assert says in str(refused.value)


@given(budgets)
def test_a_budget_survives_being_written(budget: Budget) -> None:
    if budget != Budget():
        assert read_budget(write_budget(budget)) == budget


@given(st.floats(0.001, 10**8).map(lambda one: round(one, 3)))
def test_a_length_of_time_survives_being_written(seconds: float) -> None:
    assert seconds_in(write_length(seconds)) == pytest.approx(seconds, rel=1e-12)


def test_whole_lengths_are_written_shortly() -> None:
    assert [write_length(one) for one in (600, 5400, 90, 0.5, 86400)] == ["10m", "1h30m", "1m30s", "0.5s", "1d"]
