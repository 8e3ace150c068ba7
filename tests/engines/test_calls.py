"""Inner calls through the public interface: made once, given again, reserved, judged, asked about."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest

from stretto import Assignment, Orchestrator, agent, irreversible, plan, pure, ref, task
from stretto.core.domain import Call, Called, Cost, FailureClass, SideEffect, Usage
from stretto.core.events import CallBegun, CallEnded, CallRefused
from stretto.journals.sqlite import SqliteJournal
from stretto.ports import AgentFailure
from stretto.views import Run

T = TypeVar("T")
world: list[Any] = []
"""What the outside saw."""


def go(work: Awaitable[T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(30):
            return await work

    return asyncio.run(bounded())


@pytest.fixture(autouse=True)
def fresh() -> None:
    world.clear()


def run_of(*functions: Callable[..., Any], **options: Any) -> Run:
    """Run the first function as the only task, with no arguments."""
    whole = plan(task("one", functions[0]), deliver=ref("one"))
    team = {name: options.pop(name) for name in ("budget", "parallel", "store", "ladder") if name in options}
    return go(Orchestrator(list(functions), **team).run("do it", plan=whole, **options))


def events_of(store: Path, run: Run) -> list[Any]:
    async def read() -> list[Any]:
        journal = SqliteJournal(store)
        found = [one.event for one in await journal.read(run.run_id)]
        await journal.close()
        return found

    return asyncio.run(read())


@pure
async def search(text: str) -> list[str]:
    """Look something up."""
    world.append(("search", text))
    return [text, text.upper()]


@irreversible
def send(to: str, work: Assignment) -> str:
    """Send something."""
    world.append(("send", to, work.key))
    return f"sent to {to}"


def test_what_a_call_brings_is_in_the_journal_and_its_intent_before(tmp_path: Path) -> None:
    @pure
    async def research(work: Assignment) -> Any:
        return await work.call("first", search, "x", cost="$0.25", tokens=10)

    run = run_of(research, store=tmp_path / "runs.db")
    assert run.answer == ["x", "X"]
    begun, ended = [one for one in events_of(tmp_path / "runs.db", run) if isinstance(one, CallBegun | CallEnded)]
    assert (begun.key, begun.what, begun.arguments, begun.effect) == ("first", "search", {"text": "x"}, SideEffect.NONE)
    assert begun.reserved == ended.cost == Cost(money=Decimal("0.25"), tokens=10)
    assert begun.verdict.decision == "allow"
    assert ended.output == ["x", "X"]
    assert run.cost == ended.cost


def test_the_same_call_is_made_once_and_another_one_is_another() -> None:
    @pure
    async def research(work: Assignment) -> Any:
        twice = await asyncio.gather(work.call("one", search, "x"), work.call("one", search, "x"))
        return [*twice, await work.call("one", search, text="x"), await work.call("one", search, "y")]

    run = run_of(research)
    assert run.answer == [["x", "X"], ["x", "X"], ["x", "X"], ["y", "Y"]]
    assert world == [("search", "x"), ("search", "y")]


def test_a_result_that_was_changed_by_who_got_it_is_given_as_it_was() -> None:
    @pure
    async def research(work: Assignment) -> Any:
        (await work.call("one", search, "x")).append("changed")
        return await work.call("one", search, "x")

    assert run_of(research).answer == ["x", "X"]


def test_a_plain_function_makes_calls_from_its_thread() -> None:
    @pure
    def research(work: Assignment) -> Any:
        return work.call_now("one", search, "x") + work.call_now("one", search, "x")

    assert run_of(research).answer == ["x", "X", "x", "X"]
    assert world == [("search", "x")]


def test_a_failed_call_raises_what_the_function_raised_and_may_be_made_again() -> None:
    @pure
    async def flaky() -> str:
        world.append("flaky")
        if len(world) == 1:
            raise ValueError("not yet")
        return "done"

    @pure
    async def research(work: Assignment) -> Any:
        try:
            await work.call("one", flaky)
        except ValueError as error:
            return [str(error), await work.call("one", flaky)]

    assert run_of(research).answer == ["not yet", "done"]


@pytest.mark.parametrize(
    ("failure", "made"),
    [
        (FailureClass.TRANSIENT, 1),
        (FailureClass.UNAVAILABLE, 1),
        (FailureClass.ERROR, 2),
        (FailureClass.INVALID_OUTPUT, 2),
    ],
)
def test_the_next_attempt_is_given_what_the_one_before_called_unless_the_answers_led_nowhere(
    failure: FailureClass, made: int
) -> None:
    @pure
    async def research(work: Assignment) -> Any:
        found = await work.call("one", search, "x")
        told = await work.call("two", send, "ann", effect="reversible")
        if work.attempt == 1:
            raise AgentFailure("no luck", failure)
        return [found, told]

    run = run_of(research)
    assert run.answer == [["x", "X"], "sent to ann"]
    assert Counter(one[0] for one in world) == {"search": made, "send": 1}


def test_a_review_that_sends_the_result_back_forgets_what_was_only_read() -> None:
    @agent(ladder={"invalid_output": [{"revise": 2}]})
    @pure
    async def research(work: Assignment) -> list[str]:
        found = await work.call("one", search, "x")
        return found if work.attempt == 2 else "nothing"  # type: ignore[return-value]

    assert run_of(research).answer == ["x", "X"]
    assert world == [("search", "x")] * 2


def test_without_room_in_the_attempt_a_call_is_refused_and_nothing_is_spent(tmp_path: Path) -> None:
    @pure(cost="$0.30")
    async def research(work: Assignment) -> Any:
        await work.call("one", search, "x", cost="$0.20")
        try:
            await work.call("two", search, "y", cost="$0.20")
        except AgentFailure as error:
            return [error.failure.value, str(error)]

    run = run_of(research, store=tmp_path / "runs.db", budget="$1")
    assert run.answer[0] == "over_budget"
    assert "$0.1" in run.answer[1]
    assert world == [("search", "x")]
    assert run.cost.money == Decimal("0.20")
    assert [one.failure for one in events_of(tmp_path / "runs.db", run) if isinstance(one, CallRefused)] == [
        FailureClass.OVER_BUDGET
    ]


def test_what_calls_may_cost_is_kept_from_what_the_attempt_spends_itself() -> None:
    @pure(cost="$0.30")
    async def research(work: Assignment) -> Any:
        work.spend("0.15")
        try:
            await work.call("one", search, "x", cost="$0.20")
        except AgentFailure:
            world.append("refused")
        await work.call("one", search, "x", cost="$0.10")
        try:
            work.spend("0.10")
        except AgentFailure:
            world.append("no room")
        return "done"

    run = run_of(research, budget="$1")
    assert world == ["refused", ("search", "x"), "no room"]
    assert run.cost.money == Decimal("0.25")


def test_a_function_that_reports_what_it_spent_costs_that() -> None:
    @pure
    async def ask(work: Assignment) -> str:
        work.spend("0.05", 7)
        return "an answer"

    @pure
    async def research(work: Assignment) -> Any:
        return await work.call("one", ask, cost="$0.20", tokens=100)

    assert run_of(research, budget=None).cost == Cost(money=Decimal("0.05"), tokens=7)


def test_an_irreversible_call_asks_a_person_and_is_made_once_with_what_was_approved() -> None:
    @pure
    async def write(work: Assignment) -> Any:
        found = await work.call("find", search, "x")
        return [found, await work.call("tell", send, "ann"), await work.call("tell", send, "bob")]

    run = run_of(write, approve="all")
    assert run.answer == [["x", "X"], "sent to ann", "sent to bob"]
    assert [one[:2] for one in world] == [("search", "x"), ("send", "ann"), ("send", "bob")]
    keys = [one[2] for one in world[1:]]
    assert len(set(keys)) == 2
    assert all(len(key) == 40 for key in keys)


def test_the_request_shows_what_would_be_called_with_what() -> None:
    @pure
    async def write(work: Assignment) -> Any:
        return await work.call("tell", send, "ann")

    run = run_of(write, wait=False)
    (asked,) = run.requests
    assert (asked["kind"], asked["tool"], asked["arguments"]) == ("approval", "send", {"to": "ann"})
    assert "write wants to call send: it cannot be undone" in asked["question"]
    assert world == []


def test_a_model_reports_its_usage_and_coordination_is_told_from_work() -> None:
    @pure
    async def think(work: Assignment) -> Any:
        assert work.toolbox is not None

        async def ask() -> Called:
            return Called(output="fine", cost=Cost(money=Decimal("0.01"), tokens=30), usage=Usage(input=20, output=10))

        model = Call(key="m", role="worker", what="test:model", arguments="hash")
        short = Call(key="s", role="summariser", what="test:small", arguments="hash")
        first = await work.toolbox.call(model, ask)
        again = await work.toolbox.call(model, ask)
        assert first == again
        return (await work.toolbox.call(short, ask)).output

    state = run_of(think).state
    assert state.coordination.cost.money == Decimal("0.01")
    assert {name: one.calls for name, one in state.meters.models.items()} == {"test:model": 1, "test:small": 1}
    assert state.meters.agents["think"].usage == state.tasks["one"].meter.usage == Usage(input=40, output=20)
