"""Attempts, logins and the processes they happen in, while records still come in; its law: addresses beat names."""

from __future__ import annotations

from .model import Line
from .records import Closing, Failure, Place, Summary, is_address

GRACE_SECONDS = 120  # sshd's LoginGraceTime; also the silence after which a pid is another process
_ANSWER_SECONDS = 10  # PAM delays its answer by some seconds
_PATIENT = frozenset({"invalid", "request", "none", "refused", "closing"})
_LINES_LIMIT = 12  # records kept as evidence of one attempt; real ones have at most six


class Attempt:
    """One failed login (or `count` alike), open to the records that belong to it until it is released."""

    __slots__ = (
        "_answered",
        "_kinds",
        "at",
        "count",
        "invalid",
        "known",
        "line_count",
        "lines",
        "released",
        "source",
        "t",
        "user",
    )

    def __init__(self, place: Place, count: int) -> None:
        self.t, self.at, self.count = place.t, place.at, count
        self.source: str | None = None
        self.user: str | None = None
        self.invalid = self.known = self.released = False
        self.lines: tuple[Line, ...] = ()
        self.line_count = 0
        self._kinds: tuple[str, ...] = ()
        self._answered: int | None = None

    def may_take(self, kind: str, t: int) -> bool:
        """Whether a record of this kind, at this time, can be of this attempt."""
        if kind in self._kinds:
            return False
        if kind in _PATIENT or self._answered is None:
            return abs(t - self.t) <= GRACE_SECONDS
        return abs(t - self._answered) <= _ANSWER_SECONDS

    def take(self, kind: str, record: Failure | Closing | Summary, place: Place, line: Line) -> None:
        """Add what a record tells."""
        self._kinds += (kind,)
        if kind not in _PATIENT:
            self._answered = place.t
        if self.user is None:
            self.user = record.user
        self.source = better_source(self.source, record.source)
        if isinstance(record, Failure):
            self.known |= record.known
        if not isinstance(record, Summary):
            self.invalid |= record.invalid
        self.line_count += 1
        if len(self.lines) < _LINES_LIMIT:
            self.lines += (line,)

    def split(self, count: int) -> Attempt:
        """Take `count` of the like attempts apart, as an attempt of its own."""
        part = Attempt.__new__(Attempt)
        for name in Attempt.__slots__:
            setattr(part, name, getattr(self, name))
        part.count = count
        self.count -= count
        return part


class Process:
    """What one process has told so far."""

    __slots__ = ("_known_users", "accepted", "attempts", "last", "peer", "recent", "told_by_pam")

    def __init__(self) -> None:
        self.last = 0
        self.peer: str | None = None
        self.recent: list[Attempt] = []
        self.attempts = 0
        self.told_by_pam = 0
        self.accepted = False
        self._known_users: tuple[str, ...] = ()

    def learn(self, attempt: Attempt, place: Place) -> None:
        """Learn from an attempt who the peer is and which users exist, and tell the other attempts."""
        if attempt.user is not None:
            if attempt.user in self._known_users:
                attempt.known = True
            elif attempt.known:
                self._known_users = (*self._known_users[-9:], attempt.user)
        source = attempt.source
        if source is None or source == self.peer:
            return
        if place.pid and is_name(self.peer) and is_address(source):
            for earlier in self.recent:
                if earlier.source == self.peer and not earlier.released:
                    earlier.source = source
        self.peer = source


class Login:
    """A login that succeeded; without a source it is a session whose origin is not told."""

    __slots__ = ("at", "line", "process", "source", "t", "user")

    def __init__(self, place: Place, user: str, source: str | None, process: Process, line: Line) -> None:
        self.t, self.at = place.t, place.at
        self.user, self.source, self.process, self.line = user, source, process, line


def is_name(source: str | None) -> bool:
    """Whether a source is a host's name, not an address and not a word of ours such as "(local)"."""
    return source is not None and not source.startswith("(") and not is_address(source)


def same_peer(held: str | None, told: str | None, one_peer: bool) -> bool:
    """Whether two sources can be the same; where there is only one peer, a name and an address are."""
    if held is None or told is None or held == told:
        return True
    return one_peer and ((is_name(held) and is_address(told)) or (is_address(held) and is_name(told)))


def better_source(held: str | None, told: str | None) -> str | None:
    """Of two names of one peer the address, which the network tells; else the one held."""
    if held is None or (told is not None and is_address(told) and is_name(held)):
        return told
    return held
