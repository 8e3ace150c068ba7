"""As much HTTP/1.1 as clients of models speak, over asyncio's streams; bytes out are in the hands of the caller."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from http.client import responses

LARGEST_HEAD = 64 * 1024
LARGEST_BODY = 64 * 1024 * 1024
HELD = 32 * 1024
"""Bytes that are put together before they are sent."""


class BadHttp(Exception):
    """What came is no request that can be read; the connection is of no further use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A request as it came; the names of headers are in small letters."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def closes(self) -> bool:
        """Whether the client wants the connection closed after it."""
        return self.headers.get("connection", "").lower() == "close"


class Link:
    """One connection: requests in, bytes out. Raises ConnectionError where the client is gone."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._held = bytearray()

    async def read(self) -> Incoming | None:
        """Give the next request, or None where the client has no more; raises BadHttp."""
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            if error.partial.strip():
                raise BadHttp("the request breaks off in its head") from None
            return None
        except asyncio.LimitOverrunError:
            raise BadHttp(f"the head of the request is longer than {LARGEST_HEAD} bytes") from None
        first, *lines = head.decode("latin-1").strip("\r\n").split("\r\n")
        words = first.split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            raise BadHttp("the first line is no request of HTTP/1.1")
        headers = {}
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon or name != name.strip():
                raise BadHttp("a header has no name")
            headers[name.lower()] = value.strip()
        if headers.get("expect", "").lower() == "100-continue":
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await self.flush()
        try:
            body = await self._body(headers)
        except asyncio.IncompleteReadError:
            raise BadHttp("the request breaks off in its body") from None
        return Incoming(method=words[0], path=words[1].partition("?")[0], headers=headers, body=body)

    async def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return await self._chunks()
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > LARGEST_BODY:
            raise BadHttp(f"content-length is no number up to {LARGEST_BODY}")
        return await self._reader.readexactly(int(length))

    async def _chunks(self) -> bytes:
        body = bytearray()
        while True:
            line = (await self._reader.readuntil(b"\r\n")).partition(b";")[0].strip()
            try:
                size = int(line, 16)
            except ValueError:
                raise BadHttp("a chunk of the body has no size") from None
            if not 0 <= size <= LARGEST_BODY - len(body):
                raise BadHttp(f"the body is longer than {LARGEST_BODY} bytes")
            chunk = await self._reader.readexactly(size + 2)
            if size == 0:
                return bytes(body)
            body += chunk[:-2]

    def write(self, data: bytes) -> None:
        """Take bytes; they are sent by `flush`, or once they are many."""
        self._held += data

    async def flush(self) -> None:
        """Send what is held, and wait until the client has room for more."""
        if self._held:
            data, self._held = bytes(self._held), bytearray()
            self._writer.write(data)
        await self._writer.drain()

    @property
    def is_full(self) -> bool:
        """Whether enough is held that it had better be sent."""
        return len(self._held) > HELD

    async def drip(self, data: bytes, seconds: float) -> None:
        """Send bytes one by one, over so many seconds."""
        await self.flush()
        clock = asyncio.get_running_loop().time
        began = clock()
        for number, byte in enumerate(data, 1):
            self._writer.write(bytes([byte]))
            await asyncio.sleep(max(0.0, began + seconds * number / len(data) - clock()))

    def close(self) -> None:
        """Close it once everything is sent."""
        self._writer.close()

    def abort(self) -> None:
        """Close it at once."""
        self._writer.transport.abort()


def head(status: int, headers: dict[str, str]) -> bytes:
    """Give the head of a response."""
    lines = [f"HTTP/1.1 {status} {responses.get(status, 'Unknown')}", *(f"{key}: {headers[key]}" for key in headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def chunk(data: bytes) -> bytes:
    """Give a chunk of a body that comes in chunks; an empty one is its end."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class Connection(asyncio.StreamReaderProtocol):
    """A connection whose task ends as soon as the client leaves, also while nothing is sent."""

    def __init__(self, connected: Callable[[Link], "asyncio.Task[None]"]) -> None:
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
