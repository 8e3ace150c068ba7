"""Changes to the references of a task, each at a place as `references.places` names it."""

from collections.abc import Callable
from dataclasses import replace

from stretto.core.domain import Json, Task
from stretto.core.plan.diagnostics import under
from stretto.core.plan.references import is_reference


class _Gone:
    """Stands for what is left out."""


def redirected(task: Task, where: str, name: str) -> Task:
    """Give a task whose reference at a place leads to the same part of another task's result."""

    def to(raw: Json) -> Json:
        _, dot, part = raw["ref"].removeprefix("tasks.").partition(".")
        return {**raw, "ref": f"{name}{dot}{part}"}

    return _changed(task, where, to)


def replaced(task: Task, where: str, value: Json) -> Task:
    """Give a task with a plain value in place of the reference at a place."""
    return _changed(task, where, lambda _: value)


def without(task: Task, where: str) -> Task:
    """Give a task without the reference at a place: a list loses the item, a mapping the name."""
    return _changed(task, where, lambda _: _Gone)


def _changed(task: Task, where: str, change: Callable[[Json], Json]) -> Task:
    return replace(task, inputs=_walk(task.inputs, "inputs", where, change))


def _walk(value: Json, path: str, where: str, change: Callable[[Json], Json]) -> Json:
    if is_reference(value):
        return change(value) if path == where else value
    if isinstance(value, dict) and value.keys() != {"literal"}:
        named = ((key, _walk(inner, under(path, key), where, change)) for key, inner in value.items())
        return {key: inner for key, inner in named if inner is not _Gone}
    if isinstance(value, list | tuple):
        items = (_walk(inner, under(path, number), where, change) for number, inner in enumerate(value))
        return [inner for inner in items if inner is not _Gone]
    return value
