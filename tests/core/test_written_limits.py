"""Limits, lengths, chains and ladders as people write them: they are read, or what is wrong is told at its place."""

import math
import re
from typing import Any

import pytest

from stretto.core.domain import NO_BREAKER, Ask, Breaker, Chain, Provider, Rate, Rung
from stretto.core.errors import BadChannel, UsageError
from stretto.core.lengths import read_length
from stretto.core.limits import OF_AGENTS, OF_RULES, listed_or, provider_of, rate_of
from stretto.core.plan.asking import BadChain, place_of, read_asks, read_chain, write_asks
from stretto.core.plan.diagnostics import Diagnostic
from stretto.core.plan.ladders import MOST_RUNGS, agents_in, read_ladder, write_ladder


@pytest.mark.parametrize(
    ("given", "rate"),
    [
        (Rate(requests=3), Rate(requests=3)),
        (Rate(), Rate()),
        ("60/min", Rate(requests=60)),
        ({"requests": 2, "tokens": None}, Rate(requests=2)),
        ("60 requests/min, 90_000 tokens per minute", Rate(requests=60, tokens=90_000)),
    ],
)
def test_a_rate_is_read_in_every_form(given: Any, rate: Rate) -> None:
    assert rate_of(given) == rate


@pytest.mark.parametrize(
    ("part", "given", "said"),
    [
        ("rate", {"words": 3}, "a rate has no 'words'"),
        ("rate", {"requests": None}, "a rate is written like 60/min"),
        ("rate", {"requests": 0}, "requests is a whole number above 0"),
        ("rate", Rate(tokens=-1), "tokens is a whole number above 0"),
        ("provider", "", "provider is the name of one"),
        ("provider", 3, "provider is the name of one"),
        ("concurrency", True, "concurrency is a whole number above 0"),
        ("breaker", {"failures": False}, "failures is a whole number above 0"),
        ("breaker", {"window": 0}, "window is a whole number above 0"),
        ("rate", 60, "a rate is written like 60/min"),
        ("rate", "quickly", "a rate is written like 60/min"),
        ("rate", f"{'9' * 5000}/min", "a rate is written like 60/min"),
        ("rate", "3/min, 4 requests/min", "names requests twice"),
        ("breaker", 3, "a breaker is `off`, or a mapping with failures, window, pause, longest; not 3"),
        ("breaker", {"times": 3}, "a breaker has no 'times'; it has failures"),
        ("breaker", {"pause": 0}, "pause is a number of seconds above 0, not 0"),
        ("breaker", {"pause": True}, "pause is a number of seconds above 0, not True"),
        ("breaker", {"pause": "1m"}, "pause is a number of seconds above 0, not '1m'"),
        ("breaker", {"longest": math.inf}, "longest is a number of seconds above 0, not inf"),
        ("breaker", {"longest": math.nan}, "longest is a number of seconds above 0, not nan"),
        ("breaker", {"longest": 10**400}, "longest is a number of seconds above 0"),
        ("breaker", {"failures": 5, "window": 3}, "5 failures of the last 3 attempts cannot be"),
        ("breaker", {"window": 10_001}, "window is from failures to 10000"),
        ("breaker", {"pause": 60, "longest": 30}, r"longest \(30 s\) is less than pause \(60 s\)"),
    ],
)
def test_a_limit_of_an_agent_that_cannot_be_is_refused(part: str, given: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        OF_AGENTS[part](given)


def test_the_limits_of_an_agent_are_read() -> None:
    given = {"provider": "service", "concurrency": 2, "breaker": {"failures": 0}}
    assert {name: OF_AGENTS[name](value) for name, value in given.items()} == {
        "provider": "service",
        "concurrency": 2,
        "breaker": Breaker(failures=0),
    }


@pytest.mark.parametrize("breaker", [NO_BREAKER, Breaker(failures=2, window=4, pause=1.0, longest=8.0)])
def test_a_breaker_that_is_one_already_is_the_same(breaker: Breaker) -> None:
    assert OF_AGENTS["breaker"](breaker) == breaker


def test_a_breaker_of_many_failures_looks_at_as_many_attempts_and_one_of_long_pauses_pauses_as_long() -> None:
    breaker = OF_AGENTS["breaker"]({"failures": 500, "pause": 1e6})
    assert (breaker.window, breaker.longest) == (500, 1e6)


@pytest.mark.parametrize(
    ("rule", "given", "value"),
    [
        ("most_failures", "off", None),
        ("most_failures", False, None),
        ("most_failures", 7, 7),
        ("stall", "off", None),
        ("stall", 1, 1.0),
        ("stall", 0.25, 0.25),
        ("breaker", "off", NO_BREAKER),
    ],
)
def test_a_rule_is_read_or_off(rule: str, given: Any, value: Any) -> None:
    assert OF_RULES[rule](given) == value


@pytest.mark.parametrize(
    ("rule", "given", "said"),
    [
        ("most_failures", 0, "most_failures is a whole number above 0, not 0"),
        ("stall", 0, "stall is a share of the budget from 0 to 1"),
        ("stall", 1.5, "stall is a share of the budget from 0 to 1"),
        ("stall", True, "stall is a share of the budget from 0 to 1"),
        ("stall", "half", "stall is a share of the budget from 0 to 1"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(rule: str, given: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        OF_RULES[rule](given)


def test_a_provider_is_read_with_and_without_a_concurrency() -> None:
    assert provider_of({"rate": "3/min"}) == Provider(rate=Rate(requests=3))
    assert provider_of({"concurrency": 2}) == Provider(concurrency=2)
    assert provider_of(Provider(concurrency=4)) == Provider(concurrency=4)
    with pytest.raises(UsageError, match="a provider is a mapping with some of concurrency, rate, breaker"):
        provider_of(["rate"])


def test_the_breaker_and_the_perimeter_of_a_provider_are_read() -> None:
    given = {"breaker": "off", "perimeter": ["public", "phi"]}
    assert provider_of(given) == Provider(breaker=NO_BREAKER, perimeter=("public", "phi"))
    assert provider_of({"perimeter": None}).perimeter is None
    assert provider_of({"perimeter": []}).perimeter == ()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"speed": 3}, "a provider has no 'speed'; it has concurrency, rate, breaker, perimeter"),
        ({"concurrency": 0}, "concurrency is a whole number above 0"),
        ({"perimeter": "public"}, "perimeter is a list of labels of data like [public], not 'public'"),
        ({"perimeter": [3]}, "perimeter is a list of labels of data like [public], not [3]"),
        (Provider(concurrency=-1), "concurrency is a whole number above 0"),
        (Provider(rate=Rate(requests=0)), "requests is a whole number above 0"),
        (Provider(perimeter="public"), "perimeter is a list of labels of data like [public], not 'public'"),  # type: ignore[arg-type]
    ],
)
def test_a_provider_that_cannot_be_is_refused_however_it_is_given(given: Any, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        provider_of(given)


def test_what_one_may_choose_is_listed_as_a_sentence_lists_it() -> None:
    assert listed_or(("refuse", "ask")) == "refuse or ask"
    assert listed_or(("auto", "model", "rules")) == "auto, model or rules"


@pytest.mark.parametrize("given", [True, None, [1], {"s": 1}])
def test_a_length_of_time_is_a_number_or_a_text(given: Any) -> None:
    with pytest.raises(ValueError, match="a number of seconds, or written like 90s"):
        read_length(given)


def test_a_channel_that_cannot_be_is_named_with_its_field_where_one_is_at_fault() -> None:
    assert str(BadChannel("url", "it is no address")) == "url: it is no address"
    assert str(BadChannel("", "it is no mapping")) == "it is no mapping"


@pytest.mark.parametrize(
    ("kind", "raw", "place", "said"),
    [
        ("default", {"steps": ["ann"], "then": "deny"}, ".then", "a chain has no field 'then'"),
        ("default", ["wait"], "", "a chain begins with who is asked"),
        ("default", {"steps": []}, ".steps", "a chain begins with who is asked"),
        ("doubt", [{"who": "ann", "within": 5}, "approve"], "", "cannot come to 'approve' here; it may be fail, wait"),
        ("default", {"steps": ["ann"], "only": 1}, ".only", "only is true or false, not 1"),
        ("approval", ["ann", "deny"], "", "'ann' is asked without an end, so 'deny' never comes"),
        ("approval", ["ann", "bob"], "", "'ann' is asked without an end, so 'bob' never comes"),
        ("approval", [{"remind": 5}, "deny"], "", "the first is asked without an end"),
        ("approval", [3], "[0]", "a chain names people"),
        ("approval", 3, "", "a chain names people"),
        ("approval", [{"who": "ann", "for": 3}], "[0].for", "a step has no field 'for'"),
        ("approval", {"who": 3}, ".who", "who is a name, not 3"),
        ("approval", [{"who": "ann", "within": "soon"}], "[0].within", "soon"),
    ],
)
def test_a_chain_that_cannot_be_is_told_at_its_place(kind: str, raw: Any, place: str, said: str) -> None:
    with pytest.raises(BadChain, match=re.escape(said)) as refused:
        read_chain(raw, "", kind)
    assert place_of(refused.value, "ask") == f"ask{place}"


def test_chains_are_written_as_they_are_read() -> None:
    asks = {"approval": Chain(steps=(Ask(who="ann", within=60.0),), otherwise="deny", only=True)}
    written = write_asks(asks)
    assert written == {"approval": [{"who": "ann", "within": 60.0}, "deny", {"only": True}]}
    assert read_asks(written) == asks


def told(found: list[Diagnostic]) -> list[tuple[str, str]]:
    """Give what was said, each with its place."""
    return [(one.path, one.message) for one in found]


@pytest.mark.parametrize(
    ("raw", "place", "said"),
    [
        (["retry"], "ladder", "a ladder maps classes of failure to lists of rungs"),
        ({"sometimes": ["retry"]}, "ladder.sometimes", "there is no class of failure 'sometimes'"),
        ({"transient": ["backup"] * (MOST_RUNGS + 1)}, "ladder.transient", f"{MOST_RUNGS + 1} rungs"),
        ({"transient": ["fail", "backup"]}, "ladder.transient[1]", "`fail` ends the ladder"),
        ({"transient": ["climb"]}, "ladder.transient[0]", "this is no rung: 'climb'"),
        ({"transient": [{"retry": 1, "backup": None}]}, "ladder.transient[0]", "two rungs in one"),
        ({"transient": [7]}, "ladder.transient[0]", "this is no rung: 7"),
        ({"transient": [{}]}, "ladder.transient[0]", "this is no rung"),
        ({"transient": [{"backup": None, "pause": 3}]}, "ladder.transient[0].pause", "`backup` has no field 'pause'"),
        ({"transient": [{"retry": 1, "with": {}}]}, "ladder.transient[0]", "two rungs in one"),
        ({"transient": [{"agent": ""}]}, "ladder.transient[0].agent", "`agent` names somebody, not ''"),
        ({"transient": [{"fail": "now"}]}, "ladder.transient[0].fail", "`fail` takes nothing, not 'now'"),
        ({"transient": [{"with": []}]}, "ladder.transient[0].with", "`with` takes arguments by name"),
        ({"transient": [{"with": {"a": {"ref": "b"}}}]}, "ladder.transient[0].with.a", "are no references"),
        ({"transient": [{"with": {"a": float("inf")}}]}, "ladder.transient[0].with", ""),
        ({"transient": [{"retry": 0}]}, "ladder.transient[0].retry", "this many times: 0"),
        ({"transient": [{"retry": 1, "pause": "soon"}]}, "ladder.transient[0].pause", "pause is 'soon'"),
        ({"transient": [{"retry": 1, "pause": [1]}]}, "ladder.transient[0].pause", "pause is list of 1"),
        ({"transient": [{"ask": "ann", "within": 0}]}, "ladder.transient[0].within", "within is 0"),
    ],
)
def test_a_ladder_that_cannot_be_is_told_at_its_place(raw: Any, place: str, said: str) -> None:
    found = told(read_ladder(raw, "ladder")[1])
    assert [where for where, _ in found] == [place]
    assert said in found[0][1]


def test_what_can_be_read_of_a_ladder_is_read() -> None:
    ladder, found = read_ladder(
        {"transient": [{"retry": 2, "pause": "1m"}, {"agent": "bob"}], "*": None, "over_budget": "ask", "often": []},
        "l",
    )
    assert [one.path for one in found] == ["l.often"]
    assert ladder["transient"] == (Rung(do="retry", times=2, pause=60.0), Rung(do="agent", agent="bob"))
    assert ladder["over_budget"] == (Rung(do="ask"),)
    assert "*" not in ladder
    assert list(agents_in(ladder)) == [("transient[1]", "bob")]
    assert read_ladder(write_ladder(ladder), "l") == (ladder, [])
