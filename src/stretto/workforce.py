"""How the agents of a catalogue are: what each can do, whether it is given work now, and how much it has.

What holds for all runs of a store stands in streams of agents and providers (see `stretto.core.sharing`); who is busy
is told by the runs that have not ended.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import msgspec

from stretto.core.breaker import pause_of
from stretto.core.canonical import short
from stretto.core.domain import FREE, AgentCard, Breaker, Catalogue, Hold, Rate, Skill, Start
from stretto.core.events import BreakerOpened, Event
from stretto.core.holds import PROVIDER
from stretto.core.rates import SPAN, Window, counted, free_at, pruned
from stretto.core.sharing import hears
from stretto.core.state import RunState, candidates_for, head_of
from stretto.views import moment

Health: TypeAlias = Literal["closed", "open", "half-open", "held", "off"]
"""How a breaker is: `held` is one that is closed while the agent asked for a pause, `off` is none at all."""


@dataclass(slots=True)
class _Load:
    """What the runs that have not ended have for an agent."""

    under_way: int = 0
    ready: int = 0
    runs: list[str] = field(default_factory=list)


def workforce(
    catalogue: Catalogue, told: Mapping[str, Sequence[Event]], runs: Collection[RunState], now: float
) -> list[dict[str, Any]]:
    """Give every agent of a catalogue, in its order, as it is at a moment.

    `told` are the facts in the streams of agents and providers, by key (see `stretto.core.holds`); `runs` those that
    have not ended.
    """
    loads = _loads(runs)
    return [
        {
            "agent": card.name,
            "kind": card.kind,
            "description": card.description,
            "version": version_of(card),
            "skills": [_skill(one) for one in card.skills],
            "most_cost": _most_cost(card),
            "usual_seconds": card.latency,
            "perimeter": None if card.perimeter is None else list(card.perimeter),
            "backups": list(card.backups),
            "breaker": _breaker(card.breaker or catalogue.rules.breaker),
            "health": health(card.name, card.breaker or catalogue.rules.breaker, told, runs, now),
            "provider": _provider(catalogue, card.provider, told, runs, now) if card.provider else None,
            "load": _load(loads.get(card.name, _Load()), card),
            "rate": rate_view(card.name, card.rate, told.get(card.name, ()), now),
        }
        for card in catalogue.agents
    ]


def version_of(card: AgentCard) -> str:
    """Give what an agent's card says of its version, and where it says nothing a hash of the card."""
    return card.version or short(msgspec.to_builtins(card))


def health(
    key: str, breaker: Breaker, told: Mapping[str, Sequence[Event]], runs: Collection[RunState], now: float
) -> dict[str, Any]:
    """Give how the breaker of an agent or provider is: its state, why, since when, until when, how often in a row."""
    facts = told.get(key, ())
    news = hears(key, "", 0, facts, now)
    hold, times = (news.hold, news.tripped) if news is not None else (None, 0)
    probing = any(known.probe for run in runs if (known := run.holds.get(key)) is not None)
    opened = next((one for one in reversed(facts) if isinstance(one, BreakerOpened)), None)
    state = _state(breaker, hold, times, now)
    return {
        "state": state,
        "why": hold.why if hold is not None and state != "closed" else "",
        "since": moment(opened.at) if opened is not None and state in ("open", "half-open") else None,
        "until": moment(hold.until) if hold is not None and state in ("open", "held") else None,
        "times": times if state in ("open", "half-open") else 0,
        "probing": probing and state == "half-open",
        "next_pause": pause_of(breaker, times + 1) if state == "half-open" else None,
    }


def rate_view(key: str, rate: Rate, facts: Sequence[Event], now: float) -> dict[str, Any] | None:
    """Give how much of a rate the last sixty seconds have used, and when one more may begin; None without a rate."""
    if not rate:
        return None
    news = hears(key, "", 0, facts, now)
    window = Window()
    for start in news.starts if news is not None else ():
        window = counted(window, Start(at=start.at, tokens=start.tokens, attempt=start.attempt))
    window = pruned(window, now)
    free = free_at(window, rate, now, 0)
    return {
        "seconds": SPAN,
        "requests": {"used": window.end - window.first, "limit": rate.requests},
        "tokens": {"used": window.tokens, "limit": rate.tokens},
        "free_at": moment(free) if free > now else None,
    }


def _state(breaker: Breaker, hold: Hold | None, times: int, now: float) -> Health:
    if hold is not None and times:
        return "open" if hold.until is not None and hold.until > now else "half-open"
    if hold is not None and hold.until is not None and hold.until > now:
        return "held"
    return "closed" if breaker.failures else "off"


def _loads(runs: Collection[RunState]) -> dict[str, _Load]:
    found: dict[str, _Load] = {}
    for run in runs:
        for agent, busy in run.busy.items():
            if busy:
                load = found.setdefault(agent, _Load())
                load.under_way += busy
                load.runs.append(run.run)
        for queue, bits in run.ready.items():
            if bits:
                first = _first(run, queue, bits)
                if first is not None:
                    found.setdefault(first, _Load()).ready += bits.bit_count()
    return found


def _first(run: RunState, queue: str, bits: int) -> str | None:
    """Name the agent that comes first for the tasks of a queue."""
    able = candidates_for(run, run.tasks[head_of(run, queue, bits)[1]])
    return able[0] if able else None


def _load(one: _Load, card: AgentCard) -> dict[str, Any]:
    return {"under_way": one.under_way, "limit": card.concurrency, "waiting": one.ready, "runs": one.runs}


def _provider(
    catalogue: Catalogue, name: str, told: Mapping[str, Sequence[Event]], runs: Collection[RunState], now: float
) -> dict[str, Any]:
    known = catalogue.providers.get(name)
    key = PROVIDER + name
    breaker = known.breaker if known is not None and known.breaker is not None else catalogue.rules.breaker
    return {
        "name": name,
        "limit": known.concurrency if known is not None else None,
        "under_way": sum(run.drawn.get(name, 0) for run in runs),
        "breaker": _breaker(breaker),
        "health": health(key, breaker, told, runs, now),
        "rate": rate_view(key, known.rate, told.get(key, ()), now) if known is not None else None,
    }


def _breaker(one: Breaker) -> dict[str, Any] | None:
    if not one.failures:
        return None
    return {"failures": one.failures, "window": one.window, "pause": one.pause, "longest": one.longest}


def _skill(one: Skill) -> dict[str, Any]:
    return {
        "name": one.name,
        "description": one.description,
        "takes": list(one.inputs.get("properties", {})),
        "effect": one.effect.value,
        "asks": one.approval == "ask" or one.effect == "irreversible",
        "undone_by": one.undo,
    }


def _most_cost(card: AgentCard) -> dict[str, Any] | None:
    """Give the most that an attempt may cost; None where nobody knows a bound."""
    if not card.bounded:
        return None
    return {"money": float(card.cost.money), "tokens": card.cost.tokens, "free": card.cost == FREE}
