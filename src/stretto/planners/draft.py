"""A plan as far as it is written, whoever writes it: the tasks that were adopted, their places, and what is wrong."""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from types import MappingProxyType

from stretto.conditions import condition_defects
from stretto.core.domain import InputSpec, Json, Plan, Task
from stretto.core.plan.diagnostics import Diagnostic, diagnose, errors
from stretto.streams import Part, within

NOTHING: Mapping[str, Task] = MappingProxyType({})
FOLLOWING = frozenset({"dangling-reference", "unreachable-deliverable"})
"""Codes of what may be wrong only because a part before could not be adopted."""


class Draft:
    """Takes in the parts of a plan. What is `known` was adopted before: it is not adopted again, and never changes."""

    def __init__(self, known: Mapping[str, Task] = NOTHING) -> None:
        self.known = known
        self.tasks: list[Task] = []
        self.places: dict[str, Part] = {}
        self.specs: Part | None = None
        self.end: Part | None = None
        self.problems: list[Diagnostic] = []

    @property
    def deliver(self) -> Json:
        return self.end.deliver if self.end is not None else None

    def adopts(self, part: Part, task: Task) -> bool:
        """Take a task into the plan; False when it is wrong, or there already."""
        path = f"tasks.{task.id}"
        before, known = self.places.get(task.id), self.known.get(task.id)
        if before is not None:
            told = f"the id {task.id!r} is taken at {before.place('')}"
            self.say(part, "duplicate-id", path, told, "Give each task an id of its own.")
            return False
        self.places[task.id] = part
        if known is not None and known != task:
            other = ", ".join(one.name for one in fields(Task) if getattr(known, one.name) != getattr(task, one.name))
            told = f"task {task.id!r} is not the one that this run has adopted already: {other} differ"
            self.say(part, "bad-value", path, told, "Hand over the plan as it was.")
            return False
        if wrong := condition_defects(Plan(tasks=(task,))):
            self.problems += [replace(one, where=part.place(within(one.path))) for one in wrong]
            return False
        self.tasks.append(task)
        return known is None

    def declares(self, part: Part) -> bool:
        """Take the inputs that the plan asks for; False when they were declared before."""
        if self.specs is not None:
            told = f"the inputs are declared at {self.specs.place('')} already"
            self.say(part, "bad-value", "inputs", told, "Declare all of them at once, before the tasks that use them.")
            return False
        self.specs = part
        return True

    def delivers(self, part: Part) -> None:
        """Take what the plan delivers."""
        if self.end is not None:
            told = f"what is delivered stands at {self.end.place('')} already"
            self.say(part, "bad-value", "deliver", told, "Say it once, at the end.")
        else:
            self.end = part

    def say(self, part: Part | None, code: str, path: str, message: str, mend: str) -> None:
        """Note what is wrong with a part."""
        found = diagnose(code, path, message, mend)
        self.problems.append(replace(found, where=part.place(within(path))) if part is not None else found)

    def plan(self, specs: dict[str, InputSpec]) -> Plan:
        """Give the plan as far as it is adopted."""
        return Plan(tasks=tuple(self.tasks), inputs=specs, deliver=self.deliver)

    def defects(self, plan: Plan, check: Callable[[Plan], list[Diagnostic]]) -> list[Diagnostic]:
        """Give every error of the plan that is now whole, each with its place."""
        whole = check(plan) if plan.tasks else []
        broken = bool(self.problems)
        later = [one for one in errors(whole) if not (broken and one.code in FOLLOWING)]
        return [*errors(self.problems), *map(self.placed, later)]

    def placed(self, one: Diagnostic) -> Diagnostic:
        """Give a finding with the place of the part that it is about."""
        task = re.match(r"tasks\.([\w-]+)", one.path)
        part = self.places.get(task[1]) if task else self.end if one.path.startswith("deliver") else self.specs
        return one if part is None else replace(one, where=f"{part.place(within(one.path))} ({one.path})")
