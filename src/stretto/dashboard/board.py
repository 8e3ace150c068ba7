"""The lists of runs that open pages show, looked up for all of them together: one look a second, whoever watches."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from stretto.core.errors import StrettoError
from stretto.dashboard.actions import COUNTS, RUNS
from stretto.dashboard.visitor import Visitor
from stretto.desk import Page
from stretto.ports import RunQuery

EVERY = 1.0
"""Seconds between two looks."""

SHARE = 0.15
"""The greatest share of one core that the pictures of all open pages may take together."""

ASKING: Final = RunQuery(asking=True, teams=False, limit=1000)
"""The runs in which something waits for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a look found: a page of runs, and how many there are by status."""

    page: Page
    counts: Mapping[str, int]

    @property
    def asks(self) -> int:
        """How much waits for people in the runs of this page."""
        return sum(one.asks or 0 for one in self.page.runs)


class Watched:
    """One query that some pages watch, with what the last look found."""

    def __init__(self, query: RunQuery) -> None:
        self.query = query
        self.visitors: list[Visitor] = []
        self.sight: Sight | None = None
        self._moved = asyncio.Event()

    async def look(self, visitor: Visitor) -> Sight:
        """Look now, as this visitor, and tell all who wait where something has changed."""
        sight = Sight(page=await visitor.do(RUNS, self.query), counts=await visitor.do(COUNTS, self.query))
        if sight != self.sight:
            self.sight = sight
            self._moved.set()
            self._moved = asyncio.Event()
        return sight

    async def after(self, seen: Sight | None) -> Sight:
        """Give what there is to see once it is something else than was seen."""
        while self.sight is None or self.sight == seen:
            await self._moved.wait()
        return self.sight


class Brush:
    """Lets pages draw one after another, so that however many are open, runs have the rest of the server's time."""

    def __init__(self) -> None:
        self._free = asyncio.Lock()

    async def draw(self, work: Callable[[], None]) -> None:
        """Do this when it is this page's turn; a costly picture makes the next one wait longer."""
        async with self._free:
            begun = time.perf_counter()
            work()
            await asyncio.sleep((time.perf_counter() - begun) * (1 / SHARE - 1))


class Board:
    """What open pages share: the queries that they watch, looked up in turn, and the brush.

    So the work of the store and of the server does not grow with the pages.
    """

    def __init__(self) -> None:
        self.brush = Brush()
        self._watched: dict[RunQuery, Watched] = {}
        self._turns: deque[RunQuery] = deque()
        self._looking: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def watching(self, visitor: Visitor, query: RunQuery) -> AsyncIterator[Watched]:
        """Watch a query while this is open; the first look is made at once. Raises what the desk raises."""
        one = self._watched.get(query)
        if one is None:
            one = self._watched[query] = Watched(query)
            self._turns.append(query)
        one.visitors.append(visitor)
        try:
            await one.look(visitor)
            if self._looking is None:
                self._looking = asyncio.create_task(self._look(), name="stretto-board")
            yield one
        finally:
            one.visitors.remove(visitor)
            if not one.visitors and self._watched.get(query) is one:
                del self._watched[query]
                self._turns.remove(query)

    async def _look(self) -> None:
        while self._turns:
            await asyncio.sleep(EVERY)
            if not self._turns:
                break
            one = self._watched[self._turns[0]]
            self._turns.rotate(-1)
            for visitor in list(one.visitors):
                try:
                    await one.look(visitor)
                except StrettoError:
                    continue  # this visitor may look no more; another of them may
                break
        self._looking = None
