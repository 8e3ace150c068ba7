"""What a span is, begun and ended: msgspec structs, as the states of runs are, for they are made in numbers."""

from typing import Literal, TypeAlias

from msgspec import Struct, field

from stretto.core.domain import Usage
from stretto.telemetry.names import ERROR_TYPE

Value: TypeAlias = str | int | float | bool | tuple[str, ...]


class Mark(Struct, frozen=True, kw_only=True, gc=False):
    """Something that happened in a span, at a moment in seconds since the epoch."""

    name: str
    at: float
    attributes: dict[str, Value] = field(default_factory=dict)


class Link(Struct, frozen=True, kw_only=True, gc=False):
    """Another span, of this trace or another, and what it is to this one."""

    trace: int
    span: int
    what: str


class Span(Struct, frozen=True, kw_only=True, gc=False):
    """A stretch of work that has ended; times are in seconds since the epoch.

    `error` is the class of what went wrong, empty where nothing did; `what` is one of the operations in
    `stretto.telemetry.names`.
    """

    trace: int
    id: int
    parent: int | None
    what: str
    name: str
    kind: Literal["internal", "client"]
    begin: float
    end: float
    attributes: dict[str, Value]
    marks: tuple[Mark, ...] = ()
    links: tuple[Link, ...] = ()
    error: str = ""


class Begun(Struct, kw_only=True, gc=False):
    """A span that has begun; `end` is set when only its review is still to come."""

    id: int
    parent: int | None
    what: str
    name: str
    begin: float
    attributes: dict[str, Value]
    kind: Literal["internal", "client"] = "internal"
    marks: tuple[Mark, ...] = ()
    links: tuple[Link, ...] = ()
    end: float | None = None
    usage: Usage = Usage()

    def ended(self, trace: int, end: float, error: str = "") -> Span:
        """Give the span that this is once it has ended, never before it began."""
        if error:
            self.attributes[ERROR_TYPE] = error
        return Span(
            trace=trace,
            id=self.id,
            parent=self.parent,
            what=self.what,
            name=self.name,
            kind=self.kind,
            begin=self.begin,
            end=max(end, self.begin),
            attributes=self.attributes,
            marks=self.marks,
            links=self.links,
            error=error,
        )
