"""A run that only waits for a moment sleeps: a drive that does not wait leaves it, and says until when."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from stretto import Assignment, Orchestrator, irreversible, plan, pure, ref, task
from stretto.bootstrap import leave_word
from stretto.core.commands import AnswerRequest, Cancel
from stretto.core.domain import FailureClass
from stretto.engines.clock import SystemClock
from stretto.orchestrator import House
from stretto.ports import AgentFailure, Clock, Journal, People, RunQuery

HOUR = 3600.0


class Ahead(SystemClock):
    """The time of the machine, and some seconds more."""

    by = 0.0

    def now(self) -> float:
        return super().now() + self.by

    async def until(self, moment: float) -> None:
        await super().until(moment - self.by)


class Team(Orchestrator):
    """An orchestrator on a clock of its own."""

    clock: Clock

    def house(self, journal: Journal, people: People, *more: Any, **also: Any) -> House:
        return replace(super().house(journal, people, *more, **also), clock=self.clock)


class Shop:
    """An agent that is closed for some seconds at the first call."""

    def __init__(self, folder: Path, retry_after: float, *others: Any) -> None:
        self.calls = 0

        @pure
        async def buy(what: str) -> str:
            """Buy it, once the shop is open."""
            self.calls += 1
            if self.calls == 1:
                raise AgentFailure("closed", FailureClass.RATE_LIMITED, retry_after=retry_after)
            return f"a {what}"

        self.clock = Ahead()
        self.team = Team([buy, *others], store=folder / "runs.db")
        self.team.clock = self.clock
        self.plan = plan(task("buy", buy, what="loaf"), deliver=ref("buy"))

    async def line(self) -> Any:
        async with self.team.journal() as journal:
            (found,) = await journal.runs()
            return found


async def test_a_run_that_waits_for_an_hour_is_left_and_goes_on_when_it_is_over(tmp_path: Path) -> None:
    shop = Shop(tmp_path, HOUR)
    before = time.time()
    run = await shop.team.run("buy", plan=shop.plan)
    assert (run.status, shop.calls) == ("running", 1)
    assert run.wake is not None
    assert before + HOUR <= run.wake <= time.time() + HOUR
    assert (await shop.line()).wake == run.wake

    again = await shop.team.resume(run.run_id)
    assert (again.status, shop.calls) == ("running", 1)

    shop.clock.by = HOUR
    done = await shop.team.resume(run.run_id)
    assert (done.status, done.answer, shop.calls) == ("finished", "a loaf", 2)
    assert (done.wake, (await shop.line()).wake) == (None, None)


async def test_a_timer_that_is_due_soon_is_waited_for(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 0.05)
    assert (await shop.team.run("buy", plan=shop.plan)).status == "finished"
    assert shop.calls == 2


async def test_word_left_for_a_sleeping_run_is_heard_before_the_drive_ends_again(tmp_path: Path) -> None:
    shop = Shop(tmp_path, HOUR)
    run = await shop.team.run("buy", plan=shop.plan)
    async with shop.team.journal() as journal:
        await journal.post(run.run_id, Cancel(actor="person:kim"))
    assert (await shop.team.resume(run.run_id)).status == "cancelled"


async def test_a_drive_that_waits_stays_however_long_it_takes(tmp_path: Path) -> None:
    shop = Shop(tmp_path, HOUR)
    run = asyncio.create_task(shop.team.run("buy", plan=shop.plan, wait=True, run_id="r"))
    while (await _wake(shop.team, "r")) is None or shop.calls == 0:
        await asyncio.sleep(0)
    for _ in range(50):
        await asyncio.sleep(0)
    assert not run.done()
    async with shop.team.journal() as journal:
        await leave_word(journal, "r", Cancel(actor="person:kim"))
    assert (await run).status == "cancelled"


async def test_a_run_that_only_people_can_move_wakes_never_and_one_with_a_deadline_then(tmp_path: Path) -> None:
    @irreversible
    async def send(to: str) -> str:
        """Send it."""
        return to

    team = Orchestrator([send], store=tmp_path / "runs.db")
    job = plan(task("send", send, to="ann"), deliver=ref("send"))
    open_end = await team.run("send", plan=job)
    assert (open_end.status, open_end.wake) == ("waiting", None)
    until = time.time() + HOUR
    bounded = await team.run("send", plan=job, deadline=until)
    assert (bounded.status, bounded.wake) == ("waiting", until)

    async with team.journal() as journal:
        (request,) = open_end.state.requests
        word = AnswerRequest(actor="person:kim", request=request, decision="approve")
        state = await leave_word(journal, open_end.run_id, word)
        assert await _wake(team, open_end.run_id) == state.at, "its work is due at once"


async def test_a_deadline_that_has_come_is_acted_on_and_not_slept_over(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 2 * HOUR)
    run = await shop.team.run("buy", plan=shop.plan, deadline=time.time() + HOUR)
    assert run.wake == run.state.deadline
    shop.clock.by = HOUR + 1
    ended = await shop.team.resume(run.run_id)
    assert ended.status == "failed"
    assert ended.gaps[0].why == "the deadline passed"


async def test_other_work_goes_on_while_an_attempt_waits_for_its_moment(tmp_path: Path) -> None:
    order: list[str] = []

    @pure
    async def note(work: Assignment) -> str:
        """Note it."""
        order.append(work.task)
        return work.task

    shop = Shop(tmp_path, HOUR, note)
    run = await shop.team.run("buy", plan=plan(*shop.plan.tasks, task("a", note), task("b", note, after=["a"])))
    assert (run.status, order, run.state.completed) == ("running", ["a", "b"], 2)


async def test_a_team_s_run_does_not_sleep_because_the_task_above_waits_for_it(tmp_path: Path) -> None:
    shop = Shop(tmp_path, HOUR)
    above = Orchestrator([shop.team.as_agent("shop", plans={"buy": shop.plan})], store=tmp_path / "above.db")
    run = await above.run("buy", plan=plan(task("order", "shop.buy")), deadline=time.time() + 1)
    assert run.gaps[0].why == "the deadline passed"
    assert (run.state.tasks["order"].attempt, shop.calls) == (1, 1)


async def _wake(team: Orchestrator, run: str) -> float | None:
    async with team.journal() as journal:
        found = await journal.runs(RunQuery(begins=run))
        return found[0].wake if found else None
