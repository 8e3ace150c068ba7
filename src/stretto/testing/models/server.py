"""`ModelServer`: a model that says what a script wants, over real HTTP on the loopback. See docs/testing.md."""

import asyncio
import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Self

from stretto.core.domain import Usage
from stretto.core.errors import UsageError
from stretto.testing.models import delivery, wire
from stretto.testing.models.http import LARGEST_HEAD, BadHttp, Incoming, Link
from stretto.testing.models.playing import Player, Turn, Unscripted
from stretto.testing.models.reading import Source, script_of
from stretto.testing.models.requests import End, Request
from stretto.testing.models.script import Fault, SlowHeaders, Stall
from stretto.testing.models.speech import Speech, counted, speech
from stretto.testing.models.tokens import count_prompt

HOST = "127.0.0.1"
KEY = "sk-scripted"
USUAL = "scripted"
"""The model that is listed where a script names none."""
SECONDS = 10.0
_SECRET = frozenset({"authorization", "api-key", "x-api-key", "cookie"})


class ModelServer:
    """A scripted model with the OpenAI chat interface, in a thread of its own, while it is entered.

    `script` is a Script, a list of rules, or the path of a file; raises BadScript. Requests must carry `key`, unless it
    is None; with `port` 0 a free one is taken. Functions in the script are called in the server's thread, one at a
    time: what they wait for holds up everybody. `tell` hears of every request that has ended, there as well.
    """

    def __init__(
        self, script: Source, *, key: str | None = KEY, port: int = 0, tell: Callable[[Request], None] | None = None
    ) -> None:
        self.script = script_of(script)
        self.key = key or ""
        self._port = port
        self._tell = tell
        self._player = Player(self.script)
        self._requests: list[Request] = []
        self._changed = threading.Condition()
        self._active = self._most_active = 0
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._tasks: dict[asyncio.Task[None], Link] = {}

    @property
    def url(self) -> str:
        """The base address, as clients of OpenAI take it."""
        if self._thread is None:
            raise UsageError("the server is not running; enter it: `with ModelServer(script) as server:`")
        return f"http://{HOST}:{self._port}/v1"

    @property
    def requests(self) -> list[Request]:
        """Every request so far, in the order in which they came."""
        return list(self._requests)

    @property
    def unmatched(self) -> list[Request]:
        """The requests that nothing in the script answers, or whose function failed."""
        return [one for one in self._requests if one.problem and not one.rule]

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
        return [one for one in self._requests if one.messages and one.holds(pattern)]

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

    def start(self) -> None:
        """Begin to serve; raises UsageError where the port is taken."""
        started: Future[int] = Future()
        self._thread = threading.Thread(target=self._run, args=(started,), name="stretto-model-server", daemon=True)
        self._thread.start()
        try:
            self._port = started.result(SECONDS)
        except OSError as error:
            self._thread.join(SECONDS)
            self._thread = None
            raise UsageError(f"port {self._port}: {error.strerror or error}; name another, or 0 for any") from None

    def close(self) -> None:
        """End at once, whatever is under way."""
        thread, self._thread = self._thread, None
        if thread is not None and self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                self._loop.call_soon_threadsafe(self._stop.set)
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
        except OSError as error:
            started.set_exception(error)

    async def _serve(self, started: "Future[int]") -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        server = await self._loop.create_server(lambda: _Connection(self._connected), HOST, self._port, backlog=1024)
        started.set_result(server.sockets[0].getsockname()[1])
        try:
            await self._stop.wait()
        finally:
            server.close()
            for task, link in self._tasks.items():
                link.abort()
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _connected(self, link: Link) -> asyncio.Task[None]:
        task = asyncio.ensure_future(self._converse(link))
        self._tasks[task] = link
        task.add_done_callback(self._tasks.pop)
        return task

    async def _converse(self, link: Link) -> None:
        """Answer the requests of one connection, one after the other."""
        try:
            while (incoming := await link.read()) is not None:
                if not await self._handle(incoming, link) or incoming.closes:
                    break
        except BadHttp as error:
            link.write(delivery.whole(wire.error(400, str(error))))
            with contextlib.suppress(ConnectionError):
                await link.flush()
        except ConnectionError:
            pass
        finally:
            link.close()

    async def _handle(self, incoming: Incoming, link: Link) -> bool:
        """Answer a request; whether the connection may go on."""
        request = self._noted(incoming)
        try:
            response = await self._respond(incoming, request, link)
            if response is None:
                return request.end == "whole"
            request.status = response.status
            self._settle(request, "whole")
            link.write(delivery.whole(response))
            await link.flush()
            return True
        finally:
            self._settle(request, "cut" if self._stop.is_set() else "left")

    def _noted(self, incoming: Incoming) -> Request:
        headers = {name: "(hidden)" if name in _SECRET else value for name, value in incoming.headers.items()}
        with self._changed:
            number = len(self._requests) + 1
            request = Request(
                number=number,
                at=time.time(),
                began=time.monotonic(),
                method=incoming.method,
                path=incoming.path,
                headers=headers,
            )
            request.body = wire.body_of(incoming.body)
            self._requests.append(request)
            self._active += 1
            self._most_active = max(self._most_active, self._active)
            self._changed.notify_all()
        return request

    def _settle(self, request: Request, end: End) -> None:
        """Write down how a request ended; only the first time counts. Told before the client can know."""
        with self._changed:
            if request.end:
                return
            request.end, request.seconds = end, time.monotonic() - request.began
            self._active -= 1
            self._changed.notify_all()
        if self._tell is not None:
            self._tell(request)

    async def _respond(self, incoming: Incoming, request: Request, link: Link) -> wire.Response | None:
        """Give the response, or None where an answer was sent."""
        try:
            if self.key and incoming.headers.get("authorization") != f"Bearer {self.key}":
                raise wire.BadRequest("Incorrect API key provided.", status=401, code="invalid_api_key")
            if incoming.path != "/v1/chat/completions":
                return self._other(incoming)
            if incoming.method != "POST":
                raise wire.BadRequest(f"{incoming.path} takes POST", status=405)
            wire.check_chat(request.body)
            return await self._chat(request, link)
        except wire.BadRequest as error:
            request.problem = str(error)
            return error.response
        except Unscripted as error:
            request.problem = str(error)
            return wire.error(400, str(error), code="unscripted")

    def _other(self, incoming: Incoming) -> wire.Response:
        models = self.script.models or (USUAL,)
        name = incoming.path.removeprefix("/v1/models").removeprefix("/")
        if not incoming.path.startswith("/v1/models"):
            told = f"unknown path {incoming.path}; there are /v1/chat/completions and /v1/models"
            raise wire.BadRequest(told, status=404)
        if incoming.method != "GET":
            raise wire.BadRequest(f"{incoming.path} takes GET", status=405)
        if not name:
            return wire.listing(models)
        self._check_model(name)
        return wire.one_model(name)

    def _check_model(self, name: str) -> None:
        if self.script.models and name not in self.script.models:
            raise wire.BadRequest(f"The model `{name}` does not exist.", status=404, code="model_not_found")

    async def _chat(self, request: Request, link: Link) -> wire.Response | None:
        self._check_model(request.model)
        read, most = count_prompt(request.body), wire.most_tokens(request.body)
        if self.script.window is not None and read + (most or 1) > self.script.window:
            wanted = f"{read} in the messages, {most or 1} in the completion"
            return wire.too_long(f"This model's maximum context length is {self.script.window} tokens: {wanted}.")
        turn = self._player.take(request)
        request.rule, request.fault = turn.rule, turn.fault.kind if turn.fault else ""
        if (response := delivery.instead(turn.fault, streams=request.streams, at=request.at)) is not None:
            return response
        said = speech(turn.answer, turn.fault, f"call_{request.number}_", most)
        await self._deliver(request, turn, said, read, link)
        return None

    async def _deliver(self, request: Request, turn: Turn, said: Speech, read: int, link: Link) -> None:
        """Send an answer part by part, each when it is due, with what goes wrong on the way."""
        tokens, fault = said.tokens, turn.fault
        strike = delivery.strike(fault, tokens)
        began = request.began
        for number, part in enumerate(delivery.parts(request, said, counted(read, tokens, turn.usage), turn.pace)):
            if number == strike:
                await link.flush()
                if not isinstance(fault, Stall):
                    await self._break_off(request, fault, link)
                    return
                began += await _stalled(fault)
            if (pause := began + part.due - time.monotonic()) > 0:
                await link.flush()
                await asyncio.sleep(pause)
            if number == 0:
                request.status, request.input = 200, read
            if number == tokens + 1:
                self._settle(request, "whole")
            request.output += part.tokens
            if number == 0 and isinstance(fault, SlowHeaders):
                await link.drip(part.data, fault.seconds)
            else:
                link.write(part.data)
            if link.is_full:
                await link.flush()
        await link.flush()

    async def _break_off(self, request: Request, fault: Fault | None, link: Link) -> None:
        """End an answer in its middle; the connection is closed after it."""
        self._settle(request, "cut")
        link.write(delivery.broken(fault))
        await link.flush()


async def _stalled(fault: Stall) -> float:
    """Say nothing for a while, or until somebody leaves; give the seconds."""
    if fault.seconds is None:
        await asyncio.Event().wait()
    await asyncio.sleep(fault.seconds or 0.0)
    return fault.seconds or 0.0


class _Connection(asyncio.StreamReaderProtocol):
    """A connection whose task ends as soon as the client leaves, also while nothing is sent."""

    def __init__(self, connected: "Callable[[Link], asyncio.Task[None]]") -> None:
        self._task_of = connected
        self._answering: asyncio.Task[None] | None = None
        super().__init__(asyncio.StreamReader(limit=LARGEST_HEAD), self._begin)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._answering = self._task_of(Link(reader, writer))

    def eof_received(self) -> bool:
        super().eof_received()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._answering is not None:
            self._answering.cancel()
