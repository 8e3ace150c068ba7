"""The channel between an open page and the server: what comes over it counts only from whoever asked for the page.

NiceGUI finds the page that a message or an upload is for by an id in it, and asks no further. So whoever was let in at
all could do things in the name of somebody whose page's id they came by, from the log of a proxy say. Here a socket
speaks for the pages it was opened for, and only who asked for a page opens one for it.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qs

from nicegui import Client
from socketio import AsyncServer
from socketio.exceptions import ConnectionRefusedError as Refused
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from stretto.access.rates import Buckets, Limit
from stretto.access.roles import Principal
from stretto.core.errors import StrettoError

log = logging.getLogger("stretto.server")

OF_PERSON: Final = Limit(burst=300, per_second=60)
"""Messages of all pages that one person has open: nobody types or clicks that fast."""

_PARTS: Final = "/_nicegui/client/"
"""Where a page's uploads go: the page's id comes next."""
_ROOT: Final = "/"
_SAID: Final = ("event", "javascript_response", "ack")
"""Messages that name the page they are for."""

Handler = Callable[..., Any]


def confine_channel(server: AsyncServer) -> None:
    """Have a socket speak for its own pages only, in measure. Pages of other sites are the guard's business."""
    handlers: dict[str, Handler] = server.handlers[_ROOT]
    limits = Buckets(OF_PERSON)
    server.eio.cors_allowed_origins = []  # else it tells every site that it may read what comes over the channel
    handlers.pop("log", None)  # else anybody writes into the server's log whatever they like
    handlers["connect"] = _opened(handlers["connect"])
    handlers["handshake"] = _shaken(server, handlers["handshake"])
    for name in _SAID:
        handlers[name] = _said(server, handlers[name], limits)


class OwnUploads:
    """Lets uploads through to a page from who asked for the page, and from nobody else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        if path.startswith(_PARTS) and not _is_own(scope, path.removeprefix(_PARTS).partition("/")[0]):
            await PlainTextResponse("there is no such page of yours", 404)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _opened(handle: Handler) -> Handler:
    """Refuse a socket that is opened for a page of somebody else."""

    async def opened(sid: str, environ: Mapping[str, Any], auth: Any = None) -> Any:
        query = parse_qs(environ.get("QUERY_STRING", ""))
        if "client_id" in query and not _is_own(environ["asgi.scope"], query["client_id"][0]):
            raise Refused("Implicit handshake failed")  # the word for which the page is asked for anew
        return await handle(sid, environ, auth)

    return opened


def _shaken(server: AsyncServer, handle: Handler) -> Handler:
    """Refuse to open a page of somebody else over a socket; the browser then asks for a page of its own."""

    async def shaken(sid: str, data: Any) -> Any:
        if not isinstance(data, dict) or not _is_own(server.get_environ(sid)["asgi.scope"], data.get("client_id")):
            return False
        return await handle(sid, data)

    return shaken


def _said(server: AsyncServer, handle: Handler, limits: Buckets) -> Handler:
    """Take a message only from a socket that was opened for the page it names."""

    def said(sid: str, message: Any) -> None:
        if not isinstance(message, dict) or message.get("client_id") not in server.rooms(sid):
            return
        who = _owner(server.get_environ(sid)["asgi.scope"])  # who is not known any more is told so by what they do
        if limits.take(who.key or who.name if who is not None else sid, time.monotonic()) > 0:
            return
        try:
            handle(sid, message)
        except (KeyError, TypeError, ValueError):  # a message of no form that pages send, or for what is gone
            log.debug("a page said something that it cannot say")

    return said


def _is_own(scope: Scope | Mapping[str, Any], id_: object) -> bool:
    """Tell whether a page was asked for by the one who sends this."""
    client = Client.instances.get(id_) if isinstance(id_, str) else None
    who = _owner(scope)
    return client is not None and who is not None and who == _owner(client.request.scope)


def _owner(scope: Scope | Mapping[str, Any]) -> Principal | None:
    """Give who came, by the credential that the guard left in the scope; None for who is not known any more."""
    credential = scope.get("state", {}).get("credential")
    try:
        return credential.principal() if credential is not None else None
    except StrettoError:
        return None
