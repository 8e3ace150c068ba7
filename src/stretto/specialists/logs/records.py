"""What one log record can tell, as closed data; the rules produce these and the joiner consumes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from .model import LOCAL

_SOURCE_LIMIT = 255
_USER_LIMIT = 64
# Control characters, and marks that turn the direction of writing so that one name looks like another.
_UNSAFE = (*range(32), *range(127, 160), *range(0x200E, 0x2010), *range(0x2028, 0x202F), *range(0x2066, 0x206A))
_CONTROL = dict.fromkeys(_UNSAFE, "\ufffd")
_VISIBLE = _CONTROL | {9: " "}


class Place(NamedTuple):
    """Where and when a record was written: its host, program and process, and its line in the file."""

    host: str
    program: str
    pid: str
    t: int
    at: str
    number: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A record of a failed login; `kind` says which voice tells it, for one attempt is told once by each.

    Without a source it tells of the process it comes from. `invalid`: the host does not know the user;
    `known`: it does, whatever other records say.
    """

    kind: str
    source: str | None = None
    user: str | None = None
    invalid: bool = False
    known: bool = False
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """The end of a process that failed to log in: an attempt only if nothing else told of one."""

    source: str
    user: str | None = None
    invalid: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A closing count of PAM: so many failures more than it has told one by one."""

    source: str | None
    user: str | None
    more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A login that succeeded, from a known source."""

    source: str
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session opened by a login service, the source untold."""

    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A connection or request."""

    source: str
    service: str
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Anonymous:
    """An anonymous ftp login."""

    source: str
    user: str


Record = Failure | Closing | Summary | Accepted | Session | Connection | Anonymous


def source_name(text: str) -> str:
    """The name a source counts under: mapped IPv4 as IPv4, brackets off, nothing as "(local)"."""
    name = _clean(text.strip("[]'\"")[:_SOURCE_LIMIT], _CONTROL)
    if name[:7].lower() == "::ffff:" and "." in name:
        name = name[7:]
    return name if name not in ("", "(null)", "-", "?") else LOCAL


def user_name(text: str | None) -> str | None:
    """A user name safe to print: control characters replaced, cut at 64, the empty one shown as "(empty)"."""
    if text is None:
        return None
    name = _clean(text[: _USER_LIMIT + 1], _CONTROL)
    return (name if len(name) <= _USER_LIMIT else name[: _USER_LIMIT - 1] + "…") or "(empty)"


def is_address(source: str) -> bool:
    """Whether a source is an IP address and not a host name or a word of ours."""
    return ":" in source or source.replace(".", "").isdigit()


def visible(text: str, limit: int = 300) -> str:
    """A record as evidence: trailing blanks off, control characters replaced, cut with an ellipsis."""
    shown = _clean(text[: limit + 1].rstrip(), _VISIBLE)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _clean(text: str, table: dict[int, str]) -> str:
    return text if text.isprintable() else text.translate(table)
