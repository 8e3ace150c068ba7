"""The time of the machine."""

import asyncio
import time

LONGEST_NAP = 60.0


class SystemClock:
    """See `stretto.ports.Clock`. Wakes now and then, so that a changed wall clock or a sleep is noticed."""

    def now(self) -> float:
        return time.time()

    async def until(self, moment: float) -> None:
        while (left := moment - time.time()) > 0:  # noqa: ASYNC110  (time is nothing that could set an event)
            await asyncio.sleep(min(left, LONGEST_NAP))
