"""A small real HTTP server on the loopback, in the running loop: it answers as told, and keeps what it was asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Answer:
    """Pieces of a body, sent one by one; `cut` breaks the connection after them, `hang` keeps it open and silent."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    pieces: Sequence[str] = ()
    cut: bool = False
    hang: bool = False


@dataclass
class Served:
    port: int
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


@asynccontextmanager
async def serving(answer: "Callable[[Asked], Answer] | Sequence[Answer]") -> AsyncIterator[Served]:
    """Serve answers: as a function gives them, or one after the other, the last again and again."""
    served = Served(port=0)
    give = answer if callable(answer) else lambda _: answer[min(len(served.asked), len(answer)) - 1]
    closing = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (head := await reader.readuntil(b"\r\n\r\n")) and not closing.is_set():
                asked = _asked(head)
                length = int(asked.headers.get("content-length", "0"))
                asked.body = json.loads(await reader.readexactly(length)) if length else {}
                served.asked.append(asked)
                told = give(asked)
                writer.write(_head(told))
                for piece in told.pieces:
                    data = piece.encode()
                    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
                    await writer.drain()
                if told.hang:
                    await closing.wait()
                if told.cut or told.hang:
                    return
                writer.write(b"0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        closing.set()
        server.close()


def _asked(head: bytes) -> Asked:
    first, *rest = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest if line)}
    return Asked(path=first.split()[1], headers=headers, body={})


def _head(told: Answer) -> bytes:
    stream = told.status == 200
    headers = {
        "content-type": "text/event-stream" if stream else "application/json",
        "transfer-encoding": "chunked",
        **told.headers,
    }
    lines = [f"HTTP/1.1 {told.status} Told", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def chat(*texts: str, finish: str | None = "stop", usage: tuple[int, int] | None = (12, 5), **more: Any) -> Answer:
    """Answer as OpenAI's chat interface streams it."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}, *({"content": text} for text in texts)]
    if more:
        deltas.append(more)
    choices: list[dict[str, Any]] = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    if finish is not None:
        choices.append({"index": 0, "delta": {}, "finish_reason": finish})
    base = {"id": "c1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "small"}
    chunks: list[dict[str, Any]] = [{**base, "choices": [choice]} for choice in choices]
    if usage is not None:
        told = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
        chunks.append({**base, "choices": [], "usage": {**told, "prompt_tokens_details": {"cached_tokens": 4}}})
    pieces = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return Answer(pieces=[*pieces, *(["data: [DONE]\n\n"] if finish is not None else [])])


def error(status: int, message: str, **headers: str) -> Answer:
    """Answer with an error as OpenAI words it."""
    body = json.dumps({"error": {"message": message, "type": "some_error", "code": None}})
    return Answer(
        status=status, pieces=[body], headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
