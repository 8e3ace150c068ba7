"""From a document (what JSON or YAML held) to a plan: every field's type is checked, nothing is guessed."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any, get_args

from stretto.core.domain import ForEach, InputSpec, Json, Limits, Plan, SideEffect, Task
from stretto.core.plan.diagnostics import Diagnostic, diagnose
from stretto.core.plan.references import ID, RESERVED, is_reference

TASK_FIELDS = tuple(one.name for one in fields(Task))
PLAN_FIELDS = ("name", "goal", "description", "inputs", "tasks", "deliver")
_KINDS = ("value", "file", "files", "folder")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large a plan may be: tasks, levels of nesting, and values of any kind in all."""

    tasks: int = 20_000
    depth: int = 40
    values: int = 2_000_000


DEFAULT_SIZE = Size()


def read_plan(document: Json, size: Size = DEFAULT_SIZE) -> tuple[Plan, list[Diagnostic]]:
    """Give the plan that a document describes and what is wrong with its shape.

    Tasks with errors stay in the plan as far as they could be read, so that one slip does not look like
    twenty dangling references. A document that is no plan at all gives an empty one.
    """
    too_large = _measure(document, size)
    if too_large:
        return Plan(), [too_large]
    if not isinstance(document, dict):
        return Plan(), [
            diagnose(
                "not-a-plan",
                "",
                f"a plan is a mapping, this is {_kind(document)}",
                "Begin with `tasks:` and a task below it.",
            )
        ]
    reader = _Reader()
    for name in document:
        if name not in PLAN_FIELDS:
            reader.say("unknown-field", f"{name}", f"a plan has no field {name!r}", _near(name, PLAN_FIELDS))
    tasks = tuple(reader.tasks(document, size))
    inputs = dict(reader.inputs(document.get("inputs")))
    name = document.get("name", "")
    return (
        Plan(
            tasks=tasks,
            inputs=inputs,
            deliver=document.get("deliver"),
            name=name if isinstance(name, str) else "",
        ),
        reader.said,
    )


class _Reader:
    def __init__(self) -> None:
        self.said: list[Diagnostic] = []

    def say(self, code: str, path: str, message: str, mend: str = "") -> None:
        self.said.append(diagnose(code, path, message, mend))

    def tasks(self, document: dict[str, Json], size: Size) -> Iterator[Task]:
        raw = document.get("tasks")
        if not isinstance(raw, dict | list):
            self.say(
                "not-a-plan",
                "tasks",
                f"`tasks` is {_kind(raw)}, not a mapping or list of tasks",
                "Write `tasks:` with one entry per task.",
            )
            return
        if not raw:
            self.say("empty-plan", "tasks", "the plan has no task", "Add at least one task with a skill.")
        if len(raw) > size.tasks:
            self.say(
                "too-large",
                "tasks",
                f"{len(raw)} tasks; the limit is {size.tasks}",
                "Fan out with `for_each`, split the plan, or raise `plan_tasks` in the settings.",
            )
            return
        seen: dict[str, str] = {}
        pairs = raw.items() if isinstance(raw, dict) else ((None, one) for one in raw)
        for number, (key, body) in enumerate(pairs):
            place = f"tasks.{key}" if key is not None else f"tasks[{number}]"
            if not isinstance(body, dict):
                self.say(
                    "bad-value", place, f"a task is a mapping, this is {_kind(body)}", "Give it at least `skill: NAME`."
                )
                continue
            task = self.task(key, body, place)
            if task is None:
                continue
            if task.id in seen:
                self.say(
                    "duplicate-id",
                    place,
                    f"the id {task.id!r} is taken by {seen[task.id]}",
                    "Give each task an id of its own.",
                )
                continue
            seen[task.id] = place
            yield task

    def task(self, key: Json, body: dict[str, Json], place: str) -> Task | None:
        for name in body:
            if name not in TASK_FIELDS:
                self.say(
                    "unknown-field", f"{place}.{name}", f"a task has no field {name!r}", _near(str(name), TASK_FIELDS)
                )
        id_ = body.get("id", key)
        if id_ is None:
            self.say("missing-field", place, "the task has no id", "Add `id: NAME`.")
            return None
        if not isinstance(id_, str) or not ID.fullmatch(id_) or id_ in RESERVED:
            self.say(
                "bad-id",
                place,
                f"{id_!r} cannot be a task's id",
                "Use letters, digits, _ and -, beginning with a letter; not inputs, item, context, tasks.",
            )
            return None
        if "skill" not in body:
            self.say("missing-field", place, f"task {id_!r} names no skill", "Add `skill: NAME`.")
        values: dict[str, Any] = {"id": id_, "skill": self.text(body, "skill", place)}
        for name in ("objective", "agent", "when", "writes"):
            if body.get(name) is not None:
                values[name] = self.text(body, name, place)
        for name in ("after", "criteria", "labels", "tools", "permissions"):
            if body.get(name) is not None:
                values[name] = self.names(body[name], f"{place}.{name}")
        if body.get("inputs") is not None:
            values["inputs"] = self.mapping(body["inputs"], f"{place}.inputs")
        if body.get("output") is not None:
            values["output"] = self.mapping(body["output"], f"{place}.output")
        if body.get("effect") is not None:
            values["effect"] = self.effect(body["effect"], f"{place}.effect")
        for name in ("risk", "approval"):
            if body.get(name) is not None:
                allowed = get_args(Task.__annotations__[name])
                if body[name] in allowed:
                    values[name] = body[name]
                else:
                    self.say(
                        "bad-value", f"{place}.{name}", f"{name} is {body[name]!r}", f"Use one of {', '.join(allowed)}."
                    )
        if body.get("limits") is not None:
            values["limits"] = self.limits(body["limits"], f"{place}.limits")
        if body.get("for_each") is not None:
            values["for_each"] = self.for_each(body["for_each"], f"{place}.for_each")
        values["occurrence"] = body.get("occurrence")
        return Task(**values)

    def inputs(self, raw: Json) -> Iterator[tuple[str, InputSpec]]:
        if raw is None:
            return
        if isinstance(raw, list) and all(isinstance(one, str) for one in raw):
            raw = {one: {} for one in raw}
        for name, body in self.mapping(raw, "inputs").items():
            place = f"inputs.{name}"
            if isinstance(body, str) and body in _KINDS:
                body = {"kind": body}
            body = self.mapping({} if body is None else body, place)
            known = tuple(one.name for one in fields(InputSpec))
            for field in body:
                if field not in known:
                    self.say(
                        "unknown-field",
                        f"{place}.{field}",
                        f"an input has no field {field!r}",
                        _near(str(field), known),
                    )
            kind = body.get("kind", "value")
            if kind not in _KINDS:
                self.say("bad-value", f"{place}.kind", f"kind is {kind!r}", f"Use one of {', '.join(_KINDS)}.")
                kind = "value"
            required = body.get("required", "default" not in body)
            yield (
                name,
                InputSpec(
                    kind=kind,
                    description=str(body.get("description") or ""),
                    default=body.get("default"),
                    required=bool(required),
                    labels=self.names(body.get("labels") or [], f"{place}.labels"),
                ),
            )

    def limits(self, raw: Json, place: str) -> Limits:
        values: dict[str, Any] = {}
        known = tuple(one.name for one in fields(Limits))
        for name, value in self.mapping(raw, place).items():
            if name not in known:
                self.say("unknown-field", f"{place}.{name}", f"limits have no {name!r}", _near(name, known))
            elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
                self.say("bad-value", f"{place}.{name}", f"{name} is {value!r}", "Give a number above 0.")
            else:
                values[name] = float(value) if name == "timeout" else int(value)
        return Limits(**values)

    def for_each(self, raw: Json, place: str) -> ForEach | None:
        if isinstance(raw, list) or is_reference(raw):
            return ForEach(items=raw)
        body = self.mapping(raw, place)
        items = body.get("items")
        if not isinstance(items, list) and not is_reference(items):
            self.say(
                "bad-value",
                place,
                "`for_each` needs a list or a reference to one",
                "Write `for_each: {ref: inputs.files}` or `for_each: {items: ..., max: 100}`.",
            )
            return None
        for name in body:
            if name not in ("items", "max", "allow_failures"):
                self.say(
                    "unknown-field",
                    f"{place}.{name}",
                    f"for_each has no field {name!r}",
                    _near(str(name), ("items", "max", "allow_failures")),
                )
        most = body.get("max")
        if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 1):
            self.say("bad-value", f"{place}.max", f"max is {most!r}", "Give a whole number above 0.")
            most = None
        return ForEach(items=items, max=most, allow_failures=body.get("allow_failures") is True)

    def text(self, body: dict[str, Json], name: str, place: str) -> str:
        value = body.get(name, "")
        if isinstance(value, str):
            return value
        self.say("bad-value", f"{place}.{name}", f"{name} is {_kind(value)}, not text", "Write it as text.")
        return ""

    def names(self, raw: Json, place: str) -> tuple[str, ...]:
        if isinstance(raw, str):
            return (raw,)
        if isinstance(raw, list) and all(isinstance(one, str) for one in raw):
            return tuple(raw)
        self.say("bad-value", place, f"this is {_kind(raw)}, not a list of names", "Write [name, name].")
        return ()

    def mapping(self, raw: Json, place: str) -> dict[str, Json]:
        if isinstance(raw, dict) and all(isinstance(key, str) for key in raw):
            return raw
        self.say("bad-value", place, f"this is {_kind(raw)}, not a mapping with text keys", "Write `name: value`.")
        return {}

    def effect(self, raw: Json, place: str) -> SideEffect | None:
        known = [one.value for one in SideEffect if one is not SideEffect.UNDECLARED]
        if raw in known:
            return SideEffect(raw)
        self.say("bad-value", place, f"effect is {raw!r}", f"Use one of {', '.join(known)}.")
        return None


def _measure(document: Json, size: Size) -> Diagnostic | None:
    """Walk the whole document without recursion; shared parts (YAML anchors) count each time they appear."""
    mend = "Split the plan, or raise the limits in the settings."
    level, count = [document], 0
    for _ in range(size.depth):
        count += len(level)
        if count > size.values:
            return diagnose("too-large", "", f"more than {size.values} values", mend)
        below: list[Json] = []
        for value in level:
            if isinstance(value, dict):
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
            if len(below) > size.values:
                return diagnose("too-large", "", f"more than {size.values} values", mend)
        if not below:
            return None
        level = below
    return diagnose("too-large", "", f"nested more than {size.depth} levels deep", mend)


def _kind(value: Json) -> str:
    names: dict[type, str] = {dict: "a mapping", list: "a list", str: "text", bool: "true or false"}
    if value is None:
        return "nothing"
    return names.get(type(value), "a number" if isinstance(value, int | float) else type(value).__name__)


def _near(name: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(name, known, 1, 0.6)
    return f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known)}."
