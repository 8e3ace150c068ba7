"""What inner calls took: work apart from coordination, by model, tool, role and agent, and call by call of a task."""

from collections.abc import Mapping
from typing import Any

from stretto.core.domain import Cost, Usage
from stretto.core.state import CallState, Meter, RunState, TaskState


def usage_of(state: RunState) -> Usage:
    """Give the tokens that all models of a run read and wrote."""
    return sum((one.usage for one in state.meters.models.values()), Usage())


def work_of(state: RunState) -> Cost:
    """Give what a run's work cost: all but coordination."""
    return state.spent - state.coordination.cost


def usage_view(state: RunState) -> dict[str, Any]:
    """Give what work and coordination cost, and what was used of whom, in dollars and tokens."""
    meters = state.meters
    return {
        "work": _cost(work_of(state)),
        "coordination": meter_view(state.coordination),
        "models": _views(meters.models),
        "tools": _views(meters.tools),
        "roles": _views(meters.roles),
        "agents": _views(meters.agents),
        "overspent": _cost(state.overspent),
    }


def meter_view(meter: Meter) -> dict[str, Any]:
    """Give calls, tokens read (`cached` of them at hand), tokens written, dollars."""
    usage = meter.usage
    return {
        "calls": meter.calls,
        "input": usage.input,
        "output": usage.output,
        "cached": usage.cached,
        **_cost(meter.cost),
    }


def calls_view(one: TaskState) -> list[dict[str, Any]]:
    """Give the inner calls of a task, in the order of their keys."""
    return [
        {
            "key": call.key,
            "what": call.what,
            "role": call.role,
            "effect": call.effect.value,
            "attempt": call.number,
            "status": standing_of(one, call),
            "tries": call.tries,
            "input": call.usage.input,
            "output": call.usage.output,
            **_cost(call.cost),
            "by": call.by or None,
            "approved": call.approved,
            "message": call.message,
        }
        for call in sorted(one.calls.values(), key=lambda call: (call.number, call.key, call.what))
    ]


def standing_of(one: TaskState, call: CallState) -> str:
    """Say how a call stands: one that may have happened and must not happen twice is `in doubt`."""
    if call.in_doubt or (call.status == "open" and one.status.final and not call.effect.repeatable):
        return "in doubt"
    return "denied" if call.denied else call.status


def usage_lines(state: RunState) -> list[str]:
    """Give the lines that say so to people; none where no inner call was made."""
    if not state.meters.roles:
        return []
    said = [f"work {work_of(state)}; coordination {state.coordination.cost}"]
    said += [f"{name}  {meter_text(one)}" for name, one in sorted(state.meters.models.items())]
    if beyond := (state.overspent if state.overspent != Cost() else None):
        said.append(f"! coordination cost {beyond} more than was reserved for it")
    return said


def meter_text(meter: Meter) -> str:
    """Say what a meter holds, for people."""
    calls = f"{meter.calls} call{'' if meter.calls == 1 else 's'}"
    usage = meter.usage
    cached = f" ({usage.cached} cached)" if usage.cached else ""
    tokens = f", {usage.input} tokens in{cached}, {usage.output} out" if usage.tokens else ""
    return f"{calls}{tokens}, {Cost(money=meter.cost.money)}"


def _views(meters: Mapping[str, Meter]) -> dict[str, Any]:
    return {name: meter_view(one) for name, one in sorted(meters.items())}


def _cost(cost: Cost) -> dict[str, Any]:
    return {"money": float(cost.money), "tokens": cost.tokens}
