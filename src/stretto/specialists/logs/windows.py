"""Stretches of too much from one source; its law: what any window of `threshold` holds is in exactly one stretch.

Only the last `threshold` events of a source are kept, which is enough: windows that overlap share one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

from .model import Line

_SWEEP_EVERY = 4096
_STATE_LIMIT = 20_000
Evidence = Callable[[], Sequence[Line]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch found: its key, its bounds as text and in seconds, its events and a sample of their lines."""

    key: tuple[str, ...]
    start: str
    end: str
    t: int
    count: int
    lines: tuple[Line, ...]
    more_lines: int


class _State:
    __slots__ = ("count", "end", "end_at", "fresh", "lines", "more", "recent", "start", "start_at", "total")

    def __init__(self) -> None:
        self.recent: list[tuple[int, str, int, int, Evidence]] = []  # t, at, count, lines, evidence
        self.total = 0  # events in `recent`
        self.fresh = 0  # entries at its end that are of no stretch yet
        self.count = 0  # events of the open stretch, 0 while there is none
        self.start = self.end = 0
        self.start_at = self.end_at = ""
        self.lines: list[Line] = []
        self.more = 0

    def drop(self) -> None:
        self.total -= self.recent.pop(0)[2]
        self.fresh = min(self.fresh, len(self.recent))


class Windows:
    """Finds the stretches in which a key has `threshold` events or more within `seconds`."""

    def __init__(self, threshold: int, seconds: int, max_lines: int, found: Callable[[Stretch], None]) -> None:
        self._threshold, self._seconds, self._max_lines, self._found = threshold, seconds, max_lines, found
        self._states: dict[tuple[str, ...], _State] = {}
        self._added = 0

    def add(self, key: tuple[str, ...], t: int, at: str, count: int, line_count: int, evidence: Evidence) -> None:
        """Count events of a key at a time; `evidence` gives their lines when they are needed."""
        state = self._states.get(key)
        if state is None:
            state = self._states[key] = _State()
            if len(self._states) > _STATE_LIMIT:
                self._evict()
        recent = state.recent
        if recent and t < recent[-1][0]:
            if t < recent[-1][0] - self._seconds:  # a log before the present one: begin again
                self._close(key, state)
                while recent:
                    state.drop()
            else:  # a late record, counted as if it were in time
                t, at = recent[-1][:2]
        recent.append((t, at, count, line_count, evidence))
        state.total += count
        state.fresh += 1
        self._slide(key, state, t, at)
        self._added += 1
        if self._added % _SWEEP_EVERY == 0:
            self._sweep(t)

    def finish(self) -> None:
        """Report the stretches still open."""
        for key, state in self._states.items():
            self._close(key, state)
        self._states.clear()

    def _slide(self, key: tuple[str, ...], state: _State, t: int, at: str) -> None:
        recent = state.recent
        while recent[0][0] < t - self._seconds:
            state.drop()
        if state.total < self._threshold:
            return
        opening = not state.count or recent[0][0] > state.end
        if opening:
            self._close(key, state)
            state.start, state.start_at = recent[0][:2]
        for entry in recent[len(recent) - state.fresh :]:
            self._extend(state, entry)
        if opening and state.more:
            state.lines[-1] = recent[-1][4]()[-1]  # the decisive record is always shown
        state.end, state.end_at, state.fresh = t, at, 0
        while len(recent) > 2 and state.total - recent[0][2] >= self._threshold:
            state.drop()

    def _extend(self, state: _State, entry: tuple[int, str, int, int, Evidence]) -> None:
        state.count += entry[2]
        room = self._max_lines - len(state.lines)
        shown = entry[4]()[:room] if room else ()
        state.lines.extend(shown)
        state.more += entry[3] - len(shown)

    def _close(self, key: tuple[str, ...], state: _State) -> None:
        if state.count:
            self._found(
                Stretch(
                    key=key, start=state.start_at, end=state.end_at, t=state.start, count=state.count,
                    lines=tuple(state.lines), more_lines=state.more,
                )
            )  # fmt: skip
        state.count, state.lines, state.more = 0, [], 0

    def _sweep(self, t: int) -> None:
        old = [key for key, state in self._states.items() if self._age(key) < t - 2 * self._seconds]
        for key in old:
            self._close(key, self._states.pop(key))

    def _evict(self) -> None:
        for key in sorted(self._states, key=self._age)[: _STATE_LIMIT // 4]:
            self._close(key, self._states.pop(key))

    def _age(self, key: tuple[str, ...]) -> float:
        recent = self._states[key].recent
        return recent[-1][0] if recent else inf
