"""A timeline as text: a bar for each task, and below it how well the time was used."""

import math
from collections.abc import Mapping, Sequence

from rich.cells import cell_len

from stretto.cli.view.lines import UNICODE, Line, Signs, Span, cropped, foreign, pad
from stretto.core.timeline import Handoff, Stretch, Timeline
from stretto.telling.words import count, span

UNSEEN = 100
"""Cells that are taken where there is no terminal."""

TARGET = 5.0
"""Seconds that a handoff may take."""

_SHORTEST_BAR = 10
_STYLES = {"done": "green", "failed": "red", "open": "cyan"}


def gantt(line: Timeline, width: int | None, signs: Signs = UNICODE) -> list[Line]:
    """Give the lines of a timeline, `width` cells wide at the most.

    A task has one line however often it was tried; a part of a cell counts as the whole cell, so that nothing is
    invisible. Tasks stand in the order in which they began.
    """
    width = width or UNSEEN
    by_task: dict[str, list[Stretch]] = {}
    for one in line.stretches:
        by_task.setdefault(one.task, []).append(one)
    lines: list[Line] = []
    if by_task:
        name = min(max(cell_len(foreign(task, signs)) for task in by_task), max(width // 3, 8))
        room = max(width - name - 11, _SHORTEST_BAR)
        lines.append(_scale(line, name, room, width, signs))
        for task, stretches in by_task.items():
            lines.append(_bar(task, stretches, line, (name, room), width, signs))
        lines.append(())
    return [*lines, *_summary(line, width, signs)]


def _scale(line: Timeline, name: int, room: int, width: int, signs: Signs) -> Line:
    last = span(line.end - line.begin)
    return cropped([(pad("", name + 2), ""), ("0" + last.rjust(max(room - 1, 0)), "dim")], width, signs)


def _bar(
    task: str, stretches: Sequence[Stretch], line: Timeline, sizes: tuple[int, int], width: int, signs: Signs
) -> Line:
    name, room = sizes
    total = (line.end - line.begin) or 1.0
    cells: list[Span] = [(" ", "")] * room
    for one in stretches:
        first = min(int((one.begin - line.begin) / total * room), room - 1)
        last = max(first + 1, min(math.ceil((one.end - line.begin) / total * room), room))
        sign, style = (signs.wait, "yellow") if one.kind == "person" else _drawn(one, signs)
        for number in range(first, last):
            if one.kind == "attempt" or cells[number][0] == " ":
                cells[number] = (sign, style)
    worked = sum(one.end - one.begin for one in stretches if one.kind == "attempt")
    tries = sum(one.kind == "attempt" for one in stretches)
    told = f"{span(worked)}{f' ×{tries}' if tries > 1 else ''}" if tries else ""
    return cropped(
        [(pad(foreign(task, signs), name, signs), ""), ("  ", ""), *_joined(cells), (f" {told}", "dim")], width, signs
    )


def _drawn(one: Stretch, signs: Signs) -> Span:
    return (signs.failed if one.ending == "failed" else signs.full, _STYLES[one.ending])


def _joined(cells: Sequence[Span]) -> list[Span]:
    """Put neighbours of one style together."""
    joined: list[Span] = []
    for text, style in cells:
        if joined and joined[-1][1] == style:
            joined[-1] = (joined[-1][0] + text, style)
        else:
            joined.append((text, style))
    return joined


def _summary(line: Timeline, width: int, signs: Signs) -> list[Line]:
    total = line.end - line.begin
    asked = sum(one.end - one.begin for one in line.stretches if one.kind == "person")
    said = [
        f"{span(total)}, at work {span(line.busy)}, {line.parallel:.1f} side by side on average, {line.most} at most"
    ]
    if asked:
        said.append(f"waited for people {span(asked)} in all ({signs.wait})")
    said.append(_gaps(line))
    said.append(_handoffs(line.handoffs))
    return [cropped([(one, "")], width, signs) for one in said]


def _gaps(line: Timeline) -> str:
    if not line.gaps:
        return "never idle"
    begin, end = max(line.gaps, key=lambda gap: gap[1] - gap[0])
    longest = f"the longest {span(end - begin)} after {span(begin - line.begin)}"
    return f"idle {span(line.idle)} in {count(len(line.gaps), 'gap')}, {longest}"


def _handoffs(handoffs: Sequence[Handoff]) -> str:
    """Say how long it took from the results a task waits for to its start."""
    if not handoffs:
        return "no handoffs"
    ordered = sorted(one.seconds for one in handoffs)
    slowest = max(handoffs, key=lambda one: one.seconds)
    late = sum(one >= TARGET for one in ordered)
    over = f"; {late} took {TARGET:g} s or more" if late else ""
    figures = {"median": quantile(ordered, 0.5), "95 of 100 within": quantile(ordered, 0.95)}
    return (
        f"{count(len(ordered), 'handoff')}: {_listed(figures)}, "
        f"the slowest {_fine(slowest.seconds)} ({slowest.after} to {slowest.task}){over}"
    )


def _listed(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {_fine(value)}" for name, value in figures.items())


def quantile(ordered: Sequence[float], share: float) -> float:
    """Give the smallest value that this share of the ordered values does not exceed."""
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def _fine(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else span(seconds)
