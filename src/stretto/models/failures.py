"""What went wrong when a provider was asked: its errors as failures in Stretto's classes, without its keys."""

from pydantic import SecretStr

from stretto.core.domain import FailureClass
from stretto.core.errors import UsageError
from stretto.models.definition import Definition
from stretto.models.keys import redacted, where_keys_are
from stretto.models.reference import requirement
from stretto.ports import AgentFailure

LONGEST = 600
"""Characters of a provider's own words that are handed on."""


def failure_of(error: Exception, definition: Definition, key: SecretStr | None, place: str) -> AgentFailure:
    """Give the failure that an error of the client library stands for; `place` is the address that was asked.

    The provider's words are quoted on one line, shortened, and never with the key.
    """
    if isinstance(error, AgentFailure):
        return error
    from pydantic_ai import exceptions as known

    name = str(definition.model)
    said = _said(error, key)

    def failed(failure: FailureClass, what: str) -> AgentFailure:
        return AgentFailure(f"{name}: {what}", failure, retry_after=_retry_after(error))

    match error:
        case known.ModelRequestTimeout() | known.ModelTimeoutError() | TimeoutError():
            return failed(FailureClass.TIMED_OUT, f"no answer in time from {place}: {said}")
        case known.ModelQuotaExceededError():
            return failed(FailureClass.UNAVAILABLE, f"the account has no credit or quota left: {said}")
        case known.ModelRateLimitError():
            return failed(FailureClass.RATE_LIMITED, f"too much is asked of it at once: {said}")
        case known.ModelUnavailableError() | known.ModelServerError():
            return failed(FailureClass.TRANSIENT, f"its provider fails for now: {said}")
        case known.ModelConnectionError(phase="connect"):
            mend = "see that the server runs and that the address is right"
            return failed(FailureClass.UNAVAILABLE, f"{place} does not answer ({said}); {mend}")
        case known.ModelConnectionError():
            return failed(FailureClass.TRANSIENT, f"the connection to {place} broke: {said}")
        case known.ModelContextWindowExceededError():
            return failed(FailureClass.REFUSED, f"the prompt does not fit its window: {said}")
        case known.ModelAuthenticationError():
            mend = f"look at {where_keys_are(definition)}"
            return failed(FailureClass.UNAVAILABLE, f"{place} does not accept the key: {said}; {mend}")
        case known.ModelNotFoundError():
            near = getattr(error, "suggested_model_id", None)
            mend = f"did you mean {near!r}?" if near else "see that name and address are right"
            return failed(FailureClass.UNAVAILABLE, f"{place} has no such model: {said}; {mend}")
        case known.ModelRequestRejectedError():
            return failed(FailureClass.REFUSED, f"the provider does not take the request: {said}")
        case known.ContentFilterError():
            return failed(FailureClass.REFUSED, f"the provider's filter stopped the answer: {said}")
        case known.ModelHTTPError(status_code=408 | 409 | 425):
            return failed(FailureClass.TRANSIENT, f"its provider fails for now: {said}")
        case known.ModelHTTPError():
            return failed(FailureClass.REFUSED, f"the provider does not take the request: {said}")
        case known.ModelAPIError() if "finish_reason" in str(error):
            return failed(FailureClass.TRANSIENT, "the answer broke off before its end")
        case known.ModelAPIError() | known.UnexpectedModelBehavior() | ValueError():
            return failed(FailureClass.INVALID_OUTPUT, f"what came is no answer: {said}")
        case known.UserError() | UsageError():
            return failed(FailureClass.UNAVAILABLE, said)
        case ImportError():
            mend = f"install it with: pip install '{requirement(definition.model)}'"
            return failed(FailureClass.UNAVAILABLE, f"its client is not installed; {mend}")
        case OSError():
            return failed(FailureClass.TRANSIENT, f"the connection to {place} broke: {said}")
    if type(error).__module__.partition(".")[0] in ("httpx", "httpx2", "httpcore", "httpcore2"):
        late = "Timeout" in type(error).__name__
        failure = FailureClass.TIMED_OUT if late else FailureClass.TRANSIENT
        return failed(failure, f"the connection to {place} broke: {said or type(error).__name__}")
    return failed(FailureClass.ERROR, f"{type(error).__name__}: {said}")


def _said(error: Exception, key: SecretStr | None) -> str:
    words = " ".join(redacted(_words(error) or type(error).__name__, key).split())
    return words if len(words) <= LONGEST else f"{words[:LONGEST]}..."


def _words(error: Exception) -> str:
    """Give the provider's own message where its answer has one, else what the client library makes of it."""
    body = getattr(error, "body", None)
    inner = body.get("error", body) if isinstance(body, dict) else None
    message = inner.get("message") if isinstance(inner, dict) else inner
    status = getattr(error, "status_code", None)
    if not isinstance(message, str) or not message.strip():
        return str(error)
    return f"{message} (HTTP {status})" if status else message


def _retry_after(error: Exception) -> float | None:
    """Give the seconds that the provider asked to wait."""
    asked = getattr(error, "retry_after", None)
    if isinstance(asked, int | float) and asked >= 0:
        return float(asked)
    headers = getattr(error, "headers", None)
    raw = headers.get("retry-after", "") if isinstance(headers, dict) else ""
    try:
        seconds = float(raw)  # fractions of a second, which the client library does not read
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None
