"""Every fault of a model at every place that asks one: the run ends clearly, in time, and within its budget.

Whatever goes wrong, work that was done stays done and is done once; and what was spent is at most the budget, and no
more than the run says, by the server's own count of tokens.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from stretto import Orchestrator, pure
from stretto.core.domain import TaskStatus
from stretto.core.errors import BadPlan
from stretto.models import asking
from stretto.testing.models import (
    FAULTS,
    Answer,
    Chance,
    Cut,
    Fault,
    HtmlPage,
    ModelServer,
    RateLimited,
    Request,
    Rule,
    Script,
    ServerError,
    Stall,
    ToolUse,
)
from stretto.testing.models.script import Say
from stretto.views import Run

KEY = "SCRIPTED_KEY"
SECONDS = 20.0
"""How long a run may take at most, whatever goes wrong."""
HOUR = 3600.0
SILENCE, PATIENCE = 0.3, 10.0
"""Seconds without a word after which a model is given up: one that stalls, and any other."""
GOAL = "Vergleiche Fugen und Kanons"
"""A goal that the rules cannot read."""
DOLLARS = {"input": Decimal(2) / 1_000_000, "output": Decimal(10) / 1_000_000}
MOST_MONEY, MOST_TOKENS = Decimal("0.03"), 8_000
BUDGET = f"${MOST_MONEY}, {MOST_TOKENS} tokens"

WRITER = """\
---
name: writer
description: Puts two texts together
inputs: {one: string, other: string}
output: {type: object, properties: {text: {type: string}}, required: [text]}
tools: [look_up]
limits: {turns: 4, tokens: 6000, cost: $0.02}
---
You put two texts together. Look up what they have in common.
"""


def found(*more: dict[str, Any], deliver: Any) -> dict[str, Any]:
    """Give a plan that finds two things, and does more with them."""
    finds = [
        {"id": "fugues", "skill": "find", "inputs": {"topic": "fugues", "year": 1722}},
        {"id": "canons", "skill": "find", "inputs": {"topic": "canons", "year": 1747}},
    ]
    return {"tasks": [*finds, *more], "deliver": deliver}


TWO = {"one": {"ref": "fugues.output"}, "other": {"ref": "canons.output"}}
PLANNED = {
    "restated": "compare fugues and canons",
    "done": ["both are named"],
    **found({"id": "both", "skill": "join", "inputs": TWO}, deliver={"ref": "both.output"}),
}
WRITTEN = found({"id": "written", "skill": "writer", "inputs": TWO}, deliver={"ref": "written.output.text"})
JUDGED = found(
    {"id": "both", "skill": "join", "inputs": TWO, "criteria": ["It says something of fugues and of canons."]},
    deliver={"ref": "both.output"},
)
COMPOSED = found(deliver={"write": "a comparison", "from": [{"ref": "fugues.output"}, {"ref": "canons.output"}]})
VERDICT = {"number": 1, "met": True, "evidence": "all about fugues since 1722", "score": 10, "feedback": ""}
ACCEPTED = {"criteria": [VERDICT], "verdict": "accept"}
TEXT = {"text": "Fugues are older [fugues]. Canons came later [canons].", "left_out": []}


def work(request: Request) -> Answer:
    """Look something up, then write."""
    if not request.results:
        return Answer(calls=(ToolUse(name="look_up", arguments={"word": "music"}),))
    return Answer(json={"text": f"Both are about {request.results[0]}."})


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place where a model is asked: its role, what it says if all is well, how runs may end, and a plan, if given."""

    role: str
    says: Say
    ends: tuple[str, ...]
    plan: dict[str, Any] | None = None


LADDER: Any = {name: [{"retry": 2, "pause": 0.01}] for name in ("transient", "rate_limited", "unavailable")}
"""As usual, but for the length of pauses."""
TASKS = ("fugues", "canons", "both")
"""The work that needs no model."""
PLACES = [
    Place(role="planner", says=Answer(json=PLANNED), ends=("finished", "partial", "failed")),
    Place(role="worker", says=work, ends=("finished", "partial"), plan=WRITTEN),
    Place(role="reviewer", says=Answer(json=ACCEPTED), ends=("finished",), plan=JUDGED),
    Place(role="synthesiser", says=Answer(json=TEXT), ends=("finished", "partial"), plan=COMPOSED),
]

QUICK: dict[str, dict[str, Any]] = {"rate_limited": {"retry_after": 0.01}, "slow_headers": {"seconds": 0.05}}
USUAL: list[Fault] = [kind(**QUICK.get(name, {})) for name, kind in FAULTS.items()]
ODD: list[Fault] = [RateLimited(retry_after=HOUR), HtmlPage(status=200), ServerError(status=503), Stall(after=2)]
"""Faults that come in another shape than the usual one."""
READABLE = ("slow_headers", "prose")
"""Faults that an answer outlives."""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PAUSE", 0.01)
    monkeypatch.setenv(KEY, "sk-scripted")


class World:
    """A team, and how often its functions did what."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.done: Counter[str] = Counter()

    def agents(self) -> list[Any]:
        done = self.done

        @pure
        async def find(topic: str, year: int) -> str:
            """Find what there is about a topic."""
            done[topic] += 1
            return f"all about {topic} since {year}"

        @pure
        async def join(one: str, other: str) -> str:
            """Put two texts together."""
            done["both"] += 1
            return f"{one}; {other}"

        @pure
        async def look_up(word: str) -> str:
            """Tell what a word means."""
            done[word] += 1
            return f"the art of {word}"

        writer = self.folder / "writer.md"
        writer.write_text(WRITER, encoding="utf-8")
        return [find, join, look_up, writer]


def pursue(place: Place, server: ModelServer, world: World, budget: str = BUDGET) -> Run:
    """Pursue the goal, and give the run as its journal has it; models that stall are given up soon."""
    chance = server.script.random
    faults = [one for rule in server.script.rules for one in rule.faults] + list(chance.faults if chance else ())
    stalls = any(isinstance(one, Stall) for one in faults)
    usual = {"url": server.url, "key_env": KEY, "timeout": SILENCE if stalls else PATIENCE, "max_tokens": 600}
    price = {name: float(each * 1_000_000) for name, each in DOLLARS.items()}
    models: dict[str, Any] = {place.role: "one", "one": {"model": "any", "price": price, **usual}}

    async def run() -> Run:
        async with asyncio.timeout(SECONDS):
            team = Orchestrator(world.agents(), models=models, ladder=LADDER, store=world.folder / f"{uuid4()}.db")
            run = await team.run(GOAL, plan=place.plan, budget=budget)
            return await team.show(run.run_id)

    return asyncio.run(run())


def script(place: Place, *faults: Fault) -> list[Rule]:
    """Give what the model of a place says, and how it fails before."""
    return [Rule(name=place.role, say=place.says, faults=faults)]


def money(server: ModelServer) -> Decimal:
    return server.usage.input * DOLLARS["input"] + server.usage.output * DOLLARS["output"]


CELLS = [
    pytest.param(place, replace(fault, times=times), id=f"{place.role}-{fault.kind}-{number}-{times}")
    for place in PLACES
    for number, fault in enumerate([*USUAL, *ODD])
    for times in (1, "always")
]


@pytest.mark.parametrize(("place", "fault"), CELLS)
def test_a_run_ends_clearly_and_within_its_budget_whatever_a_model_does(
    place: Place, fault: Fault, tmp_path: Path
) -> None:
    world = World(tmp_path)
    with ModelServer(script(place, fault)) as server:
        run = pursue(place, server, world)
        failed = [one for one in server.requests if one.fault == fault.kind]
        assert failed, "the fault was met"
        assert server.unmatched == []
        if isinstance(fault, RateLimited) and fault.retry_after == HOUR and place.role == "worker":
            assert run.wake is not None, "it rests until it may ask again"
        else:
            assert run.status in place.ends
            assert run.status == "finished" or all(gap.why for gap in run.gaps)
            assert run.status == "finished" or run.gaps
        answered = fault.kind in READABLE or any(one.rule == place.role and not one.fault for one in server.requests)
        if place.role == "reviewer" and not answered:
            assert run.state.delivery is not None
            assert run.state.delivery.notes, "that nobody judged is said"
        done = {one.task.id for one in run.state.tasks.values() if one.status is TaskStatus.COMPLETED}
        assert all(times == 1 for name, times in world.done.items() if name in TASKS), "what was done is not done again"
        assert {name for name in world.done if name in TASKS} <= done, "what was done is kept"
        assert server.usage.tokens <= run.cost.tokens <= MOST_TOKENS
        assert money(server) <= run.cost.money <= MOST_MONEY


@pytest.mark.parametrize("seed", range(8))
def test_many_faults_by_chance_cross_no_budget_either(seed: int, tmp_path: Path) -> None:
    for place in PLACES:
        world = World(tmp_path)
        chance = Chance(rate=0.5, seed=seed, faults=(*USUAL, *ODD))
        with ModelServer(Script(rules=tuple(script(place)), random=chance)) as server:
            run = pursue(place, server, world)
            assert run.status in place.ends or run.wake
            assert all(times == 1 for name, times in world.done.items() if name in TASKS)
            assert server.usage.tokens <= run.cost.tokens <= MOST_TOKENS
            assert money(server) <= run.cost.money <= MOST_MONEY


@pytest.mark.parametrize("tokens", [500, 2500, 4000, 6500])
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.role)
def test_a_budget_of_any_size_holds_while_a_model_keeps_breaking_off(place: Place, tokens: int, tmp_path: Path) -> None:
    with ModelServer(script(place, Cut(after=3, times="always"))) as server:
        try:
            run = pursue(place, server, World(tmp_path), f"{tokens} tokens")
        except BadPlan:
            assert server.requests == [], "what cannot be within its budget is not begun"
        else:
            assert server.usage.tokens <= run.cost.tokens <= tokens
            assert run.status in place.ends
