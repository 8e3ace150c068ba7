"""What tests of the book need."""

import sqlite3
from contextlib import closing
from pathlib import Path

from stretto.access.book import AccessBook
from stretto.access.keys import NewKey
from stretto.access.roles import Role


async def key_of(book: AccessBook, name: str = "ann", **more: float | None) -> NewKey:
    return await book.add_key(name, roles=frozenset({Role.OPERATOR}), workspaces=frozenset({"support"}), **more)


def changed(text: str) -> str:
    """Give a token with another last letter."""
    return text[:-1] + ("0" if text[-1] != "0" else "1")


def rows(file: Path, table: str) -> int:
    with closing(sqlite3.connect(file)) as database:
        count: int = database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return count
