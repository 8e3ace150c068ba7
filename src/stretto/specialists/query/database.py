"""Files loaded into a private database that vanishes; locked before the first statement of anybody else runs."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

from .delimited import delimited_relation
from .exact import Totals
from .guard import Guard
from .jsondata import json_relations
from .model import Column, Options, RefusedStatement, UnreadableData, Value
from .parquet import parquet_relation
from .relation import Relation, distinct_names, table_name
from .sqlitefile import MAGIC, attach
from .statement import quoted, row_number_name

_CACHE_KB = 64 * 1024
_MOST_DATABASES = 8
_AFFINITY = {"integer": "INTEGER", "boolean": "INTEGER", "decimal": "REAL", "mixed": "", "null": "", "blob": ""}
_LONGEST_BLOB = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A table that can be asked: `name` as the user says it, `place` as SQL does."""

    name: str
    place: str
    file: str
    format: str
    columns: tuple[Column, ...]
    traced: bool
    notes: tuple[str, ...]


class Database:
    """The tables of some files. Raises UnreadableData when one cannot be read."""

    def __init__(self, files: Sequence[str], options: Options) -> None:
        if not files:
            raise UnreadableData("no files were named; give at least one CSV, TSV, JSON, SQLite or Parquet file")
        self._options = options
        self._scratch = TemporaryDirectory(prefix="stretto-")
        self._store = sqlite3.connect("", isolation_level=None, uri=True)
        self._store.text_factory = lambda data: data.decode("utf-8", "replace")
        self.tables: list[Loaded] = []
        try:
            self._load(list(dict.fromkeys(files)))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Forget everything."""
        self._store.close()
        self._scratch.cleanup()

    def run(self, sql: str) -> tuple[list[str], Iterator[tuple[Value, ...]]]:
        """Run one statement: the names of its columns, and its rows as they come. Raises RefusedStatement."""
        self._guard.begin(self._options.seconds)
        self._totals.problem = ""
        with _Refusal(self):
            cursor = self._store.execute(sql)
        names = [str(column[0]) for column in cursor.description or ()]
        return names, self._fetched(cursor)

    def find(self, name: str) -> Loaded | None:
        """Give the table of a name that SQL would find first."""
        return next((table for table in self.tables if table.name.lower() == name.lower()), None)

    def _fetched(self, cursor: sqlite3.Cursor) -> Iterator[tuple[Value, ...]]:
        with _Refusal(self):
            for row in cursor:
                yield tuple(map(_shown, row))

    def _load(self, files: Sequence[str]) -> None:
        store = self._store
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE_KB}", "trusted_schema = OFF",
                       "cell_size_check = ON"):  # fmt: skip
            store.execute(f"PRAGMA {pragma}")
        readable: list[tuple[str, str]] = []
        names: set[str] = set()
        databases = [file for file in files if _head(file).startswith(MAGIC)]
        if len(databases) > _MOST_DATABASES:
            raise UnreadableData(f"{len(databases)} SQLite files are named; {_MOST_DATABASES} at once are the most")
        store.execute("BEGIN")
        for file in files:
            if file not in databases:
                for relation in _relations(file, self._options):
                    name = _fresh(relation.name, names)
                    readable.append(("main", name))
                    self.tables.append(self._take(relation, name))
        store.execute("COMMIT")
        schemas = {"main", "temp"}
        for file in databases:
            schema = _fresh(table_name(file), schemas)
            readable += self._attach(file, schema, names)
        self._totals, self._guard = Totals(), Guard(store, readable)
        self._totals.install(store)
        self._guard.lock()

    def _take(self, relation: Relation, name: str) -> Loaded:
        columns = relation.columns
        declared = ", ".join(f"{quoted(one.name)} {_AFFINITY.get(one.type, 'TEXT')}" for one in columns)
        number = row_number_name([column.name for column in columns])
        traced = relation.traced and number is not None
        if not columns:
            raise UnreadableData(f"{relation.file}: no record of {relation.name} has a column; give one that has")
        self._store.execute(f"CREATE TABLE {quoted(name)} ({declared})")
        into = (
            [number or "", *(quoted(one.name) for one in columns)] if traced else [quoted(one.name) for one in columns]
        )
        holes = ", ".join("?" * len(into))
        insert = f"INSERT INTO {quoted(name)} ({', '.join(into)}) VALUES ({holes})"  # noqa: S608 - names are quoted
        rows = ((at, *values) if traced else tuple(values) for at, values in relation.rows())
        self._store.executemany(insert, rows)
        return Loaded(
            name=name,
            place=quoted(name),
            file=relation.file,
            format=relation.format,
            columns=columns,
            traced=traced,
            notes=relation.notes,
        )

    def _attach(self, file: str, schema: str, names: set[str]) -> Iterator[tuple[str, str]]:
        for found in attach(self._store, file, schema, self._scratch):
            name = found.name if found.name.lower() not in names else f"{schema}.{found.name}"
            names.add(name.lower())
            self.tables.append(
                Loaded(
                    name=name,
                    place=f"{quoted(schema)}.{quoted(found.name)}",
                    file=file,
                    format="SQLite",
                    columns=tuple(Column(name=column, type=_declared(kind)) for column, kind in found.columns),
                    traced=False,
                    notes=(),
                )
            )
            yield schema, found.name


class _Refusal:
    """Turns SQLite's errors into a RefusedStatement that says what would do."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, sqlite3.Error | sqlite3.Warning | OverflowError | MemoryError):
            raise RefusedStatement(self._reason(error)) from None

    def _reason(self, error: BaseException) -> str:
        guard, totals = self._database._guard, self._database._totals
        said = str(error)
        if guard.late:
            return f"the statement took longer than {self._database._options.seconds:g} s and was stopped; narrow it"
        if guard.refused:
            return guard.refused
        if totals.problem:
            return totals.problem
        if isinstance(error, MemoryError) or "too big" in said:
            return "a value or the result grew too large; select less, or cut it with substr()"
        if said.startswith(("no such table", "no such column")):
            return f"{said}; there are: {'; '.join(_outline(table) for table in self._database.tables)[:1500]}"
        return f"SQLite says: {said}; mend the statement"


def _outline(table: Loaded) -> str:
    return f"{table.name} ({', '.join(column.name for column in table.columns)})"


def _head(file: str) -> bytes:
    path = Path(file)
    try:
        if path.is_dir():
            raise UnreadableData(f"{file}: this is a folder; name the files in it")
        if path.exists() and not path.is_file():
            raise UnreadableData(f"{file}: not a regular file; copy what it holds into one")
        with path.open("rb") as stream:
            return stream.read(16)
    except (FileNotFoundError, NotADirectoryError):
        raise UnreadableData(f"{file!r}: no such file; check the path") from None
    except OSError as error:
        raise UnreadableData(f"{file}: cannot be read ({error.strerror}); check its permissions") from None
    except UnreadableData:
        raise
    except ValueError as error:  # a NUL in the name
        raise UnreadableData(f"{file!r}: not a usable path ({error}); check it") from None


def _relations(file: str, options: Options) -> list[Relation]:
    head = _head(file)
    name = file.lower()
    if head.startswith(b"PAR1") or name.endswith(".parquet"):
        return [parquet_relation(file)]
    if head.startswith((b"\x1f\x8b", b"PK\x03\x04")):
        raise UnreadableData(f"{file}: packed data or a spreadsheet; unpack it, or save it as CSV")
    if name.endswith((".json", ".jsonl", ".ndjson", ".geojson")):
        return json_relations(file, options)
    if not name.endswith((".csv", ".tsv", ".tab", ".txt")) and head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return json_relations(file, options)
    return [delimited_relation(file)]


def _fresh(name: str, taken: set[str]) -> str:
    fresh = distinct_names([*taken, name])[-1]
    taken.add(fresh.lower())
    return fresh


def _declared(kind: str) -> str:
    """Give the type of a SQLite column by the rules of its affinity (sqlite.org/datatype3.html, 3.1)."""
    name = kind.upper()
    if "BOOL" in name:
        return "boolean"
    if "INT" in name:
        return "integer"
    if any(part in name for part in ("CHAR", "CLOB", "TEXT")):
        return "text"
    if name == "DATE":
        return "date"
    if name.startswith(("DATETIME", "TIMESTAMP")):
        return "datetime"
    if name == "BLOB":
        return "blob"
    return "decimal" if any(part in name for part in ("REAL", "FLOA", "DOUB", "DEC", "NUM")) else "mixed"


def _shown(value: Any) -> Value:
    """Give a cell as JSON can carry it: of a blob the beginning in hexadecimal; an infinity as text."""
    if isinstance(value, bytes):
        rest = f"… ({len(value)} bytes)" if len(value) > _LONGEST_BLOB else ""
        return f"x'{value[:_LONGEST_BLOB].hex()}'{rest}"
    if isinstance(value, float) and value - value != 0:
        return "Infinity" if value > 0 else "-Infinity"
    return value  # type: ignore[no-any-return]
