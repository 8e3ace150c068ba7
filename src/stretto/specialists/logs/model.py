"""What an analysis says: frozen data of JSON-able fields; times are ISO strings as the log's own clock wrote them."""

from __future__ import annotations

from dataclasses import dataclass, fields

LOCAL = "(local)"
UNKNOWN = "(unknown)"
OTHERS = "(others)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Thresholds (attempts, connections), windows (seconds) and bounds (counts); every one at least 1."""

    threshold: int = 5
    window_seconds: int = 600
    flood_threshold: int = 20
    flood_window_seconds: int = 60
    breach_failures: int = 5
    breach_window_seconds: int = 3600
    max_lines: int = 20
    max_sources: int = 20_000
    max_findings: int = 10_000

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{field.name} must be a whole number of at least 1, not {value!r}")


DEFAULTS = Options()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One record as evidence: its file, its number (from 1) and its text, cut at 300 characters."""

    file: str
    line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFile:
    """One file read: the formats found (most frequent first), its lines, and how many of them were understood."""

    path: str
    format: str
    lines: int
    recognised: int
    first: str | None
    last: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where failed logins came from: an address, a host name, "(local)" or "(unknown)"; users are the top ten."""

    source: str
    attempts: int
    users: tuple[str, ...]
    first: str
    last: str
    lines: tuple[Line, ...]
    more_lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """A stretch of brute force: every window of `threshold` attempts of one source, overlapping ones joined."""

    file: str
    source: str
    start: str
    end: str
    attempts: int
    lines: tuple[Line, ...]
    more_lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidUser:
    """A user name the host does not know; "(unknown)" where the log keeps the name to itself."""

    user: str
    attempts: int
    sources: tuple[str, ...]
    more_sources: int
    first: str
    last: str
    lines: tuple[Line, ...]
    more_lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A login that succeeded after failures; certain when its source is known to have made them.

    `candidates` are the sources that may have done it; `logins` counts this and the following logins of the
    same source and user, up to the breach window apart; `failures` are those in the window before the first.
    """

    file: str
    source: str
    user: str
    at: str
    failures: int
    certain: bool
    logins: int
    candidates: tuple[str, ...]
    lines: tuple[Line, ...]
    more_lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """A stretch of too many connections or requests from one source; service is ftp, http or ssh."""

    file: str
    source: str
    service: str
    start: str
    end: str
    connections: int
    lines: tuple[Line, ...]
    more_lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnonymousLogin:
    """An anonymous ftp login; user is what was given as the name or password."""

    file: str
    source: str
    user: str
    at: str
    lines: tuple[Line, ...]
    more_lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """Everything found; sources and invalid users by attempts, the rest by time; notes tell what was left out."""

    files: tuple[LogFile, ...]
    attempts: int
    sources: tuple[Source, ...]
    bursts: tuple[Burst, ...]
    invalid_users: tuple[InvalidUser, ...]
    breaches: tuple[Breach, ...]
    floods: tuple[Flood, ...]
    anonymous: tuple[AnonymousLogin, ...]
    notes: tuple[str, ...]
