"""SQLite files, attached so that nothing is ever written to them or beside them."""

import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from .model import UnreadableData
from .statement import quoted

MAGIC = b"SQLite format 3\0"
_OBJECTS = "WHERE type IN ('table', 'view') AND sql IS NOT NULL AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY rowid"
_WAL = 2
_VERSION_AT = 18


@dataclass(frozen=True, slots=True)
class Attached:
    """A table or view of a SQLite file: the schema it is in here, and its name there."""

    schema: str
    name: str
    columns: tuple[tuple[str, str], ...]


def attach(store: sqlite3.Connection, file: str, schema: str, scratch: TemporaryDirectory[str]) -> list[Attached]:
    """Attach a SQLite file for reading, and give its tables and views. Raises UnreadableData.

    A file in WAL mode would have SQLite write an index beside it. When there is no log it is read as immutable; when
    there is one, a copy of both is read.
    """
    try:
        store.execute("ATTACH ? AS " + quoted(schema), (_uri(file, schema, scratch),))
        found = store.execute(f"SELECT name, sql FROM {quoted(schema)}.sqlite_schema {_OBJECTS}").fetchall()  # noqa: S608
        virtual = [f"{name}_" for name, sql in found if sql.upper().startswith("CREATE VIRTUAL")]
        names = [
            name for name, _ in found if not f"{name}_".startswith(tuple(virtual))
        ]  # nor what they keep their data in
        return [Attached(schema, name, _columns(store, schema, name)) for name in names]
    except sqlite3.Error as error:
        said = str(error)
        if "readonly" in said:
            said = "it was left in the midst of a write; open it once with the program it belongs to"
        raise UnreadableData(f"{file}: cannot be read as a SQLite database ({said})") from None


def _uri(file: str, schema: str, scratch: TemporaryDirectory[str]) -> str:
    path = Path(file).resolve()
    with path.open("rb") as stream:
        head = stream.read(_VERSION_AT + 2)
    if head[_VERSION_AT] != _WAL:
        return f"file:{quote(str(path))}?mode=ro"
    log = path.with_name(path.name + "-wal")
    if not log.exists() or not log.stat().st_size:
        return f"file:{quote(str(path))}?mode=ro&immutable=1"
    copy = Path(scratch.name) / f"{schema}.db"
    shutil.copyfile(path, copy)
    shutil.copyfile(log, copy.with_name(copy.name + "-wal"))
    return f"file:{quote(str(copy))}?mode=rw"


def _columns(store: sqlite3.Connection, schema: str, name: str) -> tuple[tuple[str, str], ...]:
    try:
        found = store.execute(f"PRAGMA {quoted(schema)}.table_info({quoted(name)})").fetchall()
    except sqlite3.Error:  # a view over something that is gone
        return ()
    return tuple((str(row[1]), str(row[2])) for row in found)
