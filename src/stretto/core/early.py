"""Which task may start while the plan is still being written: one that harms nobody and whose own check passes.

Everything that it waits for has ended by then, so the whole of what it refers to is known. What is not (yet) as it
should be waits for the end of the plan, where the check of the whole says what is wrong. Looks at the task and what
it refers to, never at the rest of the plan.
"""

from stretto.core.budget import most_of, room_ever
from stretto.core.context import labels
from stretto.core.domain import AgentCard, Plan, SideEffect
from stretto.core.plan.arguments import argument_defects, outputs_of
from stretto.core.plan.check import check_task
from stretto.core.plan.graph import graph_of
from stretto.core.plan.links import Links, link_defects
from stretto.core.plan.references import reads
from stretto.core.state import RunState, TaskState, candidates_for


def may_start_early(state: RunState, one: TaskState) -> bool:
    """Whether a ready task may start before the plan is closed, whoever of its agents would do it."""
    if not harmless(state, one) or check_task(one.task, state.roster):
        return False
    if state.given is not None:  # checked as a whole before the run began
        return True
    cards = [state.roster.agents[name] for name in candidates_for(state, one)]
    return sound(state, one) and all(_may_see(state, one, card) and _fits(state, one, card.name) for card in cards)


def _fits(state: RunState, one: TaskState, agent: str) -> bool:
    """Whether the budget has room for an attempt."""
    cost = most_of(state, one, agent)
    return cost is not None and room_ever(state, one, cost)


def harmless(state: RunState, one: TaskState) -> bool:
    """Whether doing a task changes nothing and asks nobody, whichever of its agents does it."""
    task, roster = one.task, state.roster
    candidates = candidates_for(state, one)
    return (
        bool(candidates)
        and task.approval != "ask"
        and task.risk != "high"
        and all(
            roster.effect(task, name) is SideEffect.NONE
            and roster.skill(task, name).approval != "ask"
            and roster.agents[name].kind != "person"
            for name in candidates
        )
    )


def sound(state: RunState, one: TaskState) -> bool:
    """Whether a task's references lead to tasks and inputs that are known, and what they bring fits its arguments."""
    task = one.task
    around = [state.tasks[name].task for name in one.needs if name in state.tasks]
    plan = Plan(tasks=(*around, task), inputs=state.specs)
    found = (
        *link_defects(task, Links(plan, graph_of(plan.tasks))),
        *argument_defects(task, plan, state.roster, outputs_of(plan, state.roster)),
    )
    declared = state.catalogue.context
    writes_known = task.writes is None or not declared or task.writes in declared
    return (
        not found
        and writes_known
        and all(key in state.context or any(key == other.writes for other in around) for key in reads(task))
    )


def _may_see(state: RunState, one: TaskState, card: AgentCard) -> bool:
    return card.perimeter is None or labels(state, one) <= set(card.perimeter)
