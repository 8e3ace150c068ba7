"""A worker drives what nobody drives: each run when it has something to do, none twice, none in vain."""

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from stretto import Assignment, Orchestrator, irreversible, plan, pure, ref, task
from stretto.bootstrap import leave_word
from stretto.core.commands import AnswerRequest, Cancel, SubmitGoal
from stretto.core.domain import FailureClass, Plan
from stretto.core.errors import StoreError, UsageError
from stretto.core.events import AttemptStarted
from stretto.engines.clock import SystemClock
from stretto.engines.local import LocalEngine
from stretto.engines.people import Nobody
from stretto.orchestrator import Conductor, House
from stretto.ports import AgentFailure, Journal, People, Recorded, RunQuery
from stretto.workers import Report, Worker

HOUR = 3600.0


class Ahead(SystemClock):
    """The time of the machine, and some seconds more."""

    by = 0.0

    def now(self) -> float:
        return super().now() + self.by

    async def until(self, moment: float) -> None:
        await super().until(moment - self.by)


class Team(Orchestrator):
    """An orchestrator on a clock that can be set."""

    clock: SystemClock = SystemClock()

    def house(self, journal: Journal, people: People, *more: Any, **also: Any) -> House:
        return replace(super().house(journal, people, *more, **also), clock=self.clock)

    async def leave(self, run: str, job: Plan) -> None:
        """Begin a run, and leave it before anything of it is done."""
        async with self.journal() as journal:
            conductor = Conductor(self.house(journal, Nobody()), judging=False)
            await conductor.begin(run, [SubmitGoal(run=run, goal="go", catalogue=self.catalogue, plan=job)])
            await conductor.leave()

    async def status(self, run: str) -> str:
        async with self.journal() as journal:
            return next(one.status for one in await journal.runs(RunQuery(begins=run)) if one.run == run)


class Log:
    """Keeps what a worker tells."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self._news = asyncio.Event()

    def __call__(self, report: Report) -> None:
        self.reports.append(report)
        self._news.set()

    def of(self, run: str) -> list[str]:
        return [one.kind for one in self.reports if one.run == run]

    async def until(self, run: str, kind: str) -> Report:
        while not (found := [one for one in self.reports if (one.run, one.kind) == (run, kind)]):
            self._news.clear()
            await self._news.wait()
        return found[-1]


async def once(team: Orchestrator, **more: Any) -> Log:
    """Have a worker do all that is due, and give what it told."""
    log = Log()
    async with team.worker(tell=log, **more) as worker:
        await worker.work(once=True)
    return log


@asynccontextmanager
async def working(team: Orchestrator, **more: Any) -> AsyncIterator[Log]:
    """Have a worker at work meanwhile; it is stopped at the end."""
    log = Log()
    async with team.worker(tell=log, **more) as worker:
        work = asyncio.create_task(worker.work())
        try:
            yield log
        finally:
            work.cancel()
            await asyncio.wait({work})


@pure
async def echo(value: Any) -> Any:
    """Give back what came."""
    return value


ECHO = plan(task("a", echo, value=1), task("b", echo, value=ref("a")), deliver=ref("b"))


# ---- what it takes up


@pytest.mark.parametrize("store", ["runs.db", None])
async def test_a_run_left_in_the_middle_is_driven_to_its_end(tmp_path: Path, store: str | None) -> None:
    team = Team([echo], store=store and tmp_path / store)
    await team.leave("r", ECHO)

    log = await once(team)

    assert log.of("r") == ["taken", "ended"]
    assert log.reports[0].what == "taken up, 0 of 0 tasks done"
    assert log.reports[1].what == "finished, 2 of 2 tasks done, cost $0"
    assert await team.status("r") == "finished"
    assert (await once(team)).reports == []


async def test_a_run_that_only_a_person_can_move_is_left_alone_until_somebody_does(tmp_path: Path) -> None:
    @irreversible
    async def send(to: str) -> str:
        """Send it."""
        return f"sent to {to}"

    team = Team([send], store=tmp_path / "runs.db")
    await team.run("send", plan=plan(task("send", send, to="ann"), deliver=ref("send")), run_id="r")
    assert (await once(team)).reports == []

    async with working(team) as log, team.journal() as journal:
        (request,) = (await team.resume("r")).state.requests
        await leave_word(journal, "r", AnswerRequest(actor="person:kim", request=request, decision="approve"))
        ended = await log.until("r", "ended")

    assert ended.state is not None
    assert ended.state.delivery is not None
    assert ended.state.delivery.answer == "sent to ann"


async def test_a_sleeping_run_is_woken_when_its_moment_has_come(tmp_path: Path) -> None:
    calls = 0

    @pure
    async def buy() -> str:
        """Buy it, once the shop is open."""
        nonlocal calls
        calls += 1
        if calls == 1:
            raise AgentFailure("closed", FailureClass.RATE_LIMITED, retry_after=HOUR)
        return "a loaf"

    team = Team([buy], store=tmp_path / "runs.db")
    await team.leave("r", plan(task("buy", buy), deliver=ref("buy")))

    log = await once(team)
    assert log.of("r") == ["taken", "resting"]
    assert "sleeps until 20" in log.reports[-1].what
    assert (await once(team)).reports == []
    assert calls == 1

    team.clock = clock = Ahead()
    clock.by = HOUR + 1
    assert (await once(team)).of("r") == ["taken", "ended"]
    assert calls == 2


async def test_word_left_for_a_run_whose_owner_died_is_carried_out(tmp_path: Path) -> None:
    @irreversible
    async def send(to: str) -> str:
        """Send it."""
        return to

    team = Team([send], store=tmp_path / "runs.db")
    await team.run("send", plan=plan(task("send", send, to="ann")), run_id="r")
    async with team.journal() as journal:
        await journal.post("r", Cancel(actor="person:kim"))

    assert (await once(team)).of("r") == ["taken", "ended"]
    assert await team.status("r") == "cancelled"


# ---- whose runs


async def test_a_run_of_another_workspace_is_left_alone_and_told_of_once(tmp_path: Path) -> None:
    team = Team([echo], store=tmp_path / "runs.db")
    await team.leave("r", ECHO)
    log = Log()
    async with team.journal() as journal:
        worker = Worker(team.house(journal, Nobody()), LocalEngine(), workspace=str(tmp_path), tell=log)
        await worker.work(once=True)
        await worker.work(once=True)
    assert [one.what for one in log.reports] == ["left alone: it belongs to no workspace"]
    assert await team.status("r") == "planning"


async def test_a_run_whose_agents_are_not_here_is_left_alone(tmp_path: Path) -> None:
    await Team([echo], store=tmp_path / "runs.db").leave("r", ECHO)

    @pure
    async def other() -> int:
        """Do something else."""
        return 1

    log = await once(Team([other], store=tmp_path / "runs.db"))
    assert [one.what for one in log.reports] == ["left alone: it needs agents that are not here: echo"]


async def test_runs_of_others_do_not_keep_a_worker_from_its_own(tmp_path: Path) -> None:
    @pure
    async def other() -> int:
        """Do something else."""
        return 1

    foreign, own = (Team([one], store=tmp_path / "runs.db") for one in (other, echo))
    for number in range(5):
        await foreign.leave(f"f{number}", plan(task("a", other)))
    await own.leave("own", ECHO)
    log = await once(own, runs=2)
    assert log.of("own") == ["taken", "ended"]
    assert [one.kind for one in log.reports].count("foreign") == 5


# ---- how many at once


async def test_two_workers_share_the_runs_and_drive_none_twice(tmp_path: Path) -> None:
    calls: Counter[str] = Counter()

    @pure
    async def count(work: Assignment) -> str:
        """Count who calls."""
        calls[work.run] += 1
        await asyncio.sleep(0)
        return work.run

    teams = [Team([count], store=tmp_path / "runs.db") for _ in range(2)]
    names = [f"r{number:02}" for number in range(20)]
    for name in names:
        await teams[0].leave(name, plan(task("a", count), task("b", count, after=["a"])))

    logs = await asyncio.gather(*(once(team, runs=3) for team in teams))

    ended = Counter(one.run for log in logs for one in log.reports if one.kind == "ended")
    assert ended == dict.fromkeys(names, 1)
    assert calls == dict.fromkeys(names, 2)
    assert [one for log in logs for one in log.reports if one.kind not in ("taken", "ended")] == []
    async with teams[0].journal() as journal:
        for name in names:
            assert [_attempt(one) for one in await journal.read(name) if isinstance(one.event, AttemptStarted)] == [
                1,
                1,
            ]


async def test_neither_runs_nor_calls_exceed_their_bounds(tmp_path: Path) -> None:
    here = most = 0

    @pure
    async def stay(work: Assignment) -> str:
        """Stay for a few turns of the loop."""
        nonlocal here, most
        here += 1
        most = max(most, here)
        for _ in range(5):
            await asyncio.sleep(0)
        here -= 1
        return work.run

    team = Team([stay], store=tmp_path / "runs.db")
    for number in range(8):
        await team.leave(f"r{number}", plan(*(task(f"t{n}", stay) for n in range(6))))
    log = await once(team, runs=3, places=4)
    at_once = list(accumulate(1 if one.kind == "taken" else -1 for one in log.reports))
    assert [one.kind for one in log.reports].count("ended") == 8
    assert most == 4
    assert 2 <= max(at_once) <= 3


@pytest.mark.parametrize("bounds", [{"runs": 0}, {"runs": -1}, {"places": 0}])
async def test_a_worker_that_could_do_nothing_is_refused(bounds: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        async with Orchestrator([echo]).worker(**bounds):  # type: ignore[arg-type]
            pass


# ---- when something is wrong, and when it is stopped


async def test_a_run_that_cannot_be_driven_is_told_of_and_rests_while_others_go_on(tmp_path: Path) -> None:
    team = Team([echo], store=tmp_path / "runs.db")
    await team.leave("bad", ECHO)
    await team.leave("good", ECHO)
    _lose_a_content(tmp_path / "runs.db", "bad")

    log = Log()
    async with team.worker(tell=log) as worker:
        await worker.work(once=True)
        assert log.of("good") == ["taken", "ended"]
        (broken,) = [one.what for one in log.reports if one.run == "bad"]
        assert "is not in" in broken
        assert broken.endswith("left alone for 1 s")
        await worker.work(once=True)
    assert log.of("bad") == ["broken"], "it is not tried again at once"


async def test_a_worker_that_is_stopped_gives_its_runs_back_for_others_to_go_on(tmp_path: Path) -> None:
    begun, stopped, patient = asyncio.Event(), 0, True

    @pure
    async def wait(work: Assignment) -> str:
        """Wait as long as somebody is patient."""
        nonlocal stopped
        begun.set()
        try:
            if patient:
                await asyncio.Event().wait()
        finally:
            stopped += 1
        return work.run

    team = Team([wait], store=tmp_path / "runs.db")
    await team.leave("r", plan(task("a", wait)))

    before = time.monotonic()
    async with working(team) as log:
        await begun.wait()
    assert time.monotonic() - before < 10
    assert log.of("r") == ["taken", "returned"]
    assert stopped == 1
    async with team.journal() as journal:
        assert await journal.owner("r") is None

    patient = False
    assert (await once(team)).of("r") == ["taken", "ended"]


async def test_a_store_that_cannot_be_read_ends_the_worker_with_a_clear_word(tmp_path: Path) -> None:
    team = Team([echo], store=tmp_path / "runs.db")
    async with team.worker() as worker:
        with closing(sqlite3.connect(tmp_path / "runs.db")) as database:
            database.execute("DROP TABLE runs")
        with pytest.raises(StoreError, match=r"runs\.db"):
            await worker.work(once=True)


def _lose_a_content(store: Path, run: str) -> None:
    with closing(sqlite3.connect(store)) as database:
        database.execute("DELETE FROM contents WHERE run = ?", (run,))
        database.commit()


def _attempt(one: Recorded) -> int:
    assert isinstance(one.event, AttemptStarted)
    return one.event.attempt


# ---- teams


@pytest.mark.parametrize("places", [1, 2])
async def test_the_members_of_teams_share_the_places_of_the_worker_and_their_task_holds_none(
    tmp_path: Path, places: int
) -> None:
    at_work, most = 0, 0

    @pure
    async def work(name: str) -> str:
        """Work, and see who else does."""
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        for _ in range(20):
            await asyncio.sleep(0)
        at_work -= 1
        return name

    inner = plan(*(task(f"w{n}", work, name=f"{n}") for n in range(4)), deliver=ref("w0"))
    team = Team([Orchestrator([work]).as_agent("crew", plans={"job": inner}), work], store=tmp_path / "runs.db")
    await team.leave("r", plan(*(task(f"t{n}", "crew.job") for n in range(3)), task("own", work, name="own")))
    async with asyncio.timeout(20):
        await once(team, places=places)
    assert await team.status("r") == "finished"
    assert most == places


async def test_a_team_s_run_is_never_driven_without_the_run_it_is_for(tmp_path: Path) -> None:
    team = Team([Orchestrator([echo]).as_agent("crew", plans={"job": ECHO})], store=tmp_path / "runs.db")
    async with team.journal() as journal:
        conductor = Conductor(team.house(journal, Nobody()), judging=False)
        begun = SubmitGoal(run="r.job", parent="r", goal="go", catalogue=Orchestrator([echo]).catalogue, plan=ECHO)
        await conductor.begin("r.job", [begun])
        await conductor.leave()
        assert (await once(team)).reports == []
        await journal.post("r.job", Cancel(actor="person:ann"))
    assert (await once(team)).of("r.job") == ["foreign"]
    assert await team.status("r.job") == "planning"
