"""SQL over files, read-only: CSV, TSV, JSON, JSON Lines, SQLite and Parquet; no server, nothing kept, nothing changed.

`run_query` runs one SELECT, `list_tables` says what there is to ask, `describe_files` what the columns hold; the rules
are in docs/query.md.
"""

from .describing import describe_files
from .model import (
    Column,
    ColumnProfile,
    Description,
    Options,
    RefusedStatement,
    Table,
    TableInfo,
    Tables,
    TopValue,
    UnreadableData,
    Value,
)
from .querying import list_tables, run_query

__all__ = [
    "Column",
    "ColumnProfile",
    "Description",
    "Options",
    "RefusedStatement",
    "Table",
    "TableInfo",
    "Tables",
    "TopValue",
    "UnreadableData",
    "Value",
    "describe_files",
    "list_tables",
    "run_query",
]
