"""A table as it comes out of a file, before it is loaded; and the names tables and columns get."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from .model import Column, UnreadableData, Value

MOST_COLUMNS = 1_900
ORDINALS = 32
"""A row's number in the database is its line, shifted by so many bits, plus its place among the rows of that line."""

Row = tuple[int | None, Sequence[Value | bytes]]
"""A row's number (None: it comes from no line) and its values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A table to be loaded. `rows` reads the file anew, so that no more than a batch is in memory."""

    name: str
    file: str
    format: str
    columns: tuple[Column, ...]
    rows: Callable[[], Iterator[Row]]
    traced: bool
    notes: tuple[str, ...] = ()


def table_name(file: str) -> str:
    """Give the name of a file's table: its name without suffixes, every other sign an underscore."""
    stem = PurePath(file).name.split(".")[0] or PurePath(file).stem
    name = re.sub(r"\W+", "_", stem).strip("_") or "data"
    return f"t_{name}" if name[0].isdigit() or name.lower().startswith("sqlite_") else name


def distinct_names(names: Iterable[str]) -> list[str]:
    """Give each name once, whatever its case: the second `Name` is `Name_2`; a nameless one is called by its place."""
    given: list[str] = []
    taken: set[str] = set()
    for place, name in enumerate(names, start=1):
        base = " ".join(name.replace("\0", "").split()) or f"column{place}"
        fresh, count = base, 1
        while fresh.casefold() in taken:
            count += 1
            fresh = f"{base}_{count}"
        taken.add(fresh.casefold())
        given.append(fresh)
    return given


def refuse_many_columns(file: str, count: int) -> None:
    """Raise UnreadableData when a table is too wide to be loaded."""
    if count > MOST_COLUMNS:
        raise UnreadableData(
            f"{file}: {count} columns, and {MOST_COLUMNS} are the most; leave out what is not asked for"
        )


def row_number(line: int, ordinal: int = 0) -> int:
    """Give the number of a row that begins on a line, as the so-and-so-many-th there, from 0."""
    return (line << ORDINALS) + ordinal


def line_of(number: int) -> int:
    """Give the line of a row by its number."""
    return number >> ORDINALS
