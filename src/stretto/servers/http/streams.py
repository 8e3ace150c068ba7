"""Server-sent events: what happens in a run, told to any number of listeners, each from where it says.

A listener pulls from the one copy of the run at its own pace, so that a slow one costs nobody but itself. Source of the
form on the wire: the HTML standard, 9.2, server-sent events.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Final
from weakref import WeakKeyDictionary

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from stretto.access.roles import Credential, Principal
from stretto.chronicle import chronicle
from stretto.core.errors import Unauthenticated, UsageError
from stretto.desk import Desk, Followed
from stretto.servers.http.problems import Problem
from stretto.servers.http.rendering import encoded

HEARTBEAT = 15.0
"""Seconds of silence after which a listener gets a comment, so that nothing between takes the line for dead."""
RETRY = 1000
"""Milliseconds after which a browser whose stream broke off asks again."""
PACE, SLOWEST_PACE = 0.2, 1.0
"""Seconds between two batches of what is new, with few listeners and with many: a write costs more than its content."""
WRITES = 400
"""Batches a second that all listeners together get, before the pace slows down for all of them."""
BATCH = 500
"""Events that a listener gets in one go."""
STALLED = 60.0
"""Seconds that a listener may take for one batch before it is left."""
CHECKED = 5.0
"""Seconds after which it is looked again whether a listener may still listen."""
MOST_STREAMS = 2000
MOST_OF_ONE = 500

_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class Streams:
    """All open streams of a server: bounded, each event rendered once for all of them, and ended together."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self._pumps: set[asyncio.Task[None]] = set()
        self._rendered: WeakKeyDictionary[Followed, list[bytes | None]] = WeakKeyDictionary()
        self._closed = False

    def close(self) -> None:
        """End all streams; whoever listens may ask again, from where it was."""
        self._closed = True
        for pump in self._pumps:
            pump.cancel()

    @contextlib.contextmanager
    def admitted(self, who: Principal) -> Iterator[None]:
        """Count a stream as open for a while; raises Problem where there are too many."""
        key = who.key or who.name
        if self._closed:
            raise Problem(status=503, code="closing", message="the server is ending", headers={"Retry-After": "1"})
        if self._open[key] >= MOST_OF_ONE or self._open.total() >= MOST_STREAMS:
            whose = "you have" if self._open[key] >= MOST_OF_ONE else "the server has"
            raise Problem(
                status=429,
                code="too_many_streams",
                message=f"{whose} as many event streams open as there may be",
                mend="close one, or share one among those who listen",
                headers={"Retry-After": "5"},
            )
        self._open[key] += 1
        try:
            yield
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]

    @property
    def pace(self) -> float:
        """Seconds between two batches for a listener; the first news after a silence is told at once."""
        return min(SLOWEST_PACE, max(PACE, self._open.total() / WRITES))

    async def pump(self, work: "asyncio.Task[None]") -> None:
        """Wait for a stream to be written, or for the server to end."""
        self._pumps.add(work)
        try:
            await asyncio.wait([work])
        finally:
            self._pumps.discard(work)

    def frames(self, followed: Followed, after: int, upto: int) -> bytes:
        """Give the events after a number, up to another, as they go over the wire."""
        rendered = self._rendered.setdefault(followed, [])
        rendered += [None] * (upto - len(rendered))
        missing = [place for place in range(after, upto) if rendered[place] is None]
        told = chronicle([followed.recorded[place] for place in missing])
        for place, one in zip(missing, told, strict=True):
            rendered[place] = b"id: %d\ndata: %b\n\n" % (one["seq"], encoded(one))
        return b"".join(frame for frame in rendered[after:upto] if frame is not None)


class EventStream(Response):
    """What happens in a run after an event, as it happens, until the run has ended."""

    def __init__(self, desk: Desk, credential: Credential, run: str, after: int, streams: Streams) -> None:
        super().__init__()
        self._desk, self._credential, self._run = desk, credential, run
        self._after, self._streams = after, streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        who = self._credential.principal()
        with self._streams.admitted(who):
            async with self._desk.watching(who, self._run) as followed:
                if self._after > followed.seq:
                    raise UsageError(f"run {self._run} has {followed.seq} events, and none after {self._after} yet")
                await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
                work = asyncio.create_task(self._write(followed, send))
                gone = asyncio.create_task(_until_gone(receive, work))
                try:
                    await self._streams.pump(work)
                finally:
                    for task in (work, gone):
                        task.cancel()
                    await asyncio.gather(work, gone, return_exceptions=True)
                with contextlib.suppress(OSError, TimeoutError):
                    async with asyncio.timeout(1):
                        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _write(self, followed: Followed, send: Send) -> None:
        loop = asyncio.get_running_loop()
        after, checked = self._after, loop.time()
        await _sent(send, b"retry: %d\n\n" % RETRY)
        while not (followed.state.status.final and after >= followed.seq):
            chunk = b": still here\n\n"
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT):
                    await followed.after(after)
                upto = min(followed.seq, after + BATCH)
                chunk, after = self._streams.frames(followed, after, upto), upto
            if loop.time() - checked >= CHECKED:
                checked = loop.time()
                try:
                    self._credential.principal()
                except Unauthenticated:
                    return
            await _sent(send, chunk)
            if after >= followed.seq and not followed.state.status.final:
                await asyncio.sleep(self._streams.pace)  # what comes meanwhile goes together
        status = encoded({"status": followed.state.standing.value})
        await _sent(send, b"event: end\ndata: %b\n\n" % status)


async def _sent(send: Send, chunk: bytes) -> None:
    async with asyncio.timeout(STALLED):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _until_gone(receive: Receive, work: "asyncio.Task[None]") -> None:
    """End the work when its listener goes away."""
    while (await receive())["type"] != "http.disconnect":
        pass
    work.cancel()
