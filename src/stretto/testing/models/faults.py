"""What can go wrong with a scripted model: statuses, connections, streams, and what is said. See docs/testing.md."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, TypeAlias

from msgspec import Meta

from stretto.core.domain import Json

DAY = 86_400
Seconds: TypeAlias = Annotated[float, Meta(ge=0, le=DAY)]
Tokens: TypeAlias = Annotated[int, Meta(ge=0)]
Positive: TypeAlias = Annotated[int, Meta(ge=1)]
Times: TypeAlias = Positive | Literal["always"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that goes wrong `times` times; then the rule says what it says, or, saying nothing, is passed over."""

    kind: ClassVar[str]
    times: Times = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimited(Fault):
    """429, with a `retry-after` header of seconds, as a date with `date`; None leaves the header out."""

    kind: ClassVar[str] = "rate_limited"
    retry_after: Seconds | None = 1.0
    date: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaExceeded(Fault):
    """429 with the code `insufficient_quota`: trying again does not help."""

    kind: ClassVar[str] = "quota_exceeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerError(Fault):
    """A status from 500 on, with an error in JSON."""

    kind: ClassVar[str] = "server_error"
    status: Annotated[int, Meta(ge=500, le=599)] = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Unauthorized(Fault):
    """401: the key is not known."""

    kind: ClassVar[str] = "unauthorized"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextExceeded(Fault):
    """400 with the code `context_length_exceeded`."""

    kind: ClassVar[str] = "context_exceeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlPage(Fault):
    """A page in HTML, as proxies send it, under any status, also 200."""

    kind: ClassVar[str] = "html_page"
    status: Annotated[int, Meta(ge=200, le=599)] = 502


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall(Fault):
    """No byte for some seconds, or for ever (None), before the answer or after some tokens of it; then it goes on."""

    kind: ClassVar[str] = "stall"
    seconds: Seconds | None = None
    after: Tokens = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowHeaders(Fault):
    """The head of the answer comes byte by byte, over so many seconds."""

    kind: ClassVar[str] = "slow_headers"
    seconds: Seconds = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut(Fault):
    """The connection is closed after so many tokens, in the middle of the answer; None closes it before any byte."""

    kind: ClassVar[str] = "cut"
    after: Tokens | None = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamError(Fault):
    """After so many tokens of a stream an error comes instead of the rest; an answer asked for whole is a 500."""

    kind: ClassVar[str] = "stream_error"
    after: Tokens = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbled(Fault):
    """What comes after so many tokens is no JSON on the wire; an answer asked for whole is none at all."""

    kind: ClassVar[str] = "garbled"
    after: Tokens = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed(Fault):
    """The JSON of the answer, or of its tool calls, lacks a colon; without a key, it opens and never closes."""

    kind: ClassVar[str] = "malformed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncated(Fault):
    """The answer ends after so many tokens (None: half of them), with the reason `length`."""

    kind: ClassVar[str] = "truncated"
    after: Tokens | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prose(Fault):
    """The answer stands between fences, with prose around it; the arguments of a tool call stand there as text."""

    kind: ClassVar[str] = "prose"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongSchema(Fault):
    """Whatever was asked for, this JSON is the answer, and the arguments of every tool call."""

    kind: ClassVar[str] = "wrong_schema"
    value: Json = field(default_factory=lambda: {"unexpected": [1, "two", None]})


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal(Fault):
    """The model refuses, in the field `refusal`."""

    kind: ClassVar[str] = "refusal"
    text: str = "I'm sorry, but I can't help with that."


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentFilter(Fault):
    """A filter ends the answer after so many tokens, with the reason `content_filter`."""

    kind: ClassVar[str] = "content_filter"
    after: Tokens = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Empty(Fault):
    """The answer is empty, and ends as if nothing were wrong."""

    kind: ClassVar[str] = "empty"


FAULTS: dict[str, type[Fault]] = {
    one.kind: one
    for one in (
        RateLimited,
        QuotaExceeded,
        ServerError,
        Unauthorized,
        ContextExceeded,
        HtmlPage,
        Stall,
        SlowHeaders,
        Cut,
        StreamError,
        Garbled,
        Malformed,
        Truncated,
        Prose,
        WrongSchema,
        Refusal,
        ContentFilter,
        Empty,
    )
}
"""Every kind of fault, by the name that it has in a script."""
