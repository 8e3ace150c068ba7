"""What runs tell each other of agents and providers, through streams of their own in the journal. Pure.

The stream of an agent is `@agent/NAME`, that of a provider `@provider/NAME`. Written there are breakers that open and
close, pauses that an agent asked for, and attempts that count against a rate: nothing of agents without a rate that do
well.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from stretto.core.commands import HearOf
from stretto.core.domain import Catalogue, Hold, Start
from stretto.core.events import (
    AgentHeld,
    AttemptCompleted,
    AttemptFailed,
    AttemptForgotten,
    AttemptStarted,
    AttemptSuspended,
    BreakerClosed,
    BreakerOpened,
    Event,
    RateUsed,
)
from stretto.core.holds import PROVIDER, keys_of, rate_of
from stretto.core.rates import SPAN
from stretto.core.state import RunState

TAIL = 1_000
"""Facts of a stream that a run begins with, besides those of its rate: what counts is of the last minutes."""


def stream_of(key: str) -> str:
    """Give the stream of an agent or provider."""
    return f"@provider/{key.removeprefix(PROVIDER)}" if key.startswith(PROVIDER) else f"@agent/{key}"


def keys_in(catalogue: Catalogue) -> dict[str, int]:
    """Give the agents and providers of a catalogue, each with how many of its last facts matter."""
    rates = {card.name: card.rate for card in catalogue.agents}
    rates |= {PROVIDER + name: one.rate for name, one in catalogue.providers.items()}
    used = [PROVIDER + card.provider for card in catalogue.agents if card.provider]
    most = {key: TAIL + 2 * (rate.requests or (10 * TAIL if rate else 0)) for key, rate in rates.items()}
    return {**dict.fromkeys(used, TAIL), **most}


def told(state: RunState, event: Event) -> Iterator[tuple[str, Event]]:
    """Give what others should learn of a fact of this run, with the keys; `state` is the one before it."""
    match event:
        case BreakerOpened() | BreakerClosed() if not event.run:
            yield event.agent, replace(event, run=state.run)
        case AgentHeld() if event.asked and not event.run:
            yield event.agent, replace(event, run=state.run)
        case AttemptStarted():
            for key in keys_of(state.roster.agents[event.agent]):
                if rate_of(state, key):
                    yield key, _used(state, key, f"{event.task}/{event.attempt}", event.reserved.tokens, event.at)
        case AttemptCompleted() | AttemptFailed() | AttemptSuspended() | AttemptForgotten():
            one = state.tasks[event.task]
            cost = 0 if isinstance(event, AttemptForgotten) else event.cost.tokens
            for key in keys_of(state.roster.agents[one.agent]) if one.agent is not None else ():
                if rate_of(state, key).tokens is not None and cost != one.reserved.tokens:
                    yield key, _used(state, key, f"{event.task}/{event.attempt}", cost, event.at)


def _used(state: RunState, key: str, attempt: str, tokens: int, at: float) -> RateUsed:
    return RateUsed(at=at, agent=key, run=state.run, attempt=attempt, tokens=tokens)


def hears(key: str, run: str, upto: int, facts: Iterable[Event], now: float) -> HearOf | None:
    """Give what a run hears of the facts in a stream, or None where there is no news; its own it knows."""
    starts: dict[str, Start] = {}
    hold, tripped, healed, teller = None, 0, False, ""
    for fact in facts:
        if getattr(fact, "run", run) == run:
            continue
        match fact:
            case RateUsed():
                name = f"{fact.run}/{fact.attempt}"
                begun = starts[name].at if name in starts else fact.at
                starts[name] = Start(at=begun, tokens=fact.tokens, attempt=name)
            case BreakerOpened():
                hold, tripped, healed, teller = Hold(until=fact.until, why=fact.why), fact.times, False, fact.run
            case AgentHeld():
                if hold is None or hold.until is None or hold.until < fact.until:
                    hold, teller = Hold(until=fact.until, why=fact.why), fact.run
            case BreakerClosed():
                hold, tripped, healed, teller = None, 0, True, fact.run
    fresh = tuple(one for one in starts.values() if one.at + SPAN > now)
    if not fresh and hold is None and not healed:
        return None
    return HearOf(agent=key, upto=upto, starts=fresh, hold=hold, tripped=tripped, healed=healed, run=teller)
