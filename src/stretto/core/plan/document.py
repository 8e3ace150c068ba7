"""From a plan back to a document that reads as the same plan: fields that say nothing are left out."""

from dataclasses import fields
from typing import TypeVar

from stretto.core.domain import ForEach, InputSpec, Join, Json, Limits, Plan, Repeat, SideEffect, Task

Part = TypeVar("Part", Task, InputSpec, Limits, ForEach, Join, Repeat)
_LIMITS = Limits()


def document_of(plan: Plan, goal: str = "") -> dict[str, Json]:
    """Give what JSON or YAML would hold for a plan; `read_plan` gives the same plan for it."""
    written: dict[str, Json] = {}
    if plan.name:
        written["name"] = plan.name
    if goal:
        written["goal"] = goal
    if plan.inputs:
        written["inputs"] = {name: _changed(spec, InputSpec()) for name, spec in plan.inputs.items()}
    written["tasks"] = {task.id: _task(task) for task in plan.tasks}
    if plan.deliver is not None:
        written["deliver"] = plan.deliver
    return written


def _task(task: Task) -> dict[str, Json]:
    said = _changed(task, Task(id=task.id, skill=""))
    return {"skill": task.skill, **said}


def _changed(value: Part, usual: Part) -> dict[str, Json]:
    """Give the fields that differ from the usual ones, as plain values."""
    named = ((one.name, getattr(value, one.name), getattr(usual, one.name)) for one in fields(value))
    return {name: _plain(held) for name, held, otherwise in named if held != otherwise}


def _plain(value: Json) -> Json:
    match value:
        case Limits():
            return _changed(value, _LIMITS)
        case ForEach():
            return {"items": value.items, **_changed(value, ForEach(items=value.items))}
        case Join():
            return {"of": list(value.of), **_changed(value, Join(of=value.of))}
        case Repeat():
            return {"max": value.max, **_changed(value, Repeat(max=value.max))}
        case SideEffect():
            return value.value
        case tuple():
            return list(value)
    return value
