"""Why a run does not go on as it could: it is paused, or agents and providers are held. Pure."""

from stretto.core.domain import Hold
from stretto.core.holds import PROVIDER, keys_of
from stretto.core.state import RunState, TaskState, candidates_for
from stretto.telling.words import span

MOST = 3
"""Holds that are told one by one."""


def standstill(state: RunState, now: float, place: str = "") -> list[str]:
    """Give a line for the pause, with the command that ends it, and one for each hold."""
    if state.status.final:
        return []
    told = []
    if state.paused is not None:
        told.append(f"paused: {state.paused}; go on: stretto resume {state.run}{place}")
    held = sorted(state.holds.items())
    told += [f"{named(key)} {reason(hold, now)}" for key, hold in held[:MOST]]
    return [*told, f"{len(held) - MOST} more are held"] if len(held) > MOST else told


def held_note(state: RunState, one: TaskState, now: float) -> str:
    """Say which hold a ready task waits for; nothing where there is none."""
    if state.paused is not None:
        return "ready, the run is paused"
    for name in candidates_for(state, one) if state.holds else ():
        for key in keys_of(state.roster.agents[name]):
            if key in state.holds:
                return f"ready, waits for {named(key)}, which {reason(state.holds[key], now)}"
    return ""


def named(key: str) -> str:
    """Name an agent or provider."""
    return f"provider {key.removeprefix(PROVIDER)}" if key.startswith(PROVIDER) else f"agent {key}"


def reason(hold: Hold, now: float) -> str:
    """Say how long a hold lasts, and why."""
    if hold.probing:
        return f"is probed by one attempt: {hold.why}"
    return f"is held for {span((hold.until or now) - now)}: {hold.why}"
