"""The file of the access book: SQLite, its owner's alone, shared by any number of processes."""

import contextlib
import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from stretto.access.statements import statement
from stretto.core.errors import StoreError
from stretto.writer import Writer, connect

T = TypeVar("T")
Row: TypeAlias = tuple[Any, ...]

_SCHEMA = 1
_APPLICATION = int.from_bytes(b"Strt")


class AccessFile:
    """Rows of the file, by the names of statements. Opening makes it; every method may raise StoreError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reading = threading.Lock()
        with self._clearly():
            _make_private(path)
            self._reader = connect(path)
            try:
                self._prepare()
            except BaseException:
                self._reader.close()
                raise
        self._writer = Writer(lambda: connect(path))

    def one(self, name: str, *parameters: object) -> Row | None:
        """Give the first row, as it is now."""
        with self._clearly(), self._reading:
            row: Row | None = self._reader.execute(statement(name), parameters).fetchone()
        return row

    def all(self, name: str) -> list[Row]:
        """Give all rows, as they are now."""
        with self._clearly(), self._reading:
            return self._reader.execute(statement(name)).fetchall()

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do all of this work or nothing, and give what it returns once it is on disk."""
        with self._clearly():
            return await self._writer.do(work)

    async def close(self) -> None:
        """Finish what is being written, and let the file go."""
        self._writer.close()
        with self._reading:
            self._reader.close()

    def _prepare(self) -> None:
        """Make the tables; two processes may try at once."""
        if self._version() == _SCHEMA:
            return
        with self._reader:
            self._reader.execute("BEGIN IMMEDIATE")
            if self._version() == _SCHEMA:
                return
            if self._reader.execute("SELECT EXISTS (SELECT 1 FROM sqlite_schema)").fetchone()[0]:
                raise StoreError(f"{self.path} is a database of something else; move it, or the store, elsewhere")
            for one in statement("schema").split(";\n"):
                self._reader.execute(one)
            self._reader.execute(f"PRAGMA application_id = {_APPLICATION}")
            self._reader.execute(f"PRAGMA user_version = {_SCHEMA}")

    def _version(self) -> int:
        """Give the version of the tables; 0 when there are none of ours."""
        (application,) = self._reader.execute("PRAGMA application_id").fetchone()
        (version,) = self._reader.execute("PRAGMA user_version").fetchone()
        if application != _APPLICATION:
            return 0
        if version > _SCHEMA:
            raise StoreError(f"{self.path} was made by a newer release of Stretto; update this one")
        return int(version)

    @contextlib.contextmanager
    def _clearly(self) -> Iterator[None]:
        """Say which file an error is about."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"cannot use the keys in {self.path}: {error}") from error


def _make_private(path: Path) -> None:
    """Make a file that only its owner reads and writes, and its folder likewise where there is none.

    One that is there is closed to other readers; raises StoreError when others could have written it.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        _close_to_others(path)


def _close_to_others(path: Path) -> None:
    found = path.stat()
    if found.st_uid not in (os.geteuid(), path.parent.stat().st_uid):
        raise StoreError(f"{path} belongs to another user, who could let anybody in; remove it, or make it yours")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise StoreError(
            f"others can write {path}, and let anybody in; `chmod 600 {path}`, then look through the keys in it "
            "with `stretto keys list`"
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        path.chmod(0o600)
