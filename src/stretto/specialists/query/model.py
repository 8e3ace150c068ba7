"""What tables and queries give: frozen data of JSON-able fields, and the bounds they are held to."""

from dataclasses import dataclass
from typing import TypeAlias

Value: TypeAlias = int | float | str | None
"""A cell: NULL is None, truth values are 1 and 0, dates are ISO text, lists and objects are JSON text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Bounds: rows of a result, characters of a cell and of a whole result, seconds of a statement, length of one."""

    rows: int = 1_000
    cell: int = 10_000
    characters: int = 8_000_000
    seconds: float = 60
    statement: int = 20_000
    document_bytes: int = 256 << 20


DEFAULTS = Options()


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column; type is integer, decimal, text, date, datetime, boolean, json, blob, mixed, or null when all are."""

    name: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The rows that a query gave. `truncated` says that there are more.

    Where every row comes from one line of one file, `file` names it and `lines` has the line of each row, from 1.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    truncated: bool
    file: str | None = None
    lines: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TableInfo:
    """A table that can be asked: the name it has in SQL, its file, its columns, its rows, the first few of them."""

    name: str
    file: str
    format: str
    columns: tuple[Column, ...]
    rows: int
    sample: tuple[tuple[Value, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The tables of some files."""

    tables: tuple[TableInfo, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopValue:
    """A value and how often it is there."""

    value: Value
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnProfile:
    """What a column holds: values, nulls, distinct values, extremes, the mean of numbers, the five most frequent."""

    table: str
    name: str
    type: str
    count: int
    nulls: int
    distinct: int
    min: Value
    max: Value
    mean: float | None
    top: tuple[TopValue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """The tables of some files and what each of their columns holds."""

    tables: tuple[TableInfo, ...]
    columns: tuple[ColumnProfile, ...]


class UnreadableData(ValueError):
    """A file cannot be read as a table; the message says what is wrong, where, and how to mend it."""


class RefusedStatement(ValueError):
    """The SQL was not run, or not to its end; the message says why and what would do."""
