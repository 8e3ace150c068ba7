"""What stands before the server's app: who comes in, from where, with how much; and what every answer says to browsers.

It is plain ASGI, for HTTP and for websockets alike, so that nothing of the app can be reached past it.
"""

import logging
from collections.abc import MutableMapping
from typing import Any, Final, Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stretto.access.roles import Credential
from stretto.core.errors import StrettoError
from stretto.servers.http.addresses import Addresses, Origin, origin_of
from stretto.servers.http.problems import Problem, problem_of, unexpected

log = logging.getLogger("stretto.server")

OPEN: Final = frozenset({"/health", "/ready"})
"""Paths that anybody may ask for, by any name: they tell nothing."""
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""
LONGEST_PATH = 8 * 1024
"""Bytes of a path with its query."""

PAGES: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)
"""What a page may load: nothing from elsewhere. Its templates are compiled in the browser, hence the two `unsafe`."""
NOTHING: Final = "default-src 'none'; frame-ancestors 'none'; sandbox"
"""What an answer of the API may load, were it taken for a page."""
_ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers would not say where a form comes from
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_TLS: Final = "max-age=31536000"


class Door(Protocol):
    """Knows who comes in."""

    async def enter(self, connection: HTTPConnection) -> Credential:
        """Give what somebody came with; raises Unauthenticated."""
        ...


class Guard:
    """Lets through to an app what may come in, and refuses the rest in the one form of errors.

    Behind it `scope["state"]["credential"]` says who asks, to be asked anew at each use.
    """

    def __init__(self, app: ASGIApp, door: Door, addresses: Addresses) -> None:
        self.app = app
        self._door, self._addresses = door, addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                await self._http(scope, receive, send)
            case "websocket":
                await self._websocket(scope, receive, send)
            case _:
                await self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        answering = _Answering(scope, send, tls=self._addresses.secure)
        try:
            if scope["path"] not in OPEN:
                await self._admit(scope)
            await self.app(scope, receive, answering)
        except (StrettoError, Problem) as error:
            problem = error if isinstance(error, Problem) else problem_of(error)
            await problem.answer()(scope, receive, answering)
        except Exception as error:
            if answering.begun:  # it is told and logged already, or can be told no more
                return
            await unexpected(error).answer()(scope, receive, answering)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._admit(scope)
        except (StrettoError, Problem) as error:
            log.info("refused a websocket: %s", error)
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        await self.app(scope, receive, send)

    async def _admit(self, scope: Scope) -> None:
        """Find out who asks, and note it; raises Problem and Unauthenticated."""
        headers = Headers(scope=scope)
        if len(scope["raw_path"]) + len(scope["query_string"]) > LONGEST_PATH:
            raise Problem(status=414, code="too_long", message=f"the address is longer than {LONGEST_PATH:,} bytes")
        own = self._addresses.own(headers.get("host", ""))
        if own is None:
            raise Problem(
                status=421,
                code="unknown_host",
                message="this server does not go by that name",
                mend="ask it by its own address; whoever runs it adds others with `stretto serve --url`",
            )
        if scope["type"] == "websocket" or scope["method"] not in SAFE:
            _require_own_page(headers, own)
        credential = await self._door.enter(HTTPConnection(scope))
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        state["credential"] = credential


def _require_own_page(headers: Headers, own: Origin) -> None:
    """Raise Problem for what a page of another site has a browser ask for; programs say nothing of pages."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if (origin is None or origin_of(origin) == own) and site in (None, "same-origin", "none"):
        return
    raise Problem(
        status=403,
        code="foreign_origin",
        message="this came from a page of another site",
        mend="behind a proxy, name the address that browsers use with `stretto serve --url`",
    )


class _Answering:
    """Sends an answer with the headers that every answer has."""

    def __init__(self, scope: Scope, send: Send, *, tls: bool) -> None:
        self._path, self._send, self._tls = scope["path"], send, tls
        self.begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            self._set(MutableHeaders(scope=message))
        await self._send(message)

    def _set(self, headers: MutableHeaders) -> None:
        for name, value in _ALWAYS.items():
            headers[name] = value
        if self._tls:
            headers["Strict-Transport-Security"] = _TLS
        if self._path.startswith("/_nicegui/"):  # what pages are made of, the same for everybody
            return
        headers.setdefault("Cache-Control", "no-store")
        headers.setdefault("Content-Security-Policy", NOTHING if self._path.startswith("/api") else PAGES)
