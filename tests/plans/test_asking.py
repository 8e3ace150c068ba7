"""Chains of people on paper, in plans, declarations and journals."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto import Orchestrator, agent, irreversible, plan, task
from stretto.codec import Codec
from stretto.core.domain import Ask, Asks, Chain
from stretto.core.errors import BadAgent, UsageError
from stretto.core.events import PersonAsked
from stretto.core.plan.asking import KINDS, read_asks, write_asks
from stretto.core.plan.shape import read_plan
from stretto.core.plan.writing import write_plan

lengths = st.floats(0.01, 1e6)
names = st.sampled_from(["ann", "bob", "Zoë"])
steps = st.builds(Ask, who=names | st.just(""), within=lengths, remind=st.none() | lengths)
chains = st.one_of(
    st.builds(Chain, steps=st.lists(steps, min_size=1, max_size=3).map(tuple), only=st.booleans()),
    st.builds(
        lambda many, value: Chain(steps=tuple(many), otherwise="answer", value=value),
        st.lists(steps, min_size=1, max_size=3),
        st.none() | st.text() | st.integers(),
    ),
    st.builds(Chain, steps=st.tuples(st.builds(Ask, who=names, remind=st.none() | lengths))),
)
asks = st.dictionaries(st.sampled_from([kind for kind in KINDS if kind in ("question", "default")]), chains, min_size=1)


@given(asks)
def test_what_is_written_of_chains_is_read_as_the_same_chains(given_: Asks) -> None:
    assert read_asks(json.loads(json.dumps(write_asks(given_)))) == given_


@given(asks)
def test_a_plan_with_chains_is_written_and_read_as_the_same_plan(given_: Asks) -> None:
    job = plan(task("a", "do", ask=write_asks(given_)))
    document = write_plan(job)
    read, found = read_plan(json.loads(json.dumps(document)))
    assert not found
    assert read.tasks == job.tasks


ANN = Ask(who="ann", within=90.0)


@pytest.mark.parametrize(
    ("raw", "chain"),
    [
        ("ann", Chain(steps=(Ask(who="ann"),))),
        ({"who": "ann", "within": "1h30m"}, Chain(steps=(Ask(who="ann", within=5400.0),))),
        ([{"within": 90}, "fail"], Chain(steps=(Ask(within=90.0),), otherwise="fail")),
        ([{"who": "ann", "within": 90}, {"answer": 7}], Chain(steps=(ANN,), otherwise="answer", value=7)),
        (
            {"steps": [{"who": "ann", "within": "2h"}], "otherwise": "deny", "only": True},
            Chain(steps=(Ask(who="ann", within=7200.0),), otherwise="deny", only=True),
        ),
    ],
)
def test_the_forms_of_a_chain_are_read_and_written(raw: object, chain: Chain) -> None:
    asks = {"default": chain}
    assert read_asks(raw) == asks
    assert read_asks(write_asks(asks)) == asks


def test_a_slip_in_a_plan_is_told_with_its_place() -> None:
    _, (found,) = read_plan({"tasks": {"a": {"skill": "do", "ask": [{"who": "ann", "within": "soon"}, "deny"]}}})
    assert (found.code, found.path) == ("bad-value", "tasks.a.ask[0].within")
    assert "'soon' is no length of time" in found.message


def test_a_slip_in_python_is_told_where_it_is() -> None:
    with pytest.raises(UsageError, match=r"task 'a': ask\[0\].remind: a length of time is more than 0 seconds"):
        task("a", "do", ask=[{"who": "ann", "remind": 0}])
    with pytest.raises(BadAgent, match="there is no kind of request 'aproval'"):
        agent(ask={"aproval": "ann"})


def test_the_people_of_a_team_are_all_whom_its_chains_may_name() -> None:
    @irreversible(ask=[{"who": "carl"}])
    async def pay() -> str:
        return "paid"

    with pytest.raises(UsageError, match="pay would ask 'carl', who is not among the people: ann, bob"):
        Orchestrator([pay], people=["ann", "bob"])
    team = Orchestrator([pay], people=["ann", "carl"])
    (found,) = [one for one in team.check(plan(task("a", pay, ask="zoe"))) if one.severity == "error"]
    assert (found.code, found.path) == ("bad-chain", "tasks.a.ask")
    assert "there is nobody called 'zoe'; there are ann, carl" in found.message


def test_a_request_of_a_journal_from_before_chains_is_read() -> None:
    old = {"request": {"id": "q", "task": "t", "attempt": 1, "kind": "approval", "question": "may I?", "asked": 3.0}}
    event = Codec().decode("PersonAsked", 1, json.dumps(old).encode(), 3.0, lambda *_: b"")
    assert isinstance(event, PersonAsked)
    assert (event.request.chain, event.request.to, event.request.due) == (None, "", None)
