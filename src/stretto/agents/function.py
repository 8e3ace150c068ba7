"""Agents that are plain functions: skills and schemas from hints and docstrings, the rest as declared."""

import asyncio
import hashlib
import inspect
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from stretto.agents.calling import call, call_async, completed, own_copy, sound
from stretto.agents.isolated import LOADING, call_isolated, locate
from stretto.agents.signature import Signature, signature_of
from stretto.core.canonical import canonical
from stretto.core.domain import AgentCard, Failed, FailureClass, Limits, Outcome, Preview, Rate, Skill, Unknown
from stretto.core.errors import BadAgent
from stretto.declare import declared, ladder_of
from stretto.ports import Assignment
from stretto.threads import in_thread

T = TypeVar("T")


class FunctionAgent:
    """An agent whose skills are functions. See `stretto.ports.Agent`.

    `backups` name agents that take its place, `ladder` says what to try when it fails, for skills that say nothing.
    Coroutine functions run on the loop, plain ones in a thread, isolated ones in a process of their own.
    Raises BadAgent when a function cannot serve.
    """

    def __init__(
        self,
        functions: Sequence[Callable[..., Any]],
        *,
        name: str | None = None,
        description: str = "",
        backups: Sequence[str] = (),
        ladder: dict[str, Any] | None = None,
    ) -> None:
        if not functions:
            raise BadAgent("an agent needs at least one function")
        functions = _with_undoings(functions)
        self._functions = {_skill_name(one, name): one for one in functions}
        if len(self._functions) != len(functions):
            raise BadAgent(f"two skills of {name!r} have one name; rename one with @agent(name=...)")
        self._signatures = {skill: signature_of(one) for skill, one in self._functions.items()}
        for one in functions:
            if declared(one).isolated:
                locate(one)
        card = _card(name, description, self._functions, self._signatures)
        self.card = replace(
            card,
            backups=tuple(dict.fromkeys((*backups, *card.backups))),
            ladder=ladder_of(ladder, "ladder") if ladder else {},
        )

    async def run(self, assignment: Assignment) -> Outcome:
        function, signature = self._find(assignment)
        if function is None or signature is None:
            return _no_such_skill(assignment)
        _refuse_while_loading()
        own, given = declared(function).limits, assignment.limits
        timeout = given.timeout or own.timeout
        assignment.limits = replace(
            given,
            timeout=timeout,
            memory_mb=given.memory_mb or own.memory_mb,
            output_kb=given.output_kb or own.output_kb,
        )
        try:
            async with asyncio.timeout(timeout):
                return await self._call(function, signature, assignment)
        except TimeoutError:
            message = f"no answer within {timeout:g} s"
            if declared(function).effect.repeatable:
                return sound(Failed(failure=FailureClass.TIMED_OUT, message=message, cost=assignment.spent))
            return sound(Unknown(message=message, cost=assignment.spent))

    async def _call(self, function: Callable[..., Any], signature: Signature, assignment: Assignment) -> Outcome:
        if declared(function).isolated:
            return await call_isolated(function, assignment)
        assignment.arguments = own_copy(assignment.arguments)
        if inspect.iscoroutinefunction(function):
            return await call_async(function, signature, assignment)
        outcome = await in_thread(lambda: call(function, signature, assignment))
        return await outcome if inspect.isawaitable(outcome) else outcome

    async def preview(self, assignment: Assignment) -> Preview:
        function, _ = self._find(assignment)
        shower = declared(function).preview if function is not None else None
        if shower is None:
            return Preview()
        value = await _call_beside(shower, assignment)
        shown = value if isinstance(value, Preview) else Preview(diff=str(value))
        canonical([shown.diff, shown.preimage])
        return shown

    async def look_up(self, assignment: Assignment) -> Outcome | None:
        function, signature = self._find(assignment)
        finder = declared(function).lookup if function is not None else None
        if finder is None or signature is None:
            raise LookupError(f"{assignment.skill} cannot look up what it did")
        value = await _call_beside(finder, assignment)
        return None if value is None else sound(completed(signature, value, assignment))

    def _find(self, assignment: Assignment) -> tuple[Callable[..., Any] | None, Signature | None]:
        return self._functions.get(assignment.skill), self._signatures.get(assignment.skill)


def _with_undoings(functions: Sequence[Callable[..., Any]]) -> list[Callable[..., Any]]:
    """Give the functions, and behind them those that take back what they did."""
    every = list(functions)
    for one in every:  # grows on the way: an undoing may have one of its own
        undo = _undo_of(one)
        if undo is not None and undo not in every:
            every.append(undo)
    return every


def _undo_of(function: Callable[..., Any]) -> Callable[..., Any] | None:
    """Give what takes back what a function did; of a method, the method of the same object."""
    undo, owner = declared(function).undo, getattr(function, "__self__", None)
    if undo is None or owner is None:
        return undo
    name = getattr(undo, "__name__", "")
    return getattr(owner, name) if getattr(type(owner), name, None) is undo else undo


async def _call_beside(function: Callable[..., Any], assignment: Assignment) -> Any:
    """Call a preview or lookup with those of the arguments that it takes."""
    signature = signature_of(function)
    known = signature.inputs.get("properties", {})
    given = {name: own_copy(value) for name, value in assignment.arguments.items() if name in known}
    values = signature.bind(given, assignment)
    if inspect.iscoroutinefunction(function):
        return await function(**values)
    return await in_thread(lambda: function(**values))


def _skill_name(function: Callable[..., Any], agent: str | None) -> str:
    if not callable(function):
        raise BadAgent(f"an agent is made of functions, not of {type(function).__name__}")
    name = declared(function).name or getattr(function, "__name__", "")
    if not name or name == "<lambda>":
        raise BadAgent("a function without a name cannot be an agent; write it with def, or use @agent(name=...)")
    return f"{agent}.{name}" if agent and "." not in name else name


def _card(
    name: str | None,
    description: str,
    functions: dict[str, Callable[..., Any]],
    signatures: dict[str, Signature],
) -> AgentCard:
    said = [declared(one) for one in functions.values()]
    skills = tuple(
        _skill(skill, one, signatures[skill], _named(_undo_of(one), functions)) for skill, one in functions.items()
    )
    perimeters = [one.perimeter for one in said if one.perimeter is not None]
    return AgentCard(
        name=name or skills[0].name,
        description=description or skills[0].description,
        version=_version(functions),
        skills=skills,
        tools=tuple(dict.fromkeys(tool for one in said for tool in one.tools)),
        permissions=tuple(dict.fromkeys(right for one in said for right in one.permissions)),
        perimeter=tuple(sorted(set.intersection(*map(set, perimeters)))) if perimeters else None,
        cost=max((one.cost for one in said), key=lambda cost: (cost.money, cost.tokens)),
        latency=max((one.latency for one in said if one.latency is not None), default=None),
        window=min((one.window for one in said if one.window is not None), default=None),
        concurrency=min((one.concurrency for one in said if one.concurrency is not None), default=None),
        backups=tuple(dict.fromkeys(backup for one in said for backup in one.backups)),
        limits=_loosest([one.limits for one in said]),
        isolated=any(one.isolated for one in said),
        previews=any(one.preview is not None for one in said),
        looks_up=any(one.lookup is not None for one in said),
        provider=_one_of({one.provider for one in said} - {""}, "provider", name or skills[0].name) or "",
        rate=Rate(
            requests=min((one.rate.requests for one in said if one.rate.requests is not None), default=None),
            tokens=min((one.rate.tokens for one in said if one.rate.tokens is not None), default=None),
        ),
        breaker=_one_of({one.breaker for one in said} - {None}, "breaker", name or skills[0].name),
        bounded=all(one.bounded for one in said),
    )


def _one_of(said: set[T], what: str, agent: str) -> T | None:
    """Give the one thing that an agent's functions declare, if any does; raises BadAgent for two."""
    if len(said) > 1:
        raise BadAgent(f"the functions of agent {agent!r} declare more than one {what}; make two agents of them")
    return next(iter(said), None)


def _named(function: Callable[..., Any] | None, functions: dict[str, Callable[..., Any]]) -> str | None:
    return next((skill for skill, one in functions.items() if one == function), None)


def _loosest(limits: list[Limits]) -> Limits:
    """Give the limits of a whole agent: the loosest of its skills', and none where a skill has none."""

    def most(name: str) -> Any:
        found = [getattr(one, name) for one in limits]
        return None if None in found else max(found)

    return Limits(
        timeout=most("timeout"), attempts=most("attempts"), memory_mb=most("memory_mb"), output_kb=most("output_kb")
    )


def _skill(name: str, function: Callable[..., Any], signature: Signature, undo: str | None) -> Skill:
    said = declared(function)
    text = said.description or inspect.getdoc(function) or ""
    return Skill(
        name=name,
        description=text.split("\n\n")[0].replace("\n", " ").strip(),
        inputs=signature.inputs,
        output=signature.output,
        effect=said.effect,
        evidence=said.evidence,
        fresh=said.fresh,
        labels=said.labels,
        approval=said.approval,
        limits=said.limits,
        ladder=said.ladder,
        undo=undo,
        ask=said.ask,
    )


def _version(functions: dict[str, Callable[..., Any]]) -> str:
    """Give a mark of the code, so that a changed function is another version."""
    mark = hashlib.sha256()
    for one in functions.values():
        try:
            mark.update(inspect.getsource(one).encode())
        except (OSError, TypeError):
            mark.update(repr(getattr(one, "__qualname__", one)).encode())
    return mark.hexdigest()[:12]


def _refuse_while_loading() -> None:
    """A script that runs a team while it is loaded would start itself again and again, in every isolated call."""
    file = os.environ.get(LOADING)
    if file is not None:
        sys.stderr.write(f"{file} runs agents while it is loaded; put that under if __name__ == '__main__'\n")
        sys.stderr.flush()
        os._exit(70)


def _no_such_skill(assignment: Assignment) -> Outcome:
    message = f"this agent has no skill {assignment.skill!r} any more"
    return Failed(failure=FailureClass.UNAVAILABLE, message=message)
