"""What went wrong, in the one form in which every answer of the server says it; never a traceback, never a secret."""

import logging
import math
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from stretto.core.errors import (
    BadPlan,
    Conflict,
    Forbidden,
    LostOwnership,
    OwnedElsewhere,
    StoreError,
    StrettoError,
    Unauthenticated,
    UnknownRun,
    UsageError,
)
from stretto.servers.http.rendering import Answer
from stretto.views import diagnostic_view

log = logging.getLogger("stretto.server")

MOST_DIAGNOSTICS = 100
"""Findings that one answer lists."""


@dataclass(kw_only=True, eq=False)
class Problem(Exception):
    """An answer that is an error: status, a code for programs, a message for people, and how to mend it."""

    status: int
    code: str
    message: str
    mend: str = ""
    where: str = ""
    diagnostics: Sequence[Mapping[str, Any]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Give the body of the answer."""
        optional = {"mend": self.mend, "where": self.where, "diagnostics": list(self.diagnostics)}
        told = {name: value for name, value in optional.items() if value}
        return {"error": {"code": self.code, "message": self.message, **told}}

    def answer(self) -> Response:
        """Give the whole answer."""
        return Answer(self.body(), self.status, headers=self.headers)


AUTHENTICATE: Final = {"WWW-Authenticate": 'Bearer realm="stretto"'}
_STATUSES: Final[Sequence[tuple[type[StrettoError], tuple[int, str]]]] = (
    (UnknownRun, (404, "not_found")),
    (BadPlan, (422, "bad_plan")),
    (UsageError, (422, "invalid")),
    (Unauthenticated, (401, "unauthenticated")),
    (Forbidden, (403, "forbidden")),
    (Conflict, (409, "conflict")),
    (OwnedElsewhere, (409, "owned_elsewhere")),
    (LostOwnership, (409, "conflict")),
    (StoreError, (503, "store_unavailable")),
)
"""How each error of Stretto is answered; the first that fits counts."""
_MENDS: Final = {
    "unauthenticated": "send a key as `Authorization: Bearer KEY`, or sign in at /login",
    "store_unavailable": "look at the server's log; ask again in a moment",
}


def problem_of(error: StrettoError) -> Problem:
    """Say how an error of Stretto is answered."""
    status, code = next((how for kind, how in _STATUSES if isinstance(error, kind)), (500, ""))
    if not code:
        return unexpected(error)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        log.error("the store cannot be used: %s", error)
        return Problem(status=status, code=code, message="the store cannot be read or written", mend=_MENDS[code])
    found = [diagnostic_view(one) for one in error.diagnostics] if isinstance(error, BadPlan) else []
    return Problem(
        status=status,
        code=code,
        message=str(error),
        mend=_MENDS.get(code, ""),
        diagnostics=found[:MOST_DIAGNOSTICS],
        headers=AUTHENTICATE if status == HTTPStatus.UNAUTHORIZED else {},
    )


def unexpected(error: BaseException) -> Problem:
    """Give the answer to what nobody foresaw; what it was stands in the log, under the id that the answer tells."""
    id_ = secrets.token_hex(6)
    log.error("error %s: %s", id_, type(error).__name__, exc_info=error)
    mend = f"whoever runs this server finds error {id_} in its log"
    return Problem(status=500, code="internal", message=f"the server failed here (error {id_})", mend=mend)


def impatient(seconds: float) -> Problem:
    """Tell somebody who asks too often how long to wait."""
    whole = max(1, math.ceil(seconds))
    return Problem(
        status=429,
        code="too_many_requests",
        message="you ask more often than you may",
        mend=f"ask again in {whole} s",
        headers={"Retry-After": str(whole)},
    )


def invalid(found: Sequence[Any]) -> Problem:
    """Say which parts of a request are not what they have to be."""
    findings = [
        {"where": ".".join(str(part) for part in one["loc"]), "message": one["msg"], "code": one["type"]}
        for one in found[:MOST_DIAGNOSTICS]
    ]
    first = findings[0] if findings else {"where": "body", "message": "it cannot be read"}
    return Problem(
        status=422,
        code="invalid",
        message=f"{first['where']}: {first['message']}",
        mend="see /api/openapi.json for what is taken here",
        where=first["where"],
        diagnostics=findings,
    )


def install(app: FastAPI) -> None:
    """Have an app answer every error in the one form."""

    async def on_stretto(request: Request, error: Exception) -> Response:
        return problem_of(error).answer() if isinstance(error, StrettoError) else unexpected(error).answer()

    async def on_problem(request: Request, error: Exception) -> Response:
        return error.answer() if isinstance(error, Problem) else unexpected(error).answer()

    async def on_http(request: Request, error: Exception) -> Response:
        return _plain(request, error).answer() if isinstance(error, HTTPException) else unexpected(error).answer()

    async def on_invalid(request: Request, error: Exception) -> Response:
        return invalid(error.errors() if isinstance(error, RequestValidationError) else ()).answer()

    async def on_anything(request: Request, error: Exception) -> Response:
        return unexpected(error).answer()

    app.add_exception_handler(StrettoError, on_stretto)
    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(Exception, on_anything)


_PLAIN: Final = {
    404: ("not_found", "there is nothing at {path}"),
    405: ("method_not_allowed", "{path} does not take {method}"),
    413: ("too_large", "the body is larger than this route takes"),
}


def _plain(request: Request, error: HTTPException) -> Problem:
    code, text = _PLAIN.get(error.status_code, ("bad_request", str(error.detail)))
    message = text.format(path=request.url.path[:200], method=request.method) if error.status_code in _PLAIN else text
    mend = "see /api/openapi.json for the routes" if error.status_code in (404, 405) else ""
    headers = dict(error.headers or {})
    return Problem(status=error.status_code, code=code, message=message, mend=mend, headers=headers)
