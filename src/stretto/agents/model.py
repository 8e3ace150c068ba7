"""Agents of kind `model`: a prompt and tools. What is known of one without running it follows from its description."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from stretto.agent_files import ModelAgentSpec, described
from stretto.agents.answers import form_of
from stretto.agents.calling import failed, sound
from stretto.agents.tools import SkillTool, Workbench
from stretto.agents.turns import MORE_ROOM, Attempt
from stretto.agents.window import LEAST_PART, LONGEST_PART, Shelf, as_text, opening
from stretto.core.canonical import short
from stretto.core.domain import (
    AgentCard,
    Cost,
    Failed,
    FailureClass,
    Outcome,
    Preview,
    SideEffect,
    Skill,
    Usage,
)
from stretto.core.routing import GRAVITY
from stretto.models.prompt import Model
from stretto.ports import AgentFailure, Assignment, InputNeeded, Schemas

PARTS = 6
"""How many parts of long texts a window has room for at least, where a character is a token."""


def model_agent(
    name: str,
    prompt: str,
    *,
    model: str | Sequence[str] = (),
    tools: Sequence[str | Callable[..., Any]] = (),
    **fields: Any,
) -> ModelAgentSpec:
    """Describe an agent of kind `model` in Python, to be handed to an `Orchestrator`.

    `tools` are functions, and names of skills of its other agents; the other fields are those of the front matter of an
    agent's file (see docs/agents.md), like `inputs={"question": "string"}`. Raises BadAgent.
    """
    given = {"model": list(model) if not isinstance(model, str) else model, "tools": list(tools), **fields}
    return described(name, prompt, given)


class ModelAgent:
    """See `stretto.ports.Agent`. Made of a description, the models that it names, and its tools."""

    def __init__(
        self, spec: ModelAgentSpec, models: Sequence[Model], tools: Sequence[SkillTool], schemas: Schemas
    ) -> None:
        self.spec, self._schemas = spec, schemas
        self._models = tuple(one for one in models if one.tools or not tools)
        self._unable = [one.name for one in models if one not in self._models]
        self._tools = {one.name: one for one in tools}
        self.card = card_of(spec, self._models, tools)

    async def run(self, assignment: Assignment) -> Outcome:
        skill = next((one for one in self.spec.skills if one.name == assignment.skill), None)
        if skill is None:
            message = f"this agent has no skill {assignment.skill!r} any more"
            return Failed(failure=FailureClass.UNAVAILABLE, message=message)
        try:
            return sound(await self._attempt(assignment, skill).outcome())
        except (AgentFailure, InputNeeded) as error:
            return sound(failed(error, assignment))

    async def preview(self, assignment: Assignment) -> Preview:
        """Show nothing: what it does to the world, its tools do, and they are asked about one by one."""
        return Preview()

    async def look_up(self, assignment: Assignment) -> Outcome | None:
        """Say that it may simply be done again: what has ended in it is not repeated."""
        return None

    def _attempt(self, assignment: Assignment, skill: Skill) -> Attempt:
        if not self._models and self._unable:
            raise AgentFailure(
                f"{self.card.name} needs its tools, and {', '.join(self._unable)} takes none; name a model that does",
                FailureClass.UNAVAILABLE,
            )
        if not self._models:
            raise AgentFailure(
                f"{self.card.name} has no model to ask; say `model:` in its file, or name one for the role `worker` "
                "under `models:`",
                FailureClass.UNAVAILABLE,
            )
        if assignment.toolbox is None:
            raise RuntimeError("an agent of kind model makes inner calls, and nobody here makes them")
        form = form_of(assignment.output or skill.output, evidence=skill.evidence)
        shelf = Shelf(max(LEAST_PART, min(LONGEST_PART, *(one.window // PARTS for one in self._models))))
        for name, value in assignment.shortened.items():
            shelf.put(name, as_text(value))
        bench = Workbench(
            work=assignment,
            toolbox=assignment.toolbox,
            tools=self._tools,
            schemas=self._schemas,
            most=self.spec.allowance.tool_calls,
            shelf=shelf,
        )
        several = len(self.spec.skills) > 1
        return Attempt(
            spec=self.spec,
            models=self._models,
            work=assignment,
            form=form,
            bench=bench,
            schemas=self._schemas,
            messages=list(
                opening(self.spec.prompt, assignment, skill, form, shelf, several=several, tools=bool(self._tools))
            ),
        )


def card_of(spec: ModelAgentSpec, models: Sequence[Model], tools: Sequence[SkillTool]) -> AgentCard:
    """Give the card: what its tools see, label, do and cost is its own as well.

    Its skills are without effect when all its tools are, else idempotent: what an attempt has done is not done again,
    and each call of a tool is judged by itself. It sees the data that one of its models may see, and no more than its
    description says. The most that an attempt may cost follows from its limits and the dearest of its models.
    """
    gravest = max((one.skill.effect for one in tools), key=GRAVITY.index, default=SideEffect.NONE)
    own = SideEffect.NONE if gravest is SideEffect.NONE else SideEffect.IDEMPOTENT
    labels = tuple(label for one in tools for label in one.skill.labels)
    skills = tuple(
        replace(
            skill,
            effect=max(skill.effect, own, key=GRAVITY.index),
            labels=tuple(dict.fromkeys((*skill.labels, *labels))),
        )
        for skill in spec.skills
    )
    terms = {"perimeter": None, **spec.card}
    terms["perimeter"] = _perimeter(terms["perimeter"], models)
    terms["window"] = terms["window"] or _window(spec, models)
    inner = [name for one in tools if one.inner for name in one.agent.card.tools]
    return AgentCard(
        name=spec.name,
        kind="model",
        description=spec.description,
        version=_version(spec, models, tools),
        skills=skills,
        tools=tuple(dict.fromkeys((*(one.what for one in tools), *inner))),
        cost=Cost(money=_most(spec, models, tools), tokens=spec.allowance.tokens),
        bounded=all(one.priced for one in models) and all(one.agent.card.bounded for one in tools),
        **terms,
    )


def _perimeter(own: tuple[str, ...] | None, models: Sequence[Model]) -> tuple[str, ...] | None:
    seen = [one.perimeter for one in models]
    if not seen or None in seen:
        return own
    together = {label for one in seen for label in one or ()}
    return tuple(sorted(together if own is None else together & set(own)))


def _window(spec: ModelAgentSpec, models: Sequence[Model]) -> int | None:
    """Give the characters of inputs that are shown at once where the description does not say it.

    As many as there are tokens in the window, or for an attempt: in most languages a quarter of the room.
    """
    return min([spec.allowance.tokens, *(one.window for one in models)]) if models else None


def _version(spec: ModelAgentSpec, models: Sequence[Model], tools: Sequence[SkillTool]) -> str:
    """Give a mark of everything that an answer depends on and that the card does not show."""
    said = [spec.prompt, [one.name for one in models], spec.temperature, spec.max_tokens]
    return short([*said, [[one.what, one.agent.card.version] for one in tools]])


def _most(spec: ModelAgentSpec, models: Sequence[Model], tools: Sequence[SkillTool]) -> Decimal:
    """Give the dollars that an attempt may cost: as its limits say, else what its tokens and tools cost at most.

    An agent of kind `model` among its tools spends of the same tokens.
    """
    if spec.allowance.money is not None:
        return spec.allowance.money
    inner = [one.agent.card.cost for one in tools if one.inner]
    each = max((one.money / one.tokens for one in inner if one.tokens), default=Decimal(0))
    own = max((_dearest(one, spec) for one in models), default=Decimal(0))
    called = max((one.agent.card.cost.money for one in tools if not one.inner), default=Decimal(0))
    return max(own, each * spec.allowance.tokens) + called * spec.allowance.tool_calls


def _dearest(model: Model, spec: ModelAgentSpec) -> Decimal:
    """Give what an attempt costs at most by a model: its tokens, and of those as many written as may be."""
    tokens = written = spec.allowance.tokens
    if spec.max_tokens is not None:
        written = min(tokens, spec.max_tokens * (spec.allowance.turns + MORE_ROOM - 1))
    read_all = model.cost(Usage(input=tokens)).money
    return max(read_all, model.cost(Usage(input=tokens - written, output=written)).money)
