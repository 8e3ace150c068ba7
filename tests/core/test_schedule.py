"""Critical path first: on a virtual clock, with few places, against an offline schedule and Graham's bound."""

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from stretto.core.commands import AddTask, ClosePlan, Command, Judged, ReportOutcome, ReportReview, SubmitGoal
from stretto.core.decide import step
from stretto.core.domain import AgentCard, Catalogue, Completed, Join, Review, Rules, SideEffect, Skill, Task, Verdict
from stretto.core.reconcile import judgements
from stretto.core.state import RunState

PLACES = 8
SECONDS = (0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0)


@dataclass(frozen=True)
class Work:
    """A task with its seconds and what it waits for."""

    id: str
    seconds: float
    after: tuple[str, ...]
    take: int = 0  # with how many of `after` it starts; 0 is all of them, as a plain order


def chains(random_: random.Random) -> list[Work]:
    """Several long chains of uneven steps, and many short ones."""
    found = []
    for chain in range(random_.randint(4, 12)):
        for number in range(random_.randint(1, 12)):
            after = (f"c{chain}_{number - 1}",) if number else ()
            found.append(Work(f"c{chain}_{number}", random_.choice(SECONDS), after))
    return found


def layers(random_: random.Random) -> list[Work]:
    """Layers with random edges between neighbours, as workflows have."""
    found: list[Work] = []
    before: list[str] = []
    for layer in range(random_.randint(3, 8)):
        names = [f"l{layer}_{number}" for number in range(random_.randint(2, 14))]
        for name in names:
            after = tuple(random_.sample(before, min(len(before), random_.randint(0, 3))))
            found.append(Work(name, random_.choice(SECONDS), after))
        before = names
    return found


def trees(random_: random.Random) -> list[Work]:
    """A split into branches of random depth, and a join."""
    found = [Work("split", 1.0, ())]
    ends = []
    for branch in range(random_.randint(6, 20)):
        last = "split"
        for depth in range(random_.randint(1, 5)):
            name = f"b{branch}_{depth}"
            found.append(Work(name, random_.choice(SECONDS), (last,)))
            last = name
        ends.append(last)
    return [*found, Work("join", 2.0, tuple(ends))]


def catalogue() -> Catalogue:
    agents = tuple(
        AgentCard(
            name=f"takes_{seconds}",
            latency=seconds,
            skills=(Skill(name=f"work_{seconds}", effect=SideEffect.NONE, inputs={"type": "object"}),),
        )
        for seconds in SECONDS
    )
    return Catalogue(agents=agents, rules=Rules(parallel=PLACES))


def planned(one: Work) -> Task:
    if not one.take:
        return Task(id=one.id, skill=f"work_{one.seconds}", after=one.after)
    return Task(id=one.id, skill=f"work_{one.seconds}", join=Join(of=one.after, take=one.take))


def simulated(work: Sequence[Work]) -> float:
    """Run a plan through the core on a virtual clock, each task for exactly its seconds; gives the makespan."""
    state = RunState()

    def say(*commands: Command) -> None:
        nonlocal state
        for command in commands:
            _, state = step(state, command)

    say(SubmitGoal(run="r", goal="g", catalogue=catalogue()))
    for one in work:
        say(AddTask(revision=1, task=planned(one)))
    say(ClosePlan(revision=1))
    seconds = {one.id: one.seconds for one in work}
    under_way: list[tuple[float, str]] = []
    now = 0.0
    while True:
        while found := judgements(state):
            for effect in found:
                say(
                    Judged(
                        at=now,
                        task=effect.task,
                        attempt=effect.attempt,
                        agent=effect.agent,
                        verdict=Verdict(decision="allow", rule="test"),
                        arguments={},
                    )
                )
                heapq.heappush(under_way, (now + seconds[effect.task], effect.task))
        if not under_way:
            break
        moment, id_ = heapq.heappop(under_way)
        if state.tasks[id_].status.final:
            continue  # a join had what it takes, and it was withdrawn
        now = moment
        say(
            ReportOutcome(at=now, task=id_, attempt=1, outcome=Completed()),
            ReportReview(at=now, task=id_, attempt=1, review=Review(accepted=True, reviewer="test")),
        )
    assert all(one.status.final for one in state.tasks.values())
    assert state.completed == len(work) or any(one.take for one in work)
    return now


def tails(work: Sequence[Work]) -> dict[str, float]:
    found: dict[str, float] = {}
    later: dict[str, list[str]] = {one.id: [] for one in work}
    for one in work:
        for name in one.after:
            later[name].append(one.id)
    for one in reversed(work):
        found[one.id] = one.seconds + max((found[name] for name in later[one.id]), default=0.0)
    return found


def offline(work: Sequence[Work]) -> float:
    """Give the makespan of the critical-path-first list schedule, worked out independently."""
    tail = tails(work)
    left = {one.id: len(one.after) for one in work}
    seconds = {one.id: one.seconds for one in work}
    ready = [(-tail[one.id], number, one.id) for number, one in enumerate(work) if not one.after]
    heapq.heapify(ready)
    place = {one.id: number for number, one in enumerate(work)}
    running: list[tuple[float, str]] = []
    now = 0.0
    while ready or running:
        while ready and len(running) < PLACES:
            _, _, id_ = heapq.heappop(ready)
            heapq.heappush(running, (now + seconds[id_], id_))
        now, done = heapq.heappop(running)
        for one in work:
            if done in one.after:
                left[one.id] -= 1
                if not left[one.id]:
                    heapq.heappush(ready, (-tail[one.id], place[one.id], one.id))
    return now


@pytest.mark.parametrize("shape", [chains, layers, trees])
def test_the_makespan_is_that_of_critical_path_first_and_below_grahams_bound(shape) -> None:  # type: ignore[no-untyped-def]
    for seed in range(40):
        work = shape(random.Random(seed))
        makespan, best = simulated(work), offline(work)
        assert makespan <= best * 1.01, (seed, makespan, best)
        critical, total = max(tails(work).values()), sum(one.seconds for one in work)
        assert makespan <= total / PLACES + critical * (1 - 1 / PLACES) + 1e-9
        assert makespan >= max(critical, total / PLACES) - 1e-9


def test_a_long_chain_that_is_written_last_starts_first() -> None:
    short = [Work(f"s{number}", 1.0, ()) for number in range(40)]
    long = [Work(f"z{number}", 8.0, (f"z{number - 1}",) if number else ()) for number in range(5)]
    assert simulated([*short, *long]) == 40.0


def test_a_plan_written_backwards_is_ranked_as_well() -> None:
    work = layers(random.Random(7))
    assert simulated(list(reversed(work))) <= offline(work) * 1.01


def test_a_join_of_all_takes_as_long_as_an_order_and_one_of_fewer_never_longer() -> None:
    for seed in range(20):
        work = trees(random.Random(seed))
        *rest, last = work
        ordered = simulated(work)
        whole = simulated([*rest, replace(last, take=len(last.after))])
        half = simulated([*rest, replace(last, take=-(-len(last.after) // 2))])
        first = simulated([*rest, replace(last, take=1)])
        assert ordered == whole
        assert first <= half <= whole, seed
        quickest = min(
            sum(one.seconds for one in rest if one.id.startswith(f"{name.partition('_')[0]}_")) for name in last.after
        )
        assert first >= 1.0 + quickest + last.seconds


def test_a_quorum_starts_with_its_last_vote_where_there_is_room_for_all() -> None:
    random_ = random.Random(3)
    votes = [Work(f"v{number}", random_.choice(SECONDS), ()) for number in range(PLACES)]
    for take in range(1, PLACES + 1):
        names = tuple(one.id for one in votes)
        assert (
            simulated([*votes, Work("end", 1.0, names, take)]) == sorted(one.seconds for one in votes)[take - 1] + 1.0
        )


def test_learned_durations_rank_before_declared_ones() -> None:
    def order(expected: dict[str, float]) -> list[str]:
        state = RunState()
        tasks = [Task(id=f"t{number}", skill=f"work_{seconds}") for number, seconds in enumerate(SECONDS)]
        commands: list[Command] = [SubmitGoal(run="r", goal="g", catalogue=catalogue(), expected=expected)]
        commands += [AddTask(revision=1, task=one) for one in tasks]
        for command in [*commands, ClosePlan(revision=1)]:
            _, state = step(state, command)
        return [state.ranked[number] for number in range(len(tasks))]

    assert order({})[:2] == ["t6", "t5"]
    assert order({"takes_0.5/work_0.5": 60.0, "takes_13.0/work_13.0": 0.1})[::6] == ["t0", "t6"]
    assert order({"takes_13.0/another": 60.0}) == order({})
