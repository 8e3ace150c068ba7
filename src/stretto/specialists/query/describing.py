"""What each column of a file holds, for those who do not write SQL."""

from collections.abc import Sequence

from .database import Database, Loaded
from .model import DEFAULTS, Column, ColumnProfile, Description, Options, TopValue, Value
from .querying import info_of
from .statement import quoted

_TOP = 5
_NUMBERS = frozenset({"integer", "decimal", "boolean"})


def describe_files(files: Sequence[str], options: Options = DEFAULTS) -> Description:
    """Give the tables of files and, for each column, counts, extremes, the mean of numbers, the most frequent values.

    Ties among the most frequent are in the order of the values. Raises UnreadableData for a file that is no table,
    and RefusedStatement when a column takes longer than the bounds allow.
    """
    with Database(files, options) as database:
        return Description(
            tables=tuple(info_of(database, table, options) for table in database.tables),
            columns=tuple(
                _profile(database, table, column, options) for table in database.tables for column in table.columns
            ),
        )


def _profile(database: Database, table: Loaded, column: Column, options: Options) -> ColumnProfile:
    name = quoted(column.name)
    mean = f"avg({name})" if column.type in _NUMBERS else "NULL"
    ((rows, count, distinct, least, most, average),) = _all(
        database,
        f"SELECT count(*), count({name}), count(DISTINCT {name}), min({name}), max({name}), {mean} FROM {table.place}",  # noqa: S608
    )
    top = _all(
        database,
        f"SELECT {name}, count(*) FROM {table.place} WHERE {name} IS NOT NULL "  # noqa: S608
        f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {_TOP}",
    )
    return ColumnProfile(
        table=table.name,
        name=column.name,
        type=column.type,
        count=_whole(count),
        nulls=_whole(rows) - _whole(count),
        distinct=_whole(distinct),
        min=_cut(least, options.cell),
        max=_cut(most, options.cell),
        mean=float(average) if isinstance(average, int | float) else None,
        top=tuple(TopValue(value=_cut(value, options.cell), count=_whole(times)) for value, times in top),
    )


def _all(database: Database, sql: str) -> list[tuple[Value, ...]]:
    return list(database.run(sql)[1])


def _whole(value: Value) -> int:
    return value if isinstance(value, int) else 0


def _cut(value: Value, longest: int) -> Value:
    return f"{value[:longest]}…" if isinstance(value, str) and len(value) > longest else value
