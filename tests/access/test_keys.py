"""Keys: who comes in with what, and until when."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from stretto.access.book import NOTED_EVERY, AccessBook
from stretto.access.roles import EVERYWHERE, Role
from stretto.core.errors import Unauthenticated, UsageError
from tests.access.clock import Clock
from tests.access.holding import changed, key_of

DAY = 86400.0


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
    assert not book.any_keys()


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


async def test_without_any_key_whoever_sits_at_the_machine_comes_in(book: AccessBook) -> None:
    owner = book.without_key("ann")
    assert owner.roles == {Role.ADMIN}
    assert book.current(owner) == owner


async def test_from_the_first_key_on_everybody_needs_one_also_when_it_is_revoked(book: AccessBook) -> None:
    owner, made = book.without_key("ann"), await key_of(book)
    await book.revoke(made.key.id)
    assert book.any_keys()
    with pytest.raises(Unauthenticated, match="a key is needed"):
        book.without_key("ann")
    with pytest.raises(Unauthenticated, match="a key is needed"):
        book.current(owner)


async def test_what_goes_on_for_long_is_told_when_its_key_has_ended(book: AccessBook, clock: Clock) -> None:
    short, long = await key_of(book, expires=clock() + DAY), await key_of(book)
    one, other = await book.authenticate(short.text), await book.authenticate(long.text)
    assert book.current(one) == one
    clock.move(DAY)
    with pytest.raises(Unauthenticated, match="expired"):
        book.current(one)
    await book.revoke(long.key.id)
    with pytest.raises(Unauthenticated, match="revoked"):
        book.current(other)
