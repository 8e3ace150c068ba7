"""Opening the store, and who asks."""

import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from stretto.access.book import AccessBook, access_file
from stretto.core.errors import UsageError
from stretto.journals.sqlite import SqliteJournal
from stretto.ports import Journal


@asynccontextmanager
async def open_store(path: Path, *, must_exist: bool = False) -> AsyncIterator[Journal]:
    """Open a store; raises StoreError, and UsageError when it must exist and does not."""
    if must_exist:
        _must_exist(path)
    journal = SqliteJournal(path)
    try:
        yield journal
    finally:
        await journal.close()


@asynccontextmanager
async def open_access(store: Path) -> AsyncIterator[AccessBook]:
    """Open the keys to a store, which lie beside it; raises StoreError."""
    book = AccessBook(access_file(store))
    try:
        yield book
    finally:
        await book.close()


def actor() -> str:
    """Give whoever runs this program, as the actor of a command."""
    return f"person:{user()}"


def user() -> str:
    """Give the name of whoever runs this program."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"


def _must_exist(store: Path) -> None:
    if not store.exists():
        raise UsageError(f"there is no store {store} yet; a first run makes it, or name another with --store")
