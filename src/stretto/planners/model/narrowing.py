"""Which skills a planner is told of, where there are more than a prompt has room for.

They are ranked against the goal's clauses, as the rules planner does it, the best of each clause first, and each
brings along the skills that make what it needs. A roster that fits is told whole and in its own order, so that the
beginning of the prompt stays the same from goal to goal.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest

from stretto.core.domain import AgentCard, Catalogue, InputSpec, Json, Skill
from stretto.planners.rules.goals import read_goal
from stretto.planners.rules.kinds import ALIKE
from stretto.planners.rules.ranking import Ranking
from stretto.planners.rules.stock import Argument, Stock, serving
from stretto.planners.rules.supplies import from_inputs

MAKERS = 2
"""Skills that are brought along for one argument at most."""
_DEEPEST = 6

Known = dict[str, tuple[Skill, tuple[AgentCard, ...]]]
"""Skills by name, each with the agents that have it."""


def skills_of(catalogue: Catalogue) -> Known:
    """Give every skill of a catalogue, in the order of registration."""
    found: dict[str, tuple[Skill, list[AgentCard]]] = {}
    for card in catalogue.agents:
        for skill in card.skills:
            found.setdefault(skill.name, (skill, []))[1].append(card)
    return {name: (skill, tuple(cards)) for name, (skill, cards) in found.items()}


def narrowed(
    goal: str,
    catalogue: Catalogue,
    inputs: dict[str, Json],
    specs: dict[str, InputSpec],
    weigh: Callable[[str], int],
    room: int,
) -> Known:
    """Give the skills of a catalogue that a prompt has `room` for, each weighing so much, in the catalogue's order."""
    known = skills_of(catalogue)
    weights = {name: weigh(name) for name in known}
    if sum(weights.values()) <= room:
        return known
    left, chosen = room, set[str]()
    for group in _in_order(goal, catalogue, inputs, specs):
        fresh = [name for name in group if name not in chosen]
        weight = sum(weights[name] for name in fresh)
        if weight <= left:
            chosen.update(fresh)
            left -= weight
    return {name: one for name, one in known.items() if name in chosen}


def _in_order(
    goal: str, catalogue: Catalogue, inputs: dict[str, Json], specs: dict[str, InputSpec]
) -> Iterator[list[str]]:
    """Give the skills, the nearest to the goal first, each with those that make what it needs; then all the others."""
    ranking = Ranking(catalogue.agents)
    clauses = [one for one in read_goal(goal, ranking.acts).clauses if not one.forbids]
    ranked = [[one.entry.skill.name for one in ranking.rank(clause)] for clause in clauses]
    stock = Stock(ranking.entries)
    at_hand = tuple(from_inputs(inputs, specs))

    def given(argument: Argument) -> bool:
        return any(one.penalty <= ALIKE for one in serving(at_hand, argument))

    for tier in zip_longest(*ranked):
        for name in dict.fromkeys(one for one in tier if one is not None):
            yield [name, *_makers([name], stock, given)]
    for name in ranking.entries:
        yield [name]


def _makers(wanted: Sequence[str], stock: Stock, given: Callable[[Argument], bool]) -> Iterator[str]:
    """Give the skills that make what others need and nobody gives, the nearest first, to their very source."""
    seen, todo = set(wanted), [(name, 0) for name in wanted]
    while todo:
        here, depth = todo.pop(0)
        for argument in stock.arguments[here]:
            if not argument.required or argument.collects or given(argument):
                continue
            ways = {maker: min(way.penalty for way in found) for maker, found in stock.ways(here, argument).items()}
            near = sorted((one for one in ways if ways[one] <= ALIKE), key=lambda one: (ways[one], stock.position[one]))
            for maker in near[:MAKERS]:
                if maker not in seen and depth < _DEEPEST:
                    seen.add(maker)
                    todo.append((maker, depth + 1))
                    yield maker
