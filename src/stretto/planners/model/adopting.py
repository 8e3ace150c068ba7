"""Takes the tasks that a model writes into the plan, each as soon as it is sound: the adopted set always is by itself.

A task is mended by rule, by itself; it is adopted once its own check passes and all that it refers to is adopted.
The others are held back until the answer has ended: then they are mended together, when all that they may mean is
there. What is adopted never changes.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from itertools import chain, count

from stretto.core.canonical import digest
from stretto.core.domain import Budget, Catalogue, InputSpec, Json, Plan, SideEffect, Task
from stretto.core.plan.diagnostics import Diagnostic
from stretto.core.plan.mending import Change
from stretto.core.plan.references import needs
from stretto.core.plan.repair import repair
from stretto.core.plan.shape import Size
from stretto.core.plan.writing import write_task
from stretto.core.routing import roster

_DOUBTS = frozenset({"type-mismatch", "unknown-output", "placeholder"})


class Adoption:
    """The plan of a run while models write it, over all their answers. `adopted` are its tasks, the first one first.

    `known` are those that the run had adopted in an earlier life of this planning: what is written once more is the
    same task, and the others come back with `recall`.
    """

    def __init__(
        self,
        tasks: Sequence[Task] = (),
        *,
        known: Sequence[Task] = (),
        catalogue: Catalogue,
        specs: Mapping[str, InputSpec],
        check: Callable[[Plan], list[Diagnostic]],
        size: Size,
        budget: Budget,
    ) -> None:
        self.adopted = {task.id: task for task in tasks}
        self.changes: list[Change] = []
        self.size, self.specs = size, dict(specs)
        self.strict = True
        """Whether a doubt about types counts as an error, as long as its writer can be asked."""
        self._check, self._catalogue, self._budget = check, catalogue, budget
        self._agents = roster(catalogue)
        self._bound = budget.limits_cost or any(card.perimeter is not None for card in catalogue.agents)
        self._contents: dict[str, list[str]] = {}
        for task in tasks:
            self._note(task)
        self._known = {task.id: task for task in known}
        self._known_by_content: dict[str, list[str]] = {}
        for task in known:
            self._known_by_content.setdefault(_content(task), []).append(task.id)

    def like(self, task: Task, name: str) -> str | None:
        """Give an adopted task that does exactly what another does, the one of a name before others."""
        alike = self._contents.get(_content(task), [])
        return name if name in alike else alike[0] if alike else None

    def adopts(self, task: Task, *, alone: bool = True) -> Task | None:
        """Adopt a task, mended by itself where that helps; None when it is wrong."""
        found = self._defects(task)
        if found and alone:
            task, found = self._mended(task, found)
        if found:
            return None
        task = replace(task, id=self._id(task))
        self._note(task)
        return task

    def recall(self, most: int | None = None) -> None:
        """Take back what the run had adopted before: all of it, or the first so many tasks."""
        for task in list(self._known.values())[:most]:
            if task.id not in self.adopted:
                self._note(task)

    def _note(self, task: Task) -> None:
        self.adopted[task.id] = task
        self._contents.setdefault(_content(task), []).append(task.id)

    def _id(self, task: Task) -> str:
        """Give the id under which the run knows a task, or one that it has for no other."""
        alike = [id_ for id_ in self._known_by_content.get(_content(task), ()) if id_ not in self.adopted]
        if alike:
            return task.id if task.id in alike else alike[0]
        return self.free(task.id, self._known.keys() | self.adopted.keys())

    def free(self, id_: str, taken: Collection[str]) -> str:
        """Give an id, or one made of it that is not taken."""
        names = chain([id_], (f"{id_}_{number}" for number in count(2)))
        return next(one for one in names if one not in taken)

    def whole(self, tasks: Sequence[Task], deliver: Json) -> Plan:
        """Give the plan of what is adopted and some more tasks."""
        return Plan(tasks=(*self.adopted.values(), *tasks), inputs=self.specs, deliver=deliver)

    def repaired(self, plan: Plan) -> tuple[Plan, list[Diagnostic]]:
        """Give a plan mended by rule, its adopted tasks left alone, and the errors that are left."""
        found = self._wrong(plan)
        if not found:
            return plan, []
        mended = repair(plan, found, self._catalogue, keep=self.adopted.keys(), budget=self._budget)
        self.changes += mended.changes
        return mended.plan, self._wrong(mended.plan)

    def _wrong(self, plan: Plan) -> list[Diagnostic]:
        doubts = _DOUBTS if self.strict else frozenset[str]()
        told = (replace(one, severity="error") if one.code in doubts else one for one in self._check(plan))
        return [one for one in told if one.severity == "error"]

    def _defects(self, task: Task) -> list[Diagnostic]:
        """Give the errors that a task would bring into the adopted plan.

        It is looked at with what it refers to alone; with all that is adopted where it changes something, writes a
        context entry, or where a budget or perimeters bind tasks together.
        """
        far = self._bound or task.writes is not None or self._acts(task)
        around = self.adopted.values() if far else self._named_by(task)
        place = f"tasks.{task.id}"
        return [
            one
            for one in self._wrong(Plan(tasks=(*around, task), inputs=self.specs))
            if far or one.path == place or one.path.startswith((f"{place}.", f"{place}["))
        ]

    def _mended(self, task: Task, found: Sequence[Diagnostic]) -> tuple[Task, list[Diagnostic]]:
        around = self._named_by(task)
        plan = Plan(tasks=(*around, task), inputs=self.specs)
        whole = repair(plan, found, self._catalogue, keep={one.id for one in around}, budget=self._budget)
        mended = whole.plan.tasks[-1]
        left = self._defects(mended) if whole.changes else list(found)
        if not left:
            self.changes += whole.changes
        return mended, left

    def _named_by(self, task: Task) -> list[Task]:
        return [self.adopted[name] for name in needs(task) if name in self.adopted]

    def _acts(self, task: Task) -> bool:
        names = self._agents.candidates(task)
        return any(self._agents.effect(task, name) is not SideEffect.NONE for name in names)


def _content(task: Task) -> str:
    return digest(write_task(task))
