"""Records to attempts; its law: within one process each voice tells an attempt once, so equal voices are two.

An attempt stays open to further records until the login grace time has passed, and only then goes out, in the
order of time; so what is told later (an address for a name, an unknown user) is known before it is counted.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import islice

from .events import GRACE_SECONDS, Attempt, Login, Process, is_name, same_peer
from .model import UNKNOWN, Line
from .records import Accepted, Closing, Failure, Place, Session, Summary, is_address, visible

_HELD_LIMIT = 20_000  # events held back at once
_PROCESS_LIMIT = 20_000
_RECENT_LIMIT = 64  # attempts of one process that may still be joined


class Joiner:
    """Joins records to attempts and hands each event on when no further record can belong to it."""

    def __init__(self, file: str, release: Callable[[Attempt | Login], None]) -> None:
        self._file, self._release = file, release
        self._processes: dict[tuple[str, ...], Process] = {}
        self._held: list[tuple[int, int, Attempt | Login]] = []
        self._order = 0

    def failure(self, record: Failure, place: Place) -> None:
        """Join a record of failure to the earliest attempts that lack its voice, or begin new ones."""
        process, line, left = self._process(place), self.line(place), record.count
        for attempt in tuple(process.recent):
            if not left:
                break
            if not same_peer(attempt.source, record.source, bool(place.pid)):
                continue
            if not attempt.may_take(record.kind, place.t):
                continue
            if attempt.count > left and not attempt.released:
                attempt = attempt.split(left)
                self._begin(process, attempt)
            left -= min(left, attempt.count)
            attempt.take(record.kind, record, place, line)
            process.learn(attempt, place)
        if left:
            self._new(process, record.kind, left, record, place, line)
        if record.kind == "pam_unix":
            process.told_by_pam += record.count
        self.settle(place.t)

    def closing(self, record: Closing, place: Place) -> None:
        """Count the end of a process as an attempt if the process told of none; without a pid nobody knows."""
        process = self._process(place)
        if place.pid and not process.attempts and not process.accepted:
            self._new(process, "closing", 1, record, place, self.line(place))

    def summary(self, record: Summary, place: Place) -> None:
        """Count of PAM's closing count what the process's own records did not tell; without a pid nothing."""
        process = self._process(place)
        process.told_by_pam += record.more
        missing = process.told_by_pam - process.attempts
        if place.pid and missing > 0:
            self._new(process, "summary", missing, record, place, self.line(place))

    def login(self, record: Accepted | Session, place: Place) -> None:
        """Queue a login that succeeded among the attempts; without a pid nobody knows if a session was accepted."""
        process = self._process(place)
        accepted = isinstance(record, Accepted)
        if not accepted and not place.pid:
            return
        process.accepted |= accepted
        source = record.source if isinstance(record, Accepted) else None
        self._hold(Login(place, record.user, source, process, self.line(place)))
        self.settle(place.t)

    def line(self, place: Place) -> Line:
        """A record as evidence."""
        return Line(file=self._file, line=place.number, text=visible(place.text))

    def settle(self, t: int | None = None) -> None:
        """Hand on the events that are complete at this time; all of them without one."""
        while self._held and (t is None or self._held[0][0] < t - GRACE_SECONDS or len(self._held) > _HELD_LIMIT):
            event = heapq.heappop(self._held)[2]
            if isinstance(event, Attempt):
                event.released = True
                event.source = event.source or UNKNOWN
                event.invalid = event.invalid and not event.known
            self._release(event)

    def _process(self, place: Place) -> Process:
        """The process a record comes from; without a pid, its program within the same second."""
        key = (place.host, place.pid) if place.pid else (place.host, place.program, str(place.t))
        found = self._processes.pop(key, None)
        if found is None or abs(place.t - found.last) > GRACE_SECONDS:
            found = Process()
        self._processes[key] = found  # in the order of their last word
        found.last = place.t
        self._forget(place.t)
        return found

    def _forget(self, t: int) -> None:
        """Let go of the two processes longest silent, if their time is over: more than come in."""
        for key in tuple(islice(self._processes, 2)):
            if len(self._processes) > _PROCESS_LIMIT or abs(t - self._processes[key].last) > GRACE_SECONDS:
                del self._processes[key]

    def _new(
        self, process: Process, kind: str, count: int, record: Failure | Closing | Summary, place: Place, line: Line
    ) -> None:
        attempt = Attempt(place, count)
        by_name = place.pid and is_name(record.source) and is_address(process.peer or "")
        if record.source is None or by_name:
            attempt.source = process.peer
        process.attempts += count
        attempt.take(kind, record, place, line)
        self._begin(process, attempt)
        process.learn(attempt, place)

    def _begin(self, process: Process, attempt: Attempt) -> None:
        recent = process.recent
        if recent and (len(recent) >= _RECENT_LIMIT or attempt.t - recent[0].t > GRACE_SECONDS):
            process.recent = recent = [
                held for held in recent[1 - _RECENT_LIMIT :] if attempt.t - held.t <= GRACE_SECONDS
            ]
        recent.append(attempt)
        self._hold(attempt)

    def _hold(self, event: Attempt | Login) -> None:
        self._order += 1
        heapq.heappush(self._held, (event.t, self._order, event))
