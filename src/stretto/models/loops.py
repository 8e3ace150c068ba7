"""Things that belong to an event loop: opened once in each, closed with it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")


class PerLoop(Generic[T]):
    """Opens something when it is first asked for in a loop, and closes it when that loop shuts down.

    Connections belong to the loop that opened them. A loop that ends as `asyncio.run` ends it closes its asynchronous
    generators, and what is open here is held by one. `opening` gives the thing and what it has to be held in, which
    must not be such a generator itself: those are closed in no order.
    """

    def __init__(self, opening: Callable[[], Awaitable[tuple[T, AbstractAsyncContextManager[Any]]]]) -> None:
        self._opening = opening
        self._open: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[T, AsyncGenerator[None, None]]]
        self._open = WeakKeyDictionary()
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    async def get(self) -> T:
        """Give what is open in the running loop."""
        loop = asyncio.get_running_loop()
        async with self._locks.setdefault(loop, asyncio.Lock()):
            if loop not in self._open:
                thing, held_in = await self._opening()
                holder = _hold(held_in)
                await anext(holder)
                _HOLDERS.setdefault(loop, set()).add(holder)
                self._open[loop] = thing, holder
            return self._open[loop][0]

    async def close(self) -> None:
        """Close what is open in the running loop; it is opened again when it is asked for."""
        loop = asyncio.get_running_loop()
        if loop in self._open:
            _, holder = self._open.pop(loop)
            _HOLDERS[loop].discard(holder)
            await holder.aclose()


async def _hold(thing: AbstractAsyncContextManager[Any]) -> AsyncGenerator[None, None]:
    async with thing:
        yield


_HOLDERS: WeakKeyDictionary[asyncio.AbstractEventLoop, set[AsyncGenerator[None, None]]] = WeakKeyDictionary()
"""What is open in each loop: held here also when nobody else holds it any more, for only the loop can close it."""
