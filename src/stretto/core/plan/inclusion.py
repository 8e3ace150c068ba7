"""Playbooks that include others: their tasks take the place of the task that names them, under names of their own.

A task `{include: review, with: {draft: {ref: write.output}}}` named `check` becomes the tasks of `review` as
`check_TASK`; its inputs are what `with` gives, and `{ref: check.output}` is what `review` delivers.
"""

import json
from collections.abc import Callable, Mapping

from stretto.core.domain import Json
from stretto.core.plan.conditions import rewritten
from stretto.core.plan.diagnostics import Diagnostic, diagnose, shown, under
from stretto.core.plan.references import is_reference, walk

DEEPEST = 8
MOST_TASKS = 20_000
_FIELDS = frozenset({"id", "include", "with", "after", "when", "objective"})


class CannotInclude(Exception):
    """An inclusion cannot be carried out; holds the finding that says why."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(str(diagnostic))
        self.diagnostic = diagnostic


def included(document: Json, find: Callable[[str], Json | None], inside: tuple[str, ...] = ()) -> Json:
    """Give a plan's document with every inclusion replaced by the tasks it stands for.

    `find` gives the document of a playbook by name. Raises CannotInclude. What is no plan is given as it is: the
    reader of plans says so better.
    """
    if not isinstance(document, dict) or not isinstance(document.get("tasks"), dict | list):
        return document
    raw = document["tasks"]
    pairs = list(raw.items()) if isinstance(raw, dict) else [(_id_of(one), one) for one in raw]
    if not any(isinstance(body, dict) and "include" in body for _, body in pairs):
        return document
    if len(inside) >= DEEPEST:
        raise _cannot("", f"inclusions are nested more than {DEEPEST} deep: {' → '.join(inside)}", "Flatten them.")
    tasks: dict[str, Json] = {}
    parts: dict[str, _Part] = {}
    for id_, body in pairs:
        if not isinstance(body, dict) or "include" not in body:
            tasks[str(id_)] = body
            continue
        part = _part(str(id_), body, find, inside)
        parts[str(id_)] = part
        for name, one in part.tasks.items():
            if name in tasks or any(name == other for other, _ in pairs):
                raise _cannot(f"tasks.{id_}", f"the id {name!r} of an included task is taken", "Rename one of the two.")
            tasks[name] = one
        if len(tasks) > MOST_TASKS:
            raise _cannot(f"tasks.{id_}", f"more than {MOST_TASKS} tasks", "Include less.")
    return {
        **document,
        "tasks": {id_: _outward(body, parts) for id_, body in tasks.items()},
        "deliver": _outward_value(document.get("deliver"), parts),
    }


class _Part:
    """What became of one inclusion: its tasks under their new names, and what it delivers."""

    def __init__(self, tasks: dict[str, Json], deliver: Json) -> None:
        self.tasks, self.deliver = tasks, deliver


def _part(id_: str, body: dict[str, Json], find: Callable[[str], Json | None], inside: tuple[str, ...]) -> _Part:
    place = under("tasks", id_)
    name, given = body["include"], body.get("with") or {}
    for field in body:
        if field not in _FIELDS:
            mend = "Put it on the tasks of the included playbook." if field == "for_each" else "Remove it."
            raise _cannot(under(place, field), f"an inclusion has no field {shown(field)}", mend)
    if not isinstance(name, str) or not isinstance(given, dict):
        raise _cannot(place, "an inclusion is `include: NAME` with a mapping `with:`", "Write `include: NAME`.")
    if name in inside:
        raise _cannot(under(place, "include"), f"{' → '.join((*inside, name))} include each other", "Break the circle.")
    found = find(name)
    if not isinstance(found, dict):
        raise _cannot(under(place, "include"), f"there is no playbook {shown(name)}", "Name a file in `playbooks/`.")
    inner = included(found, find, (*inside, name))
    raw = inner.get("tasks")
    pairs = list(raw.items()) if isinstance(raw, dict) else [(_id_of(one), one) for one in raw or ()]
    renamed = {str(old): f"{id_}_{old}" for old, _ in pairs}
    inputs = _arguments(place, name, inner.get("inputs"), given)
    after, when = _names(body.get("after")), body.get("when")
    tasks: dict[str, Json] = {}
    for old, one in pairs:
        task = _inward(one, renamed, inputs) if isinstance(one, dict) else one
        if isinstance(task, dict):
            task = {key: value for key, value in task.items() if key != "id"}
            if after:
                task["after"] = [*_names(task.get("after")), *after]
            if isinstance(when, str):
                own = task.get("when")
                task["when"] = f"({when}) && ({own})" if isinstance(own, str) else when
        tasks[renamed[str(old)]] = task
    return _Part(tasks, _inward_value(inner.get("deliver"), renamed, inputs))


def _arguments(place: str, name: str, declared: Json, given: dict[str, Json]) -> dict[str, Json]:
    specs = {one: {} for one in declared} if isinstance(declared, list) else declared or {}
    for one in given:
        if one not in specs:
            known = ", ".join(specs) or "none"
            raise _cannot(under(f"{place}.with", one), f"{name!r} has no input {shown(one)}", f"It has {known}.")
    found: dict[str, Json] = {}
    for one, spec in specs.items():
        default = spec.get("default") if isinstance(spec, dict) else None
        needed = not isinstance(spec, dict) or spec.get("required", "default" not in spec)
        if one in given:
            found[one] = given[one]
        elif needed and default is None:
            raise _cannot(f"{place}.with", f"{name!r} needs the input {one!r}", f"Add `{one}: ...` under `with:`.")
        else:
            found[one] = {"literal": default} if isinstance(default, dict | list) else default
    return found


def _inward(task: dict[str, Json], renamed: Mapping[str, str], inputs: dict[str, Json]) -> dict[str, Json]:
    """Give a task of an included playbook, seen from the one that includes it."""
    found = dict(task)
    for field in ("inputs", "for_each"):
        if field in found:
            found[field] = _inward_value(found[field], renamed, inputs)
    if "after" in found:
        found["after"] = [renamed.get(name, name) for name in _names(found["after"])]
    if isinstance(found.get("when"), str):
        outputs = {old: _expression({"ref": f"{new}.output"}) for old, new in renamed.items()}
        found["when"] = rewritten(found["when"], outputs, {name: _expression(value) for name, value in inputs.items()})
    return found


def _inward_value(value: Json, renamed: Mapping[str, str], inputs: dict[str, Json]) -> Json:
    def look(reference: dict[str, Json]) -> Json:
        text = str(reference["ref"])
        head, steps = _split(text)
        if head in renamed:
            return {**reference, "ref": renamed[head] + text[len(head) :]}
        if head == "inputs":
            name, rest = _split(steps.removeprefix("."))
            if name in inputs:
                return _deeper(inputs[name], rest, reference)
        return reference

    return _mapped(value, look)


def _outward(task: Json, parts: dict[str, _Part]) -> Json:
    """Give a task with its references to inclusions replaced by what those deliver."""
    if not isinstance(task, dict) or not parts:
        return task
    found = dict(task)
    for field in ("inputs", "for_each"):
        if field in found:
            found[field] = _outward_value(found[field], parts)
    if "after" in found:
        names: list[str] = []
        for name in _names(found["after"]):
            names += parts[name].tasks if name in parts else [name]
        found["after"] = list(dict.fromkeys(names))
    if isinstance(found.get("when"), str):
        outputs = {name: _expression(part.deliver) for name, part in parts.items()}
        found["when"] = rewritten(found["when"], outputs, {})
    return found


def _outward_value(value: Json, parts: dict[str, _Part]) -> Json:
    def look(reference: dict[str, Json]) -> Json:
        head, steps = _split(str(reference["ref"]))
        if head not in parts or not (steps == ".output" or steps.startswith((".output.", ".output["))):
            return reference
        return _deeper(parts[head].deliver, steps.removeprefix(".output"), reference)

    return _mapped(value, look)


def _deeper(value: Json, steps: str, reference: dict[str, Json]) -> Json:
    """Give a part of a value that may itself be a reference, or hold some."""
    while steps and isinstance(value, dict) and not is_reference(value) and value.keys() != {"literal"}:
        name, rest = _split(steps.removeprefix("."))
        if name not in value:
            return reference
        value, steps = value[name], rest
    if is_reference(value):
        default = {"default": reference["default"]} if "default" in reference else {}
        return {**value, **default, "ref": f"{value['ref']}{steps}"}
    if not steps:
        return value
    try:
        plain = value["literal"] if isinstance(value, dict) and value.keys() == {"literal"} else value
        return {
            "literal": walk(plain, tuple(one for one in steps.replace("[", ".").replace("]", "").split(".") if one))
        }
    except LookupError:
        return reference


def _mapped(value: Json, look: Callable[[dict[str, Json]], Json]) -> Json:
    if isinstance(value, dict):
        if is_reference(value):
            return look(value)
        if value.keys() == {"literal"}:
            return value
        return {key: _mapped(inner, look) for key, inner in value.items()}
    if isinstance(value, list):
        return [_mapped(inner, look) for inner in value]
    return value


def _split(text: str) -> tuple[str, str]:
    """Cut a reference after its first name."""
    at = min((one for one in (text.find("."), text.find("[")) if one > 0), default=len(text))
    return text[:at], text[at:]


def _expression(value: Json) -> str:
    """Give a value as a condition says it."""
    if is_reference(value):
        head, steps = _split(str(value["ref"]))
        return f'tasks["{head}"]{steps}' if "-" in head else head + steps
    plain = value["literal"] if isinstance(value, dict) and value.keys() == {"literal"} else value
    return json.dumps(plain)


def _names(raw: Json) -> list[str]:
    if isinstance(raw, str):
        return [raw]
    return [one for one in raw if isinstance(one, str)] if isinstance(raw, list) else []


def _id_of(body: Json) -> str:
    return str(body.get("id", "")) if isinstance(body, dict) else ""


def _cannot(place: str, message: str, mend: str) -> CannotInclude:
    return CannotInclude(diagnose("bad-inclusion", place, message, mend))
