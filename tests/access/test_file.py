"""The file of keys: its owner's alone, nothing in it opens a door, and processes share it."""

import asyncio
import re
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from stretto.access.book import AccessBook
from stretto.core.errors import StoreError
from tests.access.holding import key_of, rows

SECONDS = 60.0


async def test_no_secret_is_in_any_byte_of_the_files(book: AccessBook, file: Path) -> None:
    made = await key_of(book)
    begun = await book.begin_session(made.text)
    await book.session(begun.token)
    csrf = begun.csrf_token()
    planted = [made.text.rpartition("_")[2], begun.token.rpartition("_")[2], csrf, csrf[32:]]
    planted += [bytes.fromhex(one).decode("latin-1") for one in planted]
    files = sorted(file.parent.iterdir())
    assert [one.name for one in files] == ["access.db", "access.db-shm", "access.db-wal"]
    everything = b"".join(one.read_bytes() for one in files)
    assert made.key.id.encode() in everything
    for secret in planted:
        assert secret.encode("latin-1") not in everything
    shown = f"{made} {made.key} {begun} {begun.principal}"
    assert not any(secret in shown for secret in planted)


async def test_the_files_are_readable_by_their_owner_alone(book: AccessBook, file: Path) -> None:
    await key_of(book)
    assert {one.name: stat.S_IMODE(one.stat().st_mode) for one in file.parent.iterdir()} == {
        "access.db": 0o600,
        "access.db-shm": 0o600,
        "access.db-wal": 0o600,
    }
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


async def test_a_file_that_others_can_read_is_closed_to_them(file: Path, open_book: Callable[[], AccessBook]) -> None:
    await open_book().close()
    file.chmod(0o644)
    open_book()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
async def test_a_file_that_others_could_have_written_is_refused(
    file: Path, open_book: Callable[[], AccessBook], mode: int
) -> None:
    await open_book().close()
    file.chmod(mode)
    with pytest.raises(StoreError, match=re.escape(f"others can write {file}")):
        open_book()


async def test_a_database_of_something_else_is_left_alone(file: Path, open_book: Callable[[], AccessBook]) -> None:
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE keys (id TEXT)")
    with pytest.raises(StoreError, match="is a database of something else"):
        open_book()


@pytest.mark.parametrize("content", [b"no database at all, but a text that is long enough to look at" * 20, b"short"])
async def test_a_file_that_is_no_database_is_refused_by_name(
    file: Path, open_book: Callable[[], AccessBook], content: bytes
) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(StoreError, match=re.escape(f"cannot use the keys in {file}")):
        open_book()


async def test_a_file_of_a_newer_release_is_refused(file: Path, open_book: Callable[[], AccessBook]) -> None:
    await open_book().close()
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="made by a newer release"):
        open_book()


@pytest.mark.parametrize("roles", ['["emperor"]', "nonsense", "7", "null"])
async def test_a_key_with_roles_that_nobody_knows_opens_nothing(book: AccessBook, file: Path, roles: str) -> None:
    made = await key_of(book)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE keys SET roles = ?", (roles,))
    with pytest.raises(StoreError, match=f"the key {made.key.id} in .* cannot be read"):
        await book.authenticate(made.text)


MAKE_KEYS = """
import asyncio, sys
from pathlib import Path
from stretto.access.book import AccessBook
from stretto.access.roles import EVERYWHERE, Role

async def main() -> None:
    book = AccessBook(Path(sys.argv[1]))
    made = [await book.add_key(f"p{n}", roles=frozenset({Role.VIEWER}), workspaces=EVERYWHERE) for n in range(5)]
    for one in made:
        await book.begin_session(one.text)
    print(*(one.text for one in made))
    await book.close()

asyncio.run(main())
"""


def test_processes_that_make_the_file_at_the_same_time_share_it(file: Path) -> None:
    words = [sys.executable, "-c", MAKE_KEYS, str(file)]
    started = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    made = [text for one in started for text in one.communicate(timeout=SECONDS)[0].split()]
    assert [one.returncode for one in started] == [0] * 4

    async def look() -> set[str]:
        book = AccessBook(file)
        names = {(await book.authenticate(text)).name for text in made}
        assert len(await book.keys()) == 20
        await book.close()
        return names

    assert asyncio.run(look()) == {f"p{n}" for n in range(5)}
    assert rows(file, "sessions") == 20
