"""Running totals by source and by invalid user; its law: counts are exact, samples and names are bounded."""

from __future__ import annotations

from .events import Attempt
from .model import OTHERS, UNKNOWN, InvalidUser, Line, Options, Source

_NAMES_LIMIT = 2_000  # names kept per total; past it the rarer half is let go
_LINES_BUDGET = 100_000  # sample lines over all totals; past it a new total keeps one
TOP_USERS = 10


class Total:
    """The attempts of one source or one user, with the names of the other side."""

    __slots__ = ("attempts", "first", "last", "lines", "more", "names", "room")

    def __init__(self, room: int) -> None:
        self.attempts = 0
        self.names: dict[str, int] = {}
        self.first: tuple[int, str] | None = None
        self.last: tuple[int, str] | None = None
        self.lines: list[Line] = []
        self.more = 0
        self.room = room

    def add(self, attempt: Attempt, name: str | None) -> int:
        """Count an attempt; gives how many sample lines it took."""
        self.attempts += attempt.count
        if name is not None:
            self.names[name] = self.names.get(name, 0) + attempt.count
            if len(self.names) > _NAMES_LIMIT:
                self.names = {kept: self.names[kept] for kept in _most(self.names, _NAMES_LIMIT // 2)}
        if self.first is None or attempt.t < self.first[0]:
            self.first = (attempt.t, attempt.at)
        if self.last is None or attempt.t >= self.last[0]:
            self.last = (attempt.t, attempt.at)
        shown = attempt.lines[: max(self.room - len(self.lines), 0)]
        self.lines.extend(shown)
        self.more += attempt.line_count - len(shown)
        return len(shown)

    def absorb(self, other: Total) -> None:
        """Take another total in, its samples left out."""
        self.attempts += other.attempts
        moments = [moment for moment in (self.first, self.last, other.first, other.last) if moment is not None]
        self.first, self.last = min(moments), max(moments)
        self.more += other.more + len(other.lines)


class Totals:
    """Totals under many keys; past `max_sources` keys the smaller ones are put together as "(others)"."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._totals: dict[str, Total] = {}
        self._budget = _LINES_BUDGET
        self.folded = 0

    def add(self, key: str, attempt: Attempt, name: str | None) -> None:
        """Count an attempt under a key, with the name of the other side."""
        total = self._totals.get(key)
        if total is None:
            room = self._options.max_lines if self._budget > 0 else 1
            total = self._totals[key] = Total(room)
            if len(self._totals) > self._options.max_sources + 1:
                self._fold(key)
        self._budget -= total.add(attempt, name)

    def sources(self) -> tuple[Source, ...]:
        """The totals as sources, most attempts first."""
        return tuple(
            Source(
                source=key, attempts=total.attempts, users=_most(total.names, TOP_USERS),
                first=_at(total.first), last=_at(total.last), lines=_in_order(total.lines), more_lines=total.more,
            )
            for key, total in self._sorted()
        )  # fmt: skip

    def invalid_users(self) -> tuple[InvalidUser, ...]:
        """The totals as invalid users, most attempts first."""
        return tuple(
            InvalidUser(
                user=key, attempts=total.attempts, sources=_most(total.names, self._options.max_lines),
                more_sources=max(len(total.names) - self._options.max_lines, 0),
                first=_at(total.first), last=_at(total.last), lines=_in_order(total.lines), more_lines=total.more,
            )
            for key, total in self._sorted()
        )  # fmt: skip

    def _sorted(self) -> list[tuple[str, Total]]:
        return sorted(self._totals.items(), key=lambda item: (-item[1].attempts, item[0]))

    def _fold(self, new: str) -> None:
        others = self._totals.pop(OTHERS, None) or Total(0)
        kept = self._options.max_sources // 2
        ranked = [key for key, _ in self._sorted() if key not in (new, UNKNOWN)]
        for key in ranked[kept:]:
            total = self._totals.pop(key)
            self._budget += len(total.lines)
            others.absorb(total)
            self.folded += 1
        if others.attempts:
            self._totals[OTHERS] = others


def _most(names: dict[str, int], limit: int) -> tuple[str, ...]:
    return tuple(name for name, _ in sorted(names.items(), key=lambda item: (-item[1], item[0]))[:limit])


def _at(moment: tuple[int, str] | None) -> str:
    return moment[1] if moment is not None else ""


def _in_order(lines: list[Line]) -> tuple[Line, ...]:
    return tuple(sorted(lines, key=lambda line: line.line))
