"""How a program that drives runs ends: by itself, by Ctrl-C, or by a termination."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable
from typing import NoReturn, TypeVar

T = TypeVar("T")

PATIENCE = 2.0
"""Seconds that agents have to end when the program does."""


def until_interrupted(work: "Awaitable[T]") -> "T | None":
    """Give the result, or None when Ctrl-C or a termination comes first; the store stays as committed."""

    async def waited() -> T:
        return await work

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    task = loop.create_task(waited())
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with contextlib.suppress(NotImplementedError, RuntimeError):
            loop.add_signal_handler(name, task.cancel)
    try:
        return loop.run_until_complete(task)
    except asyncio.CancelledError:
        return None
    finally:
        _wind_up(loop)


def end(code: int) -> NoReturn:
    """End the program now, whatever threads and tasks of agents are still at work."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _wind_up(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what is still under way; an agent that does not heed that is left behind."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left, timeout=PATIENCE))
    loop.run_until_complete(loop.shutdown_asyncgens())
    if not asyncio.all_tasks(loop):
        asyncio.set_event_loop(None)
        loop.close()
