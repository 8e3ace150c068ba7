"""How true the scripted model keeps its pace, and how quick it is: `python bench/model_server.py`.

The server has one core, in a process of its own; who listens is another process.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import statistics
import time
from itertools import pairwise
from multiprocessing.connection import Connection
from urllib.parse import urlsplit

from stretto.testing.models import KEY, ModelServer, Pace, Rule, Stall, When

FIRST = 0.2


def serve(link: Connection, rate: float, tokens: int) -> None:
    """Serve on one core until told to end, and tell how long beginning and ending took, in seconds."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {0})
    began = time.perf_counter()
    server = ModelServer(
        [
            Rule(when=When(user="paced"), say=" ".join(["word"] * tokens), pace=Pace(first=FIRST, rate=rate)),
            Rule(when=When(user="open"), say="one two", faults=(Stall(after=1, times="always"),)),
            Rule(say="ok"),
        ]
    )
    server.start()
    link.send((server.url, time.perf_counter() - began))
    link.recv()
    began = time.perf_counter()
    server.close()
    link.send(time.perf_counter() - began)


class Line:
    """A connection to the server."""

    def __init__(self, url: str) -> None:
        self.port = urlsplit(url).port

    async def open(self) -> "Line":
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    def ask(self, text: str, *, stream: bool) -> None:
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": text}], "stream": stream}).encode()
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nauthorization: Bearer {KEY}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self.writer.write(head.encode() + body)

    async def tokens(self, most: int) -> list[float]:
        """Give the moments at which tokens came."""
        moments: list[float] = []
        while len(moments) < most:
            line = await self.reader.readline()
            assert line, "the stream broke"
            if b'"content"' in line and b'"content":""' not in line:
                moments.append(time.perf_counter())
        return moments

    async def whole(self) -> None:
        head = await self.reader.readuntil(b"\r\n\r\n")
        await self.reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))


async def paced(url: str, streams: int, rate: float, tokens: int) -> None:
    """Print how far streams are from their pace, and single tokens from their moment."""
    lines = [await Line(url).open() for _ in range(streams)]

    async def one(line: Line) -> tuple[float, list[float]]:
        asked = time.perf_counter()
        line.ask("paced", stream=True)
        return asked, await line.tokens(tokens)

    heard = await asyncio.gather(*(one(line) for line in lines))
    rates = [(tokens - 1) / (moments[-1] - moments[0]) for _, moments in heard]
    late = sorted(
        moment - asked - FIRST - number / rate for asked, moments in heard for number, moment in enumerate(moments)
    )
    gaps = [later - earlier for _, moments in heard for earlier, later in pairwise(moments)]
    worst = max(abs(one / rate - 1) for one in rates)
    print(
        f"{streams} streams at {rate:g} tokens/s, {tokens} tokens each: {statistics.median(rates):.2f} tokens/s "
        f"(worst off by {worst:.2%}); a token is late by {statistics.median(late) * 1e3:.1f} ms, "
        f"99 of 100 by less than {late[int(len(late) * 0.99)] * 1e3:.1f} ms; longest gap {max(gaps) * 1e3:.0f} ms"
    )


async def quick(url: str, seconds: float) -> None:
    """Print the answers a second without a pace, over eight connections."""
    lines = [await Line(url).open() for _ in range(8)]
    until = time.perf_counter() + seconds

    async def one(line: Line) -> int:
        done = 0
        while time.perf_counter() < until:
            line.ask("hello", stream=False)
            await line.whole()
            done += 1
        return done

    print(f"{sum(await asyncio.gather(*(one(line) for line in lines))) / seconds:.0f} whole answers a second")


async def leave_open(url: str, streams: int) -> list[Line]:
    """Begin streams that never end."""
    lines = [await Line(url).open() for _ in range(streams)]
    for line in lines:
        line.ask("open", stream=True)
        await line.tokens(1)
    return lines


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--rate", type=float, default=60.0)
    parser.add_argument("--tokens", type=int, default=300)
    options = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, options.rate, options.tokens))
    process.start()
    url, took = ours.recv()
    print(f"starts in {took * 1e3:.1f} ms")

    async def measure() -> None:
        await paced(url, options.streams, options.rate, options.tokens)
        await quick(url, 3.0)
        open_lines = await leave_open(url, options.streams)
        ours.send("end")
        print(f"closes in {ours.recv() * 1e3:.1f} ms with {len(open_lines)} streams open")

    asyncio.run(measure())
    process.join(10)


if __name__ == "__main__":
    main()
