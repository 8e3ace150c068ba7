"""Why an agent was given a task, and who else could have done it: what routing knew when an attempt began.

Routing takes the first that is free of those that can, in the order of the workspace, unless the plan, the ladder or a
person names one (see `stretto.core.routing`). The journal keeps who it was, not why; the state before the attempt does.
"""

from typing import Any, Literal, TypeAlias

from stretto.core.holds import PROVIDER, keys_of
from stretto.core.state import RunState, TaskState, candidates_for

Ground: TypeAlias = Literal["only", "plan", "ladder", "person", "first"]
"""Nobody else can, the plan names it, it took over after a failure, a person chose it, or it was the first free."""


def choice_view(before: RunState, id_: str, agent: str, chosen_by: str = "") -> dict[str, Any]:
    """Give why an agent got a task: its ground, a line of text, and each other agent with why it was not that one.

    `before` is the state before the attempt began, `chosen_by` the person who opened the task again for this agent.
    """
    one = before.tasks[id_]
    ground: Ground = "person" if chosen_by else _ground(before, one)
    able = candidates_for(before, one)
    others = [name for name in able if name != agent]
    spare = [name for name in before.roster.stand_ins(one.task, able) if name != agent and name not in others]
    earlier = able[: able.index(agent)] if agent in able else ()
    return {
        "ground": ground,
        "why": _said(one, ground, agent, earlier, chosen_by),
        "others": [
            *({"agent": name, "why": _hindrance(before, name) or _place(name in earlier)} for name in others),
            *({"agent": name, "why": "stands in where those before it fail"} for name in spare),
        ],
    }


def _ground(before: RunState, one: TaskState) -> Ground:
    if one.turn:
        return "ladder"
    if one.task.agent:
        return "plan"
    return "first" if len(before.roster.candidates(one.task)) > 1 else "only"


def _said(one: TaskState, ground: Ground, agent: str, earlier: tuple[str, ...], chosen_by: str) -> str:
    match ground:
        case "ladder":
            last = next((step for step in reversed(one.climbed) if step.agent == one.turn), None)
            return f"{agent} took over" + (f" when {last.by} failed ({last.failure.value})" if last else "")
        case "person":
            return f"{chosen_by} gave it to {agent}"
        case "plan":
            return f"the plan names {agent}"
        case "first" if earlier:
            return f"{agent} was the first that was free of those with the skill {one.task.skill}"
        case "first":
            return f"{agent} comes first of those with the skill {one.task.skill}"
    return f"only {agent} has the skill {one.task.skill}"


def _place(earlier: bool) -> str:
    return "had no free place when the task was given out" if earlier else "was free too, and comes later in the order"


def _hindrance(before: RunState, name: str) -> str | None:
    """Say what kept an agent from one more attempt; None where nothing did."""
    card = before.roster.agents[name]
    for key in keys_of(card):
        hold = before.holds.get(key)
        if hold is not None and (not hold.probing or hold.probe):
            what = f"its provider {card.provider}" if key.startswith(PROVIDER) else "it"
            return f"{what} got no work then: {hold.why}"
    busy = before.busy.get(name, 0)
    if card.concurrency is not None and busy >= card.concurrency:
        return f"had {busy} of at most {card.concurrency} attempts under way"
    provider = before.catalogue.providers.get(card.provider)
    drawn = before.drawn.get(card.provider, 0)
    if provider is not None and provider.concurrency is not None and drawn >= provider.concurrency:
        return f"its provider {card.provider} had {drawn} of at most {provider.concurrency} attempts under way"
    return None
