"""Budgets through the public interface: however many branches, whatever they cost, and whenever the process dies."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest

from stretto import Assignment, Orchestrator, agent, plan, pure, ref, task
from stretto.core.domain import Completed, Cost
from stretto.core.errors import BadPlan, LostOwnership
from stretto.core.events import Event
from stretto.journals.sqlite import SqliteJournal
from stretto.ports import Journal, Lease, OverBudget, RunSummary
from stretto.views import Run

T = TypeVar("T")
BRANCHES = 1000
spent: list[int] = []
chance = random.Random(0)


def go(work: Awaitable[T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(50):
            return await work

    return asyncio.run(bounded())


@pytest.fixture(autouse=True)
def fresh() -> None:
    spent.clear()
    chance.seed(7)


@pure(cost="$0.05", tokens=50)
async def ask(number: int, work: Assignment) -> int:
    """Ask, at a price that only turns out now."""
    cents = chance.randint(0, 5)
    spent.append(cents)
    work.spend(Decimal(cents) / 100, cents * 10)
    await asyncio.sleep(0)
    return number


@pure
def nothing(of: Any = None) -> str:
    """Cost nothing."""
    return "nothing"


MANY = plan(
    task("ask", ask, for_each=list(range(BRANCHES)), allow_failures=True, number=ref("item")), deliver=ref("ask")
)


def gap(run: Run, task_: str) -> str:
    return next(one.why for one in run.gaps if one.task == task_)


@pytest.mark.parametrize("parallel", [1000, 7])
def test_a_thousand_branches_never_cross_what_the_run_may_cost(parallel: int) -> None:
    run = go(Orchestrator([ask], parallel=parallel, budget="$10, 20k tokens").run("ask", plan=MANY))
    assert sum(spent) == run.cost.money * 100 <= 1000
    assert run.cost.tokens <= 20_000
    assert 1000 - sum(spent) < 5, "what is left is too little for one more"
    assert len(run.answer) == len(spent)
    assert "to go on, run it again with a larger --budget" in run.gaps[0].why


def test_a_thousand_branches_never_cross_what_their_task_may_cost() -> None:
    job = plan(
        task(
            "ask", ask, for_each=list(range(BRANCHES)), allow_failures=True, number=ref("item"), budget="$3, 500 steps"
        ),
        task("more", ask, number=1),
    )
    run = go(Orchestrator([ask], parallel=1000, budget="$50").run("ask", plan=job))
    told = run.as_json()["budget"]
    assert told["tasks"]["ask"]["spent"]["money"] <= 3
    assert told["tasks"]["ask"]["left"]["money"] < 0.05 or told["tasks"]["ask"]["left"]["steps"] == 0
    assert told["tasks"]["ask"]["spent"]["steps"] <= 500
    assert told["reserved"] == {"money": 0.0, "tokens": 0}
    assert {one["id"]: one["status"] for one in run.as_json()["tasks"]}["more"] == "completed"
    assert "to go on, give the task a larger `budget:`" in run.gaps[0].why


class Mortal(SqliteJournal):
    """Its owner is gone right before an append, with all that was under way."""

    appends = 1

    async def append(
        self, lease: Lease, after: int, facts: Sequence[tuple[str, Event]], summary: RunSummary, *more: Any
    ) -> None:
        self.appends -= 1
        if self.appends < 0:
            raise LostOwnership("dead")
        await super().append(lease, after, facts, summary, *more)


class Team(Orchestrator):
    """Opens a journal of a short life every time."""

    store: Path

    @asynccontextmanager
    async def journal(self) -> AsyncIterator[Journal]:
        journal = Mortal(self.store)
        journal.appends = chance.randint(1, 4)
        try:
            yield journal
        finally:
            await journal.close()


def test_crashes_do_not_let_a_thousand_branches_cross_it_either(tmp_path: Path) -> None:
    team = Team([ask], parallel=40, budget="$10")
    team.store = tmp_path / "runs.db"

    async def lives() -> tuple[Run, int]:
        deaths = 0
        try:
            return await team.run("ask", plan=MANY, run_id="r"), deaths
        except LostOwnership:
            while True:
                deaths += 1
                try:
                    return await team.resume("r"), deaths
                except LostOwnership:
                    assert deaths < 500

    run, deaths = go(lives())
    assert deaths > 3
    assert sum(spent) <= run.cost.money * 100 <= 1000, "what the dead spent is counted, and what they may have spent"
    assert run.status == "partial"


def test_who_has_no_bound_runs_alone_with_all_that_is_left_reserved() -> None:
    together: list[int] = []
    costly = 0

    @pure(cost="$0.10")
    async def bounded(n: int, work: Assignment) -> int:
        """Cost something."""
        nonlocal costly
        costly += 1
        work.spend("0.10")
        await asyncio.sleep(0.01)
        costly -= 1
        return n

    @pure(cost="unbounded")
    async def loose(n: int, work: Assignment) -> float:
        """Cost whatever."""
        assert work.ceiling.money is not None
        together.append(costly)
        work.spend("0.30")
        return float(work.ceiling.money)

    job = plan(
        task("bounded", bounded, for_each=list(range(10)), n=ref("item")),
        task("loose", loose, n=1),
        task("free", nothing),
        deliver=ref("loose"),
    )
    run = go(Orchestrator([bounded, loose, nothing], budget="$2").run("go", plan=job))
    assert run.status == "finished"
    assert together == [0]
    assert run.cost.money == Decimal("1.30")


def test_who_has_no_bound_is_refused_where_the_rules_say_so_but_not_without_a_budget() -> None:
    @pure(cost="unbounded")
    async def loose(work: Assignment) -> str:
        """Cost whatever."""
        work.spend("100")
        return "done"

    job = plan(task("loose", loose), deliver=ref("loose"))
    strict = Orchestrator([loose], unbounded="refuse", budget="$2")
    with pytest.raises(BadPlan, match="costs has no bound, and the rules refuse such agents under a budget"):
        go(strict.run("go", plan=job))
    assert go(strict.run("go", plan=job, budget="9 steps")).answer == "done"
    over = go(Orchestrator([loose], budget="$2").run("go", plan=job))
    assert "would have cost $100, and it may cost $2" in gap(over, "loose")


def test_an_agent_cannot_spend_more_than_it_said() -> None:
    @pure(cost="$0.10", tokens=5)
    def greedy(work: Assignment) -> str:
        """Try."""
        work.spend("0.09")
        try:
            work.spend("0.02")
        except OverBudget:
            work.spend("0.01")
        work.spend(0, 6)
        return "never"

    run = go(Orchestrator([greedy]).run("go", plan=plan(task("a", greedy))))
    assert run.cost == Cost(money=Decimal("0.10"))
    assert gap(run, "a").startswith("the attempt would have taken 6 tokens, and it may take 5")


def test_nothing_spent_comes_back_by_saying_so() -> None:
    @pure(cost="$0.10", attempts=1)
    def juggle(work: Assignment) -> str:
        """Make room by a negative amount."""
        work.spend("0.10")
        work.spend("-0.10")
        return "never"

    run = go(Orchestrator([juggle], budget="$1").run("go", plan=plan(task("a", juggle))))
    assert run.cost.money == Decimal("0.10")
    assert "it reports a cost that is none: $-0.10" in gap(run, "a")


def test_under_a_budget_who_declares_no_cost_may_spend_none() -> None:
    @pure
    def silent(work: Assignment) -> str:
        """Spend unasked."""
        work.spend("0.01")
        return "done"

    job = plan(task("a", silent))
    assert go(Orchestrator([silent]).run("go", plan=job)).cost.money == Decimal("0.01")
    assert "it may cost $0; to go on, declare a higher cost" in gap(
        go(Orchestrator([silent], budget="$1").run("go", plan=job)), "a"
    )


def test_an_outcome_that_costs_more_than_reserved_is_counted_and_pointed_out() -> None:
    @pure(cost="$0.10")
    def sly() -> Any:
        """Tell afterwards."""
        return Completed(output="done", cost=Cost(money=Decimal("0.25")))

    run = go(Orchestrator([sly], budget="$1").run("go", plan=plan(task("a", sly), deliver=ref("a"))))
    assert run.cost.money == Decimal("0.25")
    assert run.as_json()["budget"]["overspent"] == {"a": {"money": 0.15, "tokens": 0}}


def test_time_of_the_budget_ends_a_run_and_cuts_the_attempt() -> None:
    given: list[float] = []

    @pure(timeout=100)
    async def slow(work: Assignment) -> str:
        """Wait for ever."""
        given.append(work.limits.timeout or 0.0)
        await asyncio.Event().wait()
        return ""

    run = go(Orchestrator([slow, nothing], budget="0.4s").run("go", plan=plan(task("a", slow), task("b", nothing))))
    assert 0 < given[0] <= 0.4
    assert gap(run, "a") in ("the 0.4 s of the budget are over", "no answer within 0.4 s")
    assert run.status == "partial"


def test_time_of_a_task_holds_over_all_its_attempts() -> None:
    @pure
    async def slow(work: Assignment) -> str:
        """Wait for ever."""
        await asyncio.Event().wait()
        return ""

    run = go(Orchestrator([slow]).run("go", plan=plan(task("a", slow, budget="0.2s"))))
    assert "the 0.2 s of the task's budget are over; to go on, give the task a larger `budget:`" in gap(run, "a")


def test_steps_of_a_task_hold_over_all_its_attempts() -> None:
    tries: list[int] = []

    @pure
    def flaky(work: Assignment) -> str:
        """Fail."""
        tries.append(work.attempt)
        raise ConnectionRefusedError("no")

    team = Orchestrator([flaky])
    run = go(team.run("go", plan=plan(task("a", flaky, budget="2 steps"))))
    assert tries == [1, 2]
    assert "all 2 attempts of the budget are used; to go on, give the task a larger" in gap(run, "a")


@pytest.mark.parametrize(("where", "budget", "own"), [("run", "1 revision", None), ("task", None, "1 revision")])
def test_revisions_are_bounded(where: str, budget: str | None, own: str | None) -> None:
    tries: list[int] = []

    @pure
    def wrong(n: int, work: Assignment) -> int:
        """Give what does not fit."""
        tries.append(n)
        return "text"  # type: ignore[return-value]

    job = plan(task("a", wrong, for_each=[1, 2, 3], n=ref("item"), budget=own))
    run = go(Orchestrator([wrong], parallel=1, budget=budget).run("go", plan=job))
    assert len(tries) == 4
    assert sum("1 revisions of the" in one.why for one in run.gaps) == 2, where


def test_isolated_agents_keep_to_it_too() -> None:
    from tests.agents.workshop import greedy

    run = go(Orchestrator([greedy], budget="$1").run("go", plan=plan(task("a", greedy))))
    assert run.cost.money == Decimal("0.05")
    assert "would have cost $0.15, and it may cost $0.10" in gap(run, "a")


def test_an_isolated_agent_that_is_killed_counts_as_what_was_reserved() -> None:
    from tests.agents.workshop import collapse, hoard

    run = go(Orchestrator([hoard, collapse], budget="$1").run("go", plan=plan(task("a", hoard), task("b", collapse))))
    assert [one["cost"]["money"] for one in run.as_json()["tasks"]] == [0.10, 0.10]


def test_what_is_spent_is_told_by_agent_and_left_for_the_rest() -> None:
    @agent(effect="none", cost="$0.20")
    def other(work: Assignment) -> str:
        """Cost a little."""
        work.spend("0.15")
        return "x"

    job = plan(task("a", ask, number=1), task("b", other))
    run = go(Orchestrator([ask, other], budget="$1, 5 steps").run("go", plan=job))
    told = run.as_json()["budget"]
    assert told["by_agent"]["other"] == {"money": 0.15, "tokens": 0}
    assert told["left"]["money"] == pytest.approx(1 - float(run.cost.money))
    assert told["left"]["steps"] == 3
    assert told["limit"]["money"] == 1.0
