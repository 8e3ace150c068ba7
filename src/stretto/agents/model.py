"""Agents of kind `model`: a prompt and tools, turn by turn, each attempt in a fresh window.

Every turn and every call of a tool is an inner call: judged, reserved and journalled, so that a crash repeats none that
has ended. Turns are named by their number and the prompt, so the same way leads to the same calls.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from stretto.agent_files import ModelAgentSpec, described
from stretto.agents.answers import Form, Misfit, form_of
from stretto.agents.calling import failed, sound
from stretto.agents.tools import LONGEST_RESULT, SHORTEST_RESULT, SkillTool, Workbench
from stretto.agents.window import as_text, opening
from stretto.core.canonical import digest, short
from stretto.core.domain import (
    FREE,
    AgentCard,
    Completed,
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
from stretto.models.asking import ask
from stretto.models.prompt import Message, Model, Prompt, Reply, Tool
from stretto.ports import AgentFailure, Assignment, InputNeeded, Schemas

MISFITS = 2
"""How often an answer that does not fit is sent back to the model before the attempt is given up."""
MORE_ROOM = 4
"""How much longer an answer that broke off at its length may become when it is asked for again."""
LEAST_ANSWER = 64
"""Tokens that have to be left for an answer; with less nothing is asked any more."""

ANSWER_NOW = "This is your last turn, and there are no tools any more. Give the answer now, with what is there."


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

    def _attempt(self, assignment: Assignment, skill: Skill) -> "_Attempt":
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
        bench = Workbench(
            work=assignment, toolbox=assignment.toolbox, tools=self._tools, schemas=self._schemas, labels=frozenset()
        )
        for name, value in assignment.shortened.items():
            bench.shelf.put(name, as_text(value))
        several = len(self.spec.skills) > 1
        return _Attempt(
            spec=self.spec,
            models=self._models,
            work=assignment,
            form=form,
            bench=bench,
            schemas=self._schemas,
            messages=list(opening(self.spec.prompt, assignment, skill, form, several=several)),
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


@dataclass(slots=True, kw_only=True)
class _Attempt:
    """One attempt, turn by turn. Nothing in it depends on anything but the description, the task and what came back."""

    spec: ModelAgentSpec
    models: tuple[Model, ...]
    work: Assignment
    form: Form
    bench: Workbench
    schemas: Schemas
    messages: list[Message]
    turn: int = 0
    spent: Cost = FREE
    misfits: int = 0
    rejected: str = ""
    had: int = 0  # tokens that the last answer could take
    wanted: int | None = None  # tokens for an answer that broke off before,
    broken: AgentFailure | None = None  # and the failure that it is where there is no more room
    longer: bool = False  # it has been asked for more once
    closing: bool = False  # there are no tools any more

    async def outcome(self) -> Outcome:
        """Go on until there is an answer; raises AgentFailure and InputNeeded."""
        while True:
            self.turn += 1
            reply, prompt = await self._asked()
            self.spent += reply.cost
            if reply.finish == "length":
                self._ask_for_more(reply)
                continue
            self.wanted = self.broken = None
            if reply.calls and prompt.tools:
                self.messages.append(Message(role="assistant", text=reply.text, calls=reply.calls))
                self.messages += await self.bench.answer(reply.calls, longest=self._longest_result(len(reply.calls)))
                continue
            if not reply.text.strip():
                raise AgentFailure(
                    "it asks for tools in its last turn and gives no answer", FailureClass.INVALID_OUTPUT
                )
            try:
                output, citations = self.form.read(reply.text, self.schemas, self._is_shown)
            except Misfit as misfit:
                if (failure := self._sent_back(reply.text, str(misfit))) is not None:
                    return failure
                continue
            cited = citations if self.form.evidence else self.work.citations
            return Completed(
                output=output,
                artifacts=tuple(self.work.artifacts),
                citations=tuple(dict.fromkeys(cited)),
                cost=self.work.spent,
            )

    # ---- one turn

    async def _asked(self) -> tuple[Reply, Prompt]:
        prompt = await self._prompt()
        try:
            return await self._ask(prompt), prompt
        except AgentFailure as failure:
            if failure.failure is not FailureClass.OVER_BUDGET:
                raise
            closing = await self._within_the_ceiling(prompt)
            if closing is None:
                raise
            return await self._ask(closing), closing

    async def _ask(self, prompt: Prompt) -> Reply:
        return await ask(
            self.models,
            prompt,
            self.bench.toolbox,
            key=f"turn {self.turn}",
            role="worker",
            labels=self.work.labels | self.bench.labels,
        )

    async def _prompt(self) -> Prompt:
        """Give the next prompt: with tools where another turn can follow it, else the one that asks for the answer."""
        allowance, model = self.spec.allowance, self.models[0]
        tools = self.bench.offered if model.tools else ()
        prompt = self._of(self.messages, tools)
        counted = await model.count(prompt)
        room = self._room(counted)
        share = (room - counted) // 3  # then another turn can follow, with this one's answer in it and as long a one
        if tools and not self.closing:
            self.closing = (
                self.turn >= allowance.turns or self.bench.calls >= allowance.tool_calls or share < LEAST_ANSWER
            )
            if self.closing and self.turn > 1:
                self.messages.append(Message(role="user", text=ANSWER_NOW))
        if self.closing or not tools:
            prompt = self._of(self.messages, ())
            counted = await model.count(prompt)
            share = self._room(counted)
        return await self._bounded(prompt, counted, share)

    async def _bounded(self, prompt: Prompt, counted: int, share: int) -> Prompt:
        """Bound the answer of a prompt by its share; raises AgentFailure where too little is left for one."""
        model = self.models[0]
        wanted = self.wanted or self.spec.max_tokens
        left = model.window - counted
        if left < LEAST_ANSWER:
            return prompt  # it does not fit the window, and is refused with the figures
        bounded = replace(prompt, most=min(wanted, left)) if wanted is not None else prompt
        usual = (await model.most(bounded)).tokens - counted  # as far as the model's definition lets it
        most = min(usual, share, left)
        if self.broken is not None and most <= self.had:
            raise self.broken
        if most < min(LEAST_ANSWER, usual):
            limits = self.spec.allowance
            money = f" or ${limits.money}" if limits.money is not None else ""
            raise AgentFailure(
                f"its limit of {limits.tokens:,} tokens{money} is used up: {self.spent + self.bench.spent} went in "
                f"{self.turn - 1} turns, and the next one reads some {counted:,}; raise the `limits:` of "
                f"{self.spec.name!r}",
                FailureClass.OVER_BUDGET,
            )
        self.had = most
        return prompt if most == usual and wanted is None else replace(prompt, most=most)

    async def _within_the_ceiling(self, prompt: Prompt) -> Prompt | None:
        """Give a last prompt that fits what is left of the attempt's reservation; None where that is too little."""
        most, spent, model = self.work.ceiling, self.work.spent, self.models[0]
        if not self.closing and prompt.tools and self.turn > 1:
            self.messages.append(Message(role="user", text=ANSWER_NOW))
        self.closing = True
        prompt = self._of(self.messages, ())
        counted = await model.count(prompt)
        room = model.window - counted
        if most.tokens is not None:
            room = min(room, most.tokens - spent.tokens - counted)
        if most.money is not None:
            room = min(room, self._affordable(counted, most.money - spent.money))
        self.had = room
        return replace(prompt, most=room) if room >= LEAST_ANSWER else None

    def _of(self, messages: Sequence[Message], tools: Sequence[Tool]) -> Prompt:
        return Prompt(
            messages=tuple(messages),
            tools=tuple(tools),
            schema=self.form.schema,
            temperature=self.spec.temperature,
        )

    # ---- limits

    def _room(self, counted: int) -> int:
        """Give the tokens that an answer to a prompt may take by the agent's own limits."""
        limits = self.spec.allowance
        room = limits.tokens - self.spent.tokens - self.bench.spent.tokens - counted
        if limits.money is not None:
            left = limits.money - self.spent.money - self.bench.spent.money
            room = min(room, self._affordable(counted, left))
        return room

    def _affordable(self, counted: int, money: Decimal) -> int:
        """Give the tokens of an answer that some dollars pay for, after what is read."""
        model = self.models[0]
        left = money - model.cost(Usage(input=counted)).money
        each = model.cost(Usage(output=1_000)).money / 1_000
        if left <= 0 < each:
            return 0
        return int(left / each) if each else model.window

    def _longest_result(self, calls: int) -> int:
        """Give the characters of a tool's result that are shown at once: together half of what is left, and no more."""
        left = self.spec.allowance.tokens - self.spent.tokens - self.bench.spent.tokens
        return max(SHORTEST_RESULT, min(LONGEST_RESULT, left // calls))

    def _ask_for_more(self, reply: Reply) -> None:
        """Ask again for an answer that broke off at its length, once, with more room."""
        broken = AgentFailure(
            f"its answer broke off at its length, after {reply.usage.output:,} tokens of {self.had:,}; raise "
            f"`max_tokens` or `limits:` of {self.spec.name!r}, or have it do less at once",
            FailureClass.INVALID_OUTPUT,
        )
        if self.longer or self.turn >= self.spec.allowance.turns:
            raise broken
        self.wanted, self.broken, self.longer = self.had * MORE_ROOM, broken, True

    # ---- the answer

    def _sent_back(self, text: str, problem: str) -> Failed | None:
        """Tell the model what is wrong with its answer; the failure, when it has been told often enough."""
        self.misfits += 1
        if self.misfits > MISFITS or self.turn >= self.spec.allowance.turns or text == self.rejected:
            message = f"its answer does not fit: {problem}"
            return Failed(
                failure=FailureClass.INVALID_OUTPUT, message=message, cost=self.work.spent, produced=digest(text)
            )
        self.rejected = text
        self.messages.append(Message(role="assistant", text=text))
        self.messages.append(Message(role="user", text=f"{problem} Give the whole answer again, mended."))
        return None

    def _is_shown(self, file: str) -> bool:
        """Whether a file was named to the model, by its inputs or by a tool."""
        given = as_text({**self.work.arguments, **self.work.shortened})
        written = as_text([file])[2:-2]
        return bool(file) and (written in given or any(file in text or written in text for text in self.bench.shown))
