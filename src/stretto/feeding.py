"""Things that come one by one from somewhere that may block, for a loop that must not."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

T = TypeVar("T")

AHEAD = 64
"""How many items are read before somebody takes them."""


async def fed(items: Iterable[T]) -> AsyncIterator[T]:
    """Give items as they come; a thread that nobody has to wait for reads them. What reading raises is raised here."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[tuple[str, T | BaseException | None]] = asyncio.Queue()
    room, gone = threading.Semaphore(AHEAD), threading.Event()

    def hand(what: str, item: T | BaseException | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(queue.put_nowait, (what, item))

    def read() -> None:
        try:
            for item in items:
                room.acquire()
                if gone.is_set():
                    return
                hand("item", item)
        except BaseException as error:
            hand("error", error)
        else:
            hand("end", None)

    threading.Thread(target=read, name="stretto-feed", daemon=True).start()
    try:
        while True:
            what, item = await queue.get()
            if what == "end":
                return
            if what == "error" and isinstance(item, BaseException):
                raise item
            room.release()
            yield item  # type: ignore[misc]
    finally:
        gone.set()
        room.release()
