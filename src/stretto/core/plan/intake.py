"""A plan that somebody else wrote: read in whichever form it has, checked, mended where that is safe, and judged."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from stretto.core.domain import Budget, Catalogue, Json, Plan
from stretto.core.plan.check import check
from stretto.core.plan.diagnostics import Diagnostic, errors
from stretto.core.plan.foreign.form import task_graph
from stretto.core.plan.foreign.reading import Reading, read_task_graph
from stretto.core.plan.repair import Change, repair
from stretto.core.plan.shape import DEFAULT_SIZE, Size, read_plan
from stretto.core.routing import roster

Status: TypeAlias = Literal["ok", "repaired", "refused"]

_CIRCULAR = ("cycle", "self-reference")


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What became of a plan: `ok` as it is, `repaired`, or `refused` with errors that only its author can mend.

    The paths of the findings are those of the document that was read. `plan` is the mended plan.
    """

    plan: Plan
    status: Status
    found: list[Diagnostic]
    changes: tuple[Change, ...] = ()
    goal: str = ""


def is_plan(document: Json) -> bool:
    """Tell a document that looks like a plan of a known form."""
    return (isinstance(document, dict) and "tasks" in document) or task_graph(document) is not None


def take_in(
    document: Json,
    catalogue: Catalogue,
    size: Size = DEFAULT_SIZE,
    *,
    budget: Budget | None = None,
    further: Callable[[Plan], list[Diagnostic]] = lambda _: [],
    noted: tuple[Diagnostic, ...] = (),
) -> Intake:
    """Read, check and mend a plan. `further` is a check of the mended plan; `noted` was found in its text before."""
    reading = read_task_graph(document, roster(catalogue), size)
    if reading is None:
        plan, found = read_plan(document, size)
        reading = Reading(plan=plan, found=found)
    if not reading.plan.tasks:
        return Intake(plan=reading.plan, status="refused", found=[*noted, *reading.found], goal=reading.goal)
    limit = budget or Budget()
    mended = repair(reading.plan, check(reading.plan, catalogue, budget=limit), catalogue, budget=limit)
    told = (one for one in (*mended.found, *further(mended.plan)) if one.code != "no-backup")  # no fault of the plan
    found = [replace(one, path=reading.place(one.path)) for one in told]
    return Intake(
        plan=mended.plan,
        status=_status(whole := [*noted, *_joined(reading.found, found)]),
        found=whole,
        changes=tuple(replace(one, path=reading.place(one.path)) for one in mended.changes),
        goal=reading.goal,
    )


def _joined(of_form: list[Diagnostic], of_plan: list[Diagnostic]) -> list[Diagnostic]:
    """Put together what was found in the form and in the plan; circles that the form shows are told once."""
    if not any(one.code == "cycle" for one in of_form):
        return of_form + of_plan
    left = any(one.code in _CIRCULAR and one.severity == "error" and not one.repaired for one in of_plan)
    done = " ".join(one.mend for one in of_plan if one.code in _CIRCULAR and one.repaired)
    told = [
        replace(one, repaired=True, mend=done[:600] or "The tasks that the names stand for wait in no circle.")
        if one.code == "cycle" and not left
        else one
        for one in of_form
    ]
    return told + [one for one in of_plan if one.code != "cycle"]


def _status(found: list[Diagnostic]) -> Status:
    wrong = errors(found)
    return "ok" if not wrong else "repaired" if all(one.repaired for one in wrong) else "refused"
