"""Picks the planner: the plan that was handed over, an answer that needs no agent, a playbook, or the rules."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

from stretto.core.commands import AddTask, ClarifyGoal, ClosePlan, FailPlan, InterpretGoal
from stretto.core.domain import Catalogue, InputSpec, Interpretation, Json
from stretto.core.state import RunState
from stretto.planners import direct
from stretto.planners.proposal import Proposal
from stretto.planners.stream import ACTOR, LOST
from stretto.planners.triage import triaged
from stretto.ports import PlanPart


class AutoPlanner:
    """See `stretto.ports.Planner`."""

    async def plan(self, state: RunState) -> AsyncIterator[PlanPart]:
        revision = state.revision
        if state.streamed:
            yield FailPlan(actor=ACTOR, revision=revision, reason=LOST)
            return
        if state.given is not None:
            actor = "planner:given"
            given = Interpretation(planner="given", restated=state.goal, reasons=("the plan was handed over",))
            yield InterpretGoal(
                actor=actor, revision=revision, interpretation=triaged(given, state.given, state.catalogue)
            )
            plan = state.given
        else:
            proposal = propose(state.goal, state.inputs, state.specs, state.catalogue, state.clarified)
            actor = f"planner:{proposal.interpretation.planner}"
            if proposal.question is not None:
                yield ClarifyGoal(
                    actor=actor,
                    revision=revision,
                    round=len(state.clarified),
                    question=proposal.question.text,
                    choices=proposal.question.choices,
                )
                return
            yield InterpretGoal(
                actor=actor,
                revision=revision,
                interpretation=proposal.interpretation,
                inputs=proposal.inputs,
                specs=proposal.specs,
            )
            if proposal.plan is None:
                yield FailPlan(actor=actor, revision=revision, reason=str(proposal.refusal))
                return
            plan = proposal.plan
        for task in plan.tasks:
            yield AddTask(actor=actor, revision=revision, task=task)
        yield ClosePlan(actor=actor, revision=revision, deliver=plan.deliver)


def propose(
    goal: str,
    inputs: dict[str, Json],
    specs: dict[str, InputSpec],
    catalogue: Catalogue,
    answers: Iterable[tuple[str, str]] = (),
) -> Proposal:
    """Propose how to pursue a goal without any model; the same goal gives the same proposal."""
    # Their words take a fifth of a second to load: only goals without a plan pay for it.
    from stretto.planners import playbook, rules

    known = tuple(answers)
    found = (
        direct.propose(goal, catalogue)
        or playbook.propose(goal, inputs, catalogue, known)
        or rules.propose(goal, inputs, specs, catalogue, known)
    )
    if found.plan is None:
        return found
    return replace(found, interpretation=triaged(found.interpretation, found.plan, catalogue))
