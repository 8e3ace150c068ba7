"""The numbers of a store: ended runs are measured once, when somebody looks, and added up by workflow, agent or week.

Nothing here is part of driving a run: a run that ends is measured by whoever next asks for numbers.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar, assert_never

import msgspec
from msgspec import Struct

from stretto.core.errors import StoreError
from stretto.core.measures import EDITION, AgentSkill, Contribution, Measures, RunMeasures, Workflow
from stretto.core.metrics import measured
from stretto.core.sketch import Sketch
from stretto.core.targets import TARGETS
from stretto.ports import Journal, Measured

By: TypeAlias = Literal["workflow", "agent", "week"]
PAGE = 50
"""Runs that are measured between two commits."""
DAY = 86_400
Key = TypeVar("Key", Workflow, AgentSkill, str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How many runs were measured, and which could not be read."""

    measured: int
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a workflow, an agent at a skill, or a week came to, and the same by ISO week (UTC) of the runs' ends."""

    key: Workflow | AgentSkill | str
    measures: Measures
    weeks: dict[str, Measures]


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The numbers of some runs: a row for each workflow, agent or week, and all of the runs in one."""

    by: By
    rows: tuple[Row, ...]
    total: Row


class _Whole(Struct, gc=False):
    """A run without what its agents had to do with it."""

    workflow: Workflow
    whole: Measures
    agents: ClassVar[tuple[Contribution, ...]] = ()


_RUN, _WHOLE = msgspec.json.Decoder(RunMeasures), msgspec.json.Decoder(_Whole)


async def bring_up_to_date(journal: Journal, limit: int | None = None) -> Progress:
    """Measure the runs that have ended and were not measured since, at most so many, those first that ended first."""
    done, unreadable, seen = 0, list[str](), set[str]()
    while limit is None or done < limit:
        page = PAGE if limit is None else min(PAGE, limit - done)
        waiting = await journal.unmeasured(EDITION, skip=seen, limit=page)
        if not waiting:
            break
        seen.update(waiting)
        rows = []
        for run in waiting:
            try:
                found = await _measured(journal, run)
            except (StoreError, msgspec.MsgspecError):  # written by a newer release, torn, or some of it is erased
                unreadable.append(run)
            else:
                rows += [found] if found is not None else []
        await journal.keep_measures(rows)
        done += len(rows)
    return Progress(measured=done, unreadable=tuple(unreadable))


async def numbers(
    journal: Journal,
    workspace: str | None = None,
    since: float | None = None,
    until: float | None = None,
    by: By = "workflow",
) -> Numbers:
    """Add up what was measured, of runs of a workspace's folder that ended since a moment and before another."""
    rows = await journal.measured(EDITION, workspace=workspace, since=since, until=until)
    return await asyncio.to_thread(_added_up, rows, by)


async def _measured(journal: Journal, run: str) -> Measured | None:
    """Give the row of a run; None for one that goes on by now."""
    recorded = await journal.read(run)
    found = await asyncio.to_thread(measured, [one.event for one in recorded])
    if found is None:
        return None
    return Measured(
        run=run,
        upto=recorded[-1].seq,
        edition=EDITION,
        workspace=found.workflow.workspace,
        ended=found.ended,
        body=msgspec.json.encode(found),
    )


def _added_up(rows: Sequence[Measured], by: By) -> Numbers:
    read = _RUN if by == "agent" else _WHOLE
    runs = [(week_of(one.ended), read.decode(one.body)) for one in rows]
    flows = _grouped((run.workflow, week, run.whole) for week, run in runs if run.whole.runs)
    weeks = _grouped(("all", week, whole) for flow in flows.values() for week, whole in flow.items()).get("all", {})
    match by:
        case "workflow":
            found = _rows(flows)
        case "agent":
            found = _rows(_grouped((one.who, week, one.measures) for week, run in runs for one in run.agents))
        case "week":
            found = [_so_far(week, weeks) for week in weeks]
        case _:
            assert_never(by)
    return Numbers(by=by, rows=tuple(found), total=_row("all", weeks))


def _grouped(items: Iterable[tuple[Key, str, Measures]]) -> dict[Key, dict[str, Measures]]:
    """Add up by key and week, both in order."""
    several: defaultdict[Key, defaultdict[str, list[Measures]]] = defaultdict(lambda: defaultdict(list))
    for key, week, measures in items:
        several[key][week].append(measures)
    return {
        key: {week: Measures.total(weeks[week]) for week in sorted(weeks)}
        for key, weeks in sorted(several.items(), key=lambda one: _order(one[0]))
    }


def _order(key: Workflow | AgentSkill | str) -> tuple[str, ...]:
    return (key,) if isinstance(key, str) else tuple(getattr(key, name) for name in key.__struct_fields__)


def _rows(groups: Mapping[Key, dict[str, Measures]]) -> list[Row]:
    return [_row(key, weeks) for key, weeks in groups.items()]


def _row(key: Workflow | AgentSkill | str, weeks: dict[str, Measures]) -> Row:
    return Row(key=key, measures=Measures.total(weeks.values()), weeks=weeks)


def _so_far(week: str, weeks: Mapping[str, Measures]) -> Row:
    """Give the row of a week, with those before it."""
    return Row(key=week, measures=weeks[week], weeks={one: weeks[one] for one in weeks if one <= week})


@lru_cache(maxsize=10_000)
def _week_of_day(day: int) -> str:
    year, week, _ = datetime.fromtimestamp(day * DAY, UTC).isocalendar()
    return f"{year}-W{week:02}"


def week_of(moment: float) -> str:
    """Give the ISO week of a moment, in UTC: `2030-W01`."""
    return _week_of_day(int(moment // DAY))


def numbers_view(found: Numbers) -> dict[str, Any]:
    """Give numbers as plain values, with what is targeted."""
    return {
        "by": found.by,
        "targets": [
            {
                "name": one.name,
                "title": one.title,
                "unit": one.unit,
                "comparison": one.comparison,
                "bound": one.bound,
            }
            for one in TARGETS
        ],
        "total": row_view(found.total),
        "rows": [row_view(one) for one in found.rows],
    }


def row_view(row: Row) -> dict[str, Any]:
    """Give a row: each number with its verdict, what it is made of, and the numbers week by week."""
    return {
        **labels_of(row.key),
        "numbers": {
            one.name: {"value": one.value(row.measures), "verdict": one.verdict(row.measures, row.weeks)}
            for one in TARGETS
        },
        "counts": counts_view(row.measures),
        "weeks": {
            week: {one.name: one.value(measures) for one in TARGETS} | {"runs": measures.runs}
            for week, measures in row.weeks.items()
        },
    }


def labels_of(key: Workflow | AgentSkill | str) -> dict[str, str]:
    """Give what a row is about, by name."""
    match key:
        case Workflow():
            return {"workspace": key.workspace, "workflow": key.title}
        case AgentSkill():
            return {"agent": key.agent, "version": key.version, "skill": key.skill}
        case _:
            return {"week": key} if key != "all" else {}


def counts_view(one: Measures) -> dict[str, Any]:
    """Give what numbers are made of; lengths of time in seconds."""
    return {
        "runs": one.runs,
        "finished": one.finished,
        "unaided": one.unaided,
        "handoffs": {**sketch_view(one.handoffs), "under_target": one.handoffs.under_target},
        "accepted": one.accepted,
        "wrong": one.wrong,
        "checked": one.checked,
        "unsupported": one.unsupported,
        "ratings": one.ratings,
        "tasks": one.tasks,
        "moved": one.moved,
        "attempts": one.attempts,
        "successes": one.successes,
        "success_rate": one.success,
        "failures": dict(sorted(one.failures.items())),
        "seconds": sketch_view(one.seconds),
        "money": float(one.money),
        "tokens": one.tokens,
    }


def sketch_view(one: Sketch) -> dict[str, Any]:
    """Give how many lengths of time there are, and how they are spread."""
    return {
        "count": one.count,
        "mean": one.mean,
        "median": one.quantile(0.5),
        "p95": one.quantile(0.95),
        "longest": one.longest if one.count else None,
    }
