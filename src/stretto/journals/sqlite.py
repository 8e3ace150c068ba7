"""The journal in one SQLite file: WAL, full synchronisation, one writer thread with group commit."""

import contextlib
import itertools
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

from stretto.codec import Codec, Encoded, decode_command, encode_command
from stretto.core.audit import GENESIS, Envelope, seal
from stretto.core.commands import Command
from stretto.core.domain import Cost
from stretto.core.errors import LostOwnership, Overtaken, OwnedElsewhere, StoreError
from stretto.core.events import Event
from stretto.core.learning import Learned, merged
from stretto.core.trust import TrackRecord
from stretto.journals.owner import Owner, this_process
from stretto.journals.statements import statement
from stretto.ports import (
    NEWEST,
    NOTHING_LEARNED,
    NOTHING_TRIED,
    Beside,
    Lease,
    Measured,
    Note,
    Recorded,
    RunQuery,
    RunSummary,
)
from stretto.writer import Writer, connect

_Stored: TypeAlias = tuple[str, float, Encoded]

LEASE_SECONDS = 15.0
SCHEMA = 3
_VIEWS = ("durations_schema", "records_schema", "summaries_schema", "measures_schema")
"""Tables of what was learned and measured, made in stores of any age."""


class SqliteJournal:
    """See `stretto.ports.Journal`. Opening makes the file and its folder; raises StoreError when it cannot.

    Runs hold what people said and what agents found: a file that is made is for its owner alone.
    """

    def __init__(self, path: Path, *, codec: Codec | None = None, now: Callable[[], float] = time.time) -> None:
        self._path, self._now = path, now
        self._codec = codec or Codec()
        self._owner = this_process()
        self._reading = threading.Lock()
        with self._clearly():
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.touch(mode=0o600)
            self._reader = self._connect()
            self._prepare()
        self._writer = Writer(self._connect)

    async def claim(self, run: str) -> Lease:
        def work(connection: sqlite3.Connection) -> Lease:
            row = connection.execute(statement("get_lease"), (run,)).fetchone()
            fence = 0
            if row is not None:
                owner, fence, expires = Owner.decode(row[0]), row[1], row[2]
                if expires > self._now() and not owner.surely_dead():
                    raise OwnedElsewhere(run, str(owner))
            expires = self._now() + LEASE_SECONDS
            connection.execute(statement("put_lease"), (run, self._owner.encode(), fence + 1, expires))
            return Lease(run=run, fence=fence + 1)

        with self._clearly():
            return await self._writer.do(work)

    async def renew(self, lease: Lease) -> None:
        def work(connection: sqlite3.Connection) -> None:
            expires = self._now() + LEASE_SECONDS
            done = connection.execute(statement("renew_lease"), (expires, lease.run, lease.fence))
            if not done.rowcount:
                raise LostOwnership(f"run {lease.run} was taken over by another process")

        with self._clearly():
            await self._writer.do(work)

    async def release(self, lease: Lease) -> None:
        with self._clearly():
            await self._writer.do(
                lambda connection: connection.execute(statement("release_lease"), (lease.run, lease.fence))
            )

    async def append(
        self,
        lease: Lease,
        after: int,
        facts: Sequence[tuple[str, Event]],
        summary: RunSummary,
        beside: Sequence[Beside] = (),
        learned: Mapping[str, Learned] = NOTHING_LEARNED,
        tried: Mapping[str, TrackRecord] = NOTHING_TRIED,
    ) -> None:
        encoded = self._encoded(facts)
        others = [(other, self._encoded(other.facts)) for other in beside]

        def work(connection: sqlite3.Connection) -> None:
            held = connection.execute(statement("get_lease"), (lease.run,)).fetchone()
            if held is None or held[1] != lease.fence:
                raise LostOwnership(f"run {lease.run} was taken over by another process")
            seq, previous = connection.execute(statement("head"), (lease.run,)).fetchone() or (0, GENESIS)
            if seq != after:
                raise LostOwnership(f"run {lease.run} has {seq} events, not {after}: somebody else appended")
            _append(connection, lease.run, seq, previous, encoded)
            for other, told in others:
                seq, previous = connection.execute(statement("head"), (other.stream,)).fetchone() or (0, GENESIS)
                if seq != other.after:
                    raise Overtaken(f"{other.stream} has moved on to {seq}")
                _append(connection, other.stream, seq, previous, told)
            connection.execute(statement("summarise"), _summary_row(summary))
            if encoded:
                connection.execute(statement("drop_measures"), (lease.run,))
            if learned:
                known = merged(_durations(connection), learned)
                rows = [(name, known[name].count, known[name].seconds) for name in learned]
                connection.executemany(statement("put_duration"), rows)
            connection.executemany(statement("add_record"), [_record_row(name, one) for name, one in tried.items()])

        with self._clearly():
            await self._writer.do(work)

    def _encoded(self, facts: Sequence[tuple[str, Event]]) -> list[_Stored]:
        return [(actor, event.at, self._codec.encode(event)) for actor, event in facts]

    async def heads(self, streams: Sequence[str]) -> Sequence[int]:
        with self._clearly(), self._reading:
            rows = [self._reader.execute(statement("head"), (stream,)).fetchone() for stream in streams]
        return [row[0] if row is not None else 0 for row in rows]

    async def durations(self) -> Mapping[str, Learned]:
        with self._clearly(), self._reading:
            return _durations(self._reader)

    async def summary(self, key: str) -> str | None:
        with self._clearly(), self._reading:
            row = self._reader.execute(statement("get_summary"), (key,)).fetchone()
        return None if row is None else str(row[0])

    async def keep_summary(self, key: str, text: str) -> None:
        with self._clearly():
            await self._writer.do(lambda connection: connection.execute(statement("put_summary"), (key, text)))

    async def records(self) -> Mapping[str, TrackRecord]:
        with self._clearly(), self._reading:
            rows = self._reader.execute(statement("records")).fetchall()
        return {
            name: TrackRecord(hits=hits, misses=misses, false_alarms=false_alarms, passes=passes)
            for name, hits, misses, false_alarms, passes in rows
        }

    async def read(self, run: str, after: int = 0) -> Sequence[Recorded]:
        with self._clearly(), self._reading:
            documents: dict[str, bytes] = {}

            def fetch(mark: str, shared: bool) -> bytes:
                if shared and mark in documents:
                    return documents[mark]
                name, key = ("get_document", (mark,)) if shared else ("get_content", (run, mark))
                row = self._reader.execute(statement(name), key).fetchone()
                if row is None:
                    raise StoreError(f"content {mark[:12]} of run {run} is not in {self._path} any more")
                body: bytes = row[0]
                if shared:
                    documents[mark] = body
                return body

            return [
                Recorded(seq=row[1], actor=row[3], event=self._codec.decode(row[4], row[5], row[6], row[2], fetch))
                for row in self._reader.execute(statement("read"), (run, after)).fetchall()
            ]

    async def envelopes(self, run: str) -> Sequence[Envelope]:
        with self._clearly(), self._reading:
            rows = self._reader.execute(statement("read"), (run, 0)).fetchall()
        names = ("run", "seq", "at", "actor", "type", "version", "payload", "previous", "hash")
        return [Envelope(**dict(zip(names, row, strict=True))) for row in rows]

    async def runs(self, query: RunQuery = NEWEST) -> Sequence[RunSummary]:
        with self._clearly(), self._reading:
            rows = self._reader.execute(statement("list_runs"), _query(query)).fetchall()
        return [_summary(row) for row in rows]

    async def counts(self, query: RunQuery = NEWEST) -> Mapping[str, int]:
        with self._clearly(), self._reading:
            return dict(self._reader.execute(statement("count_runs"), _query(query)).fetchall())

    async def due(self, moment: float, *, skip: Collection[str] = (), limit: int = 100) -> Sequence[RunSummary]:
        with self._clearly(), self._reading:
            noted = self._reader.execute(statement("due_by_note"))
            timed = self._reader.execute(statement("due_by_time"), (moment,))
            with contextlib.closing(noted), contextlib.closing(timed):
                free = self._free(row for row in itertools.chain(noted, timed) if row[0] not in skip)
                return [_summary(row) for row in itertools.islice(free, limit)]

    async def post(self, run: str, command: Command) -> None:
        raw = encode_command(command)
        with self._clearly():
            await self._writer.do(lambda connection: connection.execute(statement("post"), (run, raw)))

    async def inbox(self, run: str) -> Sequence[Note]:
        with self._clearly(), self._reading:
            rows = self._reader.execute(statement("inbox"), (run,)).fetchall()
        return [Note(id=row[0], command=decode_command(row[1])) for row in rows]

    async def clear(self, notes: Sequence[Note]) -> None:
        with self._clearly():
            await self._writer.do(
                lambda connection: connection.executemany(statement("clear"), [(note.id,) for note in notes])
            )

    async def unmeasured(self, edition: int, *, skip: Collection[str] = (), limit: int = 100) -> Sequence[str]:
        with self._clearly(), self._reading:
            rows = self._reader.execute(statement("unmeasured"), (edition,))
            with contextlib.closing(rows):
                return list(itertools.islice((run for (run,) in rows if run not in skip), limit))

    async def keep_measures(self, rows: Sequence[Measured]) -> None:
        values = [(one.run, one.upto, one.edition, one.workspace, one.ended, one.body) for one in rows]
        with self._clearly():
            await self._writer.do(lambda connection: connection.executemany(statement("keep_measures"), values))

    async def measured(
        self, edition: int, *, workspace: str | None = None, since: float | None = None, until: float | None = None
    ) -> Sequence[Measured]:
        with self._clearly(), self._reading:
            rows = self._reader.execute(statement("measured"), (edition, workspace, since, until)).fetchall()
        return [
            Measured(run=run, upto=upto, edition=kept, workspace=folder, ended=ended, body=body)
            for run, upto, kept, folder, ended, body in rows
        ]

    async def owner(self, run: str) -> str | None:
        with self._clearly(), self._reading:
            row = self._reader.execute(statement("get_lease"), (run,)).fetchone()
        if row is None or row[2] <= self._now():
            return None
        owner = Owner.decode(row[0])
        return None if owner.surely_dead() else str(owner)

    async def close(self) -> None:
        self._writer.close()
        with self._reading:
            self._reader.close()

    def _free(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        """Give those rows that end in no living owner's lease, without it."""
        alive: dict[str, bool] = {}
        for *row, owner, expires in rows:
            if owner is not None and expires > self._now():
                if owner not in alive:
                    alive[owner] = not Owner.decode(owner).surely_dead()
                if alive[owner]:
                    continue
            yield tuple(row)

    def _connect(self) -> sqlite3.Connection:
        connection = connect(self._path)
        connection.create_function("casefold", 1, str.casefold, deterministic=True)
        return connection

    def _prepare(self) -> None:
        """Make the tables, or bring those of an older release up to date; two processes may try at once."""
        if self._version() == SCHEMA:
            for script in _VIEWS:
                self._reader.execute(statement(script))
            return
        tables = {row[0] for row in self._reader.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        if tables and "leases" not in tables:
            raise StoreError(f"{self._path} is a database of something else; give --store another file")
        with self._reader:
            self._reader.execute("BEGIN IMMEDIATE")
            version = self._version()
            scripts = ["schema"] if version == 0 else [f"migrate_{old}" for old in range(version, SCHEMA)]
            for script in [*scripts, *_VIEWS]:
                for one in statement(script).split(";\n"):
                    self._reader.execute(one)
            self._reader.execute(f"PRAGMA user_version = {SCHEMA}")

    def _version(self) -> int:
        version: int = self._reader.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA:
            raise StoreError(f"{self._path} was made by a newer release of Stretto; update this one")
        return version

    @contextlib.contextmanager
    def _clearly(self):  # type: ignore[no-untyped-def]
        """Say which file an error is about."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"cannot use the store {self._path}: {error}") from error


def _append(connection: sqlite3.Connection, run: str, seq: int, previous: str, encoded: list[_Stored]) -> None:
    """Append to a run or stream, whose last event has this number and hash."""
    for actor, at, one in encoded:
        seq += 1
        envelope = seal(
            run=run,
            seq=seq,
            at=at,
            actor=actor,
            kind=one.type,
            version=one.version,
            payload=one.payload,
            previous=previous,
        )
        previous = envelope.hash
        connection.execute(statement("append"), _row(envelope))
        connection.executemany(statement("put_content"), [(run, *content) for content in one.contents])
        connection.executemany(statement("put_document"), one.documents)


def _durations(connection: sqlite3.Connection) -> dict[str, Learned]:
    rows = connection.execute(statement("durations")).fetchall()
    return {name: Learned(count=count, seconds=seconds) for name, count, seconds in rows}


def _record_row(name: str, one: TrackRecord) -> tuple[object, ...]:
    return (name, one.hits, one.misses, one.false_alarms, one.passes)


def _row(one: Envelope) -> tuple[object, ...]:
    return (one.run, one.seq, one.at, one.actor, one.type, one.version, one.payload, one.previous, one.hash)


def _query(one: RunQuery) -> dict[str, object]:
    return {
        "begins": one.begins,
        "words": json.dumps(one.words),
        "statuses": json.dumps(sorted(one.statuses)) if one.statuses else None,
        "workspace": one.workspace,
        "since": one.since,
        "until": one.until,
        "asking": one.asking,
        "teams": one.teams,
        "started": one.before[0] if one.before is not None else None,
        "last": one.before[1] if one.before is not None else None,
        "limit": one.limit,
    }


def _summary_row(one: RunSummary) -> tuple[object, ...]:
    return (
        one.run, one.goal, one.status, one.workspace, one.started, one.ended,
        str(one.cost.money), one.cost.tokens, one.gaps, one.tasks, one.completed, one.wake, one.asks,
    )  # fmt: skip


def _summary(row: tuple[object, ...]) -> RunSummary:
    run, goal, status, workspace, started, ended, money, tokens, gaps, tasks, completed, wake, asks = row
    return RunSummary(
        run=str(run),
        goal=str(goal),
        status=str(status),
        workspace=str(workspace),
        started=started,  # type: ignore[arg-type]
        ended=ended,  # type: ignore[arg-type]
        cost=Cost(money=Decimal(str(money)), tokens=tokens),  # type: ignore[arg-type]
        gaps=gaps,  # type: ignore[arg-type]
        tasks=tasks,  # type: ignore[arg-type]
        completed=completed,  # type: ignore[arg-type]
        wake=wake,  # type: ignore[arg-type]
        asks=asks,  # type: ignore[arg-type]
    )
