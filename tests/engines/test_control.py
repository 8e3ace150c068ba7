"""A person's hand on real runs: cancelled with grace, retried, edited, planned anew, forked, looked at in the past."""

import asyncio
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from stretto import (
    Agent,
    AgentFailure,
    Assignment,
    Orchestrator,
    agent,
    idempotent,
    irreversible,
    plan,
    pure,
    ref,
    task,
)
from stretto.core.audit import broken_link
from stretto.core.domain import FailureClass
from stretto.core.errors import BadPlan, UsageError
from stretto.views import Run

T = TypeVar("T")
SECONDS = 30.0


def go(work: Awaitable[T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(SECONDS):
            return await work

    return asyncio.run(bounded())


def statuses(run: Run) -> dict[str, str]:
    return {one["id"]: one["status"] for one in run.as_json()["tasks"]}


async def until(file: Path) -> None:
    while not file.exists():
        await asyncio.sleep(0.01)


class World:
    """What was done, in order, and whether the line is up."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.up = False

    def agents(self) -> list[Any]:
        @pure
        async def read(name: str) -> str:
            """Read something."""
            self.done.append(f"read {name}")
            return name

        @pure(attempts=1)
        async def call(name: str) -> str:
            """Call somebody who may not be there."""
            self.done.append(f"call {name}")
            if not self.up:
                raise AgentFailure("the line is down", FailureClass.UNAVAILABLE)
            return f"{name} says yes"

        @idempotent
        async def send(text: str, work: Assignment) -> str:
            """Send something."""
            self.done.append(f"send {text}")
            return f"sent {text} as {work.key[:6]}"

        return [read, call, send]


@pytest.fixture
def world() -> World:
    return World()


CHAIN = plan(
    task("first", "read", name="a"),
    task("second", "call", name=ref("first")),
    task("third", "send", text=ref("second")),
    deliver=ref("third"),
)


# ---- retry


def test_a_failed_task_is_done_once_more_with_what_fell_because_of_it_and_nothing_else(
    world: World, tmp_path: Path
) -> None:
    team = Orchestrator(world.agents(), store=tmp_path / "runs.db", retries={"unavailable": 0})
    run = go(team.run("go", plan=CHAIN))
    assert (run.status, statuses(run)) == ("partial", {"first": "completed", "second": "failed", "third": "skipped"})
    world.up = True
    again = go(team.retry(run.run_id, "second", feedback="be polite"))
    assert again.status == "finished"
    assert str(again.answer).startswith("sent a says yes")
    assert world.done == ["read a", "call a", "call a", "send a says yes"]
    assert again.gaps == ()


def test_a_completed_task_is_done_again_only_on_purpose_and_its_action_gets_a_key_of_its_own(
    world: World, tmp_path: Path
) -> None:
    world.up = True
    team = Orchestrator(world.agents(), store=tmp_path / "runs.db")
    run = go(team.run("go", plan=CHAIN))
    with pytest.raises(UsageError, match="--again"):
        go(team.retry(run.run_id, "third"))
    again = go(team.retry(run.run_id, "third", again=True))
    assert world.done.count("send a says yes") == 2
    assert again.answer != run.answer, "another key"
    # What follows from a task is done again too; an action with the same arguments was done before, and is not.
    third = go(team.retry(run.run_id, "first", again=True))
    assert world.done.count("read a") == 2
    assert world.done.count("send a says yes") == 2
    assert third.answer == again.answer


def test_only_the_lost_items_of_a_fan_out_are_done_once_more(tmp_path: Path) -> None:
    done: list[int] = []
    broken = {2, 3}

    @pure(attempts=1)
    async def square(number: int) -> int:
        """Square it."""
        done.append(number)
        if number in broken:
            raise AgentFailure("no")
        return number * number

    job = plan(task("all", square, number=ref("item"), for_each=[1, 2, 3]), deliver=ref("all"))
    team = Orchestrator([square], store=tmp_path / "runs.db")
    run = go(team.run("go", plan=job))
    assert run.status != "finished"
    broken.clear()
    again = go(team.retry(run.run_id, "all"))
    assert (again.status, again.answer, sorted(done)) == ("finished", [1, 4, 9], [1, 2, 2, 3, 3])


def test_what_makes_no_sense_is_refused_with_clear_words(world: World, tmp_path: Path) -> None:
    world.up = True
    team = Orchestrator(world.agents(), store=tmp_path / "runs.db")
    run = go(team.run("go", plan=CHAIN)).run_id
    with pytest.raises(UsageError, match=r"no task 'secnd'\. Did you mean 'second'"):
        go(team.retry(run, "secnd"))
    with pytest.raises(UsageError, match="no agent 'reed'"):
        go(team.retry(run, "first", agent="reed", again=True))
    with pytest.raises(UsageError, match="no task 'x'"):
        go(team.edit(run, remove=["x"]))
    with pytest.raises(BadPlan, match="first"):
        go(team.edit(run, remove=["first"]))
    with pytest.raises(UsageError, match="takes no argument 'nme'"):
        go(team.edit(run, values=["first.inputs.nme=x"]))
    with pytest.raises(UsageError, match="no event's number"):
        go(team.show(run, "nowhere"))
    with pytest.raises(UsageError, match="events 1 to"):
        go(team.fork(run, 10_000))


# ---- edit


def test_an_edit_redoes_what_it_changes_and_what_follows_from_that_and_keeps_a_renamed_result(
    world: World, tmp_path: Path
) -> None:
    world.up = True
    team = Orchestrator(world.agents(), store=tmp_path / "runs.db")
    job = plan(
        task("a", "read", name="a"),
        task("b", "read", name="b"),
        task("both", "call", name=ref("b")),
        deliver=[ref("a"), ref("both")],
    )
    run = go(team.run("go", plan=job))
    world.done.clear()
    changed = go(team.edit(run.run_id, values={"b.inputs.name": "c"}))
    assert (changed.status, changed.answer) == ("finished", ["a", "c says yes"])
    assert world.done == ["read c", "call c"]
    world.done.clear()
    renamed = plan(
        task("other", "read", name="a"),
        task("b", "read", name="c"),
        task("both", "call", name=ref("b")),
        task("more", "read", name=ref("other")),
        deliver=[ref("other"), ref("more")],
    )
    edited = go(team.edit(run.run_id, renamed))
    assert (edited.status, edited.answer, world.done) == ("finished", ["a", "a"], ["read a"])
    assert edited.state.revision == 3
    left = go(team.edit(run.run_id, plan(task("other", "read", name="a"), deliver=ref("other"))))
    assert (left.answer, statuses(left), world.done) == ("a", {"other": "completed"}, ["read a"])


def test_an_action_that_a_plan_dropped_and_took_up_again_is_not_done_twice(world: World, tmp_path: Path) -> None:
    team = Orchestrator(world.agents(), store=tmp_path / "runs.db")
    sent = plan(task("s", "send", text="hello"), task("r", "read", name="x"), deliver=ref("s"))
    run = go(team.run("go", plan=sent))
    go(team.edit(run.run_id, plan(task("r", "read", name="x"), deliver=ref("r"))))
    back = go(team.edit(run.run_id, plan(task("again", "send", text="hello"), deliver=ref("again"))))
    assert back.answer == run.answer
    assert world.done.count("send hello") == 1


def test_an_edit_leaves_an_action_alone_that_is_at_work(tmp_path: Path) -> None:
    gate, begun = tmp_path / "gate", tmp_path / "begun"

    @irreversible
    async def act(text: str) -> str:
        """Act."""
        begun.touch()
        await until(gate)
        return text

    team = Orchestrator([act], store=tmp_path / "runs.db")

    async def through() -> Run:
        driving = asyncio.create_task(
            team.run("go", plan=plan(task("one", act, text="x"), deliver=ref("one")), approve="all", run_id="r1")
        )
        await until(begun)
        with pytest.raises(UsageError, match="'one' is at work"):
            await team.edit("r1", values={"one.inputs.text": "y"})
        gate.touch()
        return await driving

    assert go(through()).answer == "x"


# ---- cancel


def test_a_cancelled_run_tells_its_agents_and_keeps_what_they_bring_in_time(tmp_path: Path) -> None:
    begun = tmp_path / "begun"

    @pure
    async def stay(work: Assignment) -> str:
        """Stay until told to stop."""
        begun.touch()
        await work.stopping.wait()
        return "what there was"

    @pure
    def thread(work: Assignment) -> str:
        """Look now and then."""
        while not work.stopping.is_set():
            time.sleep(0.005)
        return "from a thread"

    team = Orchestrator([stay, thread], store=tmp_path / "runs.db")
    job = plan(task("one", stay), task("two", thread), task("next", stay, after=["one"]))

    async def through() -> Run:
        driving = asyncio.create_task(team.run("go", plan=job, run_id="r1"))
        await until(begun)
        await team.cancel("r1", grace=20.0)
        return await driving

    started = time.monotonic()
    run = go(through())
    assert run.status == "cancelled"
    assert statuses(run) == {"one": "completed", "two": "completed", "next": "cancelled"}
    assert time.monotonic() - started < 15


@pytest.mark.parametrize("twice", [False, True])
def test_an_agent_that_does_not_heed_is_cut_off_and_its_action_is_in_doubt(tmp_path: Path, twice: bool) -> None:
    begun = tmp_path / "begun"

    @irreversible
    async def deaf(text: str) -> str:
        """Hear nothing."""
        begun.touch()
        await asyncio.sleep(60)
        return text

    team = Orchestrator([deaf], store=tmp_path / "runs.db")

    async def through() -> Run:
        job = plan(task("one", deaf, text="x"))
        driving = asyncio.create_task(team.run("go", plan=job, approve="all", run_id="r1"))
        await until(begun)
        if twice:
            assert (await team.cancel("r1", grace=50.0)).status == "running"
            await team.cancel("r1", grace=50.0)
        else:
            await team.cancel("r1", grace=0.2)
        return await driving

    run = go(through())
    assert run.status == "cancelled"
    (gap,) = run.gaps
    assert "in doubt" in gap.why
    # Another try asks whether it happened, before it could happen twice.
    again = go(team.retry("r1", "one"))
    assert again.status == "waiting"
    assert again.requests[0]["kind"] == "doubt"


@agent(effect="none", isolated=True)
def isolated_stay(file: str, work: Assignment) -> str:
    """Stay in a process of its own until told to stop."""
    Path(file).touch()
    while not work.stopping.is_set():
        time.sleep(0.01)
    return "ended by itself"


def test_an_isolated_agent_is_told_by_a_signal(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    team = Orchestrator([isolated_stay], store=tmp_path / "runs.db")

    async def through() -> Run:
        job = plan(task("one", isolated_stay, file=str(begun)), deliver=ref("one"))
        driving = asyncio.create_task(team.run("go", plan=job, run_id="r1"))
        await until(begun)
        await team.cancel("r1", grace=20.0)
        return await driving

    run = go(through())
    assert (run.status, statuses(run)) == ("cancelled", {"one": "completed"})


# ---- fork and time travel


def test_a_fork_goes_its_own_way_and_does_nothing_again_that_its_parent_did(world: World, tmp_path: Path) -> None:
    world.up = True
    team = Orchestrator(world.agents(), store=tmp_path / "runs.db")
    run = go(team.run("go", plan=CHAIN))
    child = go(team.fork(run.run_id, "second"))
    assert child.run_id != run.run_id
    assert (child.status, child.answer) == ("finished", run.answer)
    assert world.done.count("read a") == 1, "before the fork"
    assert world.done.count("call a") == 2, "harmless work is done anew"
    assert world.done.count("send a says yes") == 1, "the parent sent it"
    grandchild = go(team.fork(child.run_id, "second", plan=CHAIN))
    assert world.done.count("send a says yes") == 1
    assert grandchild.state.root == run.run_id
    from_the_start = go(team.fork(grandchild.run_id, 1))
    assert from_the_start.status == "finished"
    assert world.done.count("send a says yes") == 1, "a fork of a fork knows what its first run did"
    assert from_the_start.state.root == run.run_id

    async def chains() -> list[int | None]:
        async with team.journal() as journal:
            return [broken_link(await journal.envelopes(one.run)) for one in await journal.runs()]

    assert go(chains()) == [None] * 4
    assert go(team.show(run.run_id)).answer == run.answer


def test_a_fork_takes_other_inputs_and_redoes_what_they_change(world: World, tmp_path: Path) -> None:
    team = Orchestrator(world.agents(), store=tmp_path / "runs.db")
    job = plan(
        task("a", "read", name=ref("inputs.who")),
        task("b", "read", name="b"),
        deliver=[ref("a"), ref("b")],
        inputs={"who": "ann"},
    )
    run = go(team.run("go", plan=job))
    child = go(team.fork(run.run_id, inputs={"who": "bob"}))
    assert (child.status, child.answer) == ("finished", ["bob", "b"])
    assert world.done == ["read ann", "read b", "read bob"]


def test_live_data_that_is_no_longer_fresh_is_read_again_by_a_fork(tmp_path: Path) -> None:
    read: list[str] = []

    @pure(fresh=0.01)
    async def price(of: str) -> str:
        """Give the price of something now."""
        read.append(of)
        return f"{of}: {len(read)}"

    @pure(fresh=1000)
    async def name(of: str) -> str:
        """Give the name of something."""
        read.append(f"name of {of}")
        return of

    team = Orchestrator([price, name], store=tmp_path / "runs.db")
    run = go(team.run("go", plan=plan(task("p", price, of="tea"), task("n", name, of="tea"), deliver=ref("p"))))
    time.sleep(0.02)
    child = go(team.fork(run.run_id))
    assert (run.answer, child.answer) == ("tea: 1", "tea: 3") or (run.answer, child.answer) == ("tea: 2", "tea: 3")
    assert read.count("name of tea") == 1


def test_a_run_is_shown_as_it_was(world: World, tmp_path: Path) -> None:
    world.up = True
    team = Orchestrator(world.agents(), store=tmp_path / "runs.db")
    run = go(team.run("go", plan=CHAIN))
    listed = go(team.events(run.run_id))
    assert [one["seq"] for one in listed] == list(range(1, len(listed) + 1))
    assert listed[0]["type"] == "RunSubmitted"
    assert listed[-1]["text"] == "finished, 0 gaps"
    then = go(team.show(run.run_id, "third"))
    assert (then.status, statuses(then)) == (
        "running",
        {"first": "completed", "second": "completed", "third": "pending"},
    )
    started = next(one for one in listed if one["type"] == "AttemptStarted" and "third" in one["text"])
    assert statuses(go(team.show(run.run_id, started["seq"])))["third"] == "running"
    assert go(team.show(run.run_id, listed[-1]["at"].replace("Z", "+00:00"))).run_id == run.run_id


# ---- planned anew


def test_a_lost_agent_is_planned_around(tmp_path: Path) -> None:
    done: list[str] = []

    @pure(attempts=1)
    async def fetch_weather(city: str) -> dict[str, str]:
        """Fetch the weather of a city from the first station."""
        done.append("first")
        raise AgentFailure("the station is gone", FailureClass.UNAVAILABLE)

    @pure(attempts=1)
    async def read_weather(city: str) -> dict[str, str]:
        """Fetch the weather of a city from the second station."""
        done.append("second")
        return {"sky": f"{city} is grey"}

    team = Orchestrator([fetch_weather, read_weather], store=tmp_path / "runs.db", retries={"unavailable": 0})
    run = go(team.run("Fetch the weather of a city from the first station", inputs={"city": "Bern"}))
    assert done == ["first", "second"], run.gaps
    assert (run.status, run.answer) == ("finished", {"sky": "Bern is grey"})
    assert run.state.replans == 1


def test_an_agent_that_is_gone_is_passed_over_for_another_with_the_skill(tmp_path: Path) -> None:
    done: list[str] = []

    def station(name: str, up: bool) -> Any:
        @agent(name="weather.fetch", effect="none", attempts=1)
        async def fetch(city: str) -> str:
            """Fetch the weather of a city."""
            done.append(name)
            if not up:
                raise AgentFailure("gone", FailureClass.REFUSED)
            return f"{city} is grey"

        return Agent([fetch], name=name)

    team = Orchestrator(
        [station("one", False), station("two", True)], store=tmp_path / "runs.db", ladder={"refused": ["fail"]}
    )
    run = go(team.run("Fetch the weather of a city", inputs={"city": "Bern"}))
    assert (run.status, done) == ("failed", ["one"])
    again = go(team.replan(run.run_id))
    assert (again.status, again.answer, done) == ("finished", "Bern is grey", ["one", "two"])


def test_where_no_plan_leads_around_it_a_person_chooses_and_nobody_means_going_on_without(
    world: World, tmp_path: Path
) -> None:
    from stretto.core.commands import AnswerRequest, Command
    from stretto.core.state import RunState

    class Chooser:
        """Chooses by the beginning of its words."""

        def __init__(self, *words: str) -> None:
            self.words, self.asked = list(words), list[tuple[str, ...]]()

        async def ask(self, state: RunState, request: str) -> Command | None:
            self.asked.append(state.requests[request].choices)
            world.up = self.words[0] == "retry"
            return AnswerRequest(actor="person:ann", request=request, decision="answer", value=self.words.pop(0))

    @pure
    async def whisper(name: str) -> str:
        """Say it softly."""
        return f"{name} nods"

    team = Orchestrator([*world.agents(), whisper], store=tmp_path / "runs.db", retries={"unavailable": 0})
    chooser = Chooser("retry")
    run = go(team.run("go", plan=CHAIN, people=chooser))
    assert run.status == "finished"
    assert chooser.asked[0][:2] == ("retry it now", "go on without it")
    assert "hand it to whisper (whisper)" in chooser.asked[0]
    world.up = False
    handed = go(team.run("go", plan=CHAIN, people=Chooser("hand it to whisper")))
    assert handed.status == "finished"
    assert str(handed.answer).startswith("sent a nods")
    assert go(team.run("go", plan=CHAIN, people=Chooser("stop"))).status == "cancelled"
    assert go(team.run("go", plan=CHAIN, people=Chooser("go on"))).status == "partial"
    assert go(team.run("go", plan=CHAIN)).status == "partial"
