"""References: how a task names the result of another, an input of the run, its own item or a context entry.

{"ref": "analyse.output.rows[0].name"}    the output of task `analyse`, or a part of it
{"ref": "inputs.logs"}                    an input of the run
{"ref": "item.path"}                      the element that a `for_each` task works on
{"ref": "context.findings"}               the newest version of a context entry
{"ref": "joined[0].x"}                    the outputs that a `join` took, in the order they were accepted
{"ref": "previous.x", "default": 0}       in a `repeat`, the output of the round before
{"ref": "round"}                          in a `repeat`, the number of the round, from 0
{"ref": "fix.output", "default": null}    if `fix` brings no result, this instead (also waits for it)
{"literal": {"ref": "x"}}                 no reference, but the mapping itself
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache
from typing import Literal, TypeAlias

from stretto.core.domain import Json, Task
from stretto.core.plan.conditions import named_in_condition, named_in_until
from stretto.core.plan.diagnostics import shown, under

Root: TypeAlias = Literal["task", "inputs", "item", "context", "joined", "previous", "round"]

RESERVED = frozenset({"inputs", "item", "context", "tasks", "joined", "previous", "round"})
ID = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}")
STEP = re.compile(r"\.([^.\[\]]+)|\[(\d{1,9})\]")
_NAME = re.compile(r"[^.\[\]]+")
_LONGEST = 500
_DEEP = (dict, list, tuple)


class Need(IntEnum):
    """How one task depends on another: the stronger includes the weaker."""

    MEMBER = -1  # joins it: goes on as soon as enough of the members are completed
    SOFT = 0  # waits for it, then goes on whatever became of it
    ORDER = 1  # waits for it, and falls with it when it fails
    RESULT = 2  # cannot do without its result


class NoDefault:
    """Stands for the absence of a default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A parsed reference. `name` is the task, input or context entry; `steps` lead into its value."""

    root: Root
    name: str
    steps: tuple[str | int, ...] = ()
    default: Json | type[NoDefault] = NoDefault

    @property
    def hard(self) -> bool:
        """Whether the task cannot start without this value."""
        return self.default is NoDefault


def is_reference(value: Json) -> bool:
    """Tell a reference from a literal."""
    return isinstance(value, dict) and "ref" in value and (len(value) == 1 or (len(value) == 2 and "default" in value))


def parse(value: Json) -> Reference:
    """Read `{"ref": "..."}`; raises ValueError with what is wrong with it."""
    text = value["ref"]
    if not isinstance(text, str):
        raise ValueError(f"a reference is text like 'task.output', not {type(text).__name__}")
    if len(text) > _LONGEST:
        raise ValueError(f"a reference has at most {_LONGEST} characters, this has {len(text)}")
    found = _read(text)
    return replace(found, default=value["default"]) if "default" in value else found


@lru_cache(maxsize=1 << 15)
def _read(text: str) -> Reference:
    head = _NAME.match(text)
    if not head:
        raise ValueError(f"{shown(text)} does not begin with a name")
    steps: list[str | int] = []
    position = head.end()
    while position < len(text):
        step = STEP.match(text, position)
        if not step:
            raise ValueError(f"{shown(text)} cannot be read from {shown(text[position:])} on")
        steps.append(step[1] if step[1] is not None else int(step[2]))
        position = step.end()
    name = head[0]
    if name == "item":
        return Reference(root="item", name="item", steps=tuple(steps))
    if name == "previous":
        return Reference(root="previous", name="previous", steps=tuple(steps))
    if name == "joined":
        if steps and not isinstance(steps[0], int):
            raise ValueError(f"{shown(text)}: joined is a list of outputs; write joined or joined[0]")
        return Reference(root="joined", name="joined", steps=tuple(steps))
    if name == "round":
        if steps:
            raise ValueError(f"{shown(text)}: round is a number and has no parts")
        return Reference(root="round", name="round")
    if name in ("inputs", "context"):
        if not steps or not isinstance(steps[0], str):
            raise ValueError(f"{shown(text)} needs a name, as in {name}.NAME")
        return Reference(root="inputs" if name == "inputs" else "context", name=steps[0], steps=tuple(steps[1:]))
    if name == "tasks" and steps and isinstance(steps[0], str):
        name, steps = steps[0], steps[1:]
    if not steps or steps[0] != "output":
        raise ValueError(f"{shown(text)} should go on with .output, as in {shown(name)[1:-1]}.output")
    return Reference(root="task", name=name, steps=tuple(steps[1:]))


def find(value: Json, path: str) -> Iterator[tuple[str, Json]]:
    """Give every reference within a value, with its place; literals are left alone."""
    return (one for one in referring(value, path) if is_reference(one[1]))


def referring(value: Json, path: str) -> Iterator[tuple[str, dict[str, Json]]]:
    """Give every mapping with a `ref`, with its place: references, and what may have been meant as one."""
    stack = [(path, value)]
    while stack:
        place, here = stack.pop()
        if isinstance(here, dict):
            if "ref" in here:
                yield place, here
                if is_reference(here):
                    continue
            elif len(here) == 1 and "literal" in here:
                continue
            below = [(under(place, key), inner) for key, inner in here.items() if _deep(inner)]
        elif isinstance(here, list | tuple):
            below = [(under(place, number), inner) for number, inner in enumerate(here) if _deep(inner)]
        else:
            continue
        stack.extend(reversed(below))


def _deep(value: Json) -> bool:
    return isinstance(value, _DEEP)


def _within(value: Json) -> Iterator[dict[str, Json]]:
    """Give every reference within a value, as `find` does, for those who need no places: twice as fast."""
    stack = [value]
    while stack:
        here = stack.pop()
        if isinstance(here, dict):
            if is_reference(here):
                yield here
                continue
            if len(here) == 1 and "literal" in here:
                continue
            below = [inner for inner in here.values() if isinstance(inner, _DEEP)]
        else:
            below = [inner for inner in here if isinstance(inner, _DEEP)] if isinstance(here, _DEEP) else []
        stack.extend(reversed(below))


def substitute(value: Json, resolve: Callable[[Reference], Json]) -> Json:
    """Give the value with every reference replaced by what it stands for."""
    if is_reference(value):
        return resolve(parse(value))
    if isinstance(value, dict):
        if value.keys() == {"literal"}:
            return value["literal"]
        return {key: substitute(inner, resolve) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [substitute(inner, resolve) for inner in value]
    return value


def walk(value: Json, steps: tuple[str | int, ...]) -> Json:
    """Go into a value; raises LookupError naming the step that leads nowhere."""
    for step in steps:
        try:
            value = value[int(step)] if isinstance(value, list) else value[step]
        except (KeyError, IndexError, TypeError, ValueError):
            raise LookupError(f"there is no {step!r} in {type(value).__name__}") from None
    return value


def places(task: Task) -> Iterator[tuple[str, dict[str, Json]]]:
    """Give every mapping with a `ref` of a task with its place inside the task: references, and near misses."""
    yield from referring(task.inputs, "inputs")
    if task.for_each is not None:
        yield from referring(task.for_each.items, "for_each")


def references(task: Task) -> Iterator[Reference]:
    """Give every reference of a task. Malformed ones are left to the checker."""
    for value in (task.inputs, task.for_each.items) if task.for_each is not None else (task.inputs,):
        for raw in _within(value):
            try:
                yield parse(raw)
            except ValueError:
                continue


def named_in(value: Json) -> set[str]:
    """Give the tasks that the references within a value name; malformed ones are left to the checker."""
    found = set()
    for raw in _within(value):
        try:
            reference = parse(raw)
        except ValueError:
            continue
        if reference.root == "task":
            found.add(reference.name)
    return found


def needs(task: Task) -> dict[str, Need]:
    """Give the tasks that this one waits for, and how."""
    found: dict[str, Need] = {}
    for reference in references(task):
        if reference.root == "task":
            need = Need.RESULT if reference.hard else Need.SOFT
            found[reference.name] = max(found.get(reference.name, need), need)
    looked_at = sorted(named_in_condition(task.when)) if task.when else []
    if task.repeat is not None and task.repeat.until:
        looked_at += sorted(named_in_until(task.repeat.until))
    order = Need.ORDER if task.undoes is None else Need.SOFT  # what could not be undone holds up no other undoing
    for name in (*looked_at, *task.after):
        found[name] = max(found.get(name, order), order)
    for name in task.join.of if task.join is not None else ():
        if found.get(name, Need.SOFT) is Need.SOFT:
            found[name] = Need.MEMBER
    return found


def reads(task: Task) -> set[str]:
    """Give the context entries that a task reads."""
    return named(task, "context")


def inputs_read(task: Task) -> set[str]:
    """Give the inputs of the run that a task reads."""
    return named(task, "inputs")


def named(task: Task, root: Root) -> set[str]:
    """Give the names that a task's references of one kind refer to."""
    return {reference.name for reference in references(task) if reference.root == root}
