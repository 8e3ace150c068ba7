"""What orchestration gains over one call at a time, and streaming over planning first, through real HTTP.

`python bench/orchestration.py [--graphs N] [--seed S] [--at-once K]`: N random graphs of 4 to 12 tasks, every third a
chain. A model server (`stretto.testing.models`) writes a plan at 60 tokens a second, 40 tokens a task, the first after
0.6 s; each tool takes 1 s. The same graph is pursued three ways, through the same client, server and tools:

- one call at a time: a model turn of 1 s decides on each call, as agents in a loop do (its closing turn not counted);
- planned, then run: the same plan is written to its end, checked, and run;
- streamed: the plan runs while it is being written.

Prints the median times, and the medians over the graphs of how many times faster; K graphs are under way side by side.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from stretto import Orchestrator, pure
from stretto.core.domain import Call, Called
from stretto.models.asking import ask
from stretto.models.prompt import Message, Prompt, Tool
from stretto.testing.models import Answer, ModelServer, Pace, Request, Rule, Script, ToolUse, When, count

FIRST, RATE, TOKENS, TURN, TOOL = 0.6, 60.0, 40, 1.0, 1.0
KEY_ENV = "STRETTO_BENCH_KEY"
STEP = Tool(name="step", description="Do a piece of work.", inputs={"type": "object"})


@dataclass(frozen=True)
class Graph:
    """A graph of tasks in an order in which they can be done: for each task those that it waits for."""

    number: int
    needs: tuple[tuple[int, ...], ...]

    @property
    def is_chain(self) -> bool:
        return all(needs == (one - 1,) for one, needs in enumerate(self.needs) if one)

    @property
    def goal(self) -> str:
        return f"Do what graph {self.number} says, step by step and in parts"

    def plan(self) -> str:
        """Write the plan as a model does, each task in as many tokens as a task takes."""
        needed = {need for needs in self.needs for need in needs}
        ends = [one for one in range(len(self.needs)) if one not in needed]
        tasks = ",\n".join(_filled(one, needs) for one, needs in enumerate(self.needs))
        deliver = json.dumps([{"ref": f"t{one}.output"} for one in ends])
        return f'{{"tasks": [\n{tasks}],\n"deliver": {deliver}}}'


def graphs(number: int, seed: int) -> list[Graph]:
    """Give random graphs, every third a chain; the others have tasks side by side."""
    found = []
    for one in range(number):
        chance = random.Random(f"{seed}/{one}")
        size = chance.randint(4, 12)
        needs = _chain(size) if one % 3 == 0 else _branching(size, chance)
        found.append(Graph(one, needs))
    return found


def _chain(size: int) -> tuple[tuple[int, ...], ...]:
    return tuple((one - 1,) if one else () for one in range(size))


def _branching(size: int, chance: random.Random) -> tuple[tuple[int, ...], ...]:
    """Give a graph in layers of one to four tasks; each waits for one or two of the layer before."""
    needs: list[tuple[int, ...]] = []
    layer: list[int] = []
    while len(needs) < size:
        width = min(chance.randint(2 if not needs else 1, 4), size - len(needs))
        fresh = range(len(needs), len(needs) + width)
        needs += [tuple(sorted(chance.sample(layer, min(len(layer), chance.choice([1, 1, 2]))))) for _ in fresh]
        layer = [*fresh]
    return tuple(needs)


def _filled(one: int, needs: tuple[int, ...]) -> str:
    """Write a task with an objective of so many words that it has the tokens of a task, by the server's count."""
    given = [{"ref": f"t{need}.output"} for need in needs]
    for words in range(TOKENS):
        task = {"id": f"t{one}", "skill": "step", "objective": " ".join(["do"] * words), "inputs": {"given": given}}
        text = json.dumps(task, separators=(",", ":"))
        if count(text) >= TOKENS:
            return text
    raise AssertionError("a task that takes no tokens")


def script(every: list[Graph]) -> Script:
    """Give what the model says: plans to a planner, calls of a tool one by one to a loop."""

    def plan(request: Request) -> Answer:
        number = int(request.groups["1"])
        return Answer(text=every[number].plan())

    def next_call(request: Request) -> Answer:
        return Answer(calls=(ToolUse(name="step", arguments={"given": []}),))

    return Script(
        rules=(
            Rule(name="turn", when=When(tool="step"), say=next_call, pace=Pace(turn=TURN)),
            Rule(
                name="plan",
                when=When(user=r"graph (\d+)"),
                say=plan,
                pace=Pace(first=FIRST, rate=RATE),
            ),
        )
    )


@pure
async def step(given: list[str]) -> str:
    """Do a piece of work that takes a second."""
    await asyncio.sleep(TOOL)
    return f"after {len(given)}"


class Through:
    """Makes calls as they come, and keeps nothing: what a loop without an orchestrator does."""

    async def call(self, call: Call, do: Callable[[], Awaitable[Called]]) -> Called:
        return await do()


async def one_by_one(team: Orchestrator, graph: Graph) -> float:
    """Have a model decide on one call after the other."""
    began = time.perf_counter()
    messages = [Message(role="user", text=graph.goal)]
    for turn in range(len(graph.needs)):
        reply = await ask(
            team.models.of("planner"),
            Prompt(messages=tuple(messages), tools=(STEP,)),
            Through(),
            key=f"turn/{turn}",
            role="worker",
        )
        result = await step([])
        called = reply.calls[0]
        messages += [
            Message(role="assistant", text=reply.text, calls=reply.calls),
            Message(role="tool", text=result, id=called.id, name=called.name),
        ]
    return time.perf_counter() - began


async def planned_first(team: Orchestrator, graph: Graph) -> float:
    """Have the whole plan written, then run it."""
    began = time.perf_counter()
    proposal = await team.plan(graph.goal, planner="model")
    assert proposal.plan is not None, proposal
    run = await team.run(graph.goal, plan=proposal.plan)
    assert run.status == "finished", run.gaps
    assert len(run.state.ids) == len(graph.needs), (graph, run.state.interpretation, run.state.ids)
    return time.perf_counter() - began


async def streamed(team: Orchestrator, graph: Graph) -> float:
    """Run the plan while it is being written."""
    began = time.perf_counter()
    run = await team.run(graph.goal, planner="model")
    assert run.status == "finished", run.gaps
    assert len(run.state.ids) == len(graph.needs), (graph, run.state.interpretation, run.state.ids)
    return time.perf_counter() - began


async def measured(team: Orchestrator, every: list[Graph], at_once: int) -> dict[int, dict[str, float]]:
    """Give the seconds of each graph by each way; the ways of one graph run one after the other, in turns."""
    ways = {"one call at a time": one_by_one, "planned, then run": planned_first, "streamed": streamed}
    found: dict[int, dict[str, float]] = {}
    places = asyncio.Semaphore(at_once)

    async def all_ways(graph: Graph) -> None:
        async with places:
            order = [*ways]
            random.Random(graph.number).shuffle(order)
            found[graph.number] = {name: await ways[name](team, graph) for name in order}

    await asyncio.gather(*(all_ways(one) for one in every))
    return found


async def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=8)
    given = parser.parse_args()
    every = graphs(given.graphs, given.seed)
    with ModelServer(script(every)) as server:
        os.environ[KEY_ENV] = server.key
        model = {"model": "scripted", "url": server.url, "key_env": KEY_ENV}
        team = Orchestrator([step], models={"planner": "bench", "bench": model})
        await one_by_one(team, replace(every[0], needs=((),)))  # loads the client library
        found = await measured(team, every, given.at_once)
        tokens = server.usage
    branching = [one.number for one in every if not one.is_chain]
    chains = [one.number for one in every if one.is_chain]
    print(f"{len(every)} graphs, {given.at_once} at once; {tokens.input:,} tokens read and {tokens.output:,} written")
    for what, numbers in (("with tasks side by side", branching), ("chains", chains)):
        if not numbers:
            continue
        print(f"\n{len(numbers)} {what}")
        for way in found[numbers[0]]:
            print(f"  {way:<22}{statistics.median(found[one][way] for one in numbers):>8.2f} s")
        for way in ("one call at a time", "planned, then run"):
            ratios = [found[one][way] / found[one]["streamed"] for one in numbers]
            print(f"  streamed is {statistics.median(ratios):.2f} times as fast as {way}")


if __name__ == "__main__":
    asyncio.run(main())
