"""Plans made in Python: the document that describes one, and whether its fields have the types they should."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import msgspec

from stretto.core.amounts import write_budget
from stretto.core.domain import NO_LIMITS, ForEach, InputSpec, Json, Plan, Task
from stretto.core.plan.asking import write_asks
from stretto.core.plan.diagnostics import Diagnostic, diagnose, shown
from stretto.core.plan.ladders import write_ladder

_USUAL_TASK = msgspec.to_builtins(Task(id="", skill=""))
_USUAL_FOR_EACH = msgspec.to_builtins(ForEach(items=[]))


def write_plan(plan: Plan, goal: str = "") -> dict[str, Json]:
    """Give the document that `read_plan` reads as this plan, with its goal; what is as usual is left out."""
    found: dict[str, Json] = {"name": plan.name} if plan.name else {}
    if goal:
        found["goal"] = goal
    if plan.inputs:
        found["inputs"] = {name: _input(spec) for name, spec in plan.inputs.items()}
    found["tasks"] = {task.id: write_task(task) for task in plan.tasks}
    if plan.deliver is not None:
        found["deliver"] = plan.deliver
    return found


def write_task(task: Task) -> dict[str, Json]:
    """Give a task as a plan's file says it, without its id; what is as usual is left out."""
    body = msgspec.to_builtins(task)
    found = {name: _listed(body[name]) for name in body if name != "id" and body[name] != _USUAL_TASK[name]}
    if task.limits != NO_LIMITS:
        found["limits"] = {name: value for name, value in body["limits"].items() if value is not None}
    if task.for_each is not None:
        many = body["for_each"]
        found["for_each"] = {
            name: many[name] for name in many if name == "items" or many[name] != _USUAL_FOR_EACH[name]
        }
    if task.ladder:
        found["ladder"] = write_ladder(task.ladder)
    if task.join is not None:
        found["join"] = {**body["join"], "of": list(task.join.of)}
    if task.repeat is not None:
        found["repeat"] = {name: value for name, value in body["repeat"].items() if value is not None}
    if task.undo is not None:
        found["undo"] = {name: value for name, value in body["undo"].items() if value is not None}
    if task.budget is not None:
        found["budget"] = write_budget(task.budget)
    if task.ask:
        found["ask"] = write_asks(task.ask)
    return {"skill": task.skill, **found}


def misfits(plan: Any) -> Iterator[Diagnostic]:
    """Give the first field of each task, else of the plan, whose type is wrong; a document's were seen to already.

    Only the parts that hold values (`inputs`, `output`, ...) may hold anything: the check itself looks at those.
    """
    if not isinstance(plan, Plan):
        yield _misfit("", f"a plan is made with plan(...), not of {type(plan).__name__}")
    elif _problem(plan, Plan) is None:
        return
    elif not isinstance(plan.tasks, tuple):
        yield _misfit("tasks", f"the tasks are a tuple, not {type(plan.tasks).__name__}")
    else:
        said = False
        for number, task in enumerate(plan.tasks):
            problem = _problem(task, Task) if isinstance(task, Task) else f"this is {shown(task)}, not a task"
            if problem is not None:
                said = True
                known = isinstance(task, Task) and isinstance(task.id, str)
                yield _misfit(f"tasks.{task.id}" if known else f"tasks[{number}]", problem)
        if not said and (problem := _problem(plan, Plan)) is not None:
            yield _misfit("", problem)


def _misfit(path: str, problem: str) -> Diagnostic:
    return diagnose("bad-value", path, problem, "See docs/plans.md on the fields of a plan.")


def _problem(one: Any, kind: type) -> str | None:
    try:
        msgspec.convert(msgspec.to_builtins(one, enc_hook=lambda _: None), kind)
    except (msgspec.ValidationError, TypeError, RecursionError) as error:
        return str(error)
    return None


def _input(spec: InputSpec) -> dict[str, Json]:
    """Give an input's body. A default makes it optional, and `default: null` is a default too."""
    found: dict[str, Json] = {"kind": spec.kind}
    for one in fields(InputSpec):
        value = getattr(spec, one.name)
        if one.name not in ("kind", "required") and value != one.default:
            found[one.name] = _listed(value)
    if spec.required is ("default" in found):
        found["required"] = spec.required
    return found


def _listed(value: Json) -> Json:
    return list(value) if isinstance(value, tuple) else value
