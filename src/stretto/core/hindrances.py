"""What stands in the way of a run: agents that failed at a skill for good, and who could do its work instead."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from stretto.core.domain import Catalogue, FailureClass, Skill, Task, TaskStatus
from stretto.core.plan.schemas import arguments, resolved, types
from stretto.core.state import RunState

_NOBODYS_FAULT = (FailureClass.DENIED, FailureClass.OVER_BUDGET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindrance:
    """An agent that failed for good at a skill: which task, and why."""

    task: str
    skill: str
    agent: str
    failure: FailureClass
    why: str


def hindrances(state: RunState) -> tuple[Hindrance, ...]:
    """Give the agents that failed at skills for good, in the order of the plan.

    A task that failed `unavailable` had every candidate tried; else it was those that had their turn. What a person or
    the budget forbade is no fault of an agent.
    """
    return tuple(_found(state))


def _found(state: RunState) -> Iterator[Hindrance]:
    for position in range(len(state.ids)):
        one = state.tasks[state.ids[position]]
        if one.status is not TaskStatus.FAILED or one.failure is None or one.failure in _NOBODYS_FAULT:
            continue
        if one.children is not None:
            continue  # its items say who
        tried = dict.fromkeys(name for step in one.climbed for name in (step.by, step.agent) if name)
        if one.failure is FailureClass.UNAVAILABLE:
            tried |= dict.fromkeys(state.roster.candidates(one.task))
        elif one.agent is not None:
            tried[one.agent] = None
        for agent in tried:
            yield Hindrance(
                task=state.ids[position], skill=one.task.skill, agent=agent, failure=one.failure, why=one.reason
            )


def around(catalogue: Catalogue, found: tuple[Hindrance, ...]) -> Catalogue:
    """Give a catalogue without the skills of agents that failed at them for good."""
    lost = {(one.agent, one.skill) for one in found}
    cards = (
        replace(card, skills=tuple(skill for skill in card.skills if (card.name, skill.name) not in lost))
        for card in catalogue.agents
    )
    return replace(catalogue, agents=tuple(card for card in cards if card.skills))


def substitutes(state: RunState, task: Task) -> list[tuple[str, str]]:
    """Give who could do a task instead, (agent, skill): the same skill first, then skills that take and give alike."""
    lost = {(one.agent, one.skill) for one in hindrances(state)}
    own = next((one for card in state.catalogue.agents for one in card.skills if one.name == task.skill), None)
    if own is None:
        return []
    found: list[tuple[int, str, str]] = []
    for card in state.catalogue.agents:
        for skill in card.skills:
            if (card.name, skill.name) in lost:
                continue
            if skill.name == task.skill:
                found.append((0, card.name, skill.name))
                continue
            if _takes(skill, task) and _gives(skill, own) and skill.effect is own.effect:
                found.append((1, card.name, skill.name))
    return [(agent, skill) for _, agent, skill in sorted(found, key=lambda one: one[0])]


def _takes(skill: Skill, task: Task) -> bool:
    known, needed, others = arguments(skill.inputs)
    return set(needed) <= set(task.inputs) and (others or set(task.inputs) <= set(known)) and bool(known)


def _gives(skill: Skill, own: Skill) -> bool:
    """Whether a skill gives what another does, by type and, where both name it, by the name of the type."""
    here, there = resolved(skill.output, skill.output), resolved(own.output, own.output)
    same = types(skill.output, skill.output) <= types(own.output, own.output)
    return same and (here.get("title") == there.get("title") or "title" not in there)
