"""Adopts a plan task by task while somebody else writes it, and checks the whole at its end.

A part that is wrong is not adopted; the plan is then refused at its end, and every defect is told with its place.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import fields, replace

from stretto.conditions import condition_defects
from stretto.core.commands import AddTask, ClosePlan, FailPlan, InterpretGoal
from stretto.core.domain import InputSpec, Interpretation, Json, Plan, Task
from stretto.core.errors import UsageError
from stretto.core.plan.diagnostics import Diagnostic, diagnose, errors, shown
from stretto.core.plan.shape import Size
from stretto.core.state import RunState
from stretto.ports import Caller, Planner, PlanPart
from stretto.streams import Part, within

ACTOR = "planner:stream"
LOST = "the plan came as a stream that ended with the process before; what was adopted of it is done"
_FOLLOWING = frozenset({"dangling-reference", "unreachable-deliverable"})
"""Codes of what may be wrong only because a part before could not be adopted."""


class StreamPlanner:
    """See `stretto.ports.Planner`. `check` finds the defects of the whole plan, `values` what its inputs are.

    A stream is written once: what is planned anew is planned by `anew`.
    """

    def __init__(
        self,
        parts: AsyncGenerator[Part, None],
        *,
        size: Size,
        check: Callable[[Plan], list[Diagnostic]],
        values: Callable[[dict[str, InputSpec]], dict[str, Json]],
        anew: Planner,
    ) -> None:
        self._parts, self._size, self._anew = parts, size, anew
        self._check, self._values = check, values

    async def plan(self, state: RunState, caller: Caller) -> AsyncIterator[PlanPart]:
        if state.draft is not None:
            async for one in self._anew.plan(state, caller):
                yield one
            return
        meant = Interpretation(planner="stream", restated=state.goal, reasons=("the plan comes as a stream",))
        draft = _Draft(state)
        yield InterpretGoal(actor=ACTOR, revision=state.revision, interpretation=meant)
        try:
            async with aclosing(self._parts) as parts:
                async for part in parts:
                    draft.problems += part.problems
                    if part.task is not None and draft.adopts(part, part.task):
                        yield AddTask(actor=ACTOR, revision=state.revision, task=part.task)
                    if part.inputs is not None and draft.declares(part, part.inputs):
                        known = draft.try_values(self._values, part)
                        yield InterpretGoal(
                            actor=ACTOR, revision=state.revision, interpretation=meant, inputs=known, specs=part.inputs
                        )
                    if part.delivers:
                        draft.delivers(part)
                    if len(draft.places) > self._size.tasks:
                        draft.say(part, "too-large", "", f"more than {self._size.tasks} tasks", "Split the plan.")
                        break
        except Exception as error:
            after = f"{len(draft.places)} task{'' if len(draft.places) == 1 else 's'}"
            reason = f"its writer broke off after {after}: {type(error).__name__}: {error}"
            told = tuple(draft.problems)
            yield FailPlan(actor=ACTOR, revision=state.revision, reason=reason, diagnostics=told)
            return
        if draft.inputs is None:
            draft.try_values(self._values, None)
        found = draft.defects(self._check)
        if found:
            reason = f"{len(found)} defect{'' if len(found) == 1 else 's'}, the first: {found[0]}"
            yield FailPlan(actor=ACTOR, revision=state.revision, reason=reason, diagnostics=tuple(found))
        else:
            yield ClosePlan(actor=ACTOR, revision=state.revision, deliver=draft.deliver)


class _Draft:
    """The plan as far as it is written, and what is wrong with its parts."""

    def __init__(self, state: RunState) -> None:
        self.adopted = {id_: one.task for id_, one in state.tasks.items() if one.parent is None}
        self.tasks: list[Task] = []
        self.places: dict[str, Part] = {}
        self.inputs: Part | None = None
        self.end: Part | None = None
        self.problems: list[Diagnostic] = []

    @property
    def deliver(self) -> Json:
        return self.end.deliver if self.end is not None else None

    def adopts(self, part: Part, task: Task) -> bool:
        """Take a task into the plan; False when it is wrong, or there already."""
        path = f"tasks.{task.id}"
        before, known = self.places.get(task.id), self.adopted.get(task.id)
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

    def declares(self, part: Part, specs: Mapping[str, InputSpec]) -> bool:
        """Take the inputs that the plan asks for; False when they were declared before."""
        del specs
        if self.inputs is not None:
            told = f"the inputs are declared at {self.inputs.place('')} already"
            self.say(part, "bad-value", "inputs", told, "Declare all of them at once, before the tasks that use them.")
            return False
        self.inputs = part
        return True

    def delivers(self, part: Part) -> None:
        """Take what the plan delivers."""
        if self.end is not None:
            told = f"what is delivered stands at {self.end.place('')} already"
            self.say(part, "bad-value", "deliver", told, "Say it once, at the end.")
        else:
            self.end = part

    def try_values(
        self, values: Callable[[dict[str, InputSpec]], dict[str, Json]], part: Part | None
    ) -> dict[str, Json]:
        """Give what the run's inputs are; what is wrong with them is a defect."""
        try:
            return values((part.inputs if part is not None else None) or {})
        except UsageError as error:
            self.say(part, "bad-value", "inputs", str(error), "")
            return {}

    def say(self, part: Part | None, code: str, path: str, message: str, mend: str) -> None:
        found = diagnose(code, path, message, mend)
        self.problems.append(replace(found, where=part.place(within(path))) if part is not None else found)

    def defects(self, check: Callable[[Plan], list[Diagnostic]]) -> list[Diagnostic]:
        """Give every error of the plan that is now whole, each with its place."""
        specs = (self.inputs.inputs if self.inputs is not None else None) or {}
        whole = check(Plan(tasks=tuple(self.tasks), inputs=specs, deliver=self.deliver)) if self.tasks else []
        for id_ in self.adopted.keys() - self.places.keys():
            told = f"task {shown(id_)} was adopted by this run, and the plan has it no more"
            self.say(None, "bad-value", f"tasks.{id_}", told, "Hand over the plan as it was.")
        broken = bool(self.problems)
        later = [one for one in errors(whole) if not (broken and one.code in _FOLLOWING)]
        return [*errors(self.problems), *map(self._placed, later)]

    def _placed(self, one: Diagnostic) -> Diagnostic:
        task = re.match(r"tasks\.([\w-]+)", one.path)
        part = self.places.get(task[1]) if task else self.end if one.path.startswith("deliver") else self.inputs
        return one if part is None else replace(one, where=f"{part.place(within(one.path))} ({one.path})")
