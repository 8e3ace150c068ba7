"""Plans that come a part at a time: JSON Lines, or tasks and mappings from Python.

A part is a task (`{"id": ..., "skill": ...}`), the inputs that the plan asks for (`{"inputs": {...}}`), or what it
delivers (`{"deliver": ...}`). A part that is none of these is a part too: with what is wrong with it, and where.
"""

import os
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from stretto.core.domain import InputSpec, Json, Plan, Task
from stretto.core.errors import UsageError
from stretto.core.plan.diagnostics import Diagnostic, diagnose, shown
from stretto.core.plan.shape import DEFAULT_SIZE, Size, measure, read_inputs, read_plan
from stretto.core.plan.writing import misfits
from stretto.documents import Document, Unreadable, parse_document
from stretto.feeding import fed

LINES = (".jsonl", ".ndjson")
STANDARD_INPUT = "-"
LARGEST_LINE = 10 * 1024 * 1024

PlanStream: TypeAlias = AsyncIterable[Task | dict[str, Any]] | Iterable[Task | dict[str, Any]]
"""What a plan may be read from while it is being written."""

_AROUND = frozenset({"name", "goal", "description", "inputs", "deliver"})
_MEND = 'Write {"id": ..., "skill": ...}, {"inputs": {...}} or {"deliver": ...}.'


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a plan; `place` gives where something in it stands, by its path within the part."""

    place: Callable[[str], str]
    task: Task | None = None
    inputs: dict[str, InputSpec] | None = None
    delivers: bool = False
    deliver: Json = None
    problems: tuple[Diagnostic, ...] = ()


class JsonLines:
    """A file of JSON Lines, or standard input as `-`; raises UsageError when it cannot be opened."""

    def __init__(self, path: Path | str) -> None:
        self.name = "standard input" if str(path) == STANDARD_INPUT else str(path)
        try:
            # Standard input is opened anew: its own buffer would be locked by whoever waits for a line.
            self._file = os.fdopen(os.dup(0), "rb") if str(path) == STANDARD_INPUT else Path(path).open("rb")  # noqa: SIM115
        except (OSError, ValueError) as error:
            raise UsageError(f"cannot read {self.name}: {getattr(error, 'strerror', None) or error}") from None

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Give lines with their numbers; of one that is too long so much that it shows."""
        number = 0
        with self._file as file:
            while raw := file.readline(LARGEST_LINE + 1):
                number += 1
                yield number, raw
                while len(raw) > LARGEST_LINE and raw and not raw.endswith(b"\n"):
                    raw = file.readline(LARGEST_LINE + 1)


def is_stream(plan: Any) -> bool:
    """Whether a plan comes a part at a time: lines, or anything that gives tasks one by one."""
    if isinstance(plan, str | Path):
        return str(plan) == STANDARD_INPUT or Path(plan).suffix.lower() in LINES
    return not isinstance(plan, Plan | dict) and isinstance(plan, AsyncIterable | Iterable)


async def parts(source: "PlanStream | JsonLines", size: Size = DEFAULT_SIZE) -> AsyncGenerator[Part, None]:
    """Give the parts of a plan as they come; whatever the source raises is raised."""
    if isinstance(source, JsonLines):
        async for number, raw in fed(source):
            if raw.strip():
                yield _of_line(raw, source.name, number, size)
        return
    number = 0
    async for one in _one_by_one(source):
        number += 1
        yield part_of(one, _numbered(number), size)


async def _one_by_one(source: PlanStream) -> AsyncIterator[Task | dict[str, Any]]:
    if isinstance(source, AsyncIterable):
        async for one in source:
            yield one
    elif isinstance(source, list | tuple):
        for one in source:
            yield one
    else:
        async for one in fed(source):
            yield one


def _of_line(raw: bytes, name: str, number: int, size: Size) -> Part:
    def place(path: str) -> str:
        return _in_line(document.where(path), name, number)

    document = Document(name=name, value=None)
    try:
        if len(raw) > LARGEST_LINE:
            return _wrong(place, "too-large", f"a line of more than {LARGEST_LINE} bytes", "Split it.")
        document = parse_document(raw.decode("utf-8-sig").rstrip("\r\n"), name, is_json=True)
    except UnicodeDecodeError:
        return _wrong(place, "unreadable", "this is not UTF-8 text", "Write it as UTF-8.")
    except Unreadable as error:
        where = _in_line(error.diagnostic.where, name, number)
        return Part(place=place, problems=(replace(error.diagnostic, where=where),))
    return part_of(document.value, place, size)


def part_of(value: Any, place: Callable[[str], str], size: Size) -> Part:
    """Read one part of a plan; `place` tells where something in it stands."""
    if isinstance(value, Task):
        found = list(misfits(Plan(tasks=(value,))))
        return Part(place=place, task=None if found else value, problems=_placed(found, place))
    if not isinstance(value, dict):
        return _wrong(place, "not-a-plan", f"a part of a plan is a mapping, this is {shown(value)}", _MEND)
    if "id" in value or "skill" in value:
        plan, found = read_plan({"tasks": [value]}, size)
        wrong = [one for one in found if one.severity == "error"]
        return Part(place=place, task=None if wrong else plan.tasks[0], problems=_placed(wrong, place))
    if not value or value.keys() - _AROUND:
        return _wrong(place, "not-a-plan", "this is neither a task, nor inputs, nor what is delivered", _MEND)
    if unfit := measure(value, size):
        return Part(place=place, problems=_placed([unfit], place))
    inputs, found = read_inputs(value["inputs"]) if "inputs" in value else (None, [])
    return Part(
        place=place,
        inputs=None if found else inputs,
        delivers="deliver" in value,
        deliver=value.get("deliver"),
        problems=_placed(found, place),
    )


def _wrong(place: Callable[[str], str], code: str, message: str, mend: str) -> Part:
    return Part(place=place, problems=_placed([diagnose(code, "", message, mend)], place))


def _placed(found: list[Diagnostic], place: Callable[[str], str]) -> tuple[Diagnostic, ...]:
    return tuple(
        replace(one, where=f"{place(path)} ({path})" if (path := within(one.path)) else place("")) for one in found
    )


def within(path: str) -> str:
    """Give the path inside its part of something whose path in the plan is known."""
    if not path.startswith("tasks"):
        return path
    head, dot, rest = path.removeprefix("tasks").removeprefix(".").partition(".")
    del head
    return rest if dot else ""


def _numbered(number: int) -> Callable[[str], str]:
    return lambda path: f"part {number} of the plan"


def _in_line(where: str, name: str, number: int) -> str:
    """Give a place of a text of one line as a place in the file that the line is of."""
    column = where.removeprefix(name).rpartition(":")[2]
    return f"{name}:{number}:{column or 1}"
