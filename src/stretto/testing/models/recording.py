"""Keeps what a scripted model is asked, from the thread that serves for the threads that look."""

import threading
import time
from collections import Counter
from collections.abc import Callable

from stretto.core.domain import Usage
from stretto.testing.models import wire
from stretto.testing.models.http import Incoming
from stretto.testing.models.requests import End, Request

SECONDS = 10.0
_SECRET = frozenset({"authorization", "api-key", "x-api-key", "cookie"})


class Record:
    """Every request, and how it ended. `tell` hears of each that has ended, in the thread that serves."""

    def __init__(self, tell: Callable[[Request], None] | None) -> None:
        self._tell = tell
        self._requests: list[Request] = []
        self._changed = threading.Condition()
        self._active = self._most_active = 0

    @property
    def requests(self) -> list[Request]:
        """Every request so far, in the order in which they came."""
        return list(self._requests)

    @property
    def unmatched(self) -> list[Request]:
        """The requests that nothing in the script answers, or that were refused, or whose function failed."""
        return [one for one in self._requests if one.problem]

    @property
    def counts(self) -> Counter[str]:
        """How many requests each rule answered, by its name; `default` is what no rule did."""
        return Counter(one.rule for one in self._requests if one.rule)

    @property
    def usage(self) -> Usage:
        """The tokens that were read and sent, over all requests; whatever was reported."""
        requests = self.requests
        return Usage(input=sum(one.input for one in requests), output=sum(one.output for one in requests))

    @property
    def max_parallel(self) -> int:
        """The most requests that were under way at once."""
        return self._most_active

    def asked(self, pattern: str = "") -> list[Request]:
        """Give the requests in whose conversation a pattern is found."""
        return [one for one in self.requests if one.messages and one.holds(pattern)]

    def wait(
        self, pattern: str = "", *, times: int = 1, ended: bool = False, timeout: float = SECONDS
    ) -> list[Request]:
        """Give the requests that `asked` gives once so many have come, or have ended; raises TimeoutError."""

        def found() -> list[Request]:
            return [one for one in self.asked(pattern) if one.end or not ended]

        with self._changed:
            if not self._changed.wait_for(lambda: len(found()) >= times, timeout):
                seen = "\n".join(map(str, self._requests)) or "none"
                raise TimeoutError(f"{len(found())} of {times} requests in {timeout:g} s; there were:\n{seen}")
        return found()

    def begin(self, incoming: Incoming) -> Request:
        """Note a request that has come."""
        headers = {name: "(hidden)" if name in _SECRET else value for name, value in incoming.headers.items()}
        with self._changed:
            request = Request(
                number=len(self._requests) + 1,
                at=time.time(),
                began=time.monotonic(),
                method=incoming.method,
                path=incoming.path,
                headers=headers,
                body=wire.body_of(incoming.body),
            )
            self._requests.append(request)
            self._active += 1
            self._most_active = max(self._most_active, self._active)
            self._changed.notify_all()
        return request

    def settle(self, request: Request, end: End) -> None:
        """Note how a request ended, before its client can know; only the first time counts."""
        with self._changed:
            if request.end:
                return
            request.end, request.seconds = end, time.monotonic() - request.began
            self._active -= 1
            self._changed.notify_all()
        if self._tell is not None:
            self._tell(request)
