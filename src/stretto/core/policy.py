"""Who may do what: rules tried in order, the first to speak decides. The default asks before what cannot be undone."""

from collections.abc import Callable
from typing import TypeAlias

from stretto.core.context import effect_of, labels
from stretto.core.domain import SideEffect, Verdict
from stretto.core.effects import Judge
from stretto.core.state import RunState

Policy: TypeAlias = Callable[[RunState, Judge], Verdict | None]


def judge(state: RunState, effect: Judge, policies: tuple[Policy, ...]) -> Verdict:
    """Give the first verdict; what no rule speaks about is allowed."""
    for policy in policies:
        verdict = policy(state, effect)
        if verdict is not None:
            return verdict
    return Verdict(decision="allow", rule="default", reason="no rule speaks against it")


def perimeter(state: RunState, effect: Judge) -> Verdict | None:
    """Deny an agent what its perimeter excludes."""
    allowed = state.roster.agents[effect.agent].perimeter
    if allowed is None:
        return None
    outside = labels(state, state.tasks[effect.task]) - set(allowed)
    if not outside:
        return None
    named = ", ".join(sorted(outside))
    return Verdict(decision="deny", rule="perimeter", reason=f"{effect.agent} may not see data labelled {named}")


def equipped(state: RunState, effect: Judge) -> Verdict | None:
    """Deny an agent a task whose tools or permissions it lacks."""
    task, card = state.tasks[effect.task].task, state.roster.agents[effect.agent]
    lacking = sorted((set(task.tools) - set(card.tools)) | (set(task.permissions) - set(card.permissions)))
    if not lacking:
        return None
    return Verdict(decision="deny", rule="equipped", reason=f"{effect.agent} lacks {', '.join(lacking)}")


def approval(state: RunState, effect: Judge) -> Verdict | None:
    """Ask before what is irreversible, of high risk, or said to need approval."""
    one = state.tasks[effect.task]
    if one.task.undoes is not None:
        return None  # what is taken back was approved, and taking it back with it
    skill = state.roster.skill(one.task, effect.agent)
    if effect_of(state, one, effect.agent) is SideEffect.IRREVERSIBLE:
        reason = "it cannot be undone"
    elif one.task.risk == "high":
        reason = "its risk is high"
    elif one.task.approval == "ask" or skill.approval == "ask":
        reason = "it is declared to need approval"
    else:
        return None
    return Verdict(decision="ask", rule="approval", reason=reason)


DEFAULT: tuple[Policy, ...] = (equipped, perimeter, approval)
