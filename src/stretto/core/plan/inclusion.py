"""Playbooks that include others: their tasks take the place of the task that names them, under names of their own.

A task `{include: review, with: {draft: {ref: write.output}}}` named `check` becomes the tasks of `review` as
`check_TASK`; its inputs are what `with` gives, and `{ref: check.output}` is what `review` delivers.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stretto.core.domain import Json
from stretto.core.plan.conditions import OF_A_ROUND, rewritten
from stretto.core.plan.diagnostics import Diagnostic, diagnose, shown, under
from stretto.core.plan.references import STEP, is_reference, walk

DEEPEST = 8
MOST_TASKS = 20_000
_PLAIN_STEP = re.compile(r"\.([^.\[\]]*[^.\[\]\w][^.\[\]]*)")
"""A step that is no identifier, as in `.a-b`."""
FIELDS = frozenset({"id", "include", "with", "after", "when", "objective"})


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
    if not any(map(_is_inclusion, raw.values() if isinstance(raw, dict) else raw)):
        return document
    if len(inside) >= DEEPEST:
        raise _cannot("", f"inclusions are nested more than {DEEPEST} deep: {' → '.join(inside)}", "Flatten them.")
    named = _by_id(raw)
    tasks: dict[str, Json] = {}
    parts: dict[str, _Part] = {}
    for id_, body in named.items():
        if not _is_inclusion(body):
            tasks[id_] = body
            continue
        parts[id_] = _part(id_, body, find, inside)
        for name, one in parts[id_].tasks.items():
            if name in tasks or name in named:
                raise _cannot(
                    under("tasks", id_), f"the id {name!r} of an included task is taken", "Rename one of the two."
                )
            tasks[name] = one
        if len(tasks) > MOST_TASKS:
            raise _cannot(under("tasks", id_), f"more than {MOST_TASKS} tasks", "Include less.")
    outward = _Outward(parts)
    return {
        **document,
        "tasks": {id_: outward.task(body, under("tasks", id_)) for id_, body in tasks.items()},
        "deliver": outward.value(document.get("deliver"), "deliver"),
    }


@dataclass(frozen=True, slots=True)
class _Part:
    """What became of one inclusion: its tasks under their new names, and what it delivers."""

    tasks: dict[str, Json]
    deliver: Json


def _is_inclusion(body: Json) -> bool:
    return isinstance(body, dict) and "include" in body


def _by_id(raw: dict[str, Json] | list[Json]) -> dict[str, Json]:
    """Give the tasks of a plan by their ids; raises CannotInclude where that is impossible."""
    found: dict[str, Json] = {}
    for key, body in raw.items() if isinstance(raw, dict) else enumerate(raw):
        place = under("tasks", key)
        id_ = _id_of(body) or (str(key) if isinstance(raw, dict) else "")
        if not id_:
            raise _cannot(place, "a task beside inclusions needs an id", "Add `id: NAME`.")
        if id_ in found:
            raise _cannot(place, f"the id {id_!r} is taken", "Give each task an id of its own.")
        found[id_] = body
    return found


def _part(id_: str, body: dict[str, Json], find: Callable[[str], Json | None], inside: tuple[str, ...]) -> _Part:
    place = under("tasks", id_)
    _check_fields(body, place)
    name, given = body["include"], body.get("with") or {}
    if name in inside:
        raise _cannot(under(place, "include"), f"{' → '.join((*inside, name))} include each other", "Break the circle.")
    found = find(name)
    if not isinstance(found, dict):
        raise _cannot(under(place, "include"), f"there is no playbook {shown(name)}", "Name a file in `playbooks/`.")
    inner = included(found, find, (*inside, name))
    raw = inner.get("tasks")
    if not isinstance(raw, dict | list) or not raw:
        raise _cannot(under(place, "include"), f"the playbook {shown(name)} has no tasks", "Give it some.")
    named = _by_id(raw)
    renamed = {old: f"{id_}_{old}" for old in named}
    inputs = _arguments(place, name, inner.get("inputs"), given)
    tasks: dict[str, Json] = {}
    for old, one in named.items():
        task = _inward(one, renamed, inputs) if isinstance(one, dict) else one
        tasks[renamed[old]] = _governed(task, _names(body.get("after")), body.get("when"))
    return _Part(tasks, _inward_value(inner.get("deliver"), renamed, inputs))


def _check_fields(body: dict[str, Json], place: str) -> None:
    """Say what is wrong with an inclusion itself."""
    for field in body:
        if field not in FIELDS:
            mend = "Put it on the tasks of the included playbook." if field == "for_each" else "Remove it."
            raise _cannot(under(place, field), f"an inclusion has no field {shown(field)}", mend)
    if not isinstance(body["include"], str) or not isinstance(body.get("with") or {}, dict):
        raise _cannot(place, "an inclusion is `include: NAME` with a mapping `with:`", "Write `include: NAME`.")
    if not isinstance(body.get("when") or "", str):
        raise _cannot(under(place, "when"), "`when` is a condition, as text", "Write it in quotes.")
    after = body.get("after") or []
    if not isinstance(after, str) and _names(after) != after:
        raise _cannot(under(place, "after"), "`after` is a list of tasks", "Write [task, task].")


def _governed(task: Json, after: list[str], when: Json) -> Json:
    """Give an included task with the order and the condition of its inclusion."""
    if not isinstance(task, dict):
        return task
    found = {key: value for key, value in task.items() if key != "id"}
    if after:
        found["after"] = [*_names(found.get("after")), *after]
    if isinstance(when, str) and when:
        own = found.get("when")
        found["when"] = f"({when}) && ({own})" if isinstance(own, str) else when
    return found


def _arguments(place: str, name: str, declared: Json, given: dict[str, Json]) -> dict[str, Json]:
    specs = {one: {} for one in declared} if _names(declared) == declared else declared or {}
    if not isinstance(specs, dict):
        raise _cannot(under(place, "include"), f"the inputs of {name!r} are no mapping", "Mend that playbook first.")
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
    for field in ("inputs", "for_each", "undo"):
        if field in found:
            found[field] = _inward_value(found[field], renamed, inputs)
    if "after" in found:
        found["after"] = [renamed.get(name, name) for name in _names(found["after"])]
    if "join" in found:
        found["join"] = _members(found["join"], lambda name: renamed.get(name, name))

    def stands_for(text: str) -> str | None:
        value = _inward_value({"ref": text}, renamed, inputs)
        return None if value == {"ref": text} else _expression(value)

    return _with_conditions(found, stands_for)


def renamed(task: dict[str, Json], names: Mapping[str, str]) -> dict[str, Json]:
    """Give a task's document that calls other tasks by other names, in references, links and conditions."""
    return _inward(task, names, {})


def renamed_value(value: Json, names: Mapping[str, str]) -> Json:
    """Give a value whose references call tasks by other names."""
    return _inward_value(value, names, {})


def _members(join: Json, stands_for: Callable[[str], str]) -> Json:
    """Give a join with other names for its members."""
    if isinstance(join, dict) and "of" in join:
        return {**join, "of": [stands_for(name) for name in _names(join["of"])]}
    return [stands_for(name) for name in join] if isinstance(join, list) and _names(join) == join else join


def _with_conditions(task: dict[str, Json], stands_for: Callable[[str], str | None]) -> dict[str, Json]:
    """Give a task whose conditions, `when` and the `until` of its repetition, name other tasks."""
    found = dict(task)
    if isinstance(found.get("when"), str):
        found["when"] = rewritten(found["when"], stands_for)
    repeat = found.get("repeat")
    if isinstance(repeat, dict) and isinstance(repeat.get("until"), str):

        def of_others(text: str) -> str | None:
            return None if _split(text)[0] in OF_A_ROUND else stands_for(text)

        found["repeat"] = {**repeat, "until": rewritten(repeat["until"], of_others)}
    return found


def _inward_value(value: Json, renamed: Mapping[str, str], inputs: dict[str, Json]) -> Json:
    def look(reference: dict[str, Json]) -> Json:
        head, steps = _split(_text_of(reference))
        if head in renamed:
            return {**reference, "ref": renamed[head] + steps}
        if head == "inputs":
            name, rest = _split(steps.removeprefix("."))
            if name in inputs:
                return _deeper(inputs[name], rest, reference, f"the input {name!r}")
        return reference

    return _mapped(value, look)


class _Outward:
    """Puts what inclusions deliver in the place of references to them."""

    def __init__(self, parts: dict[str, _Part]) -> None:
        self._parts = parts
        self._under_way: list[str] = []

    def task(self, task: Json, place: str) -> Json:
        if not isinstance(task, dict):
            return task
        found = dict(task)
        for field in ("inputs", "for_each", "undo"):
            if field in found:
                found[field] = self.value(found[field], f"{place}.{field}")
        if "after" in found:
            names: list[str] = []
            for name in _names(found["after"]):
                names += self._parts[name].tasks if name in self._parts else [name]
            found["after"] = list(dict.fromkeys(names))
        if "join" in found:
            found["join"] = _members(found["join"], lambda name: self._member(name, f"{place}.join.of"))

        def stands_for(text: str) -> str | None:
            value = self.value({"ref": text}, f"{place}.when")
            return None if value == {"ref": text} else _expression(value)

        return _with_conditions(found, stands_for)

    def _member(self, name: str, place: str) -> str:
        """Give the task that stands for an inclusion in a join: the one whose whole output it delivers."""
        if name not in self._parts:
            return name
        value = self.value({"ref": f"{name}.output"}, place)
        head, steps = _split(_text_of(value)) if is_reference(value) else ("", "")
        if steps != ".output":
            mend = "Join one of its tasks, or let it deliver one as it is."
            raise _cannot(place, f"{name!r} delivers no task's whole output, so nothing stands for it in a join", mend)
        return head

    def value(self, value: Json, place: str) -> Json:
        """Give a value without references to inclusions; one may deliver what another does, but not in a circle."""

        def look(reference: dict[str, Json]) -> Json:
            head, steps = _split(_text_of(reference))
            if head not in self._parts or not (steps == ".output" or steps.startswith((".output.", ".output["))):
                return reference
            if head in self._under_way:
                circle = " → ".join((*self._under_way, head))
                raise _cannot(place, f"{circle} only pass their inputs on, in a circle", "Give one of them a value.")
            self._under_way.append(head)
            try:
                told = f"what {head!r} delivers"
                found = _deeper(self._parts[head].deliver, steps.removeprefix(".output"), reference, told, place)
                return self.value(found, place)
            finally:
                self._under_way.pop()

        return _mapped(value, look)


def _deeper(value: Json, steps: str, reference: dict[str, Json], told: str, place: str = "") -> Json:
    """Give a part of a value that may itself be a reference, or hold some; raises CannotInclude without such a part."""
    while steps and not is_reference(value):
        step = STEP.match(steps)
        literal = isinstance(value, dict) and value.keys() == {"literal"}
        here = value["literal"] if literal else value
        key = step and (step[1] if step[1] is not None else int(step[2]))
        try:
            inner = walk(here, (key,)) if key is not None else None
        except LookupError:
            key = None
        if step is None or key is None:
            if "default" in reference:
                return {"literal": reference["default"]}
            raise _cannot(place, f"{told} has no part {shown(steps)}", "Name a part that is there.")
        value, steps = {"literal": inner} if literal else inner, steps[step.end() :]
    if is_reference(value):
        default = {"default": reference["default"]} if "default" in reference else {}
        return {**value, **default, "ref": f"{value['ref']}{steps}"}
    return value


def _text_of(reference: dict[str, Json]) -> str:
    """Give what a reference says; `tasks.NAME.output` is the long form of `NAME.output`."""
    return str(reference["ref"]).removeprefix("tasks.")


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
    """Give a value as a condition says it. Tasks are named in the long form: no variable of a loop can hide them."""
    if is_reference(value):
        head, steps = _split(_text_of(value))
        root = head if head in ("inputs", "item", "context") else f"tasks[{_quoted(head)}]"
        return root + _PLAIN_STEP.sub(lambda step: f"[{_quoted(step[1])}]", steps)
    if isinstance(value, dict):
        if value.keys() == {"literal"}:
            return _quoted(value["literal"])
        return "{" + ", ".join(f"{_quoted(key)}: {_expression(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_expression, value)) + "]"
    return _quoted(value)


def _quoted(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _names(raw: Json) -> list[str]:
    if isinstance(raw, str):
        return [raw]
    return [one for one in raw if isinstance(one, str)] if isinstance(raw, list) else []


def _id_of(body: Json) -> str:
    return str(body.get("id", "")) if isinstance(body, dict) else ""


def _cannot(place: str, message: str, mend: str) -> CannotInclude:
    return CannotInclude(diagnose("bad-inclusion", place, message, mend))
