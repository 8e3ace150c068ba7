"""Mending a plan by rule: what a defect leaves beyond doubt is put right and written down; the rest is left to ask.

A plan without errors is never touched. The same plan is always mended the same way, and a mended plan not again.
Every change rests on evidence in the plan itself, such as an order that it declares, or on the agents' cards. No
task is added or removed, none is given a skill with a declared side effect, and none that has one is changed.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from stretto.core.domain import Budget, Catalogue, Plan
from stretto.core.plan.check import check
from stretto.core.plan.diagnostics import Diagnostic, errors
from stretto.core.plan.meant import Skills
from stretto.core.plan.mending import HARMLESS, Change, Mender
from stretto.core.routing import roster

__all__ = ["Change", "Repair", "repair"]

NO_BUDGET = Budget()
_SAID = 3  # changes that are told of one defect
_ROUNDS = 5
_TASK = re.compile(r"tasks\.[^.\[]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """The mended plan, every change, and all findings: those that are mended say so and how."""

    plan: Plan
    changes: tuple[Change, ...]
    found: list[Diagnostic]


def repair(
    plan: Plan,
    found: Sequence[Diagnostic],
    catalogue: Catalogue,
    *,
    keep: Collection[str] = frozenset(),
    budget: Budget = NO_BUDGET,
    seconds: float | None = None,
) -> Repair:
    """Mend what can be mended of the errors that a check of the plan found; `keep` names tasks to leave alone.

    `budget` and `seconds` are those that the check was made with. A plan in which two tasks have one id is left
    as it is.
    """
    changes: list[Change] = []
    agents = roster(catalogue)
    skills = Skills(skill for card in catalogue.agents for skill in card.skills if skill.effect in HARMLESS)
    left = list(found)
    mendable = len({task.id for task in plan.tasks}) == len(plan.tasks)
    for _ in range(_ROUNDS if mendable else 0):
        if not errors(left):
            break
        mender = Mender(plan, agents, skills, frozenset(keep))
        mender.mend()
        if not mender.changes:
            break
        changes += mender.changes
        plan = replace(plan, tasks=tuple(mender.tasks.values()))
        left = check(plan, catalogue, budget=budget, seconds=seconds)
    return Repair(plan=plan, changes=tuple(changes), found=_compared(found, left, changes) if changes else left)


def _compared(before: Sequence[Diagnostic], after: Sequence[Diagnostic], changes: Sequence[Change]) -> list[Diagnostic]:
    """Give the findings from before, marked where they are gone, and those that have come to light since."""
    still = {(one.code, _task_of(one.path)) for one in after}
    mended = {(one.code, one.path) for one in changes} - {(one.code, one.path) for one in after}
    done: dict[tuple[str, ...], list[str]] = {}
    for change in changes:
        for kind in ((change.code, _task_of(change.path)), (_task_of(change.path),), (change.code,)):
            done.setdefault(kind, []).append(str(change))
    told, left = [], set[tuple[str, str]]()
    for one in before:
        kind = one.code, _task_of(one.path)
        if one.severity == "error" and (kind not in still or (one.code, one.path) in mended):
            said = next((done[key] for key in (kind, kind[1:], kind[:1]) if key in done), ["Mended with the others."])
            told.append(replace(one, repaired=True, mend=" ".join(said[:_SAID])))
        elif one.severity == "error" or kind in still:
            told.append(one)
            left.add(kind)
    return told + [one for one in after if (one.code, _task_of(one.path)) not in left]


def _task_of(path: str) -> str:
    match = _TASK.match(path)
    return match[0] if match else path
