"""What `stretto serve` serves: the API, the pages, and the guard before both."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn

from stretto import __version__
from stretto.access.book import AccessBook
from stretto.access.rates import RateLimits
from stretto.bootstrap.service import Service
from stretto.bootstrap.stores import user
from stretto.servers.http.addresses import Addresses
from stretto.servers.http.app import create_app
from stretto.servers.http.door import Door
from stretto.servers.http.guard import Guard
from stretto.servers.http.signing import Signing
from stretto.servers.http.streams import Streams

GRACE = 1
"""Seconds that open connections have to end by themselves when the server does."""
IDLE = 30
"""Seconds after which a connection is closed on which nobody asks."""
LARGEST_HEAD = 32 * 1024
"""Bytes of a request's line and headers."""
MOST_CONNECTIONS = 4000
LARGEST_MESSAGE = 1024 * 1024
"""Bytes of a websocket's message."""


@asynccontextmanager
async def listening(
    service: Service, book: AccessBook, on: socket.socket, addresses: Addresses, *, name: str, pages: bool = True
) -> AsyncIterator[Guard]:
    """Serve the API and the pages on a socket for a while, and at the end send every listener away.

    `book` says who may come in, and `name` is what the pages are headed with. A process serves `pages` once: they live
    in it only once.
    """
    on.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # an answer's body must not wait for word of its head
    streams = Streams()
    app = web_app(service, book, addresses, streams, name=name, pages=pages)
    config = uvicorn.Config(
        app,
        http="h11",  # the parser that bounds what it keeps of a request's head
        h11_max_incomplete_event_size=LARGEST_HEAD,
        ws_max_size=LARGEST_MESSAGE,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=IDLE,
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        lifespan="on",
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[on]), name="stretto-server")
    begun = asyncio.create_task(server.begun.wait())
    try:
        await asyncio.wait([serving, begun], return_when=asyncio.FIRST_COMPLETED)
        yield app
    finally:
        begun.cancel()
        streams.close()
        server.should_exit = True
        await asyncio.wait([serving])


def web_app(
    service: Service, book: AccessBook, addresses: Addresses, streams: Streams, *, name: str, pages: bool
) -> Guard:
    """Give everything that is served, behind its guard."""

    async def ready() -> str:
        return "its worker has ended" if service.work.done() else ""

    door, limits = Door(book, user()), RateLimits()
    signing = Signing(door, limits, name=name, secure=addresses.secure)
    app = create_app(service.desk, signing=signing, ready=ready, streams=streams, version=__version__)
    if pages:
        from stretto.dashboard.pages import mount  # loading what pages are made of takes a second

        mount(app, service.desk, name=name)
    return Guard(app, door, addresses, limits)


class _Server(uvicorn.Server):
    """Says when it has begun, and leaves signals to whoever runs it."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.begun = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.begun.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
