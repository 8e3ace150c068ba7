"""The tools of a model: functions and skills of other agents, each call of which is an inner call of the attempt.

What goes wrong with a call is told to the model, like a result. A call that changes the world is made once, however
often the model asks for it with the same arguments.
"""

import asyncio
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from stretto.agents.calling import failed
from stretto.agents.window import Shelf, as_text, fenced
from stretto.core.canonical import digest, short
from stretto.core.domain import (
    FREE,
    Action,
    Artifact,
    Budget,
    Call,
    Called,
    Citation,
    Completed,
    Cost,
    Failed,
    FailureClass,
    InputRequired,
    Json,
    SideEffect,
    Skill,
    Unknown,
)
from stretto.models.prompt import Message, Tool, ToolCall
from stretto.ports import Agent, AgentFailure, Assignment, Finder, InputNeeded, Schemas, Toolbox

SAME = 3
"""How often the same call may bring the same before the attempt is stopped: nothing new comes of it."""
LONGEST_RESULT = 12_000
"""Characters of a result that are shown at once; the rest is read by parts."""
SHORTEST_RESULT = 200
"""Characters of a result that are shown in any case."""

READ = "read"
_READ = Tool(
    name=READ,
    description="Give one part of a long text that was shown shortened. Parts are counted from 1.",
    inputs={
        "type": "object",
        "properties": {"name": {"type": "string"}, "part": {"type": "integer", "minimum": 1}},
        "required": ["name", "part"],
        "additionalProperties": False,
    },
)
_SIGN = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillTool:
    """A skill of an agent, as a tool; `name` is what the model calls it, `what` what everybody else does."""

    name: str
    what: str
    agent: Agent
    skill: Skill

    @property
    def offer(self) -> Tool:
        return Tool(name=self.name, description=self.skill.description, inputs=self.skill.inputs or {"type": "object"})

    @property
    def inner(self) -> bool:
        """Whether its agent makes inner calls itself, which are reserved one by one."""
        return self.agent.card.kind == "model"


def tools_named(skills: Iterable[tuple[str, Agent, Skill]]) -> tuple[SkillTool, ...]:
    """Give skills as tools, under names that every provider takes: letters, digits, dashes, at most 64 of them."""
    found: dict[str, SkillTool] = {}
    for what, agent, skill in skills:
        plain = _SIGN.sub("_", what)[:_LONGEST_NAME]
        name, number = plain, 1
        while name in found or name == READ:
            number += 1
            name = f"{plain[: _LONGEST_NAME - 3]}_{number}"
        found[name] = SkillTool(name=name, what=what, agent=agent, skill=skill)
    return tuple(found.values())


@dataclass(slots=True, kw_only=True)
class _Result:
    """What a tool call brought, for the model; `artifacts` are handed on by the attempt."""

    text: str
    artifacts: tuple[Artifact, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Workbench:
    """The tools of one attempt, of which it may make `most` calls, and what came of them so far."""

    work: Assignment
    toolbox: Toolbox
    tools: Mapping[str, SkillTool]
    schemas: Schemas
    most: int
    shelf: Shelf
    calls: int = 0
    spent: Cost = FREE
    shown: list[str] = field(default_factory=list)
    labels: frozenset[str] = frozenset()
    _made: dict[str, int] = field(default_factory=dict)
    _seen: dict[tuple[str, str, str], int] = field(default_factory=dict)

    @property
    def offered(self) -> tuple[Tool, ...]:
        """The tools as the model is shown them; `read` where there is something to read."""
        return (*(one.offer for one in self.tools.values()), *((_READ,) if self.shelf else ()))

    async def answer(self, calls: Sequence[ToolCall], *, longest: int = LONGEST_RESULT) -> list[Message]:
        """Make the calls of one turn, and give what they brought, in order; of long results the beginning.

        Those without side effects are made side by side, the others one after the other in their places. Raises
        AgentFailure when the model goes round in circles, InputNeeded where a person has to approve.
        """
        room = max(self.most - self.calls, 0)
        self.calls += len(calls)
        results: list[_Result] = []
        together: list[ToolCall] = []
        for call in calls[:room]:
            if self._is_harmless(call):
                together.append(call)
                continue
            results += await self._side_by_side(together)
            results.append(await self._one(call))
            together = []
        results += await self._side_by_side(together)
        results += [_Result(text=f"error: not called; {self.most} calls are all there are")] * len(calls[room:])
        self._require_progress(calls[:room], results)
        return [self._told(call, result, longest) for call, result in zip(calls, results, strict=True)]

    def _is_harmless(self, call: ToolCall) -> bool:
        tool = self.tools.get(call.name)
        return tool is None or tool.skill.effect is SideEffect.NONE

    async def _side_by_side(self, calls: Sequence[ToolCall]) -> list[_Result]:
        """Make calls at once; all of them have ended when one of them fails."""
        numbers = [self._occurrence(call) for call in calls]
        ended = await asyncio.gather(
            *(self._one(call, number) for call, number in zip(calls, numbers, strict=True)), return_exceptions=True
        )
        for one in ended:
            if isinstance(one, BaseException):
                raise one
        return [one for one in ended if not isinstance(one, BaseException)]

    def _require_progress(self, calls: Sequence[ToolCall], results: Sequence[_Result]) -> None:
        """Raise AgentFailure when the same call has brought the same in too many turns."""
        for seen in dict.fromkeys(_mark(call, result) for call, result in zip(calls, results, strict=False)):
            self._seen[seen] = self._seen.get(seen, 0) + 1
            if self._seen[seen] >= SAME:
                raise AgentFailure(
                    f"it makes no progress: {seen[0]} was called in {SAME} turns with the same arguments, and brought "
                    "the same each time",
                    FailureClass.INVALID_OUTPUT,
                )

    def _told(self, call: ToolCall, result: _Result, longest: int) -> Message:
        """Give a result as a message."""
        self.labels |= set(result.labels)
        self.work.artifacts.extend(one for one in result.artifacts if one not in self.work.artifacts)
        text = result.text
        if len(text) > longest:
            name = f"result {len(self.shelf) + 1} of {call.name}"
            self.shelf.put(name, text)
            text = self.shelf.beginning(name, longest)
        if self._seen.get(_mark(call, result), 0) > 1:
            text += "\n(The same call brought the same before. Do something else, or answer with what is there.)"
        return Message(role="tool", id=call.id, name=call.name, text=text)

    # ---- one call

    async def _one(self, call: ToolCall, occurrence: int = 0) -> _Result:
        """Make a call and give what it brought, or what is wrong with it, in words for the model."""
        tool = self.tools.get(call.name)
        if call.problem:
            return _Result(text=f"error: the arguments are no JSON object: {call.problem}")
        if call.name == READ and self.shelf and tool is None:
            return self._read(call)
        if tool is None:
            known = ", ".join(one.name for one in self.offered) or "none"
            return _Result(text=f"error: there is no tool {call.name!r}; there is {known}")
        if problems := self.schemas.problems(call.arguments, tool.skill.inputs):
            return _Result(text=f"error: the arguments do not fit: {'; '.join(problems)}")
        return await self._use(tool, call.arguments, occurrence)

    def _read(self, call: ToolCall) -> _Result:
        if problems := self.schemas.problems(call.arguments, _READ.inputs):
            return _Result(text=f"error: the arguments do not fit: {'; '.join(problems)}")
        try:
            return _Result(text=self.shelf.read(call.arguments["name"], call.arguments["part"]))
        except (KeyError, IndexError) as error:
            return _Result(text=f"error: {error.args[0]}")

    def _occurrence(self, call: ToolCall) -> int:
        """Count the equal calls before this one: what only reads may bring something else the next time."""
        name = digest([call.name, call.arguments])
        self._made[name] = self._made.get(name, -1) + 1
        return self._made[name]

    async def _use(self, tool: SkillTool, arguments: dict[str, Json], occurrence: int) -> _Result:
        card = tool.agent.card
        call = Call(
            key=f"{tool.name}#{occurrence}" if occurrence else tool.name,
            role="tool",
            what=tool.what,
            arguments=arguments,
            effect=tool.skill.effect,
            reserve=FREE if tool.inner else card.cost,
            bounded=card.bounded or tool.inner,
            perimeter=card.perimeter,
            approval=tool.skill.approval,
        )
        deed = _Deed(tool=tool, call=call, work=self.work, toolbox=self.toolbox, seen=self.labels)
        try:
            called = await self.toolbox.use(call, deed, deed.finder)
        except AgentFailure as failure:
            return _Result(text=_failed(failure.failure, str(failure)), labels=tool.skill.labels)
        kept = _Kept.of(called.output)
        self.spent += called.cost + kept.spent
        return self._result(tool, kept)

    def _result(self, tool: SkillTool, kept: "_Kept") -> _Result:
        if kept.error:
            return _Result(text=kept.error, labels=tool.skill.labels)
        self.shown.append(as_text(kept.value))
        self.shown += [one.file for one in kept.citations]
        text = fenced("result", tool.name, as_text(kept.value))
        if kept.edited is not None:
            text = f"A person approved it with other arguments: {json.dumps(kept.edited, ensure_ascii=False)}\n{text}"
        sources = "\n".join(f"{one.file}:{one.line or ''}: {one.text}" for one in kept.citations)
        if sources:
            text = f"{text}\n{fenced('sources', tool.name, sources)}"
        return _Result(text=text, artifacts=kept.artifacts, labels=tool.skill.labels)


@dataclass(slots=True, kw_only=True)
class _Deed:
    """Does a call of a tool: the skill gets an assignment of its own, with the key of the action."""

    tool: SkillTool
    call: Call
    work: Assignment
    toolbox: Toolbox
    seen: frozenset[str]

    async def __call__(self, action: Action) -> Called:
        within = Within(self.toolbox, f"{self.call.key}:{short(self.call.arguments, 8)}")
        own = self._assignment(action, within)
        limits = own.limits
        try:
            async with asyncio.timeout(limits.timeout):
                outcome = await self.tool.agent.run(own)
        except TimeoutError:
            message = f"no answer within {limits.timeout:g} s"
            repeatable = self.tool.skill.effect.repeatable
            outcome = (
                Failed(failure=FailureClass.TIMED_OUT, message=message) if repeatable else Unknown(message=message)
            )
        except Exception as error:
            outcome = failed(error, own, self.tool.skill.effect)
        match outcome:
            case Completed():
                edited = action.arguments if action.arguments != self.call.arguments else None
                kept = _Kept(
                    value=outcome.output,
                    citations=outcome.citations,
                    artifacts=outcome.artifacts,
                    edited=edited,
                    spent=within.spent,
                )
                return Called(output=kept.output, cost=outcome.cost)
            case Failed() if _surely_not_done(outcome, self.tool.skill.effect):
                kept = _Kept(error=_failed(outcome.failure, outcome.message), spent=within.spent)
                return Called(output=kept.output, cost=outcome.cost)
            case Failed():
                raise AgentFailure(outcome.message, outcome.failure, retry_after=outcome.retry_after, cost=outcome.cost)
            case Unknown():
                raise AgentFailure(outcome.message, FailureClass.UNKNOWN, cost=outcome.cost)
            case InputRequired():
                raise InputNeeded(outcome.question)

    @property
    def finder(self) -> Finder | None:
        """What tells whether the action happened, where its agent can."""
        if not self.tool.agent.card.looks_up:
            return None

        async def find(action: Action) -> Called | None:
            outcome = await self.tool.agent.look_up(self._assignment(action, self.toolbox))
            match outcome:
                case None:
                    return None
                case Completed():
                    kept = _Kept(value=outcome.output, citations=outcome.citations, artifacts=outcome.artifacts)
                    return Called(output=kept.output, cost=outcome.cost)
            raise LookupError(f"{self.tool.what} cannot tell")

        return find

    def _assignment(self, action: Action, toolbox: Toolbox) -> Assignment:
        work, card = self.work, self.tool.agent.card
        most, left = self.call.reserve, work.ceiling
        ceiling = Budget(
            money=most.money if most.money or left.money is not None else None,
            tokens=most.tokens if most.tokens or left.tokens is not None else None,
        )
        if self.tool.inner:
            ceiling = replace(
                left,
                money=None if left.money is None else left.money - work.spent.money,
                tokens=None if left.tokens is None else left.tokens - work.spent.tokens,
            )
        limits = self.tool.skill.limits
        return Assignment(
            run=work.run,
            task=work.task,
            attempt=work.attempt,
            skill=self.tool.skill.name,
            objective=self.tool.skill.description,
            arguments=dict(action.arguments),
            key=action.key,
            answers=work.answers,
            limits=replace(limits, timeout=limits.timeout or card.limits.timeout or work.limits.timeout),
            ceiling=ceiling,
            labels=work.labels | self.seen,
            turn=work.turn,
            until=work.until,
            lineage=work.lineage,
            stopping=work.stopping,
            toolbox=toolbox,
        )


@dataclass(slots=True)
class Within:
    """The inner calls that a tool makes itself, under keys of their own. See `stretto.ports.Toolbox`.

    `spent` is what they cost, whenever they were made.
    """

    toolbox: Toolbox
    prefix: str
    spent: Cost = FREE

    async def call(self, call: Call, do: Any) -> Called:
        return self._paid(await self.toolbox.call(self._named(call), do))

    async def use(self, call: Call, do: Any, look_up: Finder | None = None) -> Called:
        return self._paid(await self.toolbox.use(self._named(call), do, look_up))

    async def function(self, work: Assignment, key: str, *more: Any) -> Json:
        return await self.toolbox.function(work, f"{self.prefix}/{key}", *more)

    def wait_for(self, coming: Any) -> Json:
        return self.toolbox.wait_for(coming)

    def _paid(self, called: Called) -> Called:
        self.spent += called.cost
        return called

    def _named(self, call: Call) -> Call:
        return replace(call, key=f"{self.prefix}/{call.key}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What the journal keeps of a tool call: the bare value, or a mapping that says what there is besides."""

    value: Json = None
    error: str = ""
    edited: Json = None
    spent: Cost = FREE
    citations: tuple[Citation, ...] = ()
    artifacts: tuple[Artifact, ...] = ()

    @property
    def output(self) -> Json:
        bare = _Kept(value=self.value)
        more = {
            name: value
            for name, value in msgspec.to_builtins(self).items()
            if getattr(self, name) != getattr(bare, name)
        }
        return {_MARK: {**more, "value": self.value}} if more or _is_marked(self.value) else self.value

    @classmethod
    def of(cls, output: Json) -> "_Kept":
        return msgspec.convert(output[_MARK], cls) if _is_marked(output) else cls(value=output)


_MARK = "$tool"


def _is_marked(value: Json) -> bool:
    return isinstance(value, dict) and list(value) == [_MARK]


def _surely_not_done(outcome: Failed, effect: SideEffect) -> bool:
    """Whether a failure is a result to be kept: what only reads may be asked anew, what is refused never will do."""
    return effect is SideEffect.NONE or outcome.failure in (FailureClass.REFUSED, FailureClass.DENIED)


def _mark(call: ToolCall, result: _Result) -> tuple[str, str, str]:
    """Tell a call that brought something from others."""
    return call.name, digest([call.arguments, call.problem]), digest(result.text)


def _failed(failure: FailureClass, message: str) -> str:
    match failure:
        case FailureClass.DENIED:
            return f"refused: {message}. It was not done, and will not be; go on without it"
        case FailureClass.OVER_BUDGET:
            return f"refused: {message}. There is no budget for it; go on without it"
    return f"error ({failure.value}): {message}"
