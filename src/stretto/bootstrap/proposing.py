"""What a run would plan for a goal, models asked and nothing run: the same planner and rules, without a journal."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from stretto.bootstrap.crew import Crew
from stretto.core.commands import SubmitGoal
from stretto.core.decide import step
from stretto.core.domain import (
    FREE,
    Budget,
    Call,
    Called,
    Catalogue,
    Cost,
    InputSpec,
    Interpretation,
    Json,
    Plan,
    Usage,
)
from stretto.core.events import PlanRefused, RevisionRefused
from stretto.core.state import RunState
from stretto.planners.auto import AutoPlanner
from stretto.planners.proposal import Proposal, Question, Refusal


@dataclass(slots=True)
class _Counting:
    """Makes inner calls as they come, and counts what they use. See `stretto.ports.Caller`."""

    usage: Usage = field(default_factory=Usage)
    cost: Cost = FREE
    calls: int = 0

    async def call(self, call: Call, do: Callable[[], Awaitable[Called]]) -> Called:
        called = await do()
        self.usage, self.cost, self.calls = self.usage + called.usage, self.cost + called.cost, self.calls + 1
        return called


async def proposed(
    crew: Crew,
    goal: str,
    *,
    inputs: dict[str, Json] | Sequence[str] | None,
    answers: Sequence[tuple[str, str]],
    catalogue: Catalogue,
    budget: Budget,
) -> Proposal:
    """Say how a goal would be pursued; where no model is asked, as without any. `answers` are (question, answer)."""
    values, specs = crew.inputs_for(goal, None, inputs)
    now = time.time()
    first = SubmitGoal(run="plan", at=now, goal=goal, inputs=values, specs=specs, catalogue=catalogue, budget=budget)
    state = _begun(first, answers)
    planner, counting = AutoPlanner(crew.models, size=crew.size), _Counting()
    refused: PlanRefused | RevisionRefused | None = None
    while state.planning and state.unclear is None:
        revision = state.revision
        async for part in planner.plan(state, counting):
            events, state = step(state, replace(part, at=now))
            refused = next((one for one in events if isinstance(one, PlanRefused | RevisionRefused)), refused)
        if state.revision == revision:
            break
    if not counting.calls:
        return crew.propose(goal, inputs=inputs, answers=answers, planner=catalogue.rules.planner)
    return replace(_proposal(state, specs, refused), usage=counting.usage, cost=counting.cost)


def _begun(first: SubmitGoal, answers: Sequence[tuple[str, str]]) -> RunState:
    from msgspec.structs import replace as with_

    _, state = step(RunState(), first)
    return with_(state, clarified=tuple(answers))


def _proposal(state: RunState, specs: dict[str, InputSpec], refused: PlanRefused | RevisionRefused | None) -> Proposal:
    meant = state.interpretation or Interpretation(planner="model", restated=state.goal)
    if state.unclear is not None:
        request = state.requests[state.unclear]
        return Proposal(interpretation=meant, question=Question(text=request.question, choices=request.choices))
    if state.plan_open or state.refused is not None:
        reason = state.refused or (refused.reason if refused is not None else "no plan came of it")
        found = refused.diagnostics if refused is not None else ()
        return Proposal(interpretation=meant, refusal=Refusal(reason=reason), found=found)
    planned = (state.tasks[state.ids[position]].task for position in range(len(state.ids)))
    return Proposal(interpretation=meant, plan=Plan(tasks=tuple(planned), inputs=specs, deliver=state.deliver))
