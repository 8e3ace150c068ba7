"""One call of a function, whatever became of it as an outcome."""

import inspect
from collections.abc import Callable
from typing import Any

from stretto.agents.signature import BadValue, Signature
from stretto.core.domain import Completed, Failed, FailureClass, InputRequired, Outcome, Unknown
from stretto.ports import AgentFailure, Assignment, InputNeeded


def completed(signature: Signature, value: Any, assignment: Assignment) -> Outcome:
    """Give the outcome of a call that returned; a function may also return an outcome itself."""
    if isinstance(value, Failed | InputRequired | Unknown):
        return value
    if isinstance(value, Completed):
        value = value.output
    try:
        output = signature.dump(value)
    except BadValue as error:
        message = f"the result does not fit the declared type: {error}"
        return Failed(failure=FailureClass.INVALID_OUTPUT, message=message, cost=assignment.spent)
    return Completed(
        output=output,
        artifacts=tuple(assignment.artifacts),
        citations=tuple(assignment.citations),
        cost=assignment.spent,
    )


def failed(error: BaseException, assignment: Assignment) -> Outcome:
    """Give the outcome of a call that raised."""
    cost = assignment.spent
    match error:
        case InputNeeded():
            return InputRequired(question=str(error), cost=cost)
        case AgentFailure():
            return Failed(failure=error.failure, message=str(error), cost=cost, retry_after=error.retry_after)
        case BadValue():
            return Failed(failure=FailureClass.REFUSED, message=f"its arguments do not fit: {error}", cost=cost)
        case TimeoutError():
            return Failed(failure=FailureClass.TIMED_OUT, message=_say(error), cost=cost)
        case ConnectionError():
            return Failed(failure=FailureClass.TRANSIENT, message=_say(error), cost=cost)
    return Failed(failure=FailureClass.ERROR, message=_say(error), cost=cost)


def call(function: Callable[..., Any], signature: Signature, assignment: Assignment) -> Outcome:
    """Call a plain function here and now."""
    try:
        value = function(**signature.bind(assignment.arguments, assignment))
    except Exception as error:
        return failed(error, assignment)
    return completed(signature, value, assignment)


async def call_async(function: Callable[..., Any], signature: Signature, assignment: Assignment) -> Outcome:
    """Await a coroutine function."""
    try:
        value = function(**signature.bind(assignment.arguments, assignment))
        value = await value if inspect.isawaitable(value) else value
    except Exception as error:
        return failed(error, assignment)
    return completed(signature, value, assignment)


def _say(error: BaseException) -> str:
    text = str(error)
    if len(text) > 2000:
        text = text[:2000] + "…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
