"""What stands before the server's app: who comes in, from where, with how much; and what every answer says to browsers.

It is plain ASGI, for HTTP and for websockets alike, so that nothing of the app can be reached past it.
"""

import time
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs, quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.body_limit import RequestBodyLimitResponder
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stretto.access.keys import Session
from stretto.access.rates import RateLimits
from stretto.core.errors import StrettoError, Unauthenticated
from stretto.desk.desk import LARGEST_UPLOAD
from stretto.servers.http.addresses import Addresses, Origin, origin_of
from stretto.servers.http.door import Door, Visit, shows_something
from stretto.servers.http.problems import Problem, impatient, log, problem_of, unexpected

OPEN: Final = frozenset({"/health", "/ready"})
"""Paths that anybody may ask for, by any name: they tell nothing."""
ENTRANCE: Final = "/login"
PUBLIC: Final = (ENTRANCE, f"{ENTRANCE}/style.css")
"""Paths that are there for those who are not known yet."""
UPLOADS: Final = ("/api/files", "/_nicegui/")
"""Where what is asked for may be as large as a file."""
PAGE_PARTS: Final = ("/_nicegui/", "/static/")
"""What pages are made of: the same for everybody, and named by its content."""
CHANNEL: Final = "/_nicegui"
"""Where pages talk to the server by themselves. They cannot name a token there; that they are ours, browsers tell."""
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""
LONGEST_PATH = 8 * 1024
"""Bytes of a path with its query."""
LARGEST_BODY = 1024 * 1024
LARGEST_FORM = 16 * 1024

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


class Guard:
    """Lets through to an app what may come in, and refuses the rest in the one form of errors.

    Behind it, in `scope["state"]`, `principal` is who asks, `credential` says who that is from now on, to be asked
    anew at each use by what outlives the request, and `session` is the session of a browser, or None.
    """

    def __init__(
        self,
        app: ASGIApp,
        door: Door,
        addresses: Addresses,
        limits: RateLimits,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.app = app
        self._door, self._addresses, self._limits, self._now = door, addresses, limits, now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                await self._http(scope, receive, _Answering(scope, send, tls=self._addresses.secure))
            case "websocket":
                await self._websocket(scope, receive, send)
            case _:
                await self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: "_Answering") -> None:
        try:
            if scope["path"] not in OPEN:
                receive = await self._admit(scope, receive)
            largest = LARGEST_UPLOAD if scope["path"].startswith(UPLOADS) else LARGEST_BODY
            _require_small(scope, largest)
            await RequestBodyLimitResponder(self.app, largest)(scope, receive, send)
        except Unauthenticated as error:
            if _is_page(scope):
                await RedirectResponse(f"{ENTRANCE}?next={quote(_address(scope))}", 303)(scope, receive, send)
            else:
                await problem_of(error).answer()(scope, receive, send)
        except (StrettoError, Problem) as error:
            problem = error if isinstance(error, Problem) else problem_of(error)
            await problem.answer()(scope, receive, send)
        except Exception as error:
            if not send.begun:  # else it is told and logged already
                await unexpected(error).answer()(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._admit(scope, receive)
        except (StrettoError, Problem) as error:
            log.warning("refused a websocket: %s", error)
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        await self.app(scope, receive, send)

    async def _admit(self, scope: Scope, receive: Receive) -> Receive:
        """Find out who asks, note it, and give what is left to be received; raises Problem and Unauthenticated."""
        connection = HTTPConnection(scope)
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > LONGEST_PATH:
            raise Problem(status=414, code="too_long", message=f"the address is longer than {LONGEST_PATH:,} bytes")
        own = self._addresses.own(connection.headers.get("host", ""))
        if own is None:
            raise Problem(
                status=421,
                code="unknown_host",
                message="this server does not go by that name",
                mend="ask it by its own address; whoever runs it adds others with `stretto serve --url`",
            )
        safe = scope["type"] == "http" and scope["method"] in SAFE
        if not (safe and _is_visit(connection.headers)):
            _require_own_page(connection.headers, own)
        if scope["path"] in PUBLIC:
            _require_patience(self._limits.stranger(_client(connection), self._now()))
            return receive
        visit = await self._enter(connection)
        scope.setdefault("state", {}).update(
            credential=visit.credential, principal=visit.principal, session=visit.session
        )
        if visit.session is not None and not safe:
            return await _require_token(connection, visit.session, receive)
        return receive

    async def _enter(self, connection: HTTPConnection) -> Visit:
        try:
            visit = await self._door.enter(connection)
        except Unauthenticated:
            count = self._limits.failure if shows_something(connection) else self._limits.stranger
            _require_patience(count(_client(connection), self._now()))
            raise
        _require_patience(self._limits.request(visit.principal, self._now()))
        return visit


def _require_patience(seconds: float) -> None:
    """Raise Problem where somebody has to wait."""
    if seconds > 0:
        raise impatient(seconds)


def _is_visit(headers: Headers) -> bool:
    """Tell whether a program asks, or a person goes to an address; other pages may link here, and load nothing.

    Source: the resource isolation policy of W3C's Fetch Metadata Request Headers.
    """
    return headers.get("sec-fetch-mode") in (None, "navigate") and "origin" not in headers


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


async def _require_token(connection: HTTPConnection, session: Session, receive: Receive) -> Receive:
    """Raise Problem where a browser sent its session, and nothing says that a page of ours had it do so.

    A browser sends its cookie with whatever any page has it ask; what only our pages know is the session's token for
    forms, in a header or a field. Gives what is left to be received.
    """
    headers = connection.headers
    if "origin" not in headers and "sec-fetch-site" not in headers:
        raise _no_token("a request with a session says which page it comes from (`Origin`)")
    if connection.scope["type"] == "websocket" or connection.scope["path"].startswith(CHANNEL):
        return receive
    given = headers.get("x-csrf-token")
    if given is None and headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        given, receive = await _token_in_form(receive)
    if given is None or not session.accepts(given):
        raise _no_token("a request with a session needs the session's token for forms")
    return receive


def _no_token(message: str) -> Problem:
    mend = "send it as `X-CSRF-Token` (GET /api/session gives one), or use a key instead"
    return Problem(status=403, code="csrf", message=message, mend=mend)


async def _token_in_form(receive: Receive) -> tuple[str | None, Receive]:
    """Read a form's token; gives it with what receives the form once more. Raises Problem for one that is too large."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
        if len(body) > LARGEST_FORM:
            raise _too_large(LARGEST_FORM)
    whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return whole.pop() if whole else await receive()

    fields: dict[str, list[str]] = parse_qs(body.decode(errors="replace"), max_num_fields=20)
    return next(iter(fields.get("csrf_token", [])), None), again


def _require_small(scope: Scope, largest: int) -> None:
    """Raise Problem for a body that says it is too large; one that does not say is counted as it comes."""
    said = Headers(scope=scope).get("content-length", "0")
    if not said.isdecimal() or len(said) > 18 or int(said) > largest:
        raise _too_large(largest)


def _too_large(largest: int) -> Problem:
    message = f"the body is larger than {largest:,} bytes, the most that is taken here"
    return Problem(status=413, code="too_large", message=message, mend="hand large files in at POST /api/files")


def _is_page(scope: Scope) -> bool:
    accepted = Headers(scope=scope).get("accept", "")
    return scope["method"] == "GET" and not scope["path"].startswith("/api") and "text/html" in accepted


def _address(scope: Scope) -> str:
    path: str = scope["path"]
    query: bytes = scope["query_string"]
    return f"{path}?{query.decode('latin-1')}" if query else path


def _client(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client is not None else ""


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
        if self._path.startswith(PAGE_PARTS):
            return
        headers.setdefault("Cache-Control", "no-store")
        headers.setdefault("Content-Security-Policy", NOTHING if self._path.startswith("/api") else PAGES)
