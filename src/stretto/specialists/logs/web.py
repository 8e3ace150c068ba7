"""nginx (and Apache) records; its law: a quote never stands in a user name there, nor a colon in Basic auth's."""

from __future__ import annotations

import re

from .clock import Clock
from .records import Connection, Failure, Record, source_name, user_name

_ACCESS = re.compile(r'(\S+) \S+ ([^"]*) \[(\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] "((?:[^"\\]|\\.)*)" (\d{3}) ')
_ERROR = re.compile(r"(\d{4})/(\d\d)/(\d\d) (\d\d:\d\d:\d\d) \[\w+\] (\d+)#\d+: (?:\*\d+ )?(.*)$")
_MISMATCH = re.compile(r'user "([^:]*)": password mismatch, client: ([^,\s]+)')
_NO_USER = re.compile(r'user "([^:]*)" was not found in "[^"]*", client: ([^,\s]+)')
_LOGIN_PATH = re.compile(r"login|signin|sign-in|auth|session")


def read_access(line: str, clock: Clock) -> tuple[Record, ...] | None:
    """The records of an access line, the clock set to its time; None if it is no access line."""
    found = _ACCESS.match(line)
    if found is None:
        return None
    source, user, stamp, request, status = found.groups()
    if not clock.read_dated(stamp[7:11], stamp[3:6], stamp[:2], stamp[12:20], stamp[21:]):
        return None
    connection = Connection(source=source_name(source), service="http")
    named = user_name(user) if user not in ("-", "") else None
    if status in ("401", "403") and refused_login(request, named):
        return (connection, Failure(kind="failed", source=connection.source, user=named))
    return (connection,)


def read_error(line: str, clock: Clock) -> tuple[Record, ...] | None:
    """The records of an nginx error line, the clock set to its time; None if it is no error line."""
    found = _ERROR.match(line)
    if found is None:
        return None
    year, month, day, time, _pid, message = found.groups()
    if not clock.read_dated(year, month, day, time):
        return None
    record = read_error_message(message)
    return (record,) if record is not None else ()


def read_error_message(message: str) -> Record | None:
    """A failed Basic authentication, if the message tells of one."""
    if not message.startswith('user "'):
        return None
    if found := _MISMATCH.match(message):
        return Failure(kind="error", source=source_name(found[2]), user=user_name(found[1]))
    if found := _NO_USER.match(message):
        return Failure(kind="error", source=source_name(found[2]), user=user_name(found[1]), invalid=True)
    return None


def refused_login(request: str, user: str | None) -> bool:
    """Whether a request answered 401 or 403 was a try to log in: it named a user, or posted to a login path."""
    if user is not None:
        return True
    method, _, rest = request.partition(" ")
    path = rest.partition(" ")[0].partition("?")[0]
    return method == "POST" and _LOGIN_PATH.search(path.lower()) is not None
