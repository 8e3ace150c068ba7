"""Adopts a plan task by task while somebody else writes it, and checks the whole at its end.

A part that is wrong is not adopted; the plan is then refused at its end, and every defect is told with its place.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing

from stretto.core.commands import AddTask, ClosePlan, FailPlan, InterpretGoal
from stretto.core.domain import InputSpec, Interpretation, Json, Plan
from stretto.core.errors import UsageError
from stretto.core.plan.diagnostics import Diagnostic, shown
from stretto.core.plan.shape import Size
from stretto.core.state import RunState
from stretto.planners.draft import Draft
from stretto.ports import Caller, Planner, PlanPart
from stretto.streams import Part

ACTOR = "planner:stream"
LOST = "the plan came as a stream that ended with the process before; what was adopted of it is done"


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
        draft = Draft({id_: one.task for id_, one in state.tasks.items() if one.parent is None})
        yield InterpretGoal(actor=ACTOR, revision=state.revision, interpretation=meant)
        try:
            async with aclosing(self._parts) as parts:
                async for part in parts:
                    draft.problems += part.problems
                    if part.task is not None and draft.adopts(part, part.task):
                        yield AddTask(actor=ACTOR, revision=state.revision, task=part.task)
                    if part.inputs is not None and draft.declares(part):
                        known = self._try_values(draft, part)
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
        if draft.specs is None:
            self._try_values(draft, None)
        for id_ in draft.known.keys() - draft.places.keys():
            gone = f"task {shown(id_)} was adopted by this run, and the plan has it no more"
            draft.say(None, "bad-value", f"tasks.{id_}", gone, "Hand over the plan as it was.")
        specs = (draft.specs.inputs if draft.specs is not None else None) or {}
        found = draft.defects(draft.plan(specs), self._check)
        if found:
            reason = f"{len(found)} defect{'' if len(found) == 1 else 's'}, the first: {found[0]}"
            yield FailPlan(actor=ACTOR, revision=state.revision, reason=reason, diagnostics=tuple(found))
        else:
            yield ClosePlan(actor=ACTOR, revision=state.revision, deliver=draft.deliver)

    def _try_values(self, draft: Draft, part: Part | None) -> dict[str, Json]:
        """Give what the run's inputs are; what is wrong with them is a defect."""
        try:
            return self._values((part.inputs if part is not None else None) or {})
        except UsageError as error:
            draft.say(part, "bad-value", "inputs", str(error), "")
            return {}
