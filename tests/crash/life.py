"""One life of a process that drives a run over the outside world, and may die in it: at an append, or in a deed.

`python -m tests.crash.life STORE SEED PORT [WHEN NUMBER]` begins the run of a store, or goes on with it, to its end,
and prints what came of it.

The plan is random but the same for one seed: side effects of every kind, fan-outs, timers, approvals, undoings,
joins, rounds, teams with runs of their own, one of which has to be tried again, lost and late replies. Nothing here
may depend on how often the process died before.
"""

import asyncio
import json
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from stretto import Assignment, Orchestrator, agent, idempotent, irreversible, plan, pure, ref, reversible, task
from stretto.core.commands import AnswerRequest, Command, ReportOutcome
from stretto.core.domain import Plan, Task
from stretto.core.effects import Effect
from stretto.core.state import RunState
from stretto.engines.local import LocalEngine
from stretto.journals.sqlite import SqliteJournal
from stretto.orchestrator import Conductor
from stretto.ports import Emit, People
from stretto.views import Run
from tests.crash.dying import NEVER, Death, Mortal, When
from tests.crash.outside import ask

RUN = "20260101-crashtest0"
PATIENCE = 0.4
"""Seconds an agent waits for the outside world; a late reply takes longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One process: where its store is, which case, where the world listens, and how it dies (if it does)."""

    store: Path
    seed: int
    port: int
    death: Death = NEVER

    @property
    def case(self) -> str:
        return self.store.stem

    @property
    def command(self) -> list[str | Path]:
        """What to run for it."""
        death = [] if self.death == NEVER else [self.death.when, str(self.death.number)]
        return [sys.executable, "-m", "tests.crash.life", self.store, str(self.seed), str(self.port), *death]


def main() -> None:
    store, seed, port, *death = sys.argv[1:]
    dies = Death(when=cast(When, death[0]), number=int(death[1])) if death else NEVER
    run = asyncio.run(_pursue(Life(store=Path(store), seed=int(seed), port=int(port), death=dies)))
    json.dump(run.as_json(), sys.stdout)


async def _pursue(life: Life) -> Any:
    world = _World(life)
    team = world.team()
    known = life.store.exists() and await _is_known(life.store)
    if known:
        return await team.resume(RUN, people=Careful(), wait=True)
    return await team.run("one of many", plan=job(life.seed), people=Careful(), wait=True, run_id=RUN)


async def _is_known(store: Path) -> bool:
    journal = SqliteJournal(store)
    try:
        return bool(await journal.read(RUN))
    finally:
        await journal.close()


class Careful:
    """Approves, except what is for `nobody`; what came of an attempt in doubt it cannot know."""

    async def ask(self, state: RunState, request: str) -> Command | None:
        asked = state.requests[request]
        denied = "nobody" in json.dumps(asked.arguments)
        return AnswerRequest(actor="person:ann", request=request, decision="deny" if denied else "approve")


class _World:
    """The agents of one life, and how it ends."""

    def __init__(self, life: Life) -> None:
        self._life, self._deeds = life, 0

    def deed(self, kind: str, name: str, key: str) -> str:
        """Have the outside world do something; maybe die right after, before anybody hears of it."""
        done = ask(
            self._life.port, "POST", f"/{self._life.case}", {"kind": kind, "name": name, "key": key}, timeout=PATIENCE
        )
        self._deeds += 1
        self._life.death.meet("during", self._deeds)
        return str(done["did"])

    def seen(self, key: str) -> str | None:
        found = ask(self._life.port, "GET", f"/{self._life.case}/{key}")
        return None if found is None else str(found["did"])

    def team(self) -> Orchestrator:
        functions = self._functions()
        inner = Orchestrator([functions["think"], functions["pay"], functions["tell"]], retries=RETRIES)
        crew = inner.as_agent("crew", plans={"errand": ERRAND})
        strict = Orchestrator([functions["pay"], functions["flaky"]], ladder={"*": []})
        second = strict.as_agent("strict", plans={"twice": TWICE})
        return _Team(
            [*functions.values(), crew, second],
            store=self._life.store,
            death=self._life.death,
            parallel=4,
            retries=RETRIES,
        )

    def _functions(self) -> dict[str, Callable[..., Any]]:
        def lookup(name: str, work: Assignment) -> str | None:
            """Tell whether it happened."""
            return self.seen(work.key)

        @pure
        def think(name: str, work: Assignment) -> str:
            """Think; changes nothing, but its runs are counted."""
            return self.deed("think", name, work.key)

        @pure
        def flaky(name: str, work: Assignment) -> str:
            """Be refused the first time ever, so that there is a timer."""
            return self.deed("flaky", name, work.key)

        @irreversible(lookup=lookup)
        def pay(name: str, work: Assignment) -> str:
            """Pay somebody."""
            return self.deed("pay", name, work.key)

        @agent(effect="reversible", lookup=lookup)
        def unbook(name: str, work: Assignment) -> str:
            """Take a booking back."""
            return self.deed("unbook", name, work.key)

        @reversible(lookup=lookup, undo=unbook)
        def book(name: str, work: Assignment) -> str:
            """Book something."""
            return self.deed("book", name, work.key)

        @agent(effect="reversible", lookup=lookup)
        def lost(name: str, work: Assignment) -> str:
            """Do something whose first reply gets lost."""
            return self.deed("lost", name, work.key)

        @agent(effect="reversible", lookup=lookup, timeout=3 * PATIENCE)
        def late(name: str, work: Assignment) -> str:
            """Do something whose first reply comes too late."""
            return self.deed("late", name, work.key)

        @idempotent
        def tell(said: Any, work: Assignment) -> str:
            """Tell what was done."""
            return json.dumps(said)

        return {one.__name__: one for one in (think, flaky, pay, book, unbook, lost, late, tell)}


RETRIES = {"transient": 4, "unavailable": 4, "timed_out": 2, "error": 2}

ERRAND = plan(
    task("idea", "think", name=ref("inputs.name")),
    task("pay", "pay", name=ref("inputs.name"), after=["idea"]),
    deliver=ref("pay"),
    inputs=["name"],
)

TWICE = plan(
    task("pay", "pay", name=ref("inputs.name")),
    task("flaky", "flaky", name=ref("inputs.name"), after=["pay"]),
    deliver=ref("pay"),
    inputs=["name"],
)
"""Fails the first time after it has paid: the run above tries it again."""


KINDS = (
    "think", "think", "flaky", "pay", "book", "book", "lost", "late", "crew.errand", "strict.twice", "spread",
    "race", "rounds", "sleep",
)  # fmt: skip


def job(seed: int) -> Plan:
    """Give the plan of a seed: layers of tasks, each of which waits for some before it."""
    chance = random.Random(seed)
    tasks: list[Task] = []
    for number in range(chance.randint(5, 10)):
        after = chance.sample([one.id for one in tasks], k=min(len(tasks), chance.randint(0, 2)))
        name = f"n{number}" if chance.random() > 0.06 else f"nobody{number}"
        kind = chance.choice(KINDS)
        if kind == "spread":
            skill = chance.choice(["think", "pay", "book"])
            items = [f"{name}{letter}" for letter in chance.choice(["a", "ab", "abc", "aba"])]
            tasks.append(task(f"t{number}", skill, for_each=items, name=ref("item"), after=after))
        elif kind == "race" and after:
            take = chance.randint(1, len(after))
            tasks.append(task(f"t{number}", "think", join={"of": after, "take": take, "rest": "keep"}, name=name))
        elif kind == "rounds":
            again = {"max": 3, "until": "round == 1", "otherwise": "keep"}
            tasks.append(task(f"t{number}", "book", repeat=again, name=name, after=after))
        elif kind == "sleep":
            tasks.append(task(f"t{number}", "pay", wait=0.2, name=name, after=after))
        else:
            skill = "think" if kind == "race" else kind
            tasks.append(task(f"t{number}", skill, name=name, after=after))
    ends = {one.id for one in tasks} - {name for one in tasks for name in one.after}
    said = {id_: ref(id_, default=None) for id_ in sorted(ends)}
    return plan(*tasks, task("tell", "tell", said=said), deliver=ref("tell"))


class _Team(Mortal):
    """A mortal orchestrator to whom every outcome is reported twice."""

    async def _drive(self, run: str, first: Sequence[Command], people: People, wait: bool, *_: Any) -> Run:
        async with self.journal() as journal:
            conductor = _Stuttering(self.house(journal, people))
            return Run(state=await LocalEngine().drive(run, conductor, first=first, wait=wait))


class _Stuttering(Conductor):
    """Reports every outcome twice, as a network might."""

    async def perform(self, effect: Effect, emit: Emit) -> Command | None:
        report = await super().perform(effect, emit)
        if isinstance(report, ReportOutcome):
            await emit(report)
        return report


if __name__ == "__main__":
    main()
