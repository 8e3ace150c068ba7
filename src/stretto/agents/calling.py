"""One call of a function, whatever became of it as an outcome."""

import asyncio
import base64
import inspect
import math
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import msgspec

from stretto.agents.signature import BadValue, Signature
from stretto.core.canonical import canonical, digest
from stretto.core.domain import (
    FREE,
    Artifact,
    Citation,
    Completed,
    Failed,
    FailureClass,
    InputRequired,
    Json,
    Outcome,
    SideEffect,
    Unknown,
)
from stretto.declare import declared
from stretto.outcomes import LARGEST_COUNT, broken, clean, is_cost, text_of
from stretto.ports import AgentFailure, Assignment, InputNeeded


def own_copy(value: Json) -> Json:
    """Give a copy of a JSON value: what a function does to its arguments must not reach the run's own."""
    if isinstance(value, dict):
        return {key: own_copy(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [own_copy(inner) for inner in value]
    return value


def completed(signature: Signature, value: Any, assignment: Assignment) -> Outcome:
    """Give the outcome of a call that returned; a function may also return an outcome itself."""
    if isinstance(value, Failed | InputRequired | Unknown):
        return value
    given = value if isinstance(value, Completed) else Completed(output=value, cost=assignment.spent)
    try:
        output = signature.dump(given.output)
    except BadValue as error:
        message = f"the result does not fit the declared type: {error}"
        produced = _mark(given.output)
        return Failed(failure=FailureClass.INVALID_OUTPUT, message=message, cost=assignment.spent, produced=produced)
    return Completed(
        output=output,
        artifacts=(*assignment.artifacts, *given.artifacts),
        citations=(*assignment.citations, *given.citations),
        cost=given.cost,
    )


def failed(error: BaseException, assignment: Assignment, effect: SideEffect = SideEffect.NONE) -> Outcome:
    """Give the outcome of a call that raised. A lost reply is `Unknown` where doing it twice could do harm."""
    cost = assignment.spent
    match error:
        case InputNeeded():
            return InputRequired(question=text_of(error) or "what now?", cost=cost)
        case AgentFailure():
            message = text_of(error) or "it failed and says no more"
            return Failed(failure=error.failure, message=message, cost=cost, retry_after=error.retry_after)
        case BadValue():
            return Failed(
                failure=FailureClass.REFUSED, message=f"its arguments do not fit: {text_of(error)}", cost=cost
            )
    return broken(error, cost, effect)


def call(function: Callable[..., Any], signature: Signature, assignment: Assignment) -> "Outcome | Awaitable[Outcome]":
    """Call a plain function here and now; what it gives to be awaited is for the loop of the caller."""
    try:
        value = function(**signature.bind(assignment.arguments, assignment))
    except BaseException as error:
        return sound(failed(error, assignment, declared(function).effect))
    if inspect.isawaitable(value):
        return _awaited(value, function, signature, assignment)
    return sound(completed(signature, value, assignment))


async def call_async(function: Callable[..., Any], signature: Signature, assignment: Assignment) -> Outcome:
    """Await a coroutine function, in a task of its own: one that does not heed its cancelling is left behind."""
    outcome = call(function, signature, assignment)
    if isinstance(outcome, Completed | Failed | InputRequired | Unknown):
        return outcome
    own = asyncio.ensure_future(outcome)
    try:
        await asyncio.wait({own})
    except asyncio.CancelledError:
        own.cancel()
        raise
    if own.cancelled():
        message = "CancelledError: it cancelled itself"
        return sound(Failed(failure=FailureClass.ERROR, message=message, cost=assignment.spent))
    return own.result()


async def _awaited(
    value: Awaitable[Any], function: Callable[..., Any], signature: Signature, assignment: Assignment
) -> Outcome:
    try:
        result = await value
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # sys.exit in an agent ends the agent, not the program
        return sound(failed(error, assignment, declared(function).effect))
    return sound(completed(signature, result, assignment))


def sound(outcome: Outcome) -> Outcome:
    """Give the outcome with everything in it as its type says, or the failure that it is not."""
    cost = outcome.cost
    try:
        if not is_cost(cost):
            raise ValueError(f"it reports a cost that is none: {cost}")
        if isinstance(outcome, Completed):
            return replace(
                outcome,
                artifacts=tuple(_artifact(one) for one in outcome.artifacts),
                citations=tuple(_citation(one) for one in outcome.citations),
            )
        if isinstance(outcome, Failed):
            again = outcome.retry_after
            if again is not None and not (_is_number(again) and again >= 0):
                raise ValueError(f"it asks to be tried again after {again!r} seconds")
            return replace(
                outcome,
                failure=_failure(outcome.failure),
                message=clean(outcome.message),
                produced=clean(outcome.produced),
            )
        if isinstance(outcome, InputRequired):
            return replace(outcome, question=clean(outcome.question))
        return replace(outcome, message=clean(outcome.message))
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        message = clean(f"its outcome cannot be used: {error}")
        return Failed(failure=FailureClass.INVALID_OUTPUT, message=message, cost=cost if is_cost(cost) else FREE)


def _mark(value: Any) -> str:
    """Name a result that did not fit, so that the same one is known again; empty for what JSON cannot say."""
    try:
        return digest(value)
    except (ValueError, TypeError, RecursionError):
        return ""


def _failure(given: Any) -> FailureClass:
    try:
        return FailureClass(given)
    except ValueError:
        raise ValueError(f"there is no class of failure {given!r}; known: {', '.join(FailureClass)}") from None


def _artifact(one: Artifact) -> Artifact:
    if isinstance(one.content, bytes | bytearray):
        one = replace(one, content=base64.b64encode(one.content).decode(), encoding="base64")
    if not all(isinstance(text, str) for text in (one.name, one.media, one.content)):
        raise ValueError(f"an artifact's name and content are text (or bytes), not {one.name!r}")
    if one.encoding not in ("utf-8", "base64"):
        raise ValueError(f"an artifact's encoding is utf-8 or base64, not {one.encoding!r}")
    if one.encoding == "base64":
        base64.b64decode(one.content, validate=True)
    canonical([one.name, one.media, one.content])
    return one


def _citation(one: Citation) -> Citation:
    line = one.line
    right_line = line is None or (isinstance(line, int) and 0 < line <= LARGEST_COUNT)
    if not isinstance(one.file, str) or "\0" in one.file or not isinstance(one.text, str) or not right_line:
        raise ValueError(f"a citation is a file, a line counted from 1 and a text, not {msgspec.to_builtins(one)!r}")
    canonical([one.file, one.text])
    return one


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
