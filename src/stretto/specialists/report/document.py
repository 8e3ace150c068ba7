"""The document's form: plain frozen data, which JSON can carry and which holds text, never markup.

Each field's docstring is its description in the JSON Schema that pydantic makes of these classes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

Tone: TypeAlias = Literal["plain", "good", "warn", "bad"]
ChartKind: TypeAlias = Literal["bar", "line", "timeline"]
Cell: TypeAlias = str | int | float | None

# Read by pydantic where it is used; a plain mapping, so that this package need not import it.
_STRICT: Mapping[str, object] = {"extra": "forbid", "use_attribute_docstrings": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One key figure, shown as a tile."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT

    label: str
    """What the figure is: a few words."""
    value: str
    """The figure itself with its unit, as it shall be read: "1,204", "38 min"."""
    tone: Tone = "plain"
    """How it is to be taken; shown by colour, shape and word."""
    cites: tuple[int, ...] = ()
    """Numbers, from 1, of the document's sources that the figure rests on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """One source: a place in a file, with what stands there."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT

    file: str
    """The file's name as the reader knows it."""
    line: int | None = None
    """The line, counted from 1."""
    text: str = ""
    """What stands there, word for word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under named columns."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT

    columns: tuple[str, ...]
    """The columns' names; at least one."""
    rows: tuple[tuple[Cell, ...], ...]
    """The rows, each with one value per column; null is shown as a dash."""
    numeric: tuple[int, ...] = ()
    """Indices, from 0, of the columns that hold quantities: set right, thousands grouped. No ids or ports."""
    caption: str = ""
    """One line above the table."""
    cites: tuple[tuple[int, ...], ...] = ()
    """Per row, the numbers (from 1) of its sources; empty, or one entry for every row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One series of values, drawn."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT

    kind: ChartKind
    """bar: one horizontal bar per label; line: over an ordered axis; timeline: one column per time bucket."""
    title: str
    """What is shown."""
    labels: tuple[str, ...]
    """One label per value, in the order to be drawn."""
    values: tuple[float, ...]
    """The values; finite."""
    unit: str = ""
    """What the values count: "ms", "%", "logins"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A piece of code, shown letter for letter."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT

    language: str
    """Its language; "diff" has its added and removed lines coloured."""
    text: str
    """The code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with what stands under it, always in the order text, chart, table, code."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT

    heading: str
    """The heading."""
    text: str = ""
    """Paragraphs parted by blank lines; lines that begin with "- " are a list; line breaks are kept."""
    table: Table | None = None
    """A table, if any."""
    chart: Chart | None = None
    """A chart, if any."""
    code: Code | None = None
    """A piece of code, if any."""
    cites: tuple[int, ...] = ()
    """Numbers, from 1, of the document's sources that the section rests on."""
    level: int = 2
    """The heading's depth, 2 to 6; never shown more than one deeper than the heading before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A report."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT

    title: str
    """The title."""
    summary: str = ""
    """What a reader with one minute must know; paragraphs and lists as in a section's text."""
    cites: tuple[int, ...] = ()
    """Numbers, from 1, of the sources that the summary rests on."""
    facts: tuple[Fact, ...] = ()
    """The key figures, three to six of them at best."""
    sections: tuple[Section, ...] = ()
    """The body."""
    sources: tuple[Citation, ...] = ()
    """What the report rests on; cited by number, from 1."""
    made: str = ""
    """One line on how and when the report was made."""
    gaps: tuple[str, ...] = ()
    """What is missing and why, one sentence each; shown before the body."""
