"""Answers SQL over CSV, TSV, JSON, JSON Lines, SQLite and Parquet files, read-only; describes columns without SQL.

One SELECT at a time, in SQLite's dialect. A file is read whole for every question; a million rows take seconds.
"""

from collections.abc import Sequence

from stretto.core.domain import FailureClass
from stretto.declare import pure
from stretto.ports import AgentFailure, Assignment
from stretto.specialists.query import (
    Description,
    Options,
    RefusedStatement,
    Table,
    Tables,
    UnreadableData,
    describe_files,
    list_tables,
    run_query,
)
from stretto.specialists.query.confinement import confine
from stretto.specialists.query.lines import quoted_lines

MOST_ROWS = 10_000
MOST_CITED = 20
_MEMORY_MB = 1024
_HEAP_MB = 512
_DISK_MB = 16 * 1024


@pure(isolated=True, evidence=True, timeout=1800, memory_mb=_MEMORY_MB)
def query(sql: str, files: list[str], work: Assignment, limit: int = 1000) -> Table:
    """Run one read-only SELECT (SQLite's dialect) over files; each is a table named after it, `sales` for sales.csv.

    `limit` is the most rows given, 10,000 at most. Rows that come from one line each are cited by their lines.
    """
    if not 1 <= limit <= MOST_ROWS:
        raise AgentFailure(f"limit is a number of rows from 1 to {MOST_ROWS}, not {limit}", FailureClass.REFUSED)
    confine(_HEAP_MB, _DISK_MB)
    try:
        found = run_query(sql, files, Options(rows=limit))
    except (UnreadableData, RefusedStatement) as error:
        raise AgentFailure(str(error), FailureClass.REFUSED) from None
    if found.file is not None and found.lines:
        for line, text in quoted_lines(found.file, found.lines[:MOST_CITED]):
            work.cite(found.file, line, text)
    else:
        _cite(files, work)
    return found


@pure(isolated=True, evidence=True, timeout=1800, memory_mb=_MEMORY_MB)
def tables(files: list[str], work: Assignment) -> Tables:
    """Say which tables files hold: names for SQL, columns and types, number of rows, the first of them."""
    confine(_HEAP_MB, _DISK_MB)
    try:
        found = list_tables(files)
    except (UnreadableData, RefusedStatement) as error:
        raise AgentFailure(str(error), FailureClass.REFUSED) from None
    _cite(files, work)
    return found


@pure(isolated=True, evidence=True, timeout=1800, memory_mb=_MEMORY_MB)
def describe(files: list[str], work: Assignment) -> Description:
    """Describe the tables of files, to analyse them without SQL: each column with its type, counts and figures.

    Figures: values, nulls, distinct values, least, greatest, mean, most frequent.
    """
    confine(_HEAP_MB, _DISK_MB)
    try:
        found = describe_files(files)
    except (UnreadableData, RefusedStatement) as error:
        raise AgentFailure(str(error), FailureClass.REFUSED) from None
    _cite(files, work)
    return found


def _cite(files: Sequence[str], work: Assignment) -> None:
    for file in dict.fromkeys(files):
        work.cite(file)
