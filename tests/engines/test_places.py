"""One engine, many runs, few places: none is starved, none is lost, and there are never more calls than places."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from stretto import Assignment, Orchestrator, plan, pure, task
from stretto.core.commands import Cancel, SubmitGoal
from stretto.core.domain import Plan
from stretto.core.errors import UsageError
from stretto.core.state import RunState
from stretto.engines.local import LocalEngine
from stretto.engines.people import Nobody
from stretto.engines.places import Places
from stretto.orchestrator import Conductor
from stretto.ports import Engine
from stretto.testing.engine_contract import EngineContract


class TestLocalEngineWithPlaces(EngineContract):
    """With places it keeps the contract too."""

    def make(self) -> Engine:
        return LocalEngine(places=5)


class Floor:
    """An agent that counts who is there, and notes the order in which runs got their calls done."""

    def __init__(self) -> None:
        self.here = self.most = 0
        self.done: list[str] = []
        self.begun = asyncio.Event()

    def agent(self) -> Callable[..., Awaitable[str]]:
        @pure
        async def step(work: Assignment) -> str:
            """Take a few turns of the loop."""
            self.here += 1
            self.most = max(self.most, self.here)
            self.begun.set()
            try:
                for _ in range(3):
                    await asyncio.sleep(0)
            finally:
                self.here -= 1
            self.done.append(work.run)
            return work.task

        return step


async def drive(engine: LocalEngine, team: Orchestrator, run: str, job: Plan) -> RunState:
    """Drive a run on an engine that others share."""
    async with team.journal() as journal:
        first = SubmitGoal(run=run, goal="go", catalogue=team.catalogue, plan=job)
        return await engine.drive(run, Conductor(team.house(journal, Nobody())), first=[first])


def wide(step: Any, number: int) -> Plan:
    return plan(*(task(f"t{n}", step) for n in range(number)))


def chain(step: Any, number: int) -> Plan:
    return plan(*(task(f"t{n}", step, after=[f"t{n - 1}"] if n else []) for n in range(number)))


async def test_a_small_run_finishes_while_a_large_one_has_most_left() -> None:
    floor = Floor()
    step = floor.agent()
    team, engine = Orchestrator([step]), LocalEngine(places=2)
    large = asyncio.create_task(drive(engine, team, "large", wide(step, 200)))
    await floor.begun.wait()

    small = await drive(engine, team, "small", chain(step, 3))

    assert small.status.value == "finished"
    before = floor.done[: len(floor.done) - floor.done[::-1].index("small")]
    assert Counter(before)["small"] == 3
    assert Counter(before)["large"] < 20
    assert (await large).completed == 200
    assert floor.most == 2


async def test_runs_with_much_to_do_share_the_places_evenly() -> None:
    floor = Floor()
    step = floor.agent()
    team, engine = Orchestrator([step]), LocalEngine(places=3)

    states = await asyncio.gather(*(drive(engine, team, name, wide(step, 40)) for name in "abc"))

    assert [state.completed for state in states] == [40, 40, 40]
    assert floor.most == 3
    halfway = Counter(floor.done[:60])
    assert max(halfway.values()) - min(halfway.values()) <= 6


async def test_without_places_a_run_s_own_bound_is_all_there_is() -> None:
    floor = Floor()
    step = floor.agent()
    team = Orchestrator([step], parallel=7)
    assert (await drive(LocalEngine(), team, "r", wide(step, 20))).completed == 20
    assert floor.most == 7


async def test_a_cancelled_run_gives_back_its_places_and_its_turns() -> None:
    held = asyncio.Event()

    @pure
    async def hold(work: Assignment) -> str:
        """Keep the place."""
        held.set()
        await asyncio.Event().wait()
        return work.task

    floor = Floor()
    step = floor.agent()
    team, engine = Orchestrator([hold, step]), LocalEngine(places=2)
    greedy = asyncio.create_task(drive(engine, team, "greedy", wide(hold, 10)))
    await held.wait()
    waiting = asyncio.create_task(drive(engine, team, "modest", wide(step, 5)))

    async with team.journal() as journal:
        await journal.post("greedy", Cancel(actor="person:p"))

    assert (await greedy).status.value == "cancelled"
    assert (await waiting).status.value == "finished"
    assert floor.most == 2


async def test_no_place_is_lost_however_calls_and_those_that_wait_are_cancelled() -> None:
    chance, places, here, most = random.Random(7), Places(3), 0, 0

    async def call(turns: Any, length: int) -> None:
        nonlocal here, most
        async with turns:
            here += 1
            most = max(most, here)
            try:
                for _ in range(length):
                    await asyncio.sleep(0)
            finally:
                here -= 1

    lines = [places.turns() for _ in range(4)]
    calls = [asyncio.create_task(call(chance.choice(lines), chance.randrange(4))) for _ in range(300)]
    while not all(one.done() for one in calls):
        for one in chance.sample(calls, 5):
            if chance.random() < 0.4:
                one.cancel()
        await asyncio.sleep(0)

    assert most == 3
    assert sum(one.cancelled() for one in calls) > 50
    assert [line.under_way for line in lines] == [0, 0, 0, 0]
    assert [len(line.waiting) for line in lines] == [0, 0, 0, 0]
    async with lines[0], lines[1], lines[2]:
        fourth = asyncio.create_task(call(lines[3], 0))
        await asyncio.sleep(0)
        assert lines[3].under_way == 0, "there are three places again, and no more"
    await fourth


async def test_of_those_with_equally_many_the_one_served_longest_ago_is_next() -> None:
    places, order = Places(1), list[str]()
    lines = {name: places.turns() for name in "abc"}
    async with lines["c"]:
        pass
    async with lines["a"]:
        pass

    async def call(name: str) -> None:
        async with lines[name]:
            order.append(name)

    async with places.turns():
        calls = [asyncio.create_task(call(name)) for name in "aabcc"]
        await asyncio.sleep(0)
    await asyncio.gather(*calls)
    assert order == ["b", "c", "a", "c", "a"]


@pytest.mark.parametrize("number", [0, -3])
def test_an_engine_without_a_single_place_is_refused(number: int) -> None:
    with pytest.raises(UsageError, match="give at least 1"):
        LocalEngine(places=number)
