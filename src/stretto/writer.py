"""One thread that writes to a SQLite file. Whatever waits is one transaction: a crowd of commits costs one fsync."""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
Work: TypeAlias = Callable[[sqlite3.Connection], Any]
_Job: TypeAlias = tuple[Work, asyncio.AbstractEventLoop, "asyncio.Future[Any]"]

MOST_AT_ONCE = 512


def connect(path: Path) -> sqlite3.Connection:
    """Open a file where readers and the writer do not wait for each other, and what is committed is on disk."""
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False, cached_statements=64)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


class Writer:
    """Runs work on one connection in a thread of its own, in groups; each piece is all or nothing.

    A piece that raises is rolled back alone and its caller hears the error; callers hear of success only
    after the group is on disk.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="stretto-writer", daemon=True)
        self._thread.start()

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Give what the work returns, once it is durable."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._jobs.put((work, loop, future))
        return await asyncio.shield(future)

    def close(self) -> None:
        """Finish what waits, then end."""
        self._jobs.put(None)
        self._thread.join(timeout=30)

    def _run(self) -> None:
        connection: sqlite3.Connection | None = None
        going = True
        while going:
            group, going = self._next_group()
            if not group:
                break
            try:
                connection = connection or self._connect()
                answers = _transact(connection, [work for work, _, _ in group])
            except BaseException as error:
                answers = [(None, error)] * len(group)
                if connection is not None and connection.in_transaction:
                    connection.rollback()
            for (_, loop, future), (value, problem) in zip(group, answers, strict=True):
                _tell(loop, future, value, problem)
        if connection is not None:
            connection.close()

    def _next_group(self) -> tuple[list[_Job], bool]:
        group: list[_Job] = []
        job = self._jobs.get()
        while job is not None:
            group.append(job)
            if len(group) == MOST_AT_ONCE:
                return group, True
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return group, True
        return group, False


def _transact(connection: sqlite3.Connection, works: list[Work]) -> list[tuple[Any, BaseException | None]]:
    answers: list[tuple[Any, BaseException | None]] = []
    connection.execute("BEGIN IMMEDIATE")
    for work in works:
        connection.execute("SAVEPOINT piece")
        try:
            answers.append((work(connection), None))
        except Exception as error:
            connection.execute("ROLLBACK TO piece")
            answers.append((None, error))
        connection.execute("RELEASE piece")
    connection.commit()
    return answers


def _tell(
    loop: asyncio.AbstractEventLoop, future: "asyncio.Future[Any]", value: Any, problem: BaseException | None
) -> None:
    def settle() -> None:
        if future.done():
            return
        if problem is None:
            future.set_result(value)
        else:
            future.set_exception(problem)

    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:
        return  # the loop is closed: nobody waits any more
