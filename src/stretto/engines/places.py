"""Places for calls under way at once, shared by runs: a free one goes to the run that has the fewest.

This is max-min fairness over equal claims, without taking away what was given: a run with much to do gets what the
others leave, and one that comes late gets the next place that frees.
"""

import asyncio
from collections import OrderedDict
from types import TracebackType

from stretto.core.errors import UsageError


class Places:
    """So many calls at once over all runs; each run asks through a `Turns` of its own.

    Handing out a place costs a look at every run that waits. Raises UsageError for less than one place.
    """

    def __init__(self, number: int) -> None:
        if number < 1:
            raise UsageError(f"{number} places let nothing run; give at least 1")
        self._free = number
        self._served = 0
        self._asking: dict[Turns, None] = {}

    def turns(self) -> "Turns":
        """Give a run what it asks for places with."""
        return Turns(self)

    async def take(self, turns: "Turns") -> None:
        """Wait for a place; when cancelled, the place or the turn goes to the next."""
        if self._free:  # then nobody waits
            self._free -= 1
            self._count(turns)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        turns.waiting[turn] = None
        self._asking[turns] = None
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._forget(turns, turn)
            else:
                self.give_back(turns)
            raise

    def give_back(self, turns: "Turns") -> None:
        """Free a place, and hand it out at once if anybody waits."""
        turns.under_way -= 1
        while self._asking:
            chosen = min(self._asking, key=lambda one: (one.under_way, one.served))
            turn, _ = chosen.waiting.popitem(last=False)
            if not chosen.waiting:
                del self._asking[chosen]
            if not turn.done():  # else it was cancelled, and has not heard of it yet
                self._count(chosen)
                turn.set_result(None)
                return
        self._free += 1

    def _count(self, turns: "Turns") -> None:
        self._served += 1
        turns.served = self._served
        turns.under_way += 1

    def _forget(self, turns: "Turns", turn: "asyncio.Future[None]") -> None:
        turns.waiting.pop(turn, None)
        if not turns.waiting:
            self._asking.pop(turns, None)


class Turns:
    """One run's way to places: `async with` it around each call, as often at once as one likes."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self.under_way = 0
        self.served = 0  # the number of the last place it got, counted over all runs
        self.waiting: OrderedDict[asyncio.Future[None], None] = OrderedDict()

    async def __aenter__(self) -> None:
        await self._places.take(self)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._places.give_back(self)
