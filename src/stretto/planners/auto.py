"""Picks the planner: the plan that was handed over, an answer that needs no agent, a playbook, or the rules."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

from stretto.core.commands import AddTask, ClarifyGoal, ClosePlan, FailPlan, InterpretGoal
from stretto.core.decide.revising import carried
from stretto.core.domain import Catalogue, InputSpec, Interpretation, Json, Plan
from stretto.core.hindrances import Hindrance, around, hindrances
from stretto.core.routing import roster
from stretto.core.state import RunState
from stretto.planners import direct
from stretto.planners.proposal import Proposal, Refusal
from stretto.planners.stream import ACTOR, LOST
from stretto.planners.triage import triaged
from stretto.ports import Caller, PlanPart


class AutoPlanner:
    """See `stretto.ports.Planner`."""

    async def plan(self, state: RunState, caller: Caller) -> AsyncIterator[PlanPart]:
        revision = state.revision
        if state.streamed and state.draft is None:
            yield FailPlan(actor=ACTOR, revision=revision, reason=LOST)
            return
        if state.given is not None and state.draft is None:
            actor = "planner:given"
            given = Interpretation(planner="given", restated=state.goal, reasons=("the plan was handed over",))
            yield InterpretGoal(
                actor=actor, revision=revision, interpretation=triaged(given, state.given, state.catalogue)
            )
            plan = state.given
        else:
            proposal = anew(state) if state.draft is not None else _proposed(state, state.catalogue)
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


def anew(state: RunState) -> Proposal:
    """Propose another plan for a run: around what failed for good, and with what is at hand.

    A skill that nobody is left for is never proposed again; where others are left, they are named.
    """
    found = hindrances(state)
    left = around(state.catalogue, found)
    proposal = _proposed(state, left)
    if proposal.plan is not None and not _can_do(proposal.plan, left):
        from stretto.planners import rules

        proposal = rules.propose(state.goal, state.inputs, state.specs, left, state.clarified)
    if proposal.plan is None:
        return proposal
    if not _can_do(proposal.plan, left):
        lost = ", ".join(dict.fromkeys(one.skill for one in found))
        refusal = Refusal(reason=f"there is no way around {lost}", missing=(f"another skill than {lost}",))
        return replace(proposal, plan=None, refusal=refusal)
    return replace(proposal, plan=_named(state, proposal.plan, found, left))


def _proposed(state: RunState, catalogue: Catalogue) -> Proposal:
    return propose(state.goal, state.inputs, state.specs, catalogue, state.clarified)


def _can_do(plan: Plan, left: Catalogue) -> bool:
    agents = roster(left)
    return all(agents.candidates(task) for task in plan.tasks)


def _named(state: RunState, plan: Plan, found: tuple[Hindrance, ...], left: Catalogue) -> Plan:
    """Name an agent for tasks whose skill some agents failed at; what stays as it stands is left alone."""
    hindered, agents = {one.skill for one in found}, roster(left)
    stays = carried(state, plan.tasks, state.inputs, state.at, refresh=True).names
    tasks = (
        replace(task, agent=agents.candidates(task)[0]) if task.skill in hindered and task.id not in stays else task
        for task in plan.tasks
    )
    return replace(plan, tasks=tuple(tasks))


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
