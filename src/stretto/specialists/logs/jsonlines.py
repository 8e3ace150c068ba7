"""JSON lines to records; its law: a login failed only where the line speaks of a login and of its failure.

Keys are looked up by their common names, whatever their case, also inside objects (`source.ip`). A line with a
program's name and a message (journald, shippers of syslog) is read by the rules of syslog instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import NamedTuple

from .clock import Clock
from .records import Accepted, Connection, Failure, Record, source_name, user_name
from .syslog import Header, read_message
from .web import refused_login

_TIME = (
    "__realtime_timestamp", "_source_realtime_timestamp", "time", "timestamp", "@timestamp", "ts", "datetime",
    "date", "asctime", "event.created", "eventtime", "created_at", "created", "time_local", "time_iso8601", "t",
)  # fmt: skip
_TEXT = ("message", "msg", "event.action", "event", "action", "event_type", "eventtype", "event_name", "eventname",
         "event.type", "event.category", "type", "name", "operation", "log", "text")  # fmt: skip
_SOURCE = (
    "source.ip", "source.address", "client.ip", "client.address", "source_ip", "src_ip", "client_ip", "remote_ip",
    "ip_address", "remote_addr", "sourceip", "srcip", "clientip", "remoteip", "ipaddress", "remoteaddr",
    "sourceipaddress", "network.client.ip", "request.ip", "request.remote_addr", "ip", "source", "src", "rhost",
    "remote", "remote_host", "peer", "client", "address", "addr", "from",
)  # fmt: skip
_USER = ("user.name", "user.email", "user", "username", "user_name", "login", "account", "user.id", "user_id", "userid",
         "email", "principal", "subject", "uid", "remote_user", "actor")  # fmt: skip
_OUTCOME = ("event.outcome", "outcome", "result", "success", "succeeded", "authenticated", "login_result", "status",
            "state")  # fmt: skip
_REASON = ("reason", "error", "error.message", "detail", "details", "failure_reason")
_PROGRAM = (
    "syslog_identifier",
    "_comm",
    "programname",
    "program",
    "ident",
    "app-name",
    "appname",
    "process.name",
    "syslogtag",
)
_PID = ("_pid", "syslog_pid", "procid", "process.pid", "pid")
_HOST = ("_hostname", "hostname", "host.name", "host")

# A shipper may leave out the program's name; these words are sshd's own.
_SSHD_SAYS = ("Failed ", "Accepted ", "Invalid user ", "pam_unix(sshd:")
_CLF = re.compile(r"(\d\d)/(\w{3})/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d{4})$")
# Without one of these in it, a line can tell neither of a login nor of a request.
_HINTS = ("log", "sign", "auth", "passw", "credential", "method", "request", "verb")
_LOGIN = re.compile(r"log[ _.-]?[io]n|sign[ _.-]?[io]n|auth(?!or)")
_OUT = re.compile(r"log[ _.-]?out|sign[ _.-]?out|session[ _.-]?(?:closed|ended|expired)")
_FAILED = re.compile(r"fail|denied|reject|refus|unsuccess|unauthori[sz]ed|incorrect|invalid|bad[ _-]|wrong")
_GOOD = re.compile(r"succe|accepted|granted|allowed|logged[ _-]?in|authenticated")
_TELLS_FAILURE = re.compile(
    r"(?:log[ _.-]?[io]n|sign[ _.-]?[io]n|auth(?!or)[a-z]*)[ \w.:-]{0,24}?"
    r"(?:fail|denied|reject|refus|unsuccess|invalid)"
    r"|(?:fail|invalid|reject|refus|denied|unsuccess)[a-z]*[ _.:-]{1,3}(?:to )?(?:\w+ )?"
    r"(?:log[ _.-]?[io]n|sign[ _.-]?[io]n|auth(?!or))"
    r"|(?:invalid|wrong|incorrect|bad)[ _-](?:password|credentials?)"
)
_TELLS_SUCCESS = re.compile(
    r"(?:log[ _.-]?[io]n|sign[ _.-]?[io]n|auth(?!or)[a-z]*)[ _.:-]{1,3}(?:succe|accepted|ok\b)"
    r"|succe[a-z]*[ _.:-]{1,3}(?:\w+ )?(?:log[ _.-]?[io]n|sign[ _.-]?[io]n|auth(?!or))|logged[ _]in\b"
)
_NO_SUCH_USER = re.compile(
    r"(?:unknown|invalid|no such|nonexistent)[ _-](?:user|account)"
    r"|(?:user|account)(?:[ _-]name)?[ _-](?:not[ _-]found|unknown|does not exist)"
)


class JsonLine(NamedTuple):
    """A JSON line read: its records, or the syslog header it carries."""

    header: Header | None
    records: tuple[Record, ...]


def read_json(line: str, clock: Clock) -> JsonLine | None:
    """What a JSON object on a line says, the clock set to its time if it has one; None if it is no log record."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or not data:
        return None
    fields = _flat(data)
    if not (_read_time(fields, clock) or _first(fields, _TEXT)):
        return None
    program = _program(fields)
    if program:
        return JsonLine(_header(fields, program), ())
    if not any(hint in line for hint in _HINTS) and not any(hint in line.lower() for hint in _HINTS):
        return JsonLine(None, ())
    return JsonLine(None, _records(fields))


def _program(fields: Mapping[str, object]) -> str:
    """The program whose words the message is, empty if the message is to be read as any application's."""
    message = fields.get("message")
    if message is None:
        return ""
    told = isinstance(message, str) and message.startswith(_SSHD_SAYS) and read_message("sshd", "", message) is not None
    return _first(fields, _PROGRAM) or ("sshd" if told else "")


def _flat(data: Mapping[str, object], depth: int = 2) -> dict[str, object]:
    """Keys in lower case, those of inner objects dotted."""
    flat: dict[str, object] = {}
    for key, value in data.items():
        name = key.lower()
        if isinstance(value, dict) and depth:
            for inner, held in _flat(value, depth - 1).items():
                flat.setdefault(f"{name}.{inner}", held)
        elif value is not None:
            flat.setdefault(name, value)
    return flat


def _first(fields: Mapping[str, object], names: tuple[str, ...]) -> str:
    for name in names:
        value = fields.get(name)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)[:32]
    return ""


def _read_time(fields: Mapping[str, object], clock: Clock) -> bool:
    for name in _TIME:
        value = fields.get(name)
        if isinstance(value, str):
            if clock.read_iso(value):
                return True
            if (found := _CLF.match(value)) is not None and clock.read_dated(*found.group(3, 2, 1, 4, 5)):
                return True
            if value.isascii() and value.replace(".", "", 1).isdigit() and clock.read_epoch(float(value[:32])):
                return True
        elif isinstance(value, int | float) and not isinstance(value, bool) and clock.read_epoch(value):
            return True
    return False


def _header(fields: Mapping[str, object], program: str) -> Header:
    message = fields["message"]
    if isinstance(message, list):  # journald writes bytes so where they are not clean text
        octets = (value for value in message if isinstance(value, int) and 0 <= value < 256)
        message = bytes(octets).decode("utf-8", "replace")
    pid = _first(fields, _PID)
    name, _, rest = program.partition("[")
    pid = pid or rest.partition("]")[0]
    return Header("JSON lines", _first(fields, _HOST), name.rstrip(":"), "", pid, str(message))


def _records(fields: Mapping[str, object]) -> tuple[Record, ...]:
    source = source_name(_first(fields, _SOURCE)) if _first(fields, _SOURCE) else None
    status, request = _first(fields, ("status", "status_code", "http.response.status_code", "code")), _request(fields)
    if request:
        return _web_records(fields, source, status, request)
    text = " ".join(str(fields[name]) for name in _TEXT if isinstance(fields.get(name), str)).lower()[:500]
    if _OUT.search(text):
        return ()
    failed = _failed(fields, text)
    if failed is None:
        return ()
    user = _first(fields, _USER)
    if not failed:
        return (Accepted(source=source, user=user_name(user) or ""),) if source else ()
    said = text + " " + " ".join(_first(fields, (name,)) for name in _REASON).lower()[:1000]
    unknown = _NO_SUCH_USER.search(said) is not None
    return (Failure(kind="failed", source=source, user=user_name(user) if user else None, invalid=unknown),)


def _failed(fields: Mapping[str, object], text: str) -> bool | None:
    """Whether the line tells of a failed login (True), of a good one (False), or of none."""
    if _LOGIN.search(text):
        for name in _OUTCOME:
            value = fields.get(name)
            if isinstance(value, bool):
                return not value
            word = str(value).lower() if isinstance(value, str | int) else ""
            if word in ("401", "403", "ko", "no", "false", "error") or _FAILED.search(word):
                return True
            if word in ("200", "ok", "yes", "true", "pass", "passed") or _GOOD.search(word):
                return False
    if _TELLS_FAILURE.search(text):
        return True
    return False if _TELLS_SUCCESS.search(text) else None


def _request(fields: Mapping[str, object]) -> str:
    request = _first(fields, ("request",))
    if " " in request:
        return request
    path = _first(fields, ("path", "uri", "url", "request_uri", "url.path", "http.request.path", "http.url"))
    method = _first(fields, ("method", "request_method", "http.request.method", "http_method", "http.method", "verb"))
    return f"{method.upper()} {path}" if path and method else ""


def _web_records(fields: Mapping[str, object], source: str | None, status: str, request: str) -> tuple[Record, ...]:
    user = _first(fields, ("remote_user",))
    named = user_name(user) if user not in ("", "-") else None
    seen = (Connection(source=source, service="http"),) if source else ()
    if status in ("401", "403") and refused_login(request, named):
        return (*seen, Failure(kind="failed", source=source, user=named or user_name(_first(fields, _USER) or None)))
    return seen
