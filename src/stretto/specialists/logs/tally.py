"""Attempts, logins and connections to findings; its law: events come in the order of time, each once."""

from __future__ import annotations

from dataclasses import replace

from .events import Attempt, Login
from .history import Trail, Trails
from .model import (
    UNKNOWN,
    Analysis,
    AnonymousLogin,
    Breach,
    Burst,
    Flood,
    Line,
    LogFile,
    Options,
)
from .records import Anonymous, Connection, Place, visible
from .totals import Totals
from .windows import Stretch, Windows

_CANDIDATES = 10


class _OpenBreach:
    """A breach whose following logins are still counted."""

    __slots__ = ("breach", "last", "logins")

    def __init__(self, breach: Breach, t: int) -> None:
        self.breach, self.last, self.logins = breach, t, 1


class Tally:
    """Gathers what one file tells and gives it as an Analysis."""

    def __init__(self, file: str, options: Options) -> None:
        self._file, self._options = file, options
        self._attempts = 0
        self._sources = Totals(options)
        self._invalid = Totals(options)
        self._bursts: list[tuple[int, Burst]] = []
        self._floods: list[tuple[int, Flood]] = []
        self._breaches: list[_OpenBreach] = []
        self._anonymous: list[AnonymousLogin] = []
        self._open_breaches: dict[tuple[str, str], _OpenBreach] = {}
        self._left_out: dict[str, int] = {}
        lines = options.max_lines
        self._brute = Windows(options.threshold, options.window_seconds, lines, self._burst)
        self._crowd = Windows(options.flood_threshold, options.flood_window_seconds, lines, self._flood)
        self._by_source = Trails(options.breach_window_seconds, lines)
        self._by_user = Trails(options.breach_window_seconds, lines)

    def event(self, event: Attempt | Login) -> None:
        """Count an attempt, or judge a login by the attempts before it."""
        if isinstance(event, Attempt):
            self._attempt(event)
        else:
            self._login(event)

    def connection(self, record: Connection, place: Place) -> None:
        """Count connections or requests towards a flood."""
        self._crowd.add(
            (record.source, record.service), place.t, place.at, record.count, 1,
            lambda: (Line(file=self._file, line=place.number, text=visible(place.text)),),
        )  # fmt: skip

    def anonymous(self, record: Anonymous, place: Place, line: Line) -> None:
        """List an anonymous ftp login."""
        if self._room("anonymous logins", len(self._anonymous)):
            self._anonymous.append(
                AnonymousLogin(
                    file=self._file, source=record.source, user=record.user, at=place.at, lines=(line,), more_lines=0
                )
            )

    def finish(self, file: LogFile) -> Analysis:
        """The analysis, once all events are in."""
        self._brute.finish()
        self._crowd.finish()
        return Analysis(
            files=(file,),
            attempts=self._attempts,
            sources=self._sources.sources(),
            bursts=tuple(burst for _, burst in sorted(self._bursts, key=lambda item: (item[0], item[1].source))),
            invalid_users=self._invalid.invalid_users(),
            breaches=tuple(_with_logins(found) for found in self._breaches),
            floods=tuple(flood for _, flood in sorted(self._floods, key=lambda item: (item[0], item[1].source))),
            anonymous=tuple(self._anonymous),
            notes=self._notes(),
        )

    def _attempt(self, attempt: Attempt) -> None:
        source = attempt.source or UNKNOWN
        self._attempts += attempt.count
        self._sources.add(source, attempt, attempt.user)
        if attempt.invalid:
            self._invalid.add(attempt.user or UNKNOWN, attempt, source)
        self._brute.add((source,), attempt.t, attempt.at, attempt.count, attempt.line_count, lambda: attempt.lines)
        self._by_source.add(source, attempt)
        if attempt.user is not None:
            self._by_user.add(attempt.user, attempt).pair(source)

    def _login(self, login: Login) -> None:
        if login.source is not None:
            trail = self._by_source.at(login.source, login.t)
            self._judge(login, login.source, trail, (login.source,), True)
        elif not login.process.accepted:
            trail = self._by_user.at(login.user, login.t)
            candidates = trail.candidates(_CANDIDATES) if trail is not None else ()
            self._judge(login, login.process.peer or UNKNOWN, trail, candidates, False)

    def _judge(
        self, login: Login, source: str, trail: Trail | None, candidates: tuple[str, ...], certain: bool
    ) -> None:
        key = (source, login.user)
        earlier = self._open_breaches.get(key)
        if earlier is not None and login.t - earlier.last <= self._options.breach_window_seconds:
            earlier.last = login.t
            earlier.logins += 1
            return
        self._open_breaches.pop(key, None)
        if trail is None or trail.failures < self._options.breach_failures:
            return
        if not self._room("breaches", len(self._breaches)):
            return
        shown = trail.lines()[-(self._options.max_lines - 1) :] if self._options.max_lines > 1 else ()
        found = _OpenBreach(
            Breach(
                file=self._file, source=source, user=login.user, at=login.at, failures=trail.failures,
                certain=certain, logins=1, candidates=candidates, lines=(*shown, login.line),
                more_lines=trail.line_count - len(shown),
            ),
            login.t,
        )  # fmt: skip
        self._open_breaches[key] = found
        self._breaches.append(found)

    def _burst(self, found: Stretch) -> None:
        if self._room("bursts", len(self._bursts)):
            burst = Burst(
                file=self._file, source=found.key[0], start=found.start, end=found.end, attempts=found.count,
                lines=found.lines, more_lines=found.more_lines,
            )  # fmt: skip
            self._bursts.append((found.t, burst))

    def _flood(self, found: Stretch) -> None:
        if self._room("floods", len(self._floods)):
            flood = Flood(
                file=self._file, source=found.key[0], service=found.key[1], start=found.start, end=found.end,
                connections=found.count, lines=found.lines, more_lines=found.more_lines,
            )  # fmt: skip
            self._floods.append((found.t, flood))

    def _room(self, what: str, held: int) -> bool:
        if held < self._options.max_findings:
            return True
        self._left_out[what] = self._left_out.get(what, 0) + 1
        return False

    def _notes(self) -> tuple[str, ...]:
        notes = [
            f"{self._file}: {count} {what} past the first {self._options.max_findings} are not listed"
            for what, count in self._left_out.items()
        ]
        for what, folded in (("sources", self._sources.folded), ("invalid users", self._invalid.folded)):
            if folded:
                notes.append(f"{self._file}: {folded} {what} with few attempts are counted together as (others)")
        return tuple(notes)


def _with_logins(found: _OpenBreach) -> Breach:
    breach = found.breach
    return breach if found.logins == 1 else replace(breach, logins=found.logins)
