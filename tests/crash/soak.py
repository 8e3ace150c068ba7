"""Many runs in which every fifth call of an agent fails, in every class: `python -m tests.crash.soak --runs 2000`.

At least 99 in 100 must finish, the rest must be partial and name their gaps; none may hang, none may spend more than
its budget, and no keyed deed may happen twice.
"""

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

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
    reversible,
    task,
)
from stretto.core.domain import FailureClass, Plan, Task
from stretto.core.ladder import MAY_HAVE_HAPPENED
from stretto.views import Run

FAILS = 0.2
PATIENCE = 0.5
LONGEST = 120.0
BUDGET = Decimal("0.60")
CALL = Decimal("0.01")
CLASSES = tuple(FailureClass)
BREAKER = {"failures": 5, "window": 10, "pause": 0.5, "longest": 5.0}
LADDER = {name: [{"retry": 1}, "backup"] for name in ("refused", "denied", "over_budget")}
"""The default goes to the other agent at once after these; here chance makes them worth another try."""
BEFORE = frozenset(FailureClass) - MAY_HAVE_HAPPENED
"""Classes that say that nothing has happened; after any other it may have."""


@dataclass
class Weather:
    """One run's outside: what goes wrong when, and what was done."""

    seed: int
    deeds: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    failed: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)

    async def call(self, work: Assignment, *, acts: bool) -> None:
        """Do a deed, or fail in some class; what may have happened has happened in half of the cases."""
        self.calls += 1
        work.spend(CALL)
        chance = self._chance
        failure = chance.choice(CLASSES) if chance.random() < FAILS else None
        acted = failure is None or (failure not in BEFORE and chance.random() < 0.5)
        if acts and acted:
            self.deeds[work.key] += 1
        if failure is None:
            return
        self.failed[failure.value] += 1
        if failure is FailureClass.TIMED_OUT:
            await asyncio.sleep(PATIENCE * 20)
        if failure is FailureClass.UNKNOWN:
            raise ConnectionResetError("the line broke")
        if failure is FailureClass.ERROR:
            raise RuntimeError("it broke")
        raise AgentFailure(f"no luck: {failure.value}", failure)

    def team(self) -> Orchestrator:
        """Give agents over this outside; for every skill there is a second one."""

        def lookup(name: str, work: Assignment) -> str | None:
            """Tell whether it happened."""
            return name if self.deeds[work.key] else None

        def declared(mark: Callable[[Any], Any], skill: str, of: str, *, acts: bool) -> Any:
            async def do(name: str, work: Assignment) -> str:
                await self.call(work, acts=acts)
                return name

            do.__name__, do.__doc__ = f"{skill}_{of}", f"{skill} something."
            return agent(name=skill, cost=CALL, timeout=PATIENCE)(mark(do))

        agents = [
            Agent(
                [
                    declared(pure, "office.read", of, acts=False),
                    declared(idempotent, "office.put", of, acts=False),
                    declared(reversible(lookup=lookup), "office.move", of, acts=True),
                    declared(irreversible(lookup=lookup), "office.send", of, acts=True),
                ],
                name=of,
            )
            for of in ("first", "second")
        ]
        return Orchestrator(agents, budget=f"${BUDGET}", parallel=8, ladder=LADDER, breaker=BREAKER)


def job(seed: int) -> Plan:
    """Give a plan of up to ten tasks of every kind."""
    chance = random.Random(seed)
    tasks: list[Task] = []
    for number in range(chance.randint(3, 8)):
        after = chance.sample([one.id for one in tasks], k=min(len(tasks), chance.randint(0, 2)))
        skill = f"office.{chance.choice(['read', 'read', 'put', 'move', 'send'])}"
        if chance.random() < 0.2:
            tasks.append(
                task(f"t{number}", skill, for_each=[f"{number}a", f"{number}b"], name=ref("item"), after=after)
            )
        else:
            tasks.append(task(f"t{number}", skill, name=f"n{number}", after=after))
    return plan(*tasks, deliver={one.id: ref(one.id, default=None) for one in tasks})


@dataclass
class Tally:
    """What came of all runs."""

    statuses: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def add(self, weather: Weather, run: Run | None) -> None:
        self.calls += weather.calls
        self.failed += weather.failed
        name = f"run {weather.seed}"
        if run is None:
            self.broken.append(f"{name} hangs")
            return
        self.statuses[run.status] += 1
        if run.status not in ("finished", "partial"):
            self.broken.append(f"{name} is {run.status}: {run.gaps or run.requests}")
        if run.status == "partial" and not (run.gaps and all(gap.why for gap in run.gaps)):
            self.broken.append(f"{name} is partial and names no gap")
        if run.cost.money > BUDGET:
            self.broken.append(f"{name} spent ${run.cost.money} of ${BUDGET}")
        if twice := [key for key, times in weather.deeds.items() if times > 1]:
            self.broken.append(f"{name} did {len(twice)} deeds twice")

    @property
    def share(self) -> float:
        """The share of runs that finished."""
        return self.statuses["finished"] / max(sum(self.statuses.values()), 1)


async def soak(runs: int, *, at_once: int = 60, seed: int = 1) -> Tally:
    """Drive many runs, some at once."""
    tally, places = Tally(), asyncio.Semaphore(at_once)

    async def one(number: int) -> None:
        weather = Weather(seed=number)
        async with places:
            try:
                async with asyncio.timeout(LONGEST):
                    run = await weather.team().run(f"job {number}", plan=job(number), approve="all")
            except TimeoutError:
                run = None
            tally.add(weather, run)

    await asyncio.gather(*(one(number) for number in range(seed, seed + runs)))
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1, help="of the first run")
    options = parser.parse_args()
    began = time.monotonic()
    tally = asyncio.run(soak(options.runs, seed=options.seed))
    for told in tally.broken[:20]:
        print(f"BROKEN {told}")
    classes = ", ".join(f"{name} {number}" for name, number in sorted(tally.failed.items()))
    print(f"{tally.calls} calls, {sum(tally.failed.values())} failed: {classes}")
    print(f"{dict(tally.statuses)}, {tally.share:.2%} finished, {len(tally.broken)} broken laws")
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(0 if tally.share >= 0.99 and not tally.broken else 1)


if __name__ == "__main__":
    main()
