"""One call of a function, whatever became of it as an outcome."""

import asyncio
import base64
import inspect
import math
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, cast

import msgspec

from stretto.agents.signature import BadValue, Signature
from stretto.core.canonical import canonical, digest
from stretto.core.domain import (
    FREE,
    Artifact,
    Citation,
    Completed,
    Cost,
    Failed,
    FailureClass,
    InputRequired,
    Json,
    Outcome,
    SideEffect,
    Unknown,
)
from stretto.declare import declared
from stretto.ports import AgentFailure, Assignment, InputNeeded

LONGEST_MESSAGE = 2000
LARGEST_COUNT = 2**53


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
    cost, said = assignment.spent, say(error)
    match error:
        case InputNeeded():
            return InputRequired(question=_text(error) or "what now?", cost=cost)
        case AgentFailure():
            message = _text(error) or "it failed and says no more"
            return Failed(failure=error.failure, message=message, cost=cost, retry_after=error.retry_after)
        case BadValue():
            return Failed(failure=FailureClass.REFUSED, message=f"its arguments do not fit: {_text(error)}", cost=cost)
        case ConnectionRefusedError():  # never connected: nothing can have happened
            return Failed(failure=FailureClass.TRANSIENT, message=said, cost=cost)
        case TimeoutError() | ConnectionError() if not effect.repeatable:
            return Unknown(message=said, cost=cost)
        case TimeoutError():
            return Failed(failure=FailureClass.TIMED_OUT, message=said, cost=cost)
        case ConnectionError():
            return Failed(failure=FailureClass.TRANSIENT, message=said, cost=cost)
    return Failed(failure=FailureClass.ERROR, message=said, cost=cost)


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
        if not _is_cost(cost):
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
                message=_clean(outcome.message),
                produced=_clean(outcome.produced),
            )
        if isinstance(outcome, InputRequired):
            return replace(outcome, question=_clean(outcome.question))
        return replace(outcome, message=_clean(outcome.message))
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        message = _clean(f"its outcome cannot be used: {error}")
        return Failed(failure=FailureClass.INVALID_OUTPUT, message=message, cost=cost if _is_cost(cost) else FREE)


def say(error: BaseException) -> str:
    """Give an exception as one text, whatever it is made of."""
    text = _text(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _text(error: BaseException) -> str:
    try:
        return _clean(str(error))
    except Exception:
        return "its message cannot be read"


def _clean(text: object) -> str:
    """Give text that can be stored: no lone surrogates, no book."""
    whole = str(text).encode(errors="replace").decode()
    return whole if len(whole) <= LONGEST_MESSAGE else whole[:LONGEST_MESSAGE] + "…"


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


def _is_cost(cost: object) -> bool:
    if not isinstance(cost, Cost):
        return False
    money, tokens = cast(Any, cost.money), cast(Any, cost.tokens)
    if isinstance(tokens, bool) or not isinstance(tokens, int) or not 0 <= tokens <= LARGEST_COUNT:
        return False
    return bool(hasattr(money, "is_finite") and money.is_finite() and 0 <= money < 10**12)
