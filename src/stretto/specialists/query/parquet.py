"""Parquet to a relation, through DuckDB, which may read that one file and nothing else; no user's SQL reaches it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from .model import Column, UnreadableData, Value
from .relation import Relation, Row, distinct_names, refuse_many_columns, table_name

_BATCH = 5_000
_MEMORY = "512MB"
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_TYPES = dict.fromkeys(_WHOLE, "integer") | {
    "BOOLEAN": "boolean",
    "FLOAT": "decimal",
    "DOUBLE": "decimal",
    "DATE": "date",
    "BLOB": "blob",
    "VARCHAR": "text",
}


def parquet_relation(file: str) -> Relation:
    """Read the columns of a Parquet file. Raises UnreadableData."""
    with _opened(file) as reading:
        described = reading.execute("DESCRIBE SELECT * FROM read_parquet(?)", [_absolute(file)]).fetchall()
    refuse_many_columns(file, len(described))
    types = [_type(str(row[1])) for row in described]
    names = distinct_names(str(row[0]) for row in described)
    return Relation(
        name=table_name(file),
        file=file,
        format="Parquet",
        columns=tuple(Column(name=name, type=kind) for name, kind in zip(names, types, strict=True)),
        rows=lambda: _rows(file),
        traced=False,
    )


def _rows(file: str) -> Iterator[Row]:
    with _opened(file) as reading:
        reading.execute("SELECT * FROM read_parquet(?)", [_absolute(file)])
        while batch := reading.fetchmany(_BATCH):
            for values in batch:
                yield None, [_stored(value) for value in values]


@contextmanager
def _opened(file: str) -> Iterator[Any]:
    """Give a locked DuckDB that may read one file; its errors become UnreadableData."""
    try:
        import duckdb  # heavy, and an extra
    except ImportError:
        raise UnreadableData(f"{file}: reading Parquet needs the extra `data`: pip install 'stretto[data]'") from None
    connection = duckdb.connect(":memory:", config={"threads": 2, "memory_limit": _MEMORY})
    path = _absolute(file).replace("'", "''")
    try:
        for setting in (
            "autoinstall_known_extensions = false",
            "autoload_known_extensions = false",
            f"allowed_paths = ['{path}']",
            "enable_external_access = false",
            "lock_configuration = true",
        ):
            connection.execute(f"SET {setting}")
        yield connection
    except duckdb.Error as error:
        said = str(error).splitlines()[0]
        raise UnreadableData(f"{file}: not a Parquet file that can be read ({said}); write it anew") from None
    finally:
        connection.close()


def _absolute(file: str) -> str:
    return str(Path(file).absolute())


def _type(named: str) -> str:
    if named.startswith("DECIMAL"):
        return "decimal"
    if named.startswith("TIMESTAMP"):
        return "datetime"
    if named.endswith("]") or named.startswith(("STRUCT", "MAP", "UNION", "LIST")):
        return "json"
    return _TYPES.get(named, "mixed" if named in ("HUGEINT", "UBIGINT") else "text")


def _stored(value: Any) -> Value | bytes:
    match value:
        case None | str() | bytes():
            return value
        case bool():
            return int(value)
        case int():
            return value if -(1 << 63) <= value < 1 << 63 else str(value)
        case float():
            return value if value - value == 0 else (None if value != value else str(value))
        case Decimal():
            number = float(value)
            return number if Decimal(repr(number)) == value else str(value)
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
        case list() | tuple() | dict():
            return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    stored = _stored(value)
    return stored.hex() if isinstance(stored, bytes) else stored
