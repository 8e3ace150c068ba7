"""The picture of a run in so many cells. Pure: the same state, moment and size give the same lines.

Above stands what the run is about and how far it is. Below it the graph, topologically, set in by depth. What does not
fit is folded: what has ended into one line above the rows, what has not into one below; every task is shown or counted.
At the foot stands what waits for a person, and how to answer.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from stretto.cli.text import answer_command
from stretto.cli.view.lines import UNICODE, Line, Signs, Span, cropped, flow, foreign, pad
from stretto.core.chains import coming
from stretto.core.domain import FREE, Request, RunStatus
from stretto.core.state import RunState
from stretto.telling.rows import Kind, Row, counts, kind_of, rows_of
from stretto.telling.standstill import standstill
from stretto.telling.words import against, cost, listed, span, ticking

STYLES = {
    Kind.ASKING: "bold yellow",
    Kind.RUNNING: "bold cyan",
    Kind.RETRYING: "yellow",
    Kind.FAILED: "bold red",
    Kind.READY: "cyan",
    Kind.BLOCKED: "dim",
    Kind.DONE: "green",
    Kind.UNDONE: "yellow",
    Kind.SKIPPED: "dim",
    Kind.CANCELLED: "red",
}
_STATUS_STYLES = {
    RunStatus.WAITING: "bold yellow",
    RunStatus.FINISHED: "bold green",
    RunStatus.PARTIAL: "bold yellow",
    RunStatus.FAILED: "bold red",
    RunStatus.CANCELLED: "bold red",
}
_URGENT = (Kind.ASKING, Kind.RUNNING, Kind.FAILED, Kind.RETRYING)
_COUNTED = (
    (3, Kind.RUNNING),
    (2, Kind.ASKING),
    (4, Kind.FAILED),
    (6, Kind.RETRYING),
    (6, Kind.SKIPPED),
    (4, Kind.UNDONE),
    (4, Kind.CANCELLED),
)
_BAR = 12
_LOW = 12
"""Rows below which a terminal gets no blank lines and the shortest head."""
_NARROW = 56
"""Cells below which the agents' column is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """Which rows are shown, and how many tasks of each kind are folded away above and below them.

    The items of a fan-out whose row is shown are counted there.
    """

    rows: tuple[Row, ...]
    ended: Mapping[str, int]
    open: Mapping[str, int]


def layout(
    state: RunState, now: float, width: int, height: int, *, signs: Signs = UNICODE, place: str = "", alert: str = ""
) -> list[Line]:
    """Give the lines of a run at a moment (seconds since the epoch), never more than `height` of `width` cells.

    `place` are the options by which other commands find the run; `alert` is a line to add to the head.
    """
    if width < 1 or height < 1:
        return []
    roomy = height >= _LOW
    above = head(state, now, width, 4 if roomy else 2 if height >= 4 else 1, signs)
    for text in [*([alert] if alert else []), *standstill(state, now, place)]:
        if height > len(above) + roomy:
            above.append(cropped([(f"! {foreign(text, signs)}", "bold yellow")], width, signs))
    left = height - len(above)
    foot = _foot(state, now, width, min(left - 1, max(2, left // 3)) if left > 3 else 0, signs, place)
    gaps = (1 if roomy else 0) + (1 if roomy and foot else 0)
    arrangement = arrange(rows_of(state, now), left - len(foot) - gaps)
    body = _body(state, arrangement, width, signs)
    lines = [*above, *([()] if roomy and body else []), *body, *([()] if roomy and foot else []), *foot]
    return lines[:height]


def arrange(rows: Sequence[Row], room: int) -> Arrangement:
    """Choose the rows to show in so many lines, the fold lines counted.

    People who are waited for come first, then what comes next, what runs, what failed, what ended last. Items of a
    fan-out that are done or to come never get rows of their own. When everything has ended and does not fit, what is
    done is only counted.
    """
    claiming = [row for row in rows if not row.item or row.kind in _URGENT]
    if len(claiming) > room and all(row.kind.ended for row in rows):
        claiming = [row for row in claiming if row.kind is not Kind.DONE]
    ranked = sorted(claiming, key=_ranking(rows, generous=room >= 8))
    for folds in range(3):
        shown = {row.id for row in ranked[: max(room - folds, 0)]}
        hidden = [row for row in rows if row.id not in shown and row.parent not in shown]
        ended = counts(row.kind for row in hidden if row.kind.ended)
        still_open = counts(row.kind for row in hidden if not row.kind.ended)
        if bool(ended) + bool(still_open) <= folds:
            break
    return Arrangement(rows=tuple(row for row in rows if row.id in shown), ended=ended, open=still_open)


def _ranking(rows: Sequence[Row], *, generous: bool) -> Callable[[Row], tuple[int, float, int]]:
    """Give the key that puts rows in the order of their claim to a line."""
    order = {row.id: number for number, row in enumerate(rows)}
    coming = [row.id for row in rows if row.next and not row.item]
    failed = [row.id for row in rows if row.kind is Kind.FAILED]
    sure = {*coming[:2], *failed[-2:]} if generous else set()

    def claim(row: Row) -> tuple[int, float, int]:
        number = order[row.id]
        if row.kind is Kind.ASKING:
            return (0, row.item, number)
        if row.id in sure:
            return (1, 0, number)
        if row.kind is Kind.RUNNING:
            return (2, row.item, number)
        if row.kind in (Kind.FAILED, Kind.RETRYING):
            return (3, -row.ended, number)
        if row.next:
            return (4, 0, number)
        if row.kind.ended:
            return (6 if row.kind is Kind.DONE else 7, -row.ended, number)
        return (5, row.depth, number)

    return claim


def head(state: RunState, now: float, width: int, most: int, signs: Signs) -> list[Line]:
    """Give goal, run, status, time, tasks, cost and deadline; what matters least gives way first."""
    parts = _parts(state, now, signs)
    goal = cropped([(foreign(state.goal, signs) or "a run", "bold")], width, signs)
    if most == 1:
        return [flow([(text, style) for _, text, style in sorted(parts, key=lambda one: one[0])], width, signs)[0]]
    while True:
        lines = flow([(text, style) for _, text, style in parts], width, signs)
        if len(lines) < most:
            return [goal, *lines]
        parts.remove(max(parts, key=lambda one: one[0]))


def _parts(state: RunState, now: float, signs: Signs) -> list[tuple[int, str, str]]:
    """Give what the head says, each with its rank: the greater, the sooner it gives way."""
    standing = state.standing
    took = span(state.ended - state.started) if state.ended is not None else ticking(now - state.started)
    total = len(state.ids)
    parts = [
        (0, f"{standing.value} {took}", _STATUS_STYLES.get(standing, "bold cyan")),
        (8, foreign(state.run, signs), "dim"),
    ]
    if total:
        done = _BAR * (total - state.open_tasks) // total
        parts.append((7, signs.full * done + signs.empty * (_BAR - done), "green" if done else "dim"))
        parts.append((1, f"{state.completed}/{state.planned} done", ""))
    standing_by = counts(_kinds(state))
    if state.requests:
        standing_by[Kind.ASKING.value] = max(standing_by.get(Kind.ASKING.value, 0), len(state.requests))
    for rank, kind in _COUNTED:
        if standing_by.get(kind.value):
            word = "waiting for you" if kind is Kind.ASKING else kind.value
            parts.append((rank, f"{standing_by[kind.value]} {word}", STYLES[kind]))
    for text, share in against(state.spent, state.steps, state.budget):
        parts.append((5, text, "bold red" if share >= 1 else "yellow" if share >= 0.8 else ""))
    if state.reserved != FREE:
        parts.append((6, f"{cost(state.reserved)} reserved", "dim"))
    if state.until is not None and state.ended is None:
        left = state.until - now
        told = f"{ticking(left)} left" if left > 0 else "past its deadline"
        parts.append((4, told, "bold red" if left <= 0 else "yellow" if left < 60 else ""))
    if state.stopped is not None:
        parts.append((4, "stopped by a failure", "bold red"))
    if state.cancelling is not None:
        parts.append((2, f"being cancelled, {ticking(state.cancelling - now)} of grace left", "bold yellow"))
    if state.draft is not None:
        parts.append((4, "being planned anew", "yellow"))
    if state.deadline_passed:
        parts.append((4, "the deadline passed", "bold red"))
    return parts


def _kinds(state: RunState) -> Iterable[Kind]:
    return (kind_of(one) for one in state.tasks.values() if one.children is None)


def _body(state: RunState, arrangement: Arrangement, width: int, signs: Signs) -> list[Line]:
    if not state.tasks:
        told = f"the plan was refused: {state.refused}" if state.refused else f"planning{signs.cut}"
        style = "bold red" if state.refused else "dim"
        return [cropped([(foreign(told, signs), style)], width, signs)]
    lines = []
    if arrangement.ended:
        well = arrangement.ended.keys() <= {Kind.DONE.value}
        lines.append(_fold(arrangement.ended, signs.done if well else signs.cut, "", width, signs))
    lines += table(arrangement.rows, width, signs)
    if arrangement.open:
        lines.append(_fold(arrangement.open, signs.cut, "more: ", width, signs))
    return lines


def _fold(counted: Mapping[str, int], sign: str, before: str, width: int, signs: Signs) -> Line:
    return cropped([(f"{sign} {before}{listed(counted)}", "dim")], width, signs)


def sign_of(kind: Kind, signs: Signs) -> str:
    """Give the sign of a kind of task."""
    sign: str = getattr(signs, kind.name.lower())
    return sign


def table(rows: Sequence[Row], width: int, signs: Signs) -> list[Line]:
    """Give rows as lines: sign, name set in by depth, agent, time, note, in columns as wide as they need to be."""
    if not rows:
        return []
    names = [foreign(row.name, signs) for row in rows]
    agents = [foreign(row.agent, signs) for row in rows]
    times = [_time(row) for row in rows]
    most = max(min(width // 3, 40), 10)
    levels = {depth: level for level, depth in enumerate(sorted({row.depth for row in rows}))}
    steps = [_indent(levels[row.depth], name, most) for row, name in zip(rows, names, strict=True)]
    wide = min(max(step + cell_len(name) for step, name in zip(steps, names, strict=True)), most)
    agent = min(max(map(cell_len, agents)), max(width // 6, 8)) if width >= _NARROW else 0
    time = max(map(len, times))
    return [
        _line(row, (step, name, agents[number], times[number]), (wide, agent, time), width, signs)
        for number, (row, step, name) in enumerate(zip(rows, steps, names, strict=True))
    ]


def _line(row: Row, texts: tuple[int, str, str, str], widths: tuple[int, int, int], width: int, signs: Signs) -> Line:
    step, name, agent, time = texts
    style = STYLES[row.kind]
    loud = row.kind in (Kind.ASKING, Kind.FAILED)
    spans: list[Span] = [
        (f"{sign_of(row.kind, signs)} ", style),
        (pad(" " * step + name, widths[0], signs), "dim" if row.kind is Kind.BLOCKED else ""),
    ]
    if widths[1]:
        spans.append((f"  {pad(agent, widths[1], signs)}", "dim" if row.kind.ended else ""))
    if widths[2]:
        spans.append((f"  {pad(time, widths[2], signs, right=True)}", "" if row.ticks else "dim"))
    spans.append((f"  {foreign(row.note, signs)}", style.removeprefix("bold ") if loud else "dim"))
    return cropped(spans, width, signs)


def _time(row: Row) -> str:
    if row.seconds is None:
        return ""
    return ticking(row.seconds) if row.ticks else span(row.seconds)


def _indent(level: int, name: str, most: int) -> int:
    """Give the cells a name is set in by: two for each level among the rows shown, as far as the name still fits."""
    return max(0, min(2 * level, most - cell_len(name), most // 2))


def _foot(state: RunState, now: float, width: int, room: int, signs: Signs, place: str) -> list[Line]:
    """Give what waits for a person, each with the whole command that answers; those that do not fit are counted."""
    asked = sorted(state.requests.values(), key=lambda one: (one.asked, one.id))
    lines: list[Line] = []
    for number, one in enumerate(asked):
        shown = _request(state.run, one, now, width, signs, place)
        last = number == len(asked) - 1
        if len(lines) + len(shown) > room - (not last):
            more = f"{len(asked) - number} {'wait' if len(asked) - number > 1 else 'waits'} for you"
            told = f"{signs.asking} {more}: stretto show {state.run}{place}"
            return [*lines, cropped([(foreign(told, signs), "yellow")], width, signs)] if room else []
        lines += shown
    return lines


def _request(run: str, one: Request, now: float, width: int, signs: Signs, place: str) -> list[Line]:
    choices = f" ({', '.join(f'{number} {choice}' for number, choice in enumerate(one.choices, 1))})"
    asked = f"{one.question}{choices if one.choices else ''}"
    to = f" (for {foreign(one.to, signs)})" if one.to and one.chain is None else ""
    charge = _charge(one, now, signs)
    question = f"{foreign(one.task, signs) or 'the goal'}{to}: {foreign(asked, signs)}{charge}"
    command = foreign(answer_command(run, one.task, one.kind, place), signs)
    return [
        cropped([(f"{signs.asking} ", "bold yellow"), (question, "yellow")], width, signs),
        *(cropped([("  ", ""), *line], width, signs) for line in flow(_words(command), width - 2, signs, " ")),
    ]


def _charge(one: Request, now: float, signs: Signs) -> str:
    """Say who is in charge, how long yet, and who or what comes then."""
    if one.chain is None:
        return ""
    left = "" if one.due is None else f", {ticking(one.due - now)} left" if one.due > now else ", overdue"
    then = "".join(f", then {foreign(name, signs)}" for name in coming(one))
    return f" (for {foreign(one.to, signs) or 'anybody'}{left}{then})"


def _words(command: str) -> list[Span]:
    return [(word, "bold") for word in command.split(" ")]
