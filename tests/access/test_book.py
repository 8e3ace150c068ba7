"""The book of keys: who comes in with what, until when, and that nothing in it opens a door."""

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

from stretto.access.book import IDLE, LASTING, MOST_SESSIONS, NOTED_EVERY, AccessBook
from stretto.access.keys import NewKey
from stretto.access.roles import EVERYWHERE, Role
from stretto.core.errors import StoreError, Unauthenticated, UsageError
from tests.access.clock import Clock

DAY = 86400.0
SECONDS = 60.0


async def key_of(book: AccessBook, name: str = "ann", **more: float | None) -> NewKey:
    return await book.add_key(name, roles=frozenset({Role.OPERATOR}), workspaces=frozenset({"support"}), **more)


def changed(text: str) -> str:
    """Give a token with another last letter."""
    return text[:-1] + ("0" if text[-1] != "0" else "1")


# Keys


async def test_a_key_lets_in_whom_it_was_made_for(book: AccessBook) -> None:
    made = await key_of(book)
    principal = await book.authenticate(made.text)
    assert (principal.name, principal.actor, principal.key) == ("ann", "person:ann", made.key.id)
    assert principal.roles == {Role.OPERATOR}
    assert principal.workspaces == {"support"}


async def test_a_key_is_known_to_every_process_at_once(book: AccessBook, open_book: Callable[[], AccessBook]) -> None:
    other = open_book()
    made = await key_of(book)
    assert (await other.authenticate(made.text)).name == "ann"
    await other.revoke(made.key.id)
    with pytest.raises(Unauthenticated, match=f"{made.key.id} was revoked on 2033-05-18"):
        await book.authenticate(made.text)


async def test_every_wrong_key_is_refused_in_the_same_words(book: AccessBook) -> None:
    made, gone = await key_of(book), await key_of(book)
    await book.revoke(gone.key.id)
    session = await book.begin_session(made.text)
    unknown = made.text.replace(made.key.id, "0" * 16)
    wrong = ["", "nonsense", unknown, changed(made.text), changed(gone.text), session.token, f" {made.text}"]
    said = set()
    for text in wrong:
        with pytest.raises(Unauthenticated) as refused:
            await book.authenticate(text)
        said.add(str(refused.value))
    assert len(said) == 1


async def test_a_key_opens_until_it_expires_and_not_a_moment_longer(book: AccessBook, clock: Clock) -> None:
    made = await key_of(book, expires=clock() + 90 * DAY)
    clock.move(90 * DAY - 0.001)
    await book.authenticate(made.text)
    clock.move(0.001)
    with pytest.raises(Unauthenticated, match="expired on"):
        await book.authenticate(made.text)
    assert [one.standing(clock()) for one in await book.keys()] == ["expired"]


async def test_revoking_twice_keeps_the_first_moment(book: AccessBook, clock: Clock) -> None:
    made = await key_of(book)
    first = await book.revoke(made.key.id)
    clock.move(5)
    assert (await book.revoke(made.key.id)).revoked == first.revoked == clock() - 5


async def test_revoking_what_is_no_key_says_so(book: AccessBook) -> None:
    with pytest.raises(UsageError, match="there is no key 'abc'"):
        await book.revoke("abc")


@pytest.mark.parametrize("expires", [0.0, 2_000_000_000.0, 1e12, float("inf"), float("nan")])
async def test_a_key_ends_in_the_future_or_not_at_all(book: AccessBook, expires: float) -> None:
    with pytest.raises(UsageError, match="a key ends in the future"):
        await key_of(book, expires=expires)
    assert not await book.any_keys()


async def test_a_key_without_role_or_workspace_is_not_made(book: AccessBook) -> None:
    with pytest.raises(UsageError, match="needs a role"):
        await book.add_key("ann", roles=frozenset(), workspaces=EVERYWHERE)
    with pytest.raises(UsageError, match="needs a role and a workspace"):
        await book.add_key("ann", roles=frozenset({Role.ADMIN}), workspaces=frozenset())


@pytest.mark.parametrize("name", ["", "ann (typed by root)", "a:b", "a\nb", "a b", "x" * 65, "<b>", "-ann", "a\u202eb"])
async def test_a_name_that_could_be_read_as_more_than_a_name_is_refused(book: AccessBook, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a key"):
        await key_of(book, name)


async def test_the_same_name_written_in_two_ways_is_one_name(book: AccessBook) -> None:
    assert (await key_of(book, "jo\u0308rg")).key.name == "jörg"
    assert {(await key_of(book, name)).key.name for name in ("ann@example.org", "a.b-c_d+e")}


async def test_when_a_key_was_used_is_noted_at_most_once_a_minute(book: AccessBook, clock: Clock) -> None:
    made, start = await key_of(book), clock()

    async def used() -> float | None:
        await asyncio.gather(*(book.authenticate(made.text) for _ in range(3)))
        return (await book.keys())[0].used

    assert made.key.used is None
    assert await used() == start
    clock.move(NOTED_EVERY - 1)
    assert await used() == start
    clock.move(1)
    assert await used() == start + NOTED_EVERY


async def test_a_key_counts_also_when_its_use_cannot_be_noted(book: AccessBook, file: Path) -> None:
    made = await key_of(book)
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TRIGGER full BEFORE UPDATE ON keys BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    assert (await book.authenticate(made.text)).name == "ann"
    assert (await book.keys())[0].used is None


# Without keys


async def test_without_any_key_whoever_sits_at_the_machine_comes_in(book: AccessBook) -> None:
    owner = await book.without_key("ann")
    assert owner.roles == {Role.ADMIN}
    assert await book.current(owner) == owner


async def test_from_the_first_key_on_everybody_needs_one_also_when_it_is_revoked(book: AccessBook) -> None:
    owner, made = await book.without_key("ann"), await key_of(book)
    await book.revoke(made.key.id)
    assert await book.any_keys()
    with pytest.raises(Unauthenticated, match="a key is needed"):
        await book.without_key("ann")
    with pytest.raises(Unauthenticated, match="a key is needed"):
        await book.current(owner)


async def test_what_goes_on_for_long_is_told_when_its_key_has_ended(book: AccessBook, clock: Clock) -> None:
    short, long = await key_of(book, expires=clock() + DAY), await key_of(book)
    one, other = await book.authenticate(short.text), await book.authenticate(long.text)
    assert await book.current(one) == one
    clock.move(DAY)
    with pytest.raises(Unauthenticated, match="expired"):
        await book.current(one)
    await book.revoke(long.key.id)
    with pytest.raises(Unauthenticated, match="revoked"):
        await book.current(other)


# Sessions


async def test_a_session_is_its_keys_principal_in_every_process(
    book: AccessBook, open_book: Callable[[], AccessBook]
) -> None:
    made = await key_of(book)
    begun = await book.begin_session(made.text)
    found = await open_book().session(begun.token)
    assert found == begun
    assert found.principal == await book.authenticate(made.text)


async def test_every_session_has_a_token_of_its_own(book: AccessBook) -> None:
    made = await key_of(book)
    one, other = await book.begin_session(made.text), await book.begin_session(made.text)
    assert one.token != other.token
    assert one.accepts(one.csrf_token())
    assert not one.accepts(other.csrf_token())


async def test_a_session_that_is_used_lasts_until_its_end_and_not_longer(book: AccessBook, clock: Clock) -> None:
    made = await key_of(book)
    begun = await book.begin_session(made.text)
    while clock() + IDLE / 2 < begun.expires:
        clock.move(IDLE / 2)
        await book.session(begun.token)
    assert begun.expires == 2_000_000_000.0 + LASTING
    clock.at = begun.expires
    with pytest.raises(Unauthenticated, match="this session has ended"):
        await book.session(begun.token)


async def test_a_session_that_nobody_uses_ends(book: AccessBook, clock: Clock) -> None:
    begun = await book.begin_session((await key_of(book)).text)
    clock.move(IDLE - 1)
    await book.session(begun.token, used=False)
    clock.move(1)
    with pytest.raises(Unauthenticated, match="this session has ended"):
        await book.session(begun.token)


async def test_a_session_of_a_short_patience_is_kept_alive_by_use(file: Path, clock: Clock) -> None:
    book = AccessBook(file, clock, idle=8, lasting=100)
    begun = await book.begin_session((await key_of(book)).text)
    for _ in range(10):
        clock.move(5)
        await book.session(begun.token)
    clock.move(8)
    with pytest.raises(Unauthenticated):
        await book.session(begun.token)
    await book.close()


async def test_a_session_ends_at_once_when_another_process_revokes_its_key(
    book: AccessBook, open_book: Callable[[], AccessBook]
) -> None:
    made, kept = await key_of(book), await key_of(book, "bob")
    ending, staying = await book.begin_session(made.text), await book.begin_session(kept.text)
    await book.session(ending.token)
    await open_book().revoke(made.key.id)
    with pytest.raises(Unauthenticated):
        await book.session(ending.token)
    assert (await book.session(staying.token)).principal.name == "bob"


async def test_a_session_ends_when_its_key_expires(book: AccessBook, clock: Clock) -> None:
    begun = await book.begin_session((await key_of(book, expires=clock() + 60)).text)
    clock.move(60)
    with pytest.raises(Unauthenticated, match="expired"):
        await book.session(begun.token)


async def test_logging_out_ends_the_session_everywhere_and_no_other(
    book: AccessBook, open_book: Callable[[], AccessBook]
) -> None:
    made = await key_of(book)
    mine, other = await book.begin_session(made.text), await book.begin_session(made.text)
    for text in ("", "nonsense", changed(mine.token), made.text):
        await book.end_session(text)
    await book.session(mine.token)
    await open_book().end_session(mine.token)
    with pytest.raises(Unauthenticated):
        await book.session(mine.token)
    await book.end_session(mine.token)
    await book.session(other.token)


async def test_a_tampered_session_is_none(book: AccessBook) -> None:
    made = await key_of(book)
    mine, other = await book.begin_session(made.text), await book.begin_session(made.text)
    mixed = mine.token.replace(mine.id, other.id)
    for text in (changed(mine.token), mixed, made.text, mine.token.upper(), f"{mine.token}\n"):
        with pytest.raises(Unauthenticated, match="this session has ended; sign in again"):
            await book.session(text)


async def test_no_session_begins_with_a_key_that_opens_nothing(book: AccessBook) -> None:
    made = await key_of(book)
    await book.revoke(made.key.id)
    for text in (made.text, changed(made.text), ""):
        with pytest.raises(Unauthenticated):
            await book.begin_session(text)


async def test_a_key_has_so_many_sessions_and_the_one_longest_unseen_makes_room(
    book: AccessBook, file: Path, clock: Clock
) -> None:
    made = await key_of(book)
    sessions = [await book.begin_session(made.text) for _ in range(MOST_SESSIONS)]
    clock.move(NOTED_EVERY)
    await book.session(sessions[0].token)
    newest = await book.begin_session(made.text)
    assert rows(file, "sessions") == MOST_SESSIONS
    await book.session(sessions[0].token)
    await book.session(newest.token)
    with pytest.raises(Unauthenticated):
        await book.session(sessions[1].token)


async def test_sessions_that_ended_leave_the_file_when_others_begin(book: AccessBook, file: Path, clock: Clock) -> None:
    made = await key_of(book)
    for _ in range(5):
        await book.begin_session(made.text)
    clock.move(IDLE)
    await book.begin_session(made.text)
    assert rows(file, "sessions") == 1
    await book.revoke(made.key.id)
    assert rows(file, "sessions") == 0


def rows(file: Path, table: str) -> int:
    with closing(sqlite3.connect(file)) as database:
        count: int = database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return count


# The file


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
