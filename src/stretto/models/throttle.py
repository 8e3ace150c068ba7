"""How much is asked of one model at once and in a minute, by all that this process does."""

import asyncio
import time
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from stretto.core.domain import Rate, Start, Usage
from stretto.core.rates import Window, counted, free_at, settled


class Throttle:
    """Lets calls of a model through as its concurrency and rate allow, in the order they come.

    Tokens count as estimated while a call is under way, and as used afterwards.
    """

    def __init__(self, concurrency: int | None, rate: Rate) -> None:
        self._concurrency, self._rate = concurrency, rate
        self._window, self._number = Window(), 0
        self._places: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[asyncio.Semaphore, asyncio.Lock]]
        self._places = weakref.WeakKeyDictionary()

    @asynccontextmanager
    async def pass_through(self, tokens: int) -> AsyncIterator["Passage"]:
        """Wait until one more call of so many tokens may begin, and hold its place while it is under way."""
        if self._concurrency is None and not self._rate:
            yield Passage(None, "")
            return
        places, turn = self._of_this_loop()
        async with places:
            name = await self._begin(tokens, turn) if self._rate else ""
            yield Passage(self, name)

    def settle(self, name: str, usage: Usage) -> None:
        """Take in what a call has used."""
        if name:
            self._window = settled(self._window, name, usage.tokens)

    async def _begin(self, tokens: int, turn: asyncio.Lock) -> str:
        async with turn:  # whoever waits for the rate waits in line
            now = time.monotonic()
            begin = free_at(self._window, self._rate, now, tokens)
            await asyncio.sleep(begin - now)
            self._number += 1
            self._window = counted(self._window, Start(at=max(begin, now), tokens=tokens, attempt=str(self._number)))
            return str(self._number)

    def _of_this_loop(self) -> tuple[asyncio.Semaphore, asyncio.Lock]:
        loop = asyncio.get_running_loop()
        if loop not in self._places:
            self._places[loop] = asyncio.Semaphore(self._concurrency or 1_000_000), asyncio.Lock()
        return self._places[loop]


class Passage:
    """A call that was let through."""

    __slots__ = ("_name", "_throttle")

    def __init__(self, throttle: Throttle | None, name: str) -> None:
        self._throttle, self._name = throttle, name

    def used(self, usage: Usage) -> None:
        """Say what it used."""
        if self._throttle is not None:
            self._throttle.settle(self._name, usage)
