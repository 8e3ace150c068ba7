"""The numbers as people read them: each with its target and what it is made of, then row by row."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from stretto.cli.view.lines import Line, Signs, Span, foreign
from stretto.cli.view.tables import columns
from stretto.core.measures import Measures
from stretto.core.sketch import STEP_TARGET
from stretto.core.targets import TARGETS, Target, Verdict
from stretto.measuring import Numbers, Row, labels_of
from stretto.telling.words import count, money, span

_STYLES: dict[Verdict, str] = {"met": "green", "missed": "bold red", "no data": "dim", "no target": ""}
_MADE_OF: dict[str, Callable[[Measures], str]] = {
    "completion": lambda one: f"{one.unaided:,} of {count(one.runs, 'run')}; {one.finished:,} finished",
    "handoff": lambda one: _spread(one),
    "errors": lambda one: f"{one.wrong:,} of {count(one.accepted, 'result')} accepted",
    "hallucinations": lambda one: f"{one.unsupported:,} of {count(one.checked, 'claim')} checked",
    "satisfaction": lambda one: count(one.ratings, "rating"),
    "cost": lambda one: f"{money(one.money)} in all",
    "misallocation": lambda one: f"{one.moved:,} of {count(one.tasks, 'task')} given to an agent",
}


def overview(row: Row, width: int | None, signs: Signs) -> list[Line]:
    """Give each number of a row with its target, whether that is met, and what the number is made of."""
    cells: list[list[Span]] = []
    for one in TARGETS:
        value, verdict = one.value(row.measures), one.verdict(row.measures, row.weeks)
        made_of = _MADE_OF[one.name](row.measures) if value is not None else ""
        cells.append(
            [
                (one.name, ""),
                (said(one, value), ""),
                (wanted(one), "dim"),
                (verdict if one.comparison != "none" else "", _STYLES[verdict]),
                (made_of, "dim"),
                (one.title, "dim"),
            ]
        )
    return columns(("number", "value", "target", "verdict", "made of", "which is"), cells, width, signs)


def by_row(found: Numbers, width: int | None, signs: Signs) -> list[Line]:
    """Give a line for each workflow, agent at a skill, or week; a number whose target is missed has a mark."""
    names = [*(labels_of(found.rows[0].key) if found.rows else ()), "runs", *(one.name for one in TARGETS)]
    names = [name for name in names if name != "workspace"]
    if found.by == "agent":
        names += ["attempts", "succeeded", "median", "spent"]
    return columns(names, [_cells(found, row, signs) for row in found.rows], width, signs)


def said(target: Target, value: float | None) -> str:
    """Give a value in its unit; a dash where there is none."""
    if value is None:
        return "-"
    match target.unit:
        case "share":
            return percent(value)
        case "seconds":
            return seconds(value)
        case "rating":
            return f"{value:.1f}"
        case "dollars":
            return money(Decimal(str(value)))


def wanted(target: Target) -> str:
    """Say how a number should be."""
    match target.comparison:
        case "none":
            return ""
        case "falling":
            return "falling"
        case "above":
            return f"> {said(target, target.bound)}"
        case "below":
            return f"< {said(target, target.bound)}"


def percent(share: float) -> str:
    """Give a share in percent: never 0 or 100 where it is neither."""
    shown = round(share * 100, 1 if share >= 0.1 else 2)
    if shown in (0, 100) and share not in (0, 1):
        return "< 0.01 %" if shown == 0 else "> 99.9 %"
    return f"{shown:g} %"


def seconds(length: float) -> str:
    """Give a length of time; in milliseconds where it is short."""
    return f"{length * 1000:.0f} ms" if length < 1 else span(length)


def _cells(found: Numbers, row: Row, signs: Signs) -> list[Span]:
    one = row.measures
    cells: list[Span] = [(foreign(text, signs), "") for name, text in labels_of(row.key).items() if name != "workspace"]
    cells.append((f"{one.runs:,}", ""))
    for target in TARGETS:
        verdict = target.verdict(one, row.weeks)
        text = said(target, target.value(one))
        cells.append((f"{text} !" if verdict == "missed" else text, _STYLES[verdict] if verdict == "missed" else ""))
    if found.by == "agent":
        median = one.seconds.quantile(0.5)
        cells += [
            (f"{one.attempts:,}", ""),
            ("-" if one.success is None else percent(one.success), ""),
            ("-" if median is None else seconds(median), ""),
            (money(one.money), ""),
        ]
    return cells


def _spread(one: Measures) -> str:
    under, median = one.handoffs.under_target or 0.0, one.handoffs.quantile(0.5) or 0.0
    said = f"{count(one.handoffs.count, 'handoff')}, median {seconds(median)}"
    return f"{said}, {percent(under)} under {STEP_TARGET:g} s, longest {seconds(one.handoffs.longest)}"


def legend(rows: Sequence[Row]) -> str:
    """Say what the mark means, where there is one."""
    missed = any(target.verdict(row.measures, row.weeks) == "missed" for row in rows for target in TARGETS)
    return "! its target is missed" if missed else ""
