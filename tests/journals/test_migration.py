"""A store that an older release made is brought up to date when it is opened, with everything in it."""

import asyncio
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from stretto import Orchestrator, irreversible, plan, ref, task
from stretto.core.errors import StoreError
from stretto.journals.sqlite import SCHEMA, SqliteJournal
from stretto.ports import RunSummary
from stretto.views import Run
from tests import forked

SCHEMA_1 = """
CREATE TABLE events (
    run TEXT NOT NULL, seq INTEGER NOT NULL, at REAL NOT NULL, actor TEXT NOT NULL, type TEXT NOT NULL,
    version INTEGER NOT NULL, payload BLOB NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (run, seq)
) WITHOUT ROWID;
CREATE TABLE contents (
    run TEXT NOT NULL, hash TEXT NOT NULL, salt BLOB NOT NULL, body BLOB NOT NULL, PRIMARY KEY (run, hash)
);
CREATE TABLE documents (hash TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE runs (
    run TEXT PRIMARY KEY, goal TEXT NOT NULL, status TEXT NOT NULL, workspace TEXT NOT NULL, started REAL NOT NULL,
    ended REAL, money TEXT NOT NULL, tokens INTEGER NOT NULL, gaps INTEGER NOT NULL, tasks INTEGER NOT NULL,
    completed INTEGER NOT NULL
);
CREATE INDEX runs_by_start ON runs (started DESC);
CREATE TABLE leases (run TEXT PRIMARY KEY, owner TEXT NOT NULL, fence INTEGER NOT NULL, expires REAL NOT NULL);
CREATE TABLE inbox (id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, command BLOB NOT NULL);
CREATE INDEX inbox_by_run ON inbox (run, id);
PRAGMA user_version = 1;
"""
LINE_1 = "run, goal, status, workspace, started, ended, money, tokens, gaps, tasks, completed"


@irreversible
async def send(to: str) -> str:
    """Send it."""
    return f"sent to {to}"


JOB = plan(task("send", send, to="ann"), deliver=ref("send"))


def team(store: Path) -> Orchestrator:
    return Orchestrator([send], store=store)


async def old_store(folder: Path) -> Path:
    """Give a store as release 1 left it: one run that ended, one that waits for a person."""
    new, old = folder / "new.db", folder / "runs.db"
    await team(new).run("send", plan=JOB, run_id="ended", approve="all")
    await team(new).run("send", plan=JOB, run_id="waiting")
    with closing(sqlite3.connect(old)) as database:
        database.executescript(SCHEMA_1)
        database.execute("ATTACH ? AS new", (str(new),))
        for table in ("events", "contents", "documents", "leases", "inbox"):
            database.execute(f"INSERT INTO {table} SELECT * FROM new.{table}")
        database.execute(f"INSERT INTO runs SELECT {LINE_1} FROM new.runs")
        database.commit()
    return old


async def lines(store: Path) -> dict[str, RunSummary]:
    journal = SqliteJournal(store)
    try:
        return {one.run: one for one in await journal.runs()}
    finally:
        await journal.close()


async def test_runs_of_an_older_store_are_listed_and_resumed(tmp_path: Path) -> None:
    store = await old_store(tmp_path)
    found = await lines(store)
    assert {run: one.status for run, one in found.items()} == {"ended": "finished", "waiting": "waiting"}
    assert found["ended"].wake is None
    run: Run = await team(store).resume("waiting", approve="all")
    assert (run.status, run.answer) == ("finished", "sent to ann")


async def test_an_unfinished_run_of_an_older_store_is_looked_at_once_and_then_known(tmp_path: Path) -> None:
    store = await old_store(tmp_path)
    journal = SqliteJournal(store)
    assert [one.run for one in await journal.due(time.time())] == ["waiting"]
    await journal.close()
    assert (await team(store).resume("waiting")).status == "waiting"
    assert (await lines(store))["waiting"].wake is None, "only a person can move it"


async def test_many_processes_may_open_an_older_store_at_once(tmp_path: Path) -> None:
    store = await old_store(tmp_path)
    code = (
        "import sys; from pathlib import Path; from stretto.journals.sqlite import SqliteJournal\n"
        "sys.stdin.read(); SqliteJournal(Path(sys.argv[1]))\n"
    )
    command = [sys.executable, "-c", code, str(store)]
    opening = [forked.Popen(command, stdin=forked.PIPE) for _ in range(4)]
    for one in opening:
        assert one.stdin is not None
        one.stdin.close()
    told = [one.communicate()[1] for one in opening]
    assert [one.returncode for one in opening] == [0, 0, 0, 0], told
    with closing(sqlite3.connect(store)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (SCHEMA,)
    assert len(await lines(store)) == 2


def test_a_new_store_and_a_migrated_one_have_the_same_tables(tmp_path: Path) -> None:
    store = asyncio.run(old_store(tmp_path))
    asyncio.run(lines(store))
    shapes = []
    for file in (store, tmp_path / "new.db"):
        with closing(sqlite3.connect(file)) as database:
            columns = [row[1:] for row in database.execute("PRAGMA table_info(runs)")]
            indices = {row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE type = 'index'")}
            shapes.append((columns, {name for name in indices if not name.startswith("sqlite_")}))
    assert shapes[0] == shapes[1]


def test_what_is_due_is_found_by_an_index(tmp_path: Path) -> None:
    from stretto.journals.statements import statement

    asyncio.run(lines(tmp_path / "runs.db"))
    with closing(sqlite3.connect(tmp_path / "runs.db")) as database:
        for name, values in (("due_by_note", ()), ("due_by_time", (1.0,))):
            steps = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement(name)}", values)]
            assert not any(step.startswith(("SCAN runs", "SCAN leases")) for step in steps), steps
            if name == "due_by_time":
                assert any("runs_by_wake" in step for step in steps), steps
                assert not any("ORDER BY" in step for step in steps), steps


def test_a_migration_that_fails_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    with closing(sqlite3.connect(store)) as database:
        database.executescript(SCHEMA_1)
        database.execute("CREATE TABLE runs_by_wake (name TEXT)")  # in the way of the index of that name
        database.commit()
    with pytest.raises(StoreError, match="runs_by_wake"):
        SqliteJournal(store)
    with closing(sqlite3.connect(store)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (1,)
        assert "wake" not in {row[1] for row in database.execute("PRAGMA table_info(runs)")}
