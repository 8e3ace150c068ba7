"""Signing in and out with a browser: plain forms, without any script."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from stretto.access.book import LASTING
from stretto.access.keys import Session
from stretto.access.rates import RateLimits
from stretto.core.errors import Unauthenticated
from stretto.servers.http.door import COOKIE, Door
from stretto.servers.http.problems import impatient, log

TEMPLATES: Final = Path(__file__).parent / "templates"
LONGEST_NEXT = 2000
LARGEST_FORM = 16 * 1024
POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class Signing:
    """The pages /login and /logout. `secure` says that browsers come by TLS, and the cookie goes no other way."""

    def __init__(
        self, door: Door, limits: RateLimits, *, name: str, secure: bool, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._door, self._limits, self._secure, self._now = door, limits, secure, now
        self._name = name
        self._pages = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)

    def router(self) -> APIRouter:
        """Give the routes of both."""
        router = APIRouter(include_in_schema=False)
        router.add_api_route("/login", self.ask, methods=["GET"])
        router.add_api_route("/login", self.sign_in, methods=["POST"])
        router.add_api_route("/login/style.css", self.style, methods=["GET"])
        router.add_api_route("/logout", self.offer, methods=["GET"])
        router.add_api_route("/logout", self.sign_out, methods=["POST"])
        return router

    async def style(self) -> Response:
        """Give the look of these pages."""
        return FileResponse(TEMPLATES / "style.css", media_type="text/css", headers={"Cache-Control": "max-age=300"})

    async def ask(self, request: Request) -> Response:
        """Ask for a key."""
        return self._page("login.html", next=_local(request.query_params.get("next", "")), problem="")

    async def sign_in(self, request: Request) -> Response:
        """Begin a session with a key."""
        form = parse_qs((await request.body())[:LARGEST_FORM].decode(errors="replace"), max_num_fields=20)
        goes_on = _local(next(iter(form.get("next", [])), ""))
        key = next(iter(form.get("key", [])), "").strip()
        try:
            session = await self._door.book.begin_session(key)
        except Unauthenticated as error:
            return self._refused(request, str(error), goes_on)
        answer = RedirectResponse(goes_on, 303)
        answer.set_cookie(
            COOKIE,
            session.token,
            max_age=int(LASTING),
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="strict",
        )
        return answer

    async def offer(self, request: Request) -> Response:
        """Offer to sign out."""
        session = _session(request)
        token = session.csrf_token() if session is not None else ""
        return self._page("logout.html", token=token, who=request.scope["state"]["principal"].name)

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        session = _session(request)
        if session is not None:
            await self._door.book.end_session(session.token)
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE, path="/", secure=self._secure, httponly=True, samesite="strict")
        return answer

    def _refused(self, request: Request, why: str, goes_on: str) -> Response:
        address = request.client.host if request.client is not None else ""
        log.warning("a key that opens nothing was shown at /login, from %s", address)
        wait = self._limits.failure(address, self._now())
        if not wait:
            return self._page("login.html", 401, next=goes_on, problem=why)
        problem = impatient(wait)
        answer = self._page("login.html", 429, next=goes_on, problem=f"too many wrong keys; {problem.mend}")
        answer.headers.update(problem.headers)
        return answer

    def _page(self, template: str, status: int = 200, **values: Any) -> Response:
        text = self._pages.get_template(template).render(name=self._name, **values)
        return HTMLResponse(text, status, headers={"Content-Security-Policy": POLICY})


def _session(request: Request) -> Session | None:
    session: Session | None = request.scope["state"].get("session")
    return session


def _local(address: str) -> str:
    """Give an address on this server to go on to; the first page for what is none, or could lead elsewhere."""
    plain = address.isprintable() and "\\" not in address and len(address) <= LONGEST_NEXT
    return address if plain and address.startswith("/") and not address.startswith("//") else "/"
