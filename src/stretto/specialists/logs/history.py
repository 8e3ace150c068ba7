"""Who failed of late, by source and by user; its law: nothing older than the window, nothing without a bound."""

from __future__ import annotations

from .events import Attempt
from .model import Line

_SWEEP_EVERY = 4096
_KEY_LIMIT = 20_000
_STEPS_LIMIT = 1024  # past so many moments of failure, neighbours are put together
_PARTNER_LIMIT = 100


class Trail:
    """The failures of one source, or of one user, within the window."""

    __slots__ = ("_lines", "_max_lines", "_seconds", "_steps", "failures", "line_count", "partners")

    def __init__(self, seconds: int, max_lines: int) -> None:
        self._seconds = seconds
        self._max_lines = max_lines
        self._steps: list[tuple[int, int, int]] = []  # t, failures, lines (short lists take far less than deques)
        self._lines: list[tuple[int, Line]] = []
        self.failures = 0
        self.line_count = 0
        self.partners: dict[str, int] = {}  # the sources that tried a user, ever since the trail began

    def add(self, attempt: Attempt) -> None:
        """Add an attempt; a late one counts as if it were in time."""
        if attempt.t < self.last() - self._seconds:  # a log before the present one: begin again
            self._steps, self._lines, self.partners = [], [], {}
            self.failures = self.line_count = 0
        t = max(attempt.t, self.last())
        if self._steps and self._steps[-1][0] == t:
            _, failures, lines = self._steps.pop()
            self._steps.append((t, failures + attempt.count, lines + attempt.line_count))
        else:
            self._steps.append((t, attempt.count, attempt.line_count))
        self.failures += attempt.count
        self.line_count += attempt.line_count
        for line in attempt.lines:
            self._lines.append((t, line))
        del self._lines[: -self._max_lines]
        if len(self._steps) > _STEPS_LIMIT:
            self._coarsen()

    def pair(self, source: str) -> None:
        """Remember a source that tried this user."""
        if source in self.partners or len(self.partners) < _PARTNER_LIMIT:
            self.partners[source] = self.partners.get(source, 0) + 1

    def forget(self, t: int) -> None:
        """Drop what the window has left at this time."""
        while self._steps and self._steps[0][0] < t - self._seconds:
            _, failures, lines = self._steps.pop(0)
            self.failures -= failures
            self.line_count -= lines
        while self._lines and self._lines[0][0] < t - self._seconds:
            self._lines.pop(0)
        if not self._steps:
            self.partners.clear()

    def last(self) -> int:
        """The time of the last failure."""
        return self._steps[-1][0] if self._steps else -(1 << 62)

    def lines(self) -> tuple[Line, ...]:
        """The last records of failure, in the order of time."""
        return tuple(line for _, line in self._lines)

    def candidates(self, limit: int) -> tuple[str, ...]:
        """The sources that tried this user most."""
        return tuple(sorted(self.partners, key=lambda name: (-self.partners[name], name))[:limit])

    def _coarsen(self) -> None:
        steps = self._steps
        self._steps = [
            (steps[i + 1][0], steps[i][1] + steps[i + 1][1], steps[i][2] + steps[i + 1][2])
            for i in range(0, len(steps) - 1, 2)
        ]
        if len(steps) % 2:
            self._steps.append(steps[-1])


class Trails:
    """The trails of many keys, pruned by time."""

    def __init__(self, seconds: int, max_lines: int) -> None:
        self._seconds, self._max_lines = seconds, max_lines
        self._trails: dict[str, Trail] = {}
        self._added = 0

    def add(self, key: str, attempt: Attempt) -> Trail:
        """Add an attempt to a key's trail and give the trail."""
        trail = self._trails.get(key)
        if trail is None:
            trail = self._trails[key] = Trail(self._seconds, self._max_lines)
        trail.forget(attempt.t)
        trail.add(attempt)
        self._added += 1
        if self._added % _SWEEP_EVERY == 0 or len(self._trails) > _KEY_LIMIT:
            self._sweep(attempt.t)
        return trail

    def at(self, key: str, t: int) -> Trail | None:
        """A key's trail as it stands at this time, None if it has no failures in the window."""
        trail = self._trails.get(key)
        if trail is not None:
            trail.forget(t)
            if trail.last() > t + self._seconds:
                return None
        return trail if trail is not None and trail.failures else None

    def _sweep(self, t: int) -> None:
        for key in [key for key, trail in self._trails.items() if trail.last() < t - self._seconds]:
            del self._trails[key]
        if len(self._trails) > _KEY_LIMIT:
            for key in sorted(self._trails, key=lambda key: self._trails[key].last())[: _KEY_LIMIT // 4]:
                del self._trails[key]
