"""The journals keep the contract, and SQLite keeps it over restarts, other processes and broken files."""

import asyncio
import contextlib
import os
import sqlite3
import sys
from pathlib import Path

import pytest

from stretto.codec import Codec
from stretto.core.errors import OwnedElsewhere, StoreError
from stretto.core.events import RunSubmitted, TaskCompleted
from stretto.core.learning import Learned
from stretto.journals.memory import MemoryJournal
from stretto.journals.owner import Owner, this_process
from stretto.journals.sqlite import LEASE_SECONDS, SqliteJournal
from stretto.ports import Journal
from stretto.testing.journal_contract import JournalContract, line, refused, story
from tests import forked


class TestMemoryJournal(JournalContract):
    def open(self, folder: Path) -> Journal:
        return MemoryJournal()


class TestSqliteJournal(JournalContract):
    def open(self, folder: Path) -> Journal:
        return SqliteJournal(folder / "runs.db")

    def test_events_survive_closing_and_opening_again(self, tmp_path: Path) -> None:
        async def write(journal: Journal) -> None:
            await journal.append(await journal.claim("r"), 0, story("r"), line("r"))

        async def read(journal: Journal) -> list[object]:
            return [one.event for one in await journal.read("r")]

        self.use(tmp_path, write)
        assert self.use(tmp_path, read) == [event for _, event in story("r")]

    def test_what_runs_taught_survives_and_a_store_without_it_learns_anew(self, tmp_path: Path) -> None:
        async def teach(journal: Journal) -> None:
            learned = {"a/x": Learned(count=2, seconds=1.5)}
            await journal.append(await journal.claim("r"), 0, story("r"), line("r"), learned=learned)

        async def known(journal: Journal) -> dict[str, Learned]:
            return dict(await journal.durations())

        self.use(tmp_path, teach)
        assert self.use(tmp_path, known) == {"a/x": Learned(count=2, seconds=1.5)}
        with contextlib.closing(sqlite3.connect(tmp_path / "runs.db")) as database:
            database.execute("DROP TABLE durations")
        assert self.use(tmp_path, known) == {}

    def test_people_s_words_lie_beside_the_chain_and_never_in_it(self, tmp_path: Path) -> None:
        async def write(journal: Journal) -> None:
            await journal.append(await journal.claim("r"), 0, story("r"), line("r"))

        self.use(tmp_path, write)
        database = sqlite3.connect(tmp_path / "runs.db")
        payloads = b"".join(row[0] for row in database.execute("SELECT payload FROM events"))
        assert b"Gutes Ziel" not in payloads
        assert database.execute("SELECT count(*) FROM contents").fetchone()[0] == 2
        database.close()

    def test_a_catalogue_is_kept_once_for_all_runs_that_share_it(self, tmp_path: Path) -> None:
        async def write(journal: Journal) -> None:
            for run in ("a", "b", "c"):
                await journal.append(await journal.claim(run), 0, story(run), line(run))

        self.use(tmp_path, write)
        database = sqlite3.connect(tmp_path / "runs.db")
        assert database.execute("SELECT count(*) FROM documents").fetchone()[0] == 1
        database.close()

    def test_the_lease_of_a_process_that_lives_is_kept_until_it_runs_out(self, tmp_path: Path) -> None:
        now = [1000.0]

        async def work() -> None:
            first = SqliteJournal(tmp_path / "runs.db", now=lambda: now[0])
            second = SqliteJournal(tmp_path / "runs.db", now=lambda: now[0])
            old = await first.claim("r")
            await refused(OwnedElsewhere, second.claim("r"))
            now[0] += LEASE_SECONDS + 1
            new = await second.claim("r")
            assert new.fence == old.fence + 1
            await first.close()
            await second.close()

        asyncio.run(work())

    def test_what_runs_hold_is_for_the_owner_of_the_file_alone(self, tmp_path: Path) -> None:
        async def look(journal: Journal) -> None:
            lease = await journal.claim("r")
            await journal.append(lease, 0, story("r"), line("r"))
            files = sorted(tmp_path.rglob("*.db*"))
            assert files
            assert [oct(file.stat().st_mode & 0o077) for file in files] == ["0o0"] * len(files)

        self.use(tmp_path, look)

    def test_the_lease_of_a_dead_process_is_free_at_once(self, tmp_path: Path) -> None:
        store = tmp_path / "runs.db"
        code = (
            "import asyncio, os, signal, sys; from pathlib import Path\n"
            "from stretto.journals.sqlite import SqliteJournal\n"
            "async def main():\n"
            "    journal = SqliteJournal(Path(sys.argv[1]))\n"
            "    await journal.claim('r')\n"
            "    os.kill(os.getpid(), signal.SIGKILL)\n"
            "asyncio.run(main())\n"
        )
        assert forked.run([sys.executable, "-c", code, str(store)]).returncode == -9

        async def take(journal: Journal) -> int:
            assert await journal.owner("r") is None
            return (await journal.claim("r")).fence

        assert self.use(tmp_path, take) == 2


def test_a_process_is_told_from_others_by_pid_start_and_host() -> None:
    here = this_process()
    assert not here.surely_dead()
    assert Owner(host=here.host, boot=here.boot, pid=here.pid, born=here.born - 100).surely_dead()
    assert Owner(host=here.host, boot=here.boot - 10_000, pid=here.pid, born=here.born).surely_dead()
    assert not Owner(host="elsewhere", boot=1.0, pid=1, born=1.0).surely_dead()
    assert Owner.decode(here.encode()) == here


@pytest.mark.parametrize("kind", ["text", "folder", "other", "newer"])
def test_a_file_that_is_no_store_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "runs.db"
    if kind == "text":
        path.write_text("this is no database, it only looks like a file\n" * 100)
    elif kind == "folder":
        path.mkdir()
    else:
        database = sqlite3.connect(path)
        database.execute("CREATE TABLE t (a)" if kind == "other" else "PRAGMA user_version = 99")
        database.commit()
        database.close()
    with pytest.raises(StoreError, match=str(path)):
        SqliteJournal(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_refused_by_name(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="runs"):
        SqliteJournal(tmp_path / "deeper" / "runs.db")


def test_old_versions_of_an_event_are_lifted_to_the_new(tmp_path: Path) -> None:
    old = Codec().encode(TaskCompleted(at=1.0, task="t", reviewer="r"))
    newer = Codec(
        versions={"TaskCompleted": 2}, upcasts={("TaskCompleted", 1): lambda body: {**body, "reviewer": "was lifted"}}
    )
    event = newer.decode(old.type, old.version, old.payload, 1.0, lambda mark, shared: b"")
    assert event == TaskCompleted(at=1.0, task="t", reviewer="was lifted")


def test_an_event_from_the_future_is_refused_with_a_way_out() -> None:
    with pytest.raises(StoreError, match="newer than this program; update it"):
        Codec().decode("TaskCompleted", 2, b'{"task":"t"}', 1.0, lambda mark, shared: b"")
    with pytest.raises(StoreError, match="update it"):
        Codec().decode("TaskTeleported", 1, b"{}", 1.0, lambda mark, shared: b"")


def test_content_that_is_gone_is_named(tmp_path: Path) -> None:
    async def work() -> None:
        journal = SqliteJournal(tmp_path / "runs.db")
        await journal.append(await journal.claim("r"), 0, story("r"), line("r"))
        database = sqlite3.connect(tmp_path / "runs.db")
        database.execute("DELETE FROM contents")
        database.commit()
        database.close()
        with pytest.raises(StoreError, match="of run r is not in"):
            await journal.read("r")
        await journal.close()

    asyncio.run(work())


def test_the_goal_is_never_in_the_payload() -> None:
    event = story("r")[0][1]
    assert isinstance(event, RunSubmitted)
    assert event.goal.encode() not in Codec().encode(event).payload
