"""What several open pages look at, looked up for all of them together: one look every while, whoever watches."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from stretto.core.errors import StrettoError
from stretto.dashboard.visitor import Visitor

T = TypeVar("T")


class Shared(Generic[T]):
    """Something to look at, as it was at the last look; nobody looks while no page is open."""

    def __init__(self, look: Callable[[Visitor], Awaitable[T]], *, every: float) -> None:
        self._look, self._every = look, every
        self._visitors: list[Visitor] = []
        self._seen: T | None = None
        self._moved = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def watching(self, visitor: Visitor) -> AsyncIterator["Shared[T]"]:
        """Watch while this is open; the first look is made at once. Raises what the desk raises."""
        self._visitors.append(visitor)
        try:
            await self.again(visitor)
            if self._looking is None:
                self._looking = asyncio.create_task(self._go_on(), name="stretto-shared")
            yield self
        finally:
            self._visitors.remove(visitor)

    async def again(self, visitor: Visitor) -> T:
        """Look now, as this visitor, and tell all who wait where something has changed."""
        seen = await self._look(visitor)
        if seen != self._seen:
            self._seen = seen
            self._moved.set()
            self._moved = asyncio.Event()
        return seen

    async def after(self, seen: T | None) -> T:
        """Give what there is to see once it is something else than was seen."""
        while self._seen is None or self._seen == seen:
            await self._moved.wait()
        return self._seen

    async def _go_on(self) -> None:
        while self._visitors:
            await asyncio.sleep(self._every)
            for visitor in list(self._visitors):
                try:
                    await self.again(visitor)
                except StrettoError:
                    continue  # this visitor may look no more; another of them may
                break
        self._looking = None
