"""Where editions of a workspace are kept: beside its store, each content once, with an index.

Each write is one transaction of SQLite: whole or not there, whoever else writes and whenever a process dies. The index
only grows. Contents are bounded: of those editions that nobody has used for longest only the index tells.
"""

import json
import shutil
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from stretto.core.canonical import short
from stretto.core.errors import StoreError, UsageError
from stretto.editions.definition import edition_of
from stretto.editions.trees import Tree, lay
from stretto.statements import statements_of

MOST_EDITIONS, MOST_BYTES = 500, 512 * 1024 * 1024
"""Editions, and bytes over all of them, whose contents are kept."""

LONGEST_SAID = 20_000
MOST_CHANGES = 200
"""Characters of what was wrong, and changed files, that an entry of the index holds."""

SECONDS = 10.0
"""For how long another process that writes is waited for."""

_sql = statements_of("stretto.editions")

Outcome: TypeAlias = Literal["adopted", "refused", "kept", "restored"]


def home_of(folder: Path, store: Path | None) -> Path:
    """Give where editions are kept: beside the runs that need them, so that a workspace may be read-only."""
    usual = folder / ".stretto"
    if store is None or store.resolve() == (usual / "runs.db").resolve():
        return usual / "editions"
    return store.resolve().parent / f"{store.stem}.editions" / f"{folder.name}-{short(str(folder), 8)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """What became of a file from the edition before."""

    name: str
    how: Literal["added", "changed", "removed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the index: when, who, which edition, what changed, and what came of it.

    `before` is the edition of the last entry that was no refusal. `said` is what is wrong with one that was refused.
    `changes` are None where the one before is not kept.
    """

    seq: int
    at: float
    who: str
    edition: str
    before: str
    outcome: Outcome
    said: str
    changes: tuple[FileChange, ...] | None


class Editions:
    """The editions of a workspace whose runs are in a store. Raises StoreError where they cannot be read or written."""

    def __init__(self, folder: Path, store: Path | None = None, *, now: Callable[[], float] = time.time) -> None:
        self._folder, self._now = folder.resolve(), now
        self.home = home_of(self._folder, store)

    def keep(self, contents: Mapping[str, bytes], *, in_use: Collection[str] = ()) -> str:
        """Keep what defines a workspace, and give the edition's name; `in_use` are editions that have to stay."""
        edition = edition_of(contents)
        with self._writing() as store:
            store.execute(_sql("put_edition"), (edition, sum(map(len, contents.values())), self._now()))
            for name, body in contents.items():
                blob = sha256(body).hexdigest()
                store.execute(_sql("put_blob"), (blob, body))
                store.execute(_sql("put_file"), (edition, name, blob))
            gone = self._make_room(store, {edition, *in_use})
        for one in gone:
            shutil.rmtree(self._trees / one, ignore_errors=True)  # links in it are removed, not followed
        return edition

    def note(self, edition: str, outcome: Outcome, *, who: str, said: str = "") -> Entry | None:
        """Add to the index what came of an edition; None where the last entry says so already.

        That a run began with it (`kept`) is said only of one that the last entry is not about.
        """
        said = said[:LONGEST_SAID]
        with self._writing() as store:
            last = store.execute(_sql("last")).fetchone()
            if last == (edition, outcome, said) or (outcome == "kept" and last is not None and last[0] == edition):
                return None
            before = _first(store.execute(_sql("before")).fetchone())
            changes = self._changes(store, before, edition)
            told = json.dumps(msgspec.to_builtins(changes))
            store.execute(_sql("add_entry"), (self._now(), who, edition, before, outcome, said, told))
        return self.history(1)[0]

    def history(self, limit: int = 100) -> list[Entry]:
        """Give the newest entries of the index, the newest first."""
        with self._reading() as store:
            rows = store.execute(_sql("history"), (limit,)).fetchall() if store is not None else []
        return [
            Entry(
                seq=seq,
                at=at,
                who=who,
                edition=edition,
                before=before,
                outcome=outcome,
                said=said,
                changes=msgspec.convert(json.loads(changes), tuple[FileChange, ...] | None),
            )
            for seq, at, who, edition, before, outcome, said, changes in rows
        ]

    def last_good(self) -> str:
        """Give the edition that was adopted last; empty where there was none."""
        with self._reading() as store:
            return "" if store is None else _first(store.execute(_sql("last_good")).fetchone())

    def find(self, begins: str) -> str:
        """Give the edition whose name begins so; raises UsageError."""
        wanted = begins.lower()
        with self._reading() as store:
            rows = store.execute(_sql("named"), {"begins": wanted}).fetchall() if store is not None and wanted else []
        if not rows:
            raise UsageError(
                f"no edition of {self._folder} begins with {begins!r}; `stretto workspace history` lists them"
            )
        if len(rows) > 1:
            raise UsageError(f"more than one edition begins with {begins!r}; give more of its name")
        return str(rows[0][0])

    def contents(self, edition: str) -> dict[str, bytes]:
        """Give the files of an edition; empty where they are not kept (any more)."""
        with self._reading() as store:
            return dict(store.execute(_sql("contents"), (edition,)).fetchall()) if store is not None else {}

    def tree(self, edition: str) -> Tree | None:
        """Give an edition as files, each looked over; None where it is not kept (any more)."""
        contents = self.contents(edition)
        if not contents:
            return None
        if edition_of(contents) != edition:
            raise StoreError(f"{self.home}: edition {edition[:12]} does not hold what its name says; it was altered")
        with self._writing() as store:
            store.execute(_sql("touch"), (self._now(), edition))
        try:
            return lay(self._trees / edition, self._folder, edition, contents)
        except OSError as error:
            raise StoreError(f"cannot lay out an edition in {self.home}: {error}") from error

    def _changes(self, store: sqlite3.Connection, before: str, edition: str) -> tuple[FileChange, ...] | None:
        old, hashes = (dict(store.execute(_sql("hashes"), (one,)).fetchall()) for one in (before, edition))
        if before and not old:
            return None
        found = [FileChange(name=name, how="added") for name in hashes if name not in old]
        found += [FileChange(name=name, how="changed") for name, one in hashes.items() if old.get(name, one) != one]
        found += [FileChange(name=name, how="removed") for name in old if name not in hashes]
        return tuple(sorted(found, key=lambda one: one.name)[:MOST_CHANGES])

    def _make_room(self, store: sqlite3.Connection, staying: Collection[str]) -> list[str]:
        """Let go of the contents of those editions that nobody has used for longest, and give their names."""
        rows = store.execute(_sql("oldest")).fetchall()
        number, size = len(rows), sum(one[1] for one in rows)
        gone: list[str] = []
        for edition, body in rows:
            if number <= MOST_EDITIONS and size <= MOST_BYTES:
                break
            if edition not in staying:
                store.execute(_sql("drop_edition"), (edition,))
                number, size = number - 1, size - body
                gone.append(edition)
        if gone:
            store.execute(_sql("drop_blobs"))
        return gone

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Open the store for one transaction: all of it holds, or nothing."""
        try:
            self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
            with closing(self._connect()) as store:
                store.execute("BEGIN IMMEDIATE")
                yield store
                store.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"cannot keep editions in {self.home}: {error}") from error

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        """Open the store to look into it; None where there is none yet."""
        try:
            if not self._file.exists():
                yield None
                return
            with closing(self._connect()) as store:
                yield store
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"cannot read the editions in {self.home}: {error}") from error

    def _connect(self) -> sqlite3.Connection:
        new = not self._file.exists()
        store = sqlite3.connect(self._file, timeout=SECONDS, isolation_level=None)
        store.execute("PRAGMA synchronous = FULL")
        store.execute("PRAGMA foreign_keys = ON")
        if new:
            self._file.chmod(0o600)
        store.executescript(_sql("schema"))
        return store

    @property
    def _trees(self) -> Path:
        return self.home / "trees"

    @property
    def _file(self) -> Path:
        return self.home / "editions.db"


def _first(row: tuple[str, ...] | None) -> str:
    return row[0] if row is not None else ""
