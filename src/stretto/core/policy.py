"""Who may do what: rules tried in order, the first to speak decides. The default asks before what cannot be undone."""

from collections.abc import Callable
from typing import TypeAlias

from stretto.core.calls import tools_of
from stretto.core.context import effect_of, labels, labels_of_piece
from stretto.core.domain import Call, Piece, SideEffect, Verdict
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


def call_judgement(state: RunState, of: Piece, call: Call) -> Judge:
    """Give what the policies are asked about an inner call."""
    one = state.tasks.get(of.task) if of.work == "run" else None
    agent = None if one is None else one.agent
    return Judge(task=of.task, attempt=of.number, round=0, agent=agent or "", revision=state.revision, call=call)


def perimeter(state: RunState, effect: Judge) -> Verdict | None:
    """Deny an agent, and what it calls, data that its perimeter excludes."""
    if effect.call is not None:
        return _perimeter_of_call(state, effect, effect.call)
    return _outside(labels(state, state.tasks[effect.task]), state.roster.agents[effect.agent].perimeter, effect.agent)


def equipped(state: RunState, effect: Judge) -> Verdict | None:
    """Deny an agent a task whose tools or permissions it lacks, and tools that its card does not name.

    A function's own code is its own: where its card names no tools, it may call what it likes.
    """
    if effect.call is not None:
        return _equipped_for_call(state, effect, effect.call)
    task, card = state.tasks[effect.task].task, state.roster.agents[effect.agent]
    lacking = sorted((set(task.tools) - set(card.tools)) | (set(task.permissions) - set(card.permissions)))
    if not lacking:
        return None
    return Verdict(decision="deny", rule="equipped", reason=f"{effect.agent} lacks {', '.join(lacking)}")


def approval(state: RunState, effect: Judge) -> Verdict | None:
    """Ask before what is irreversible, of high risk, or said to need approval."""
    one = state.tasks.get(effect.task)
    if one is not None and one.task.undoes is not None:
        return None  # what is taken back was approved, and taking it back with it
    return _approval_of_task(state, effect) if effect.call is None else _approval_of_call(state, effect.call)


def _perimeter_of_call(state: RunState, effect: Judge, call: Call) -> Verdict | None:
    seen = labels_of_piece(state, Piece(work="run", task=effect.task, number=effect.attempt))
    if verdict := _outside(seen, call.perimeter, call.what):
        return verdict
    if call.role != "tool":
        provider = state.catalogue.providers.get(call.what.partition(":")[0])
        return None if provider is None else _outside(seen, provider.perimeter, call.what)
    verdicts = [_outside(seen, card.perimeter, card.name) for card in tools_of(state, call)]
    return verdicts[0] if verdicts and all(verdicts) else None


def _equipped_for_call(state: RunState, effect: Judge, call: Call) -> Verdict | None:
    card = state.roster.agents.get(effect.agent)
    if call.role != "tool" or card is None:
        return None
    if call.what not in card.tools and (card.tools or card.kind != "function"):
        return Verdict(decision="deny", rule="equipped", reason=f"it is none of the tools of {effect.agent}")
    task = state.tasks[effect.task].task
    able = tools_of(state, call)
    lacking = [sorted(set(task.permissions) - set(one.permissions)) for one in able]
    if not able or not all(lacking):
        return None
    return Verdict(decision="deny", rule="equipped", reason=f"{able[0].name} lacks {', '.join(lacking[0])}")


def _approval_of_task(state: RunState, effect: Judge) -> Verdict | None:
    one = state.tasks[effect.task]
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


def _approval_of_call(state: RunState, call: Call) -> Verdict | None:
    skills = [skill for card in tools_of(state, call) for skill in card.skills if skill.name == call.what]
    if call.effect is SideEffect.IRREVERSIBLE:
        return Verdict(decision="ask", rule="approval", reason="it cannot be undone")
    if call.approval == "ask" or any(skill.approval == "ask" for skill in skills):
        return Verdict(decision="ask", rule="approval", reason="it is declared to need approval")
    return None


def _outside(seen: frozenset[str], allowed: tuple[str, ...] | None, who: str) -> Verdict | None:
    """Deny somebody labels that are not among those allowed."""
    outside = seen - set(allowed) if allowed is not None else frozenset()
    if not outside:
        return None
    named = ", ".join(sorted(outside))
    return Verdict(decision="deny", rule="perimeter", reason=f"{who} may not see data labelled {named}")


DEFAULT: tuple[Policy, ...] = (equipped, perimeter, approval)
