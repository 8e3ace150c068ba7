"""The planner for plans that people hand over: it passes them on, task by task."""

from collections.abc import AsyncIterator

from stretto.core.commands import AddTask, ClosePlan, FailPlan
from stretto.core.state import RunState
from stretto.ports import PlanPart


class GivenPlanner:
    """See `stretto.ports.Planner`."""

    async def plan(self, state: RunState) -> AsyncIterator[PlanPart]:
        if state.given is None:
            yield FailPlan(
                actor="planner:given",
                revision=state.revision,
                reason="no plan was handed over, and there is no planner for goals alone yet",
            )
            return
        for task in state.given.tasks:
            yield AddTask(actor="planner:given", revision=state.revision, task=task)
        yield ClosePlan(actor="planner:given", revision=state.revision, deliver=state.given.deliver)
