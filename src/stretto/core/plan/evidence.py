"""What a plan and the agents' cards tell about the types of values: who gives what, who takes what, what is missing.

A type that nobody names is unknown, and the unknown contradicts nothing and proves nothing.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property

from stretto.core.domain import Json, Task
from stretto.core.plan.meant import Wiring
from stretto.core.plan.references import is_reference, needs, parse
from stretto.core.plan.schemas import named_types, taken_types
from stretto.core.routing import Roster

_ENDINGS = {
    "image": "jpg jpeg png gif bmp webp tif tiff svg",
    "audio": "wav mp3 flac ogg m4a aac",
    "video": "mp4 avi mov mkv webm mpg mpeg",
    "text": "txt md rst doc docx rtf",
}
_BY_ENDING = {ending: frozenset({name}) for name, endings in _ENDINGS.items() for ending in endings.split()}
_URL = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_FILE = re.compile(r"\S+\.([A-Za-z0-9]{2,5})")
_PROSE = 3  # words, at the least
_UNKNOWN: frozenset[str] = frozenset()
_TEXT = frozenset({"text"})


class Evidence:
    """Answers for the tasks of one plan."""

    def __init__(self, tasks: Mapping[str, Task], agents: Roster) -> None:
        self._tasks, self._agents = tasks, agents

    def gives(self, task: Task) -> frozenset[str]:
        """Give the types that the result of a task may have."""
        candidates = self._agents.candidates(task)
        if task.for_each is not None or not candidates:
            return _UNKNOWN
        schema = task.output or self._agents.skill(task, candidates[0]).output
        return named_types(schema, schema)

    def takes(self, task: Task) -> list[frozenset[str]]:
        """Give the types of the arguments that the skill of a task takes; none when one of them is unknown."""
        candidates = self._agents.candidates(task)
        taken = taken_types(self._agents.skill(task, candidates[0]).inputs) if candidates else []
        return taken if all(taken) else []

    def may_take(self, task: Task, source: Task) -> bool:
        """Whether nothing speaks against a task taking the result of another."""
        given, taken = self.gives(source), _UNKNOWN.union(*self.takes(task))
        return not given or not taken or bool(given & taken)

    def may_give(self, task: Task, types: frozenset[str]) -> bool:
        """Whether the result of a task is of one of these types, or may be for all that is known."""
        given = self.gives(task)
        return not given or bool(given & types)

    def before(self, task: Task) -> dict[str, None]:
        """Give the tasks that come before one by declared order or by references, the nearest first."""
        found: dict[str, None] = {}
        todo = [task.id]
        while todo:
            here = self._tasks[todo.pop(0)]
            fresh = [name for name in needs(here) if name in self._tasks and name not in found and name != task.id]
            found.update(dict.fromkeys(fresh))
            todo += fresh
        return found

    def missing(self, task: Task) -> frozenset[str] | None:
        """Give the types of the one argument that a task lacks; None when it lacks none, or several, or who knows."""
        given = [self.gives(self._tasks[name]) for name in self._referred(task)]
        texts = [types for _, types in literals(task.inputs) if types]
        left = _left(self.takes(task), [*given, *texts])
        return left[0] if len(left) == 1 and all(given) else None

    def has_enough(self, task: Task) -> bool:
        """Whether a task is given as many results, files and texts as its skill takes."""
        takes = self.takes(task)
        values = len(self._referred(task)) + sum(1 for _, types in literals(task.inputs) if types)
        return bool(takes) and values >= len(takes)

    def is_all_it_takes(self, task: Task, sources: list[Task]) -> bool:
        """Whether the results of these tasks fill the arguments of a skill, one each and none left over."""
        takes, given = self.takes(task), [self.gives(one) for one in sources]
        return len(takes) == len(given) and all(given) and _left(takes, given) == []

    def wiring(self, task: Task) -> Wiring:
        """Give what is known of a task's surroundings, its own skill aside."""
        texts = [types for _, types in literals(task.inputs)]
        results = [self.gives(self._tasks[name]) for name in self._referred(task)]
        if not results and not any(texts):
            results = [self.gives(self._tasks[name]) for name in task.after if name in self._tasks and name != task.id]
        names = self._consumers.get(task.id) or self._followers.get(task.id) or []
        consumers = [self._tasks[name] for name in names]
        return Wiring(
            gets=tuple(one for one in (*results, *(types for types in texts if types != _TEXT)) if one),
            gives=tuple(_UNKNOWN.union(*taken) for one in consumers if (taken := self.takes(one))),
            words=any("text" in types for types in texts),
        )

    def _referred(self, task: Task) -> list[str]:
        """Give the other tasks whose results a task takes, one entry for each time."""
        names = []
        for raw in _leaves(task.inputs):
            if is_reference(raw):
                try:
                    reference = parse(raw)
                except ValueError:
                    continue
                if reference.root == "task" and reference.name in self._tasks and reference.name != task.id:
                    names.append(reference.name)
        return names

    @cached_property
    def _consumers(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for one in self._tasks.values():
            for name in dict.fromkeys(self._referred(one)):
                found.setdefault(name, []).append(one.id)
        return found

    @cached_property
    def _followers(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for one in self._tasks.values():
            for name in one.after:
                found.setdefault(name, []).append(one.id)
        return found


def literals(inputs: Json) -> Iterator[tuple[str, frozenset[str]]]:
    """Give the texts among the inputs of a task with the type that each has by its form.

    A file has the type of its ending, an address is a URL as well, and several words are text. Of a single
    word, such as a language or a number, nothing is known.
    """
    for one in _leaves(inputs):
        if isinstance(one, str):
            yield one, _type_by_form(one.strip().strip("'\""))


def _type_by_form(text: str) -> frozenset[str]:
    file = _FILE.fullmatch(text)
    by_ending = _BY_ENDING.get(file[1].lower(), _UNKNOWN) if file else _UNKNOWN
    if _URL.fullmatch(text):
        return by_ending | {"url"}
    return by_ending or (_TEXT if len(text.split()) >= _PROSE else _UNKNOWN)


def _left(takes: list[frozenset[str]], given: list[frozenset[str]]) -> list[frozenset[str]]:
    """Give the arguments that stay empty when values are put where they fit, the choosiest first."""
    left = list(takes)
    for one in sorted(given, key=len):
        fit = next((types for types in left if types & one), None)
        if fit is not None:
            left.remove(fit)
    return left


def _leaves(value: Json) -> Iterator[Json]:
    """Give the references and the plain values within a value, in their order."""
    todo = [value]
    while todo:
        here = todo.pop()
        if is_reference(here):
            yield here
        elif isinstance(here, dict):
            todo += reversed(list(here.values()))
        elif isinstance(here, list | tuple):
            todo += reversed(here)
        else:
            yield here
