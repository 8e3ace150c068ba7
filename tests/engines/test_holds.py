"""Rates, breakers, pauses and alerts in whole runs: real stores, real processes, a real server that says 429."""

import asyncio
import sqlite3
import sys
import textwrap
import threading
from collections.abc import Awaitable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from stretto import Agent, AgentFailure, Assignment, Orchestrator, agent, plan, pure, ref, task
from stretto.bootstrap import open_store
from stretto.core.audit import broken_link
from stretto.core.domain import Breaker, FailureClass, Notice, Plan, Provider, Rate
from stretto.core.errors import BadAgent, NotifierError, UsageError
from stretto.core.events import AgentHeld, AttemptStarted, BreakerClosed, BreakerOpened, Event, NoticeTried
from stretto.core.state import RunState
from tests import forked

T = TypeVar("T")
SECONDS = 60.0


def go(work: Awaitable[T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(SECONDS):
            return await work

    return asyncio.run(bounded())


class Ear:
    """Hears every fact of a run."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, state: RunState, events: Sequence[Event]) -> None:
        self.events += events

    def heard(self, kind: type[Event]) -> list[Any]:
        return [one for one in self.events if isinstance(one, kind)]


def over(skill: Any, items: int, **more: Any) -> Plan:
    """Give a plan that does something for each of some items."""
    spread = task("all", skill, for_each=list(range(items)), item=ref("item"), **more)
    return plan(spread, deliver=ref("all"))


# ---- a server that wants to be left alone


class Busy(BaseHTTPRequestHandler):
    """Says 429 to the second request, and serves the others."""

    count = 0
    lock = threading.Lock()

    def do_GET(self) -> None:
        with Busy.lock:
            Busy.count += 1
            number = Busy.count
        self.send_response(429 if number == 2 else 200)
        if number == 2:
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the method's own name
        return


@pytest.fixture
def busy() -> Iterator[str]:
    Busy.count = 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Busy)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(10)
    server.server_close()


def test_what_a_server_asks_with_retry_after_holds_for_all_agents_of_its_provider(busy: str) -> None:
    async def get() -> str:
        async with httpx.AsyncClient() as client:
            reply = await client.get(busy)
        if reply.status_code == 429:
            seconds = float(reply.headers["Retry-After"])
            raise AgentFailure("429", FailureClass.RATE_LIMITED, retry_after=seconds)
        return reply.text

    @agent(effect="none", provider="web")
    async def one(item: int) -> str:
        """Ask."""
        return await get()

    @agent(effect="none", provider="web")
    async def two(item: int) -> str:
        """Ask."""
        return await get()

    ear = Ear()
    team = Orchestrator([one, two], providers={"web": {"concurrency": 1}}, listeners=[ear])
    job = plan(*[task(f"t{number}", (one, two)[number % 2], item=number) for number in range(5)])
    run = go(team.run("ask", plan=job))
    (held,) = ear.heard(AgentHeld)
    assert (run.status, held.agent, held.asked, Busy.count) == ("finished", "provider:web", True, 6)
    starts = [event.at for event in ear.heard(AttemptStarted)]
    assert not any(held.at < at < held.until for at in starts)
    assert held.until - held.at == pytest.approx(1.0)


# ---- breakers


def failing_first(failures: int, pause: float = 0.1) -> Any:
    calls: list[int] = []

    @agent(name="ask.it", effect="none", breaker=Breaker(failures=2, window=3, pause=pause))
    async def ask(item: int) -> int:
        """Be down at first."""
        calls.append(item)
        if len(calls) <= failures:
            raise AgentFailure("down", FailureClass.ERROR)
        return item

    return ask


def test_a_breaker_opens_and_heals_and_no_task_is_lost() -> None:
    ear = Ear()
    team = Orchestrator([failing_first(3)], parallel=1, retries={"error": 3}, listeners=[ear])
    run = go(team.run("ask", plan=over("ask.it", 8)))
    assert run.status == "finished"
    assert run.answer == list(range(8))
    assert [one.times for one in ear.heard(BreakerOpened)] == [1, 2]
    assert len(ear.heard(BreakerClosed)) == 1
    assert run.as_json()["holds"] == []


def test_another_agent_does_the_work_while_the_first_is_held() -> None:
    @agent(name="ask.it", effect="none", breaker={"failures": 1, "window": 1, "pause": 100})
    async def down(item: int) -> str:
        """Be down."""
        raise AgentFailure("down", FailureClass.ERROR)

    @agent(name="ask.it", effect="none")
    async def spare(item: int) -> str:
        """Be there."""
        return "spare"

    team = Orchestrator([Agent([down], name="down"), Agent([spare], name="spare")], parallel=1)
    run = go(team.run("ask", plan=over("ask.it", 5)))
    assert (run.status, run.answer) == ("finished", ["spare"] * 5)
    (hold,) = run.as_json()["holds"]
    assert (hold["agent"], hold["provider"], hold["probing"]) == ("down", None, False)
    assert hold["why"] == "1 of its last 1 attempts failed, the last: error"


def test_other_runs_of_a_store_learn_of_a_breaker_and_that_it_is_well_again(tmp_path: Path) -> None:
    store, ear = tmp_path / "runs.db", Ear()
    failing, opened_first = failing_first(2, pause=2), asyncio.Event()

    def watch(state: RunState, events: Sequence[Event]) -> None:
        if any(isinstance(one, BreakerOpened) for one in events):
            opened_first.set()

    async def both() -> None:
        team = Orchestrator([failing], store=store, listeners=[watch])
        first = asyncio.create_task(team.run("ask", plan=over("ask.it", 2), run_id="first"))
        await opened_first.wait()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        second = await Orchestrator([failing], store=store, listeners=[ear]).run("ask", plan=over("ask.it", 3))
        assert second.status == "finished"
        async with open_store(store) as journal:
            assert broken_link(await journal.envelopes("@agent/ask.it")) is None
            kinds = [type(one.event).__name__ for one in await journal.read("@agent/ask.it")]
            assert kinds == ["BreakerOpened", "BreakerClosed"]
            assert {one.run for one in await journal.runs()} == {"first", second.run_id}

    go(both())
    (opened,) = ear.heard(BreakerOpened)
    assert opened.run == "first"
    assert ear.heard(AttemptStarted)[0].at >= opened.until


def test_a_run_without_rates_and_failures_writes_nothing_beside(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    assert go(Orchestrator([failing_first(0)], store=store).run("ask", plan=over("ask.it", 5))).status == "finished"
    with sqlite3.connect(store) as reader:
        assert reader.execute("SELECT count(*) FROM events WHERE run LIKE '@%'").fetchone() == (0,)


# ---- rates

RATED = """
    import asyncio, sys
    from pathlib import Path
    from stretto import Orchestrator, agent, plan, ref, task

    @agent(effect="none", rate="7/min")
    async def ask(item: int) -> int:
        '''Ask.'''
        return item

    items = plan(task("all", ask, for_each=list(range(6)), item=ref("item")))
    print("ready", flush=True)
    sys.stdin.readline()
    asyncio.run(Orchestrator([ask], store=Path(sys.argv[1])).run("ask", plan=items, deadline="2s"))
"""


def test_a_rate_holds_exactly_for_all_processes_of_a_store_together(tmp_path: Path) -> None:
    script, store = tmp_path / "job.py", tmp_path / "runs.db"
    script.write_text(textwrap.dedent(RATED))
    command = [sys.executable, str(script), str(store)]
    processes = [forked.Popen(command, stdin=forked.PIPE) for _ in range(2)]
    try:
        for one in processes:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        for one in processes:
            one.communicate("go\n", timeout=SECONDS)
    finally:
        for one in processes:
            one.close()
    with sqlite3.connect(store) as reader:
        assert reader.execute("SELECT count(*) FROM events WHERE type = 'AttemptStarted'").fetchone() == (7,)
        assert reader.execute("SELECT count(*) FROM events WHERE run = '@agent/ask'").fetchone() == (7,)


def test_tokens_are_settled_beside_the_run(tmp_path: Path) -> None:
    @agent(effect="none", rate="100 tokens/min", tokens=60, concurrency=1)
    async def ask(item: int, work: Assignment) -> int:
        """Take fewer tokens than it may."""
        work.spend(tokens=10)
        return item

    async def both() -> list[int]:
        done = []
        for deadline in ("2s", "0.5s"):
            team = Orchestrator([ask], store=tmp_path / "runs.db")
            run = await team.run("ask", plan=over(ask, 8), deadline=deadline)
            done.append(run.state.completed)
        return done

    assert go(both()) == [5, 0]  # five have used fifty, and one more might take sixty


# ---- pause


def test_a_paused_run_is_given_back_with_its_reason_and_resumed(tmp_path: Path) -> None:
    begun, noticed, done = asyncio.Event(), asyncio.Event(), []

    @pure
    async def work(item: int) -> int:
        """Work."""
        begun.set()
        await noticed.wait()
        done.append(item)
        return item

    async def story() -> None:
        team = Orchestrator([work], store=tmp_path / "runs.db", parallel=1)
        going = asyncio.create_task(team.run("work", plan=over(work, 3), run_id="r1"))
        await begun.wait()
        while (await team.pause("r1", "lunch")).state.paused is None:
            pass
        noticed.set()
        paused = await going
        assert (paused.status, paused.as_json()["paused"]) == ("waiting", "lunch")
        assert done == [0]
        again = await team.pause("r1", "once more")
        assert again.state.paused == "lunch"
        ended = await team.resume("r1")
        assert (ended.status, ended.as_json()["paused"], sorted(done)) == ("finished", None, [0, 1, 2])

    go(story())


def test_a_stalled_team_asks_the_run_above_before_it_goes_on() -> None:
    @agent(effect="none", cost="0.1")
    async def search(item: int, work: Assignment) -> str:
        """Find nothing."""
        work.spend("0.1")
        return "nothing"

    async def story() -> None:
        inner = Orchestrator([search], budget="$1", parallel=1).as_agent("inner", plans={"job": over(search, 8)})
        team = Orchestrator([inner])
        run = await team.run("search", plan=plan(task("all", "inner.job"), deliver=ref("all")))
        assert run.status == "waiting"
        assert "went by without anything new" in run.requests[0]["question"]

    go(story())


# ---- alerts


class Channel:
    """A notifier that fails so many times, and keeps what it was given."""

    name = "mine"

    def __init__(self, failures: int = 0) -> None:
        self.failures, self.sent = failures, list[Notice]()

    async def send(self, notice: Notice) -> None:
        self.sent.append(notice)
        if len(self.sent) <= self.failures:
            raise NotifierError("mine: not now")


def test_people_hear_of_breakers_stalls_and_ends(tmp_path: Path) -> None:
    channel = Channel()
    team = Orchestrator([failing_first(2)], parallel=1, notify=[channel], store=tmp_path / "runs.db")
    run = go(team.run("ask", plan=over("ask.it", 3)))
    assert [one.kind for one in channel.sent] == ["breaker", "ended"]
    assert channel.sent[0].text.startswith("agent ask.it is held for 0.1 s: 2 of its last 3 attempts failed")
    assert channel.sent[1].text == "the run is finished: 4 of 4 tasks done"
    assert {one.run for one in channel.sent} == {run.run_id}
    assert not run.state.notices


def test_a_channel_that_fails_is_tried_again_with_the_same_alert_and_then_given_up() -> None:
    ear, flaky, dead = Ear(), Channel(failures=1), Channel(failures=99)
    dead.name = "dead"
    run = go(Orchestrator([failing_first(0)], notify=[flaky, dead], listeners=[ear]).run("x", plan=over("ask.it", 1)))
    assert run.status == "finished"
    assert len(flaky.sent) == 2
    assert len(dead.sent) == 3
    assert len({one.id for one in flaky.sent + dead.sent}) == 1
    assert [one.until is None for one in ear.heard(NoticeTried)] == [False, False, True]
    assert run.as_json()["unheard"][0]["channel"] == "dead"


def test_an_alert_that_was_not_sent_before_a_crash_is_sent_by_the_next_owner(tmp_path: Path) -> None:
    class Hanging(Channel):
        async def send(self, notice: Notice) -> None:
            await super().send(notice)
            raise asyncio.CancelledError

    hanging, channel = Hanging(), Channel()

    async def story() -> None:
        first = Orchestrator([failing_first(0)], notify=[hanging], store=tmp_path / "runs.db")
        going = asyncio.create_task(first.run("x", plan=over("ask.it", 1), run_id="r1"))
        while not hanging.sent:
            await asyncio.sleep(0.01)
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)
        second = Orchestrator([failing_first(0)], notify=[channel], store=tmp_path / "runs.db")
        assert (await second.resume("r1")).status == "finished"

    go(story())
    assert [one.id for one in channel.sent] == [one.id for one in hanging.sent]


# ---- what people write


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"rate": "sixty"}, "a rate is written like 60/min"),
        ({"rate": "60/h"}, "a rate is written like 60/min"),
        ({"rate": 60}, "a rate is written like 60/min"),
        ({"rate": {"requests": 0}}, "requests is a whole number above 0"),
        ({"rate": "1/min, 2/min"}, "names requests twice"),
        ({"breaker": "open"}, "a breaker is `off`, or a mapping"),
        ({"breaker": {"failures": 5, "window": 3}}, "5 failures of the last 3 attempts cannot be"),
        ({"breaker": {"pause": 100, "longest": 10}}, "longest (10 s) is less than pause (100 s)"),
        ({"breaker": {"pause": float("inf")}}, "pause is a number of seconds above 0"),
        ({"breaker": {"fails": 3}}, "a breaker has no 'fails'"),
        ({"provider": 3}, "provider is text"),
    ],
)
def test_what_cannot_be_is_told(written: dict[str, Any], told: str) -> None:
    with pytest.raises(BadAgent) as caught:
        agent(**written)
    assert told in str(caught.value)


def test_rates_are_read_as_people_write_them() -> None:
    @agent(rate="60 requests/min, 90_000 tokens per minute", breaker="off", provider="cloud")
    async def ask(item: int) -> int:
        """Ask."""
        return item

    team = Orchestrator([ask], providers={"cloud": Provider(rate=Rate(requests=5))}, breaker="off", stall="off")
    card = team.catalogue.agents[0]
    assert (card.rate, card.provider, card.breaker) == (Rate(requests=60, tokens=90_000), "cloud", Breaker(failures=0))
    assert (team.rules.breaker.failures, team.rules.stall, team.rules.most_failures) == (0, None, None)
    assert team.catalogue.providers["cloud"].rate.requests == 5
    with pytest.raises(UsageError, match="a provider has no 'rates'"):
        Orchestrator([ask], providers={"cloud": {"rates": "5/min"}})
