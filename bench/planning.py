"""What planning costs, without any model: `python bench/planning.py`.

A goal over teams of 10 to 1,000 typed skills, planned backward and checked as a whole; and a run without tasks, kept
on disk. Figures are medians of several rounds.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from stretto import Orchestrator, pure
from stretto.core.domain import AgentCard, Catalogue, InputSpec, Schema, SideEffect, Skill
from stretto.core.plan.check import check
from stretto.planners.auto import propose
from stretto.planners.proposal import Proposal

TEXT: Schema = {"type": "string"}
DEEPEST = 40
"""Steps of the longest way back."""


def kind(number: int) -> Schema:
    """Give a type of its own for each number."""
    name = "".join("bcfghjkmpq"[int(digit)] for digit in str(number))
    return {"type": "object", "title": f"Kind{name}", "properties": {"value": TEXT}, "required": ["value"]}


def team(skills: int, seed: int = 1) -> Catalogue:
    """Give skills in layers, of which each needs one to three results of the layer before."""
    chance, layer = random.Random(seed), max(1, skills // DEEPEST)
    cards = []
    for number in range(skills):
        below = range(max(0, number - 2 * layer), number)
        taken = {
            f"part{n}": kind(chance.choice(below)) if number > layer else TEXT for n in range(chance.randint(1, 3))
        }
        name = "finish" if number == skills - 1 else f"step{number}"
        inputs: Schema = {"type": "object", "properties": taken, "required": list(taken)}
        skill = Skill(
            name=f"agent{number}.{name}",
            description=f"Do step {number} of the work.",
            inputs=inputs,
            output=kind(number),
            effect=SideEffect.NONE,
        )
        cards.append(AgentCard(name=f"agent{number}", skills=(skill,)))
    return Catalogue(agents=tuple(cards))


def planned(catalogue: Catalogue) -> Proposal:
    """Plan the one goal."""
    at_hand = {f"part{n}": "x" for n in range(3)}
    return propose("Finish it", dict(at_hand), {name: InputSpec() for name in at_hand}, catalogue)


def median(work: Callable[[], object], rounds: int) -> float:
    """Give the median milliseconds of some rounds, after one that warms."""
    work()
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


@pure
async def shout(word: str) -> str:
    """Say it louder."""
    return word.upper()


def answered_at_once(folder: str) -> None:
    """Run a goal that needs no task, kept in a journal on disk."""
    run = asyncio.run(Orchestrator([shout], store=Path(folder) / "runs.db").run("What can you do?"))
    assert run.status == "finished"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    for skills in (10, 50, 200, 1000):
        catalogue = team(skills)
        found = planned(catalogue)
        tasks = len(found.plan.tasks) if found.plan is not None else 0
        taken = median(lambda catalogue=catalogue: planned(catalogue), rounds)  # type: ignore[misc]
        print(f"{skills} skills: {taken:.1f} ms to a proposal ({found.status}, {tasks} tasks)")
        if found.plan is not None:
            plan = found.plan
            checked = median(lambda plan=plan, catalogue=catalogue: check(plan, catalogue), rounds)  # type: ignore[misc]
            print(f"    {checked:.1f} ms to check it as a whole")
    with tempfile.TemporaryDirectory() as folder:
        print(f"a run without tasks: {median(lambda: answered_at_once(folder), rounds):.1f} ms")


if __name__ == "__main__":
    main()
