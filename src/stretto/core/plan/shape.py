"""From a document (what JSON or YAML held) to a plan: every field's type is checked, nothing is guessed."""

import math
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import Any, get_args

from stretto.core.amounts import read_budget
from stretto.core.domain import (
    Asks,
    Budget,
    ForEach,
    InputSpec,
    Join,
    Json,
    Limits,
    Plan,
    Repeat,
    SideEffect,
    Task,
    Undo,
)
from stretto.core.lengths import read_length
from stretto.core.plan.asking import BadChain, place_of, read_asks
from stretto.core.plan.diagnostics import Diagnostic, Findings, diagnose, shown, under
from stretto.core.plan.ladders import read_ladder
from stretto.core.plan.names import Names
from stretto.core.plan.references import ID, RESERVED, is_reference

TASK_FIELDS = tuple(one.name for one in fields(Task) if one.name != "undoes")
PLAN_FIELDS = ("name", "goal", "description", "inputs", "tasks", "deliver")
INPUT_FIELDS = tuple(one.name for one in fields(InputSpec))
LIMITS = tuple(one.name for one in fields(Limits))
FOR_EACH = tuple(one.name for one in fields(ForEach))
JOIN = tuple(one.name for one in fields(Join))
REPEAT = tuple(one.name for one in fields(Repeat))
UNDO = tuple(one.name for one in fields(Undo))
KINDS = ("value", "file", "files", "folder")
CHOICES = {name: get_args(Task.__annotations__[name]) for name in ("risk", "approval")}
EFFECTS = tuple(one.value for one in SideEffect if one is not SideEffect.UNDECLARED)
_LONGEST_KEY = 1000
_ASK_MEND = "See docs/failure.md on people who do not answer."


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large a plan may be: tasks, levels of nesting, and values of any kind in all."""

    tasks: int = 20_000
    depth: int = 40
    values: int = 2_000_000


DEFAULT_SIZE = Size()
ID_MEND = f"Use letters, digits, _ and -, beginning with a letter or _; not {', '.join(sorted(RESERVED))}."


def read_plan(document: Json, size: Size = DEFAULT_SIZE) -> tuple[Plan, list[Diagnostic]]:
    """Give the plan that a document describes and what is wrong with its shape.

    Tasks with errors stay in the plan as far as they could be read, so that one slip does not look like
    twenty dangling references. A document that is no plan at all gives an empty one.
    """
    unfit = measure(document, size)
    if unfit:
        return Plan(), [unfit]
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
    reader.known("", document, PLAN_FIELDS, "a plan has")
    tasks = tuple(reader.tasks(document, size))
    inputs = dict(reader.inputs(document.get("inputs")))
    name = reader.text(document, "name", "")
    for field in ("goal", "description"):
        reader.text(document, field, "")
    return Plan(tasks=tasks, inputs=inputs, deliver=document.get("deliver"), name=name), reader.findings.all()


def read_inputs(raw: Json) -> tuple[dict[str, InputSpec], list[Diagnostic]]:
    """Give the inputs that a plan asks for, and what is wrong with the shape of their declarations."""
    reader = _Reader()
    return dict(reader.inputs(raw)), reader.findings.all()


class _Reader:
    def __init__(self) -> None:
        self.findings = Findings()
        self._names: dict[tuple[str, ...], Names] = {}

    def say(self, code: str, path: str, message: str, mend: str = "") -> None:
        self.findings.add([diagnose(code, path, message, mend)])

    def known(self, place: str, body: dict[str, Json], fields: tuple[str, ...], whose: str) -> None:
        """Say which fields there are that nothing reads."""
        for name in body:
            if name not in fields:
                names = self._names.setdefault(fields, Names(lambda: fields))
                self.say("unknown-field", under(place, name), f"{whose} no field {shown(name)}", names.mend(name))

    def tasks(self, document: dict[str, Json], size: Size) -> Iterator[Task]:
        raw = document.get("tasks")
        if not isinstance(raw, dict | list | tuple):
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
            place = under("tasks", number if key is None else key)
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
        self.known(place, body, TASK_FIELDS, "a task has")
        id_ = key if body.get("id") is None else body["id"]
        if id_ is None:
            self.say("missing-field", place, "the task has no id", "Add `id: NAME`.")
            return None
        if (problem := id_problem(id_)) is not None:
            self.say("bad-id", place, problem, ID_MEND)
            return None
        values: dict[str, Any] = {"id": id_, "skill": self.text(body, "skill", place)}
        for name in ("objective", "agent", "when", "writes"):
            if body.get(name) is not None:
                values[name] = self.text(body, name, place)
        for name in ("after", "criteria", "labels", "tools", "permissions"):
            if body.get(name) is not None:
                values[name] = self.names(body[name], f"{place}.{name}")
        for name in ("inputs", "output"):
            if body.get(name) is not None:
                values[name] = self.mapping(body[name], f"{place}.{name}")
        for name, allowed in CHOICES.items():
            if body.get(name) is not None:
                values[name] = self.choice(body[name], allowed, allowed[0], f"{place}.{name}")
        if body.get("effect") is not None and self.choice(body["effect"], EFFECTS, "", f"{place}.effect"):
            values["effect"] = SideEffect(body["effect"])
        if body.get("limits") is not None:
            values["limits"] = self.limits(body["limits"], f"{place}.limits")
        if body.get("for_each") is not None:
            values["for_each"] = self.for_each(body["for_each"], f"{place}.for_each")
        if body.get("ladder") is not None:
            values["ladder"], wrong = read_ladder(body["ladder"], f"{place}.ladder")
            self.findings.add(wrong)
        if body.get("undo") is not None:
            values["undo"] = self.undo(body["undo"], f"{place}.undo")
        if body.get("budget") is not None:
            values["budget"] = self.budget(body["budget"], f"{place}.budget")
        if body.get("ask") is not None:
            values["ask"] = self.asks(body["ask"], f"{place}.ask")
        values["occurrence"] = body.get("occurrence")
        if body.get("join") is not None:
            values["join"] = self.join(body["join"], f"{place}.join")
        if body.get("repeat") is not None:
            values["repeat"] = self.repeat(body["repeat"], f"{place}.repeat")
        if body.get("wait") is not None:
            values["wait"] = self.seconds(body["wait"], f"{place}.wait")
        return Task(**values)

    def inputs(self, raw: Json) -> Iterator[tuple[str, InputSpec]]:
        if raw is None:
            return
        if isinstance(raw, list | tuple) and all(isinstance(one, str) for one in raw):
            raw = {one: {} for one in raw}
        for name, body in self.mapping(raw, "inputs").items():
            place = under("inputs", name)
            if not name or any(letter in name for letter in ".[]"):
                self.say(
                    "bad-value", place, f"{shown(name)} cannot be referred to", "Use a name without dots and brackets."
                )
            if isinstance(body, str) and body in KINDS:
                body = {"kind": body}
            body = self.mapping({} if body is None else body, place)
            self.known(place, body, INPUT_FIELDS, "an input has")
            yield (
                name,
                InputSpec(
                    kind=self.choice(body.get("kind", "value"), KINDS, "value", f"{place}.kind"),
                    description=self.text(body, "description", place),
                    default=body.get("default"),
                    required=self.flag(body, "required", "default" not in body, place),
                    labels=self.names(body.get("labels") or [], f"{place}.labels"),
                ),
            )

    def limits(self, raw: Json, place: str) -> Limits:
        values: dict[str, Any] = {}
        body = self.mapping(raw, place)
        self.known(place, body, LIMITS, "limits have")
        for name in LIMITS:
            value = body.get(name)
            if value is None:
                continue
            if name == "deadline":
                values[name] = self.seconds(value, f"{place}.{name}")
                continue
            whole = name != "timeout"
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
                self.say("bad-value", f"{place}.{name}", f"{name} is {shown(value)}", "Give a number above 0.")
            elif whole and value != int(value):
                self.say("bad-value", f"{place}.{name}", f"{name} is {shown(value)}", "Give a whole number above 0.")
            else:
                values[name] = int(value) if whole else float(value)
        return Limits(**values)

    def undo(self, raw: Json, place: str) -> Undo:
        if isinstance(raw, str):
            return Undo(skill=raw)
        body = self.mapping(raw, place)
        self.known(place, body, UNDO, "undo has")
        inputs = body.get("inputs")
        return Undo(
            skill=self.text(body, "skill", place) or None,
            inputs=None if inputs is None else self.mapping(inputs, f"{place}.inputs"),
        )

    def budget(self, raw: Json, place: str) -> Budget | None:
        if isinstance(raw, bool) or not isinstance(raw, str | int | float):
            self.say("bad-value", place, f"a budget is not {_kind(raw)}", "Write it like `budget: $0.50, 3 steps`.")
            return None
        try:
            return read_budget(str(raw))
        except ValueError as error:
            self.say("bad-value", place, str(error), "Write it like `budget: $0.50, 3 steps`.")
            return None

    def for_each(self, raw: Json, place: str) -> ForEach | None:
        raw = _elements(raw)
        if isinstance(raw, list | tuple) or is_reference(raw):
            return ForEach(items=raw)
        body = self.mapping(raw, place)
        items = _elements(body.get("items"))
        if not isinstance(items, list | tuple) and not is_reference(items):
            self.say(
                "bad-value",
                place,
                "`for_each` needs a list or a reference to one",
                "Write `for_each: {ref: inputs.files}` or `for_each: {items: ..., max: 100}`.",
            )
            return None
        self.known(place, body, FOR_EACH, "for_each has")
        return ForEach(
            items=items,
            max=self.count(body, "max", place),
            allow_failures=self.flag(body, "allow_failures", False, place),
            parallel=self.count(body, "parallel", place),
        )

    def join(self, raw: Json, place: str) -> Join | None:
        if isinstance(raw, list | tuple):
            return Join(of=self.names(raw, place))
        body = self.mapping(raw, place)
        self.known(place, body, JOIN, "a join has")
        if body.get("of") is None:
            self.say("missing-field", place, "the join names no tasks", "Add `of: [TASK, TASK]`.")
            return None
        take = body.get("take", "all")
        if take not in ("first", "all") and (isinstance(take, bool) or not isinstance(take, int)):
            self.say("bad-value", f"{place}.take", f"take is {shown(take)}", "Give `first`, `all` or a number.")
            take = "all"
        rest = self.choice(body.get("rest") or "cancel", ("cancel", "keep"), "cancel", f"{place}.rest")
        return Join(of=self.names(body["of"], f"{place}.of"), take=take, rest=rest)

    def repeat(self, raw: Json, place: str) -> Repeat | None:
        body = {"max": raw} if isinstance(raw, int) and not isinstance(raw, bool) else self.mapping(raw, place)
        self.known(place, body, REPEAT, "a repetition has")
        if body.get("max") is None:
            self.say("missing-field", place, "the repetition has no bound", "Add `max: NUMBER`.")
            return None
        most = self.count(body, "max", place)
        until = self.text(body, "until", place) if body.get("until") is not None else None
        pause = self.seconds(body["pause"], f"{place}.pause") if body.get("pause") else 0.0
        otherwise = self.choice(body.get("otherwise") or "fail", ("fail", "keep"), "fail", f"{place}.otherwise")
        return Repeat(max=most or 1, until=until, pause=pause or 0.0, otherwise=otherwise)

    def count(self, body: dict[str, Json], name: str, place: str) -> int | None:
        value = body.get(name)
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1e9):
            return value
        self.say("bad-value", f"{place}.{name}", f"{name} is {shown(value)}", "Give a whole number above 0.")
        return None

    def seconds(self, raw: Json, place: str) -> float | None:
        """Read a length of time: seconds, or text like 90s, 10m, 1h30m or 2d."""
        with suppress(ValueError):
            if (seconds := read_length(raw)) < 1e9:
                return seconds
        problem = f"{shown(raw)} is no length of time"
        self.say("bad-value", place, problem, "Give seconds above 0, or a length like 90s, 10m, 1h30m or 2d.")
        return None

    def asks(self, raw: Json, place: str) -> Asks:
        try:
            return read_asks(raw)
        except BadChain as error:
            self.say("bad-value", place_of(error, place), str(error), _ASK_MEND)
            return {}

    def text(self, body: dict[str, Json], name: str, place: str) -> str:
        value = body.get(name, "")
        if isinstance(value, str):
            return value
        if value is not None:
            self.say("bad-value", under(place, name), f"{name} is {_kind(value)}, not text", "Write it as text.")
        return ""

    def flag(self, body: dict[str, Json], name: str, otherwise: bool, place: str) -> bool:
        value = body.get(name)
        if isinstance(value, bool):
            return value
        if value is not None:
            self.say("bad-value", under(place, name), f"{name} is {_kind(value)}", "Write true or false.")
        return otherwise

    def choice(self, raw: Json, allowed: tuple[str, ...], otherwise: str, place: str) -> Any:
        if isinstance(raw, str) and raw in allowed:
            return raw
        self.say("bad-value", place, f"this is {shown(raw)}", f"Use one of {', '.join(allowed)}.")
        return otherwise

    def names(self, raw: Json, place: str) -> tuple[str, ...]:
        if isinstance(raw, str):
            return (raw,)
        if isinstance(raw, list | tuple) and all(isinstance(one, str) for one in raw):
            return tuple(raw)
        self.say("bad-value", place, f"this is {_kind(raw)}, not a list of names", "Write [name, name].")
        return ()

    def mapping(self, raw: Json, place: str) -> dict[str, Json]:
        if isinstance(raw, dict):
            return raw
        self.say("bad-value", place, f"this is {_kind(raw)}, not a mapping", "Write `name: value`.")
        return {}


def id_problem(id_: Json) -> str | None:
    """Say why something cannot be a task's id."""
    if isinstance(id_, str) and ID.fullmatch(id_) and id_ not in RESERVED:
        return None
    return f"{shown(id_)} cannot be a task's id"


def measure(document: Json, size: Size) -> Diagnostic | None:
    """Walk the whole document without recursion; shared parts (YAML anchors) count each time they appear.

    Says as well where it holds what no JSON can say: such a plan could not be kept.
    """
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
                fit = all(map(_fit_key, value))
            elif isinstance(value, list | tuple):
                below.extend(value)
                fit = True
            else:
                fit = _fit(value)
            if not fit:
                return _unfit(document)
            if len(below) > size.values:
                return diagnose("too-large", "", f"more than {size.values} values", mend)
        if not below:
            return None
        level = below
    return diagnose("too-large", "", f"nested more than {size.depth} levels deep", mend)


def _fit(value: Json) -> bool:
    if isinstance(value, str):
        return value.isascii() or _encodes(value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, int)


def _fit_key(key: Json) -> bool:
    return isinstance(key, str) and len(key) <= _LONGEST_KEY and (key.isascii() or _encodes(key))


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unfit(document: Json) -> Diagnostic:
    """Find the first value that no JSON can say, with its place, level by level; there is one."""
    todo: deque[tuple[str, Json]] = deque([("", document)])
    while True:
        place, value = todo.popleft()
        if isinstance(value, dict):
            if wrong := [key for key in value if not _fit_key(key)]:
                message = f"the key {shown(wrong[0])} is no name"
                return diagnose("bad-value", place, message, "Use short text for the keys.")
            todo.extend((under(place, key), inner) for key, inner in value.items())
        elif isinstance(value, list | tuple):
            todo.extend((under(place, number), inner) for number, inner in enumerate(value))
        elif not _fit(value):
            return diagnose("bad-value", place, f"{shown(value)} is nothing that JSON can say", "Use plain values.")


def _kind(value: Json) -> str:
    names: dict[type, str] = {dict: "a mapping", list: "a list", tuple: "a list", str: "text", bool: "true or false"}
    if value is None:
        return "nothing"
    return names.get(type(value), "a number" if isinstance(value, int | float) else type(value).__name__)


def _elements(raw: Json) -> Json:
    """Give a list that is meant letter by letter as a list of such elements; anything else as it is."""
    if not (isinstance(raw, dict) and raw.keys() == {"literal"} and isinstance(raw["literal"], list | tuple)):
        return raw
    return [{"literal": one} if isinstance(one, dict | list | tuple) else one for one in raw["literal"]]
