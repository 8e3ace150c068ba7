"""The timeline of a run as lines of bars: who worked when, what it waited for, and how often. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from stretto.core.timeline import Stretch, Timeline
from stretto.dashboard.words import short

LEAST_WAIT: Final = 0.02
"""Seconds that a task waited though it could have begun, from which on it is drawn."""

_LONGEST = 120


def lines_of(line: Timeline) -> dict[str, dict[str, Any]]:
    """Give a line of bars for each task, in the order in which they began.

    A bar is (what, begin, end, who, which attempt), in seconds from the run's begin; the end of an open one is None.
    What it shows is `done`, `failed` or `open` work, a `person` who is waited for, or a `wait` though all it needs is
    there: for a free place, or between two attempts.
    """
    found: dict[str, list[Stretch]] = {}
    for one in line.stretches:
        found.setdefault(one.task, []).append(one)
    handoffs = {one.task: one for one in line.handoffs}
    lines = {}
    for task, stretches in found.items():
        bars: list[list[Any]] = []
        first = stretches[0].begin
        if (handoff := handoffs.get(task)) is not None and handoff.seconds >= LEAST_WAIT:
            bars.append(["wait", _at(line, first - handoff.seconds), _at(line, first), short(handoff.after, 60), 0])
        last = first
        for one in stretches:
            if one.kind == "attempt" and one.begin - last >= LEAST_WAIT:
                bars.append(["wait", _at(line, last), _at(line, one.begin), "", one.attempt])
            bars.append(_bar(line, one))
            last = max(last, one.end)
        tries = sum(one.kind == "attempt" for one in stretches)
        worked = sum(one.end - one.begin for one in stretches if one.kind == "attempt" and one.ending != "open")
        lines[task] = {
            "name": short(task, _LONGEST),
            "bars": bars,
            "tries": tries,
            "worked": round(worked, 3),
        }
    return lines


def changed(lines: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Give the lines that are other than before."""
    return {task: one for task, one in lines.items() if before.get(task) != one}


def _bar(line: Timeline, one: Stretch) -> list[Any]:
    what = "person" if one.kind == "person" else one.ending
    end = None if one.ending == "open" else _at(line, one.end)
    return [what, _at(line, one.begin), end, short(one.agent, 60), one.attempt]


def _at(line: Timeline, moment: float) -> float:
    return round(max(moment - line.begin, 0.0), 3)
