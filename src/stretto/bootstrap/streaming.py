"""Planners for plans that come a part at a time, and for those that are handed over again."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, cast

from stretto.bootstrap.crew import Crew
from stretto.core.domain import Budget, InputSpec, Json, Plan
from stretto.core.errors import UsageError
from stretto.core.plan.diagnostics import Diagnostic
from stretto.core.state import RunState
from stretto.planners.auto import AutoPlanner
from stretto.planners.stream import StreamPlanner
from stretto.ports import Planner
from stretto.streams import STANDARD_INPUT, JsonLines, PlanStream, is_stream, parts
from stretto.workspace import Workspace

AnyStream: TypeAlias = PlanStream | str | Path


def adopting(
    crew: Crew,
    plan: Any,
    inputs: dict[str, Json] | Sequence[str] | None,
    *,
    budget: Budget,
    until: float | None,
    known: Mapping[str, Json],
) -> Planner:
    """Give the planner that adopts what a stream brings; `known` are inputs that the run has already."""

    def check(plan: Plan) -> list[Diagnostic]:
        return crew.check(plan, budget=budget, seconds=None if until is None else until - time.time())

    def values(specs: dict[str, InputSpec]) -> dict[str, Json]:
        if not inputs and specs.keys() <= known.keys():
            return {name: known[name] for name in specs}
        return crew.inputs_for("", Plan(inputs=specs), inputs)[0]

    coming = parts(_stream(plan, crew.workspace), crew.size)
    return StreamPlanner(
        coming, size=crew.size, check=check, values=values, anew=AutoPlanner(crew.models, size=crew.size)
    )


def adopting_again(
    crew: Crew, state: RunState, plan: AnyStream, inputs: dict[str, Json] | Sequence[str] | None
) -> Planner:
    """Give the planner for a stream that is handed over again; raises UsageError where nothing is left to plan."""
    if not state.streamed or not is_stream(plan):
        raise UsageError("a run keeps its plan and inputs; start another with `stretto run` for new ones")
    if not state.planning or state.draft is not None:
        told = f"was refused: {state.refused}" if state.refused else "is complete"
        raise UsageError(f"the plan of run {state.run} {told}; resume the run without one")
    return adopting(crew, plan, inputs, budget=state.budget, until=state.deadline, known=state.inputs)


def _stream(plan: Any, workspace: Workspace | None) -> PlanStream | JsonLines:
    if not isinstance(plan, str | Path):
        return cast(PlanStream, plan)
    if str(plan) == STANDARD_INPUT or workspace is None:
        return JsonLines(plan)
    return JsonLines(workspace.plan_file(str(plan)))
