"""A book of keys, and a clock that goes when it is told to."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stretto.access.book import AccessBook
from tests.access.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "access.db"


@pytest.fixture
def open_book(file: Path, clock: Clock) -> Iterator[Callable[[], AccessBook]]:
    """Give a function that opens the file once more, as another process would."""
    opened: list[AccessBook] = []

    def one() -> AccessBook:
        opened.append(AccessBook(file, clock))
        return opened[-1]

    yield one
    for book in opened:
        asyncio.run(book.close())


@pytest.fixture
def book(open_book: Callable[[], AccessBook]) -> AccessBook:
    return open_book()
