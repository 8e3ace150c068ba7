"""Sessions: a browser comes in with a key, and no longer than its key."""

from collections.abc import Callable
from pathlib import Path

import pytest

from stretto.access.book import IDLE, LASTING, MOST_SESSIONS, NOTED_EVERY, AccessBook
from stretto.core.errors import Unauthenticated
from tests.access.clock import Clock
from tests.access.holding import changed, key_of, rows


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
