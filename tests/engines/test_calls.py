"""Inner calls through the public interface: made once, given again, reserved, judged, asked about."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest

from stretto import Assignment, Orchestrator, agent, irreversible, plan, pure, ref, reversible, task
from stretto.core.commands import AnswerRequest, Command
from stretto.core.domain import Call, Called, Cost, FailureClass, Review, SideEffect, Usage
from stretto.core.events import AttemptCompleted, CallBegun, CallEnded, CallFailed, CallRefused
from stretto.core.state import RunState
from stretto.journals.sqlite import SqliteJournal
from stretto.ports import AgentFailure, Caller, Product
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


@agent(isolated=True)
@pure
def isolated_caller(work: Assignment) -> Any:
    """Try to make a call from a process of its own."""
    return work.call_now("k", gives_a_set)


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


class Says:
    """A person with one answer."""

    def __init__(self, decision: str, **more: Any) -> None:
        self.decision, self.more = decision, more

    async def ask(self, state: RunState, request: str) -> Command | None:
        decision: Any = self.decision
        return AnswerRequest(actor="person:ann", request=request, decision=decision, **self.more)


def test_arguments_that_a_person_edited_are_what_is_called_with() -> None:
    @pure
    async def write(work: Assignment) -> Any:
        return await work.call("tell", send, "ann")

    run = run_of(write, people=Says("edit", value={"to": "bob"}))
    assert run.answer == "sent to bob"
    assert [one[:2] for one in world] == [("send", "bob")]


def test_a_denied_call_fails_with_the_reason_and_the_agent_goes_on() -> None:
    @pure
    async def write(work: Assignment) -> Any:
        try:
            return await work.call("tell", send, "ann")
        except AgentFailure as error:
            return [error.failure.value, str(error)]

    run = run_of(write, people=Says("deny", reason="not on a Sunday"))
    assert run.answer == ["denied", "denied by ann: not on a Sunday"]
    assert world == []


def test_an_isolated_function_is_told_that_it_makes_no_calls() -> None:
    run = run_of(isolated_caller, ladder={"error": ["fail"]})
    assert "isolated functions make none" in run.gaps[0].why


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


def test_a_call_waits_for_the_others_before_it_asks_and_nothing_of_theirs_is_lost() -> None:
    @reversible
    async def slow(work: Assignment) -> str:
        for _ in range(5):
            await asyncio.sleep(0)
        world.append("slow")
        return "booked"

    @pure
    async def write(work: Assignment) -> Any:
        return await asyncio.gather(work.call("slow", slow), work.call("tell", send, "ann"))

    run = run_of(write, approve="all")
    assert run.answer == ["booked", "sent to ann"]
    assert world.count("slow") == 1


def test_a_call_inside_a_call_that_asks_does_not_wait_for_itself() -> None:
    @pure
    async def outer(work: Assignment) -> str:
        return f"outer: {await work.call('tell', send, 'ann')}"

    @pure
    async def write(work: Assignment) -> Any:
        return await work.call("outer", outer)

    run = run_of(write, approve="all")
    assert run.answer == "outer: sent to ann"
    assert len(world) == 1


def test_a_call_that_makes_itself_is_refused() -> None:
    @pure
    async def again(work: Assignment) -> str:
        return str(await work.call("again", again))

    assert "the call 'again' makes itself" in run_of(again, ladder={"refused": ["fail"]}).gaps[0].why


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda work: work.call("k", search, {1, 2}), "not a JSON value"),
        (lambda work: work.call("k", search), "missing a required argument: 'text'"),
        (lambda work: work.call("k", search, "x", cost="much"), "an amount of dollars like '$0.01', not 'much'"),
        (lambda work: work.call("k", search, "x", tokens=-1), "a number of tokens"),
        (lambda work: work.call("k", search, "x", effect="bad"), "there is no effect 'bad'"),
        (lambda work: work.call("k", "search"), "which is no function"),
        (lambda work: work.call("k", gives_a_set), "its result cannot be kept: not a JSON value"),
    ],
)
def test_what_cannot_be_called_is_said_clearly(wrong: Callable[[Assignment], Awaitable[Any]], said: str) -> None:
    @pure
    async def research(work: Assignment) -> Any:
        return await wrong(work)

    assert said in run_of(research, ladder={"error": ["fail"], "invalid_output": ["fail"]}).gaps[0].why


@pure
def gives_a_set() -> Any:
    """Give what JSON cannot say."""
    return {1, 2}


def test_call_now_on_the_loop_says_to_await() -> None:
    @pure
    async def research(work: Assignment) -> Any:
        return work.call_now("k", search, "x")

    assert "say `await work.call(...)`" in run_of(research, ladder={"error": ["fail"]}).gaps[0].why


def test_a_tool_that_the_card_does_not_name_is_denied() -> None:
    @agent(tools=["send"])
    @pure
    async def research(work: Assignment) -> Any:
        try:
            return await work.call("k", search, "x")
        except AgentFailure as error:
            return [error.failure.value, str(error)]

    assert run_of(research).answer == ["denied", "search: it is none of the tools of research"]
    assert world == []


def test_labelled_data_reaches_no_function_outside_its_perimeter() -> None:
    @agent(perimeter=["public"])
    @pure
    def publish(text: str) -> str:
        world.append(text)
        return text

    @pure
    async def research(work: Assignment) -> Any:
        try:
            return await work.call("k", publish, "secret")
        except AgentFailure as error:
            return str(error)

    whole = plan(task("one", research, labels=["confidential"]), deliver=ref("one"))
    run = go(Orchestrator([research]).run("do it", plan=whole))
    assert run.answer == "publish: publish may not see data labelled confidential"
    assert world == []


def test_a_lost_reply_is_looked_up_and_the_deed_is_not_done_again() -> None:
    def sent(to: str, work: Assignment) -> str | None:
        """Tell whether it was sent."""
        return "found" if ("post", work.key) in world else None

    @reversible(lookup=sent)
    async def post(to: str, work: Assignment) -> str:
        world.append(("post", work.key))
        raise ConnectionResetError("the line broke")

    @pure
    async def write(work: Assignment) -> Any:
        return await work.call("post", post, "ann")

    run = run_of(write)
    assert run.answer == "found"
    assert len(world) == 1


def test_a_lost_reply_that_nobody_can_look_up_is_a_question() -> None:
    @reversible
    async def post(to: str) -> str:
        world.append("post")
        raise ConnectionResetError("the line broke")

    @pure
    async def write(work: Assignment) -> Any:
        return await work.call("post", post, "ann")

    run = run_of(write, wait=False)
    (asked,) = run.requests
    assert (asked["kind"], asked["tool"], asked["task"]) == ("doubt", "post", "one")
    assert world == ["post"]


def test_two_hundred_branches_with_calls_never_cross_a_budget() -> None:
    spent: list[int] = []

    @pure
    async def ask(number: int, work: Assignment) -> int:
        work.spend(Decimal(number % 4) / 100, number % 4 * 10)
        spent.append(number % 4)
        await asyncio.sleep(0)
        return number

    @pure(cost="$0.10", tokens=100)
    async def think(number: int, work: Assignment) -> Any:
        async def once(turn: int) -> Any:
            return await work.call(f"turn {turn}", ask, number + turn, cost="$0.03", tokens=30)

        return await asyncio.gather(*(once(turn) for turn in range(3)))

    many = plan(task("t", think, for_each=list(range(200)), allow_failures=True, number=ref("item")), deliver=ref("t"))
    run = go(Orchestrator([think], parallel=200, budget="$4").run("think", plan=many))
    assert sum(spent) == run.cost.money * 100 <= 400
    assert run.cost.tokens == sum(spent) * 10
    assert run.state.completed > 20


def test_a_review_waits_for_room_that_work_under_way_holds(tmp_path: Path) -> None:
    class Costly:
        name = "costly"

        def glance(self, product: Product) -> Review | None:
            return None

        async def review(self, product: Product, caller: Caller) -> Review:
            async def judged() -> Called:
                world.append(product.task.id)
                return Called(output=True, cost=Cost(money=Decimal("0.30")))

            call = Call(key="judge", role="reviewer", what="test:judge", reserve=Cost(money=Decimal("0.30")))
            first_asks.set()
            await caller.call(call, judged)
            return Review(accepted=True, reviewer="costly")

    first_asks = asyncio.Event()

    @pure(cost="$0.10")
    async def quick() -> str:
        return "quick"

    @pure(cost="$0.80")
    async def slow() -> str:
        await first_asks.wait()
        return "slow"

    async def both() -> Run:
        team = Orchestrator([quick, slow], budget="$1", store=tmp_path / "runs.db")
        house = team.house  # the reviewers of the house, and one that costs
        team.house = lambda *given, **more: _with_reviewer(house(*given, **more), Costly())  # type: ignore[method-assign]
        return await team.run("do it", plan=plan(task("q", quick), task("s", slow), deliver=[ref("q"), ref("s")]))

    run = go(both())
    assert run.status == "finished"
    assert world == ["q", "s"]
    told = events_of(tmp_path / "runs.db", run)
    assert [
        (type(one), one.of.task if isinstance(one, CallBegun) else one.task)
        for one in told
        if isinstance(one, AttemptCompleted | CallBegun)
    ] == [(AttemptCompleted, "q"), (AttemptCompleted, "s"), (CallBegun, "q"), (CallBegun, "s")]
    assert run.state.coordination.cost.money == Decimal("0.60")


def _with_reviewer(house: Any, reviewer: Any) -> Any:
    return replace(house, reviewers=(*house.reviewers, reviewer))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (Call(key="", role="worker", what="m"), "has a key and says what it calls"),
        (Call(key="k", role="boss", what="m"), "has the role 'boss'; there are planner"),  # type: ignore[arg-type]
        (Call(key="k", role="tool", what="m", reserve=Cost(money=Decimal(-1))), "no such effect or cost"),
        (Call(key="k", role="tool", what="m", arguments=float("nan")), "the arguments of the call 'k' cannot be given"),
        (Call(key="k\ud800", role="tool", what="m"), "not a JSON value"),
    ],
)
def test_a_call_that_no_journal_can_hold_is_refused_before_anything(call: Call, said: str) -> None:
    @pure
    async def think(work: Assignment) -> Any:
        assert work.toolbox is not None

        async def never() -> Called:
            raise AssertionError("it was made")

        return (await work.toolbox.call(call, never)).output

    assert said in run_of(think, ladder={"error": ["fail"]}).gaps[0].why


@pytest.mark.parametrize(
    ("outcome", "failure", "said"),
    [
        (Called(cost=Cost(money=0.5)), "invalid_output", "a cost or usage that is none"),  # type: ignore[arg-type]
        (Called(usage=Usage(input=-1)), "invalid_output", "a cost or usage that is none"),
        (Called(output="\ud800"), "invalid_output", "not a JSON value"),
        (AgentFailure("\ud800" * 3000, "odd"), "error", "?"),  # type: ignore[arg-type]
        (ValueError("\ud800"), "error", "ValueError: ?"),
    ],
)
def test_whatever_a_call_says_of_itself_can_be_kept_and_read_again(
    tmp_path: Path, outcome: Called | Exception, failure: str, said: str
) -> None:
    @pure
    async def think(work: Assignment) -> Any:
        assert work.toolbox is not None

        async def say() -> Called:
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        with contextlib.suppress(AgentFailure, ValueError):
            await work.toolbox.call(Call(key="k", role="worker", what="m"), say)
        return "went on"

    run = run_of(think, store=tmp_path / "runs.db")
    assert run.answer == "went on"
    (fell,) = [one for one in events_of(tmp_path / "runs.db", run) if isinstance(one, CallFailed)]
    assert fell.failure.value == failure
    assert said in fell.message
