"""Agents of kind `model` get their models and tools: after everybody else, for the others' skills are their tools."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from stretto.agent_files import ModelAgentSpec, name_of
from stretto.agents.function import FunctionAgent
from stretto.agents.model import ModelAgent
from stretto.agents.tools import tools_named
from stretto.core.domain import Skill
from stretto.core.errors import BadAgent, UsageError
from stretto.core.plan.names import Names
from stretto.models.prompt import Model, Models
from stretto.ports import Agent
from stretto.validation import JsonSchemas

Hired: TypeAlias = Agent | ModelAgentSpec
"""Somebody who works: an agent, or the description of one that has still to be equipped."""


class Equipping:
    """Makes agents of descriptions, each once those are made whose skills are its tools."""

    def __init__(self, crew: Sequence[Hired], models: Models) -> None:
        self._crew, self._models = crew, models
        self._schemas = JsonSchemas()
        self._names = [one.name if isinstance(one, ModelAgentSpec) else one.card.name for one in crew]
        self._equipped: dict[int, ModelAgent] = {}

    def all(self) -> list[Agent]:
        """Give everybody, in the order in which they were handed over; raises UsageError with what is wrong where."""
        return [self._agent(one, ()) for one in self._crew]

    def _agent(self, one: Hired, path: tuple[str, ...]) -> Agent:
        """Give an agent that is wanted as a tool of those on the path."""
        if not isinstance(one, ModelAgentSpec):
            return one
        if id(one) not in self._equipped:
            for name in one.card["backups"]:
                if name not in self._names:
                    raise one.bad("backups", f"there is no agent {name!r}. {Names(lambda: self._names).mend(name)}")
            tools = tools_named(self._tools(one, (*path, one.name)))
            self._equipped[id(one)] = ModelAgent(one, self._models_of(one), tools, self._schemas)
        return self._equipped[id(one)]

    def _models_of(self, spec: ModelAgentSpec) -> tuple[Model, ...]:
        if not spec.models:
            return self._models.of("worker")
        try:
            return tuple(dict.fromkeys(model for name in spec.models for model in self._models.named(name)))
        except UsageError as error:
            raise spec.bad("model", str(error)) from None

    def _tools(self, spec: ModelAgentSpec, path: tuple[str, ...]) -> Iterator[tuple[str, Agent, Skill]]:
        """Give the tools that a description names: functions of its own, or skills of other agents."""
        own = _functions_of(spec)
        functions = {skill.name: skill for skill in own.card.skills} if own is not None else {}
        others = {skill.name: one for one in reversed(self._crew) if one is not spec for skill in _skills(one)}
        for number, name in enumerate(spec.tools):
            place = f"tools[{number}]"
            if own is not None and name in functions:
                if name in others:
                    raise spec.bad(
                        place, f"{name!r} is a function of its own, and a skill as well; rename the function"
                    )
                yield name, own, functions[name]
            elif name in others:
                agent = self._other(spec, place, name, others[name], path)
                yield name, agent, next(skill for skill in agent.card.skills if skill.name == name)
            else:
                mend = Names(lambda: [*map(name_of, spec.functions), *others]).mend(name)
                raise spec.bad(place, f"there is no skill or function {name!r}. {mend}")

    def _other(self, spec: ModelAgentSpec, place: str, skill: str, one: Hired, path: tuple[str, ...]) -> Agent:
        """Give the agent of a skill that is wanted as a tool."""
        if isinstance(one, ModelAgentSpec):
            if one.name in path:
                raise spec.bad(place, f"{' -> '.join((*path, one.name))}: they would be tools of each other")
        elif one.card.kind in ("team", "person"):
            mend = "give the plan a task for it"
            raise spec.bad(place, f"{skill!r} is done by a {one.card.kind}, and no tool of a model; {mend}")
        return self._agent(one, path)


def _functions_of(spec: ModelAgentSpec) -> FunctionAgent | None:
    """Give the functions that a description names as its tools, as an agent that nobody else knows."""
    named = [one for one in spec.functions if name_of(one) in spec.tools]
    try:
        return FunctionAgent(named, description=spec.description) if named else None
    except BadAgent as error:
        raise spec.bad("tools", str(error)) from None


def _skills(one: Hired) -> Sequence[Skill]:
    return one.skills if isinstance(one, ModelAgentSpec) else one.card.skills
