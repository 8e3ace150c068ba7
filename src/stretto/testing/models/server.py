"""`ModelServer`: a model that says what a script wants, over real HTTP on the loopback. See docs/testing.md."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Self

from stretto.core.errors import UsageError
from stretto.testing.models.answering import Answerer
from stretto.testing.models.http import Connection, Link
from stretto.testing.models.reading import Source, script_of
from stretto.testing.models.recording import SECONDS, Record
from stretto.testing.models.requests import Request

HOST = "127.0.0.1"
KEY = "sk-scripted"


class ModelServer(Record):
    """A scripted model with the OpenAI chat interface, in a thread of its own, while it is entered.

    `script` is a Script, a list of rules, or the path of a file; raises BadScript. Requests must carry `key`, unless it
    is None; with `port` 0 a free one is taken, and kept when it is started again. Functions in the script are called in
    the server's thread, one at a time: what they wait for holds up everybody. `tell` hears of every request that has
    ended, there as well.
    """

    def __init__(
        self, script: Source, *, key: str | None = KEY, port: int = 0, tell: Callable[[Request], None] | None = None
    ) -> None:
        super().__init__(tell)
        self.script = script_of(script)
        self.key = key or ""
        self._port = port
        self._answerer = Answerer(self.script, self.key, self)
        self._thread: threading.Thread | None = None
        self._stop: Callable[[], object] = lambda: None
        self._tasks: dict[asyncio.Task[None], Link] = {}

    @property
    def url(self) -> str:
        """The base address, as clients of OpenAI take it."""
        if self._thread is None:
            raise UsageError("the server is not running; enter it: `with ModelServer(script) as server:`")
        return f"http://{HOST}:{self._port}/v1"

    def start(self) -> None:
        """Begin to serve; raises UsageError where the port is taken."""
        if self._thread is not None:
            raise UsageError("the server is running already; enter it once")
        started: Future[int] = Future()
        self._thread = threading.Thread(target=self._run, args=(started,), name="stretto-model-server", daemon=True)
        self._thread.start()
        try:
            self._port = started.result(SECONDS)
        except (OSError, OverflowError) as error:
            self._thread.join(SECONDS)
            self._thread = None
            why = getattr(error, "strerror", None) or str(error)
            raise UsageError(f"port {self._port}: {why}; name another, or 0 for any") from None

    def close(self) -> None:
        """End at once, whatever is under way."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stop()
            thread.join(SECONDS)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)

    def _run(self, started: "Future[int]") -> None:
        try:
            asyncio.run(self._serve(started))
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    async def _serve(self, started: "Future[int]") -> None:
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        server = await loop.create_server(lambda: Connection(self._connected), HOST, self._port, backlog=1024)
        self._answerer.closing = False

        def stop() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                loop.call_soon_threadsafe(over.set)

        self._stop = stop
        started.set_result(server.sockets[0].getsockname()[1])
        try:
            await over.wait()
        finally:
            self._answerer.closing = True
            server.close()
            for task, link in self._tasks.items():
                link.abort()
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _connected(self, link: Link) -> "asyncio.Task[None]":
        task = asyncio.ensure_future(self._answerer.converse(link))
        self._tasks[task] = link
        task.add_done_callback(self._tasks.pop)
        return task
