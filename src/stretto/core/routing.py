"""Which agent does a task: those with the skill, the pinned one if any, in the order they were registered."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from immutables import Map

from stretto.core.domain import AgentCard, Catalogue, Limits, SideEffect, Skill, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """The agents of a run, found by name and by skill."""

    agents: Map[str, AgentCard]
    by_skill: Map[str, tuple[str, ...]]

    def candidates(self, task: Task) -> tuple[str, ...]:
        """Give the names of the agents that could do a task; none when skill or pinned agent is unknown."""
        able = self.by_skill.get(task.skill, ())
        return tuple(name for name in able if name == task.agent) if task.agent else able

    def skill(self, task: Task, agent: str) -> Skill:
        """Give the skill as this agent has it; raises KeyError when it does not."""
        for skill in self.agents[agent].skills:
            if skill.name == task.skill:
                return skill
        if (found := self.equivalent(task.skill, agent)) is not None:
            return found
        raise KeyError(task.skill)

    def equivalent(self, skill: str, agent: str) -> Skill | None:
        """Give a stand-in's skill for another's: of the same name but for the agent's prefix (`a.sum`, `b.sum`, `sum`).

        None when the agent is not there, or has no such skill.
        """
        card = self.agents.get(agent)
        own = next(
            (skill[len(one) + 1 :] for one in self.by_skill.get(skill, ()) if skill.startswith(f"{one}.")), skill
        )
        names = (skill, f"{agent}.{own}", own)
        return next((one for name in names for one in card.skills if one.name == name), None) if card else None

    def stand_ins(self, task: Task, tried: Collection[str]) -> list[str]:
        """Give who may take over from those who have tried: their backups in order, then others with the skill.

        Where the plan names the agent, only backups may.
        """
        declared = (name for one in tried if one in self.agents for name in self.agents[one].backups)
        others = self.by_skill.get(task.skill, ()) if task.agent is None else ()
        able = (name for name in declared if self.equivalent(task.skill, name) is not None)
        return [name for name in dict.fromkeys((*able, *others)) if name not in tried]

    def effect(self, task: Task, agent: str) -> SideEffect:
        """Give what doing it twice would do: the task may declare more than the skill, never less."""
        declared = self.skill(task, agent).effect
        if task.effect is None or task.effect is declared:
            return declared
        return max(declared, task.effect, key=GRAVITY.index)

    def limits(self, task: Task, agent: str) -> Limits:
        """Give the limits of an attempt: the task's, else the skill's, else the agent's."""
        own, skill, card = task.limits, self.skill(task, agent).limits, self.agents[agent].limits
        return Limits(
            timeout=own.timeout or skill.timeout or card.timeout,
            attempts=own.attempts or skill.attempts or card.attempts,
            memory_mb=own.memory_mb or skill.memory_mb or card.memory_mb,
            output_kb=own.output_kb or skill.output_kb or card.output_kb,
        )


GRAVITY = [
    SideEffect.NONE,
    SideEffect.IDEMPOTENT,
    SideEffect.UNDECLARED,
    SideEffect.REVERSIBLE,
    SideEffect.IRREVERSIBLE,
]


def roster(catalogue: Catalogue) -> Roster:
    """Index a catalogue."""
    by_skill: dict[str, list[str]] = {}
    for card in catalogue.agents:
        for skill in card.skills:
            by_skill.setdefault(skill.name, []).append(card.name)
    return Roster(
        agents=Map({card.name: card for card in catalogue.agents}),
        by_skill=Map({name: tuple(agents) for name, agents in by_skill.items()}),
    )


def lane(task: Task, turn: str = "") -> str:
    """Name the queue a task waits in: tasks of one lane can be done by the same agents; `turn` names only one."""
    agent = turn or task.agent
    return f"{task.skill}@{agent}" if agent else task.skill


def free_agent(names: Iterable[str], roster: Roster, busy: "Map[str, int] | dict[str, int]") -> str | None:
    """Give the first agent that can take one more attempt, or None while all are full."""
    for name in names:
        most = roster.agents[name].concurrency
        if most is None or busy.get(name, 0) < most:
            return name
    return None
