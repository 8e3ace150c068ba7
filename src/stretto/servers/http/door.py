"""Who comes in: by a key, by the session of a browser, or, as long as there are no keys, by sitting at this machine."""

from dataclasses import dataclass
from typing import Final

from starlette.requests import HTTPConnection

from stretto.access.book import AccessBook
from stretto.access.keys import Session
from stretto.access.roles import Credential, Principal
from stretto.core.errors import Unauthenticated
from stretto.servers.http.addresses import is_loopback

COOKIE: Final = "stretto_session"
_PROXIED: Final = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
_SCHEME: Final = "bearer "


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who was let in, with what they came with; `session` is there where a browser sent it by itself."""

    principal: Principal
    credential: Credential
    session: Session | None = None


@dataclass(frozen=True, slots=True)
class _ByKey:
    """A key or sitting at this machine, asked about anew each time."""

    book: AccessBook
    known: Principal

    def principal(self) -> Principal:
        return self.book.current(self.known)


@dataclass(frozen=True, slots=True)
class _BySession:
    """The session of a browser, asked about anew each time."""

    book: AccessBook
    token: str

    def principal(self) -> Principal:
        return self.book.current_session(self.token).principal


class Door:
    """Finds out who sends a request. `user` is whoever sits at this machine."""

    def __init__(self, book: AccessBook, user: str) -> None:
        self.book, self._user = book, user

    async def enter(self, connection: HTTPConnection) -> Visit:
        """Give who comes in; raises Unauthenticated."""
        shown = connection.headers.get("authorization")
        if shown is not None:
            known = await self.book.authenticate(_key_in(shown))
            return Visit(known, _ByKey(self.book, known))
        if (token := session_in(connection)) is not None:
            session = await self.book.session(token)
            return Visit(session.principal, _BySession(self.book, session.token), session)
        if not is_from_here(connection) and not self.book.any_keys():
            raise Unauthenticated(
                "as long as there are no keys, only this machine is let in; `stretto keys add` makes one"
            )
        owner = self.book.without_key(self._user)
        return Visit(owner, _ByKey(self.book, owner))


def session_in(connection: HTTPConnection) -> str | None:
    """Give the token of the session that a browser sent, proven or not."""
    return connection.cookies.get(COOKIE) or None


def shows_something(connection: HTTPConnection) -> bool:
    """Tell whether a request came with something that is to let it in, right or wrong."""
    return "authorization" in connection.headers or session_in(connection) is not None


def is_from_here(connection: HTTPConnection) -> bool:
    """Tell whether this machine asks, and not something on it for somebody elsewhere."""
    if any(name in connection.headers for name in _PROXIED):
        return False
    return connection.client is not None and is_loopback(connection.client.host)


def _key_in(shown: str) -> str:
    if not shown.lower().startswith(_SCHEME):
        raise Unauthenticated("a key goes into the header as `Authorization: Bearer KEY`")
    return shown[len(_SCHEME) :].strip()
