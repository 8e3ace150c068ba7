"""Blocking calls run in threads that nobody has to wait for: one that hangs keeps neither loop nor exit."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """Give what the work returns. When cancelled, the thread goes on alone and is not heard any more."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def settle(value: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(value)  # type: ignore[arg-type]
        else:
            future.set_exception(error)

    def run() -> None:
        value, problem = None, None
        try:
            value = context.run(work)
        except BaseException as error:
            plain = isinstance(error, Exception) and not isinstance(error, StopIteration)  # a future takes no such
            problem = error if plain else RuntimeError(f"{type(error).__name__}: {error}")
        try:
            loop.call_soon_threadsafe(settle, value, problem)
        except RuntimeError:
            return  # the loop has ended

    threading.Thread(target=run, name="stretto-work", daemon=True).start()
    return await future
