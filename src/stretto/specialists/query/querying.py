"""A statement against files, and the tables of files."""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from .database import Database, Loaded
from .inference import is_date, is_datetime
from .model import DEFAULTS, Column, Options, RefusedStatement, Table, TableInfo, Tables, Value
from .relation import line_of
from .statement import checked, traceable, with_row_number

_SAMPLE_ROWS = 3


def run_query(sql: str, files: Sequence[str], options: Options = DEFAULTS) -> Table:
    """Run one SELECT or WITH over files; each is a table, or several, named after it.

    Raises RefusedStatement for everything but reading, and UnreadableData for a file that is no table.
    """
    statement = checked(sql, options.statement)
    with Database(files, options) as database:
        traced = _traced(database, statement)
        if traced is not None:
            table, numbered = traced
            # Where the number of a row cannot be asked for, the statement is run as it stands.
            with suppress(RefusedStatement):
                names, rows = database.run(numbered)
                return _collected(names, rows, options, table)
        return _collected(*database.run(statement), options, None)


def list_tables(files: Sequence[str], options: Options = DEFAULTS) -> Tables:
    """Give the tables of files: names, columns, types, number of rows, the first three of them.

    Raises UnreadableData for a file that is no table.
    """
    with Database(files, options) as database:
        return Tables(tables=tuple(info_of(database, table, options) for table in database.tables))


def info_of(database: Database, table: Loaded, options: Options) -> TableInfo:
    """Give what is to be known of one table."""
    _, counted = database.run(f"SELECT count(*) FROM {table.place}")  # noqa: S608 - the name is quoted
    rows = next(iter(counted))[0]
    _, first = database.run(f"SELECT * FROM {table.place} LIMIT {_SAMPLE_ROWS}")  # noqa: S608
    return TableInfo(
        name=table.name,
        file=table.file,
        format=table.format,
        columns=table.columns,
        rows=rows if isinstance(rows, int) else 0,
        sample=tuple(tuple(_cut(value, options.cell)[0] for value in row) for row in first),
        notes=table.notes,
    )


def _traced(database: Database, statement: str) -> tuple[Loaded, str] | None:
    plain = traceable(statement)
    table = database.find(plain[0]) if plain is not None else None
    if plain is None or table is None or not table.traced:
        return None
    numbered = with_row_number(statement, plain[1], [column.name for column in table.columns])
    return None if numbered is None else (table, numbered)


def _collected(
    names: Sequence[str], found: Iterable[tuple[Value, ...]], options: Options, table: Loaded | None
) -> Table:
    """Gather rows up to the bounds; with a table, the last column is the number of the row in it."""
    rows: list[tuple[Value, ...]] = []
    lines: list[int] = []
    size = cut = 0
    truncated = False
    for row in found:
        size += sum(len(value) if isinstance(value, str) else 8 for value in row)
        if len(rows) == options.rows or size > options.characters:
            truncated = True
            break
        if table is not None and isinstance(row[-1], int):
            lines.append(line_of(row[-1]))
            row = row[:-1]
        short = [_cut(value, options.cell) for value in row]
        cut += sum(was for _, was in short)
        rows.append(tuple(value for value, _ in short))
    names = names if table is None else names[:-1]
    notes = [f"{cut} cells were cut at {options.cell} characters"] if cut else []
    if truncated:
        notes.append(f"these are the first {len(rows)} rows; there are more")
    return Table(
        columns=tuple(Column(name=name, type=_type(row[at] for row in rows)) for at, name in enumerate(names)),
        rows=tuple(rows),
        truncated=truncated,
        file=table.file if table is not None else None,
        lines=tuple(lines),
        notes=tuple(notes),
    )


def _cut(value: Value, longest: int) -> tuple[Value, bool]:
    if isinstance(value, str) and len(value) > longest:
        return f"{value[:longest]}…", True
    return value, False


def _type(values: Iterable[Value]) -> str:
    """Give the type of the values of one column of a result."""
    held = [value for value in values if value is not None]
    kinds = {type(value) for value in held}
    if kinds == {int}:
        return "integer"
    if kinds and kinds <= {int, float}:
        return "decimal"
    if kinds == {str}:
        texts = set(map(str, held))
        return "date" if all(map(is_date, texts)) else "datetime" if all(map(is_datetime, texts)) else "text"
    return "mixed" if kinds else "null"
