"""Agents and providers are held and let go; what attempts say of them is counted."""

from dataclasses import replace as replaced

from msgspec.structs import replace

from stretto.core.breaker import Tally, counted, opened
from stretto.core.domain import AgentCard, Cost, FailureClass, Hold, Start
from stretto.core.events import AgentHeld, AttemptStarted, BreakerClosed, BreakerOpened, Heard, HoldEnded
from stretto.core.holds import breaker_of, keys_of, rate_of, tells_of
from stretto.core.rates import Window, settled
from stretto.core.rates import counted as used
from stretto.core.state import RunState, TaskState

_EMPTY = Window()


def held(state: RunState, event: AgentHeld | BreakerOpened) -> RunState:
    """Hold an agent or provider; of two holds the longer one stands."""
    known = state.holds.get(event.agent)
    if isinstance(event, BreakerOpened):
        tally = opened(state.tallies.get(event.agent, Tally()), event.times)
        state = replace(state, tallies=state.tallies.set(event.agent, tally))
    until, why = event.until, event.why
    if known is not None and known.until is not None and known.until > until:
        until, why = known.until, known.why
    return replace(state, holds=state.holds.set(event.agent, Hold(until=until, why=why)))


def let_go(state: RunState, event: HoldEnded | BreakerClosed) -> RunState:
    """End a hold, or let one attempt probe."""
    if isinstance(event, HoldEnded) and event.probing:
        hold = state.holds[event.agent]
        return replace(state, holds=state.holds.set(event.agent, Hold(until=None, why=hold.why, probing=True)))
    holds = state.holds.delete(event.agent) if event.agent in state.holds else state.holds
    if isinstance(event, HoldEnded) or event.agent not in state.tallies:
        return replace(state, holds=holds)
    return replace(state, holds=holds, tallies=state.tallies.delete(event.agent))


def heard(state: RunState, event: Heard) -> RunState:
    """Count what other runs have begun."""
    window = state.windows.get(event.agent, _EMPTY)
    for start in event.starts:
        window = used(window, start)
    windows = state.windows.set(event.agent, window) if event.starts else state.windows
    return replace(state, windows=windows, heard=state.heard.set(event.agent, event.upto))


def begun(state: RunState, event: AttemptStarted) -> RunState:
    """Count an attempt for the provider and against rates; where one is awaited, it is the probe."""
    card = state.roster.agents[event.agent]
    if card.provider:
        state = replace(state, drawn=state.drawn.set(card.provider, state.drawn.get(card.provider, 0) + 1))
    elif not card.rate and not state.holds:
        return state
    name = f"{event.task}/{event.attempt}"
    for key in keys_of(card):
        hold = state.holds.get(key)
        if hold is not None and hold.probing:
            state = replace(state, holds=state.holds.set(key, replaced(hold, probe=name)))
        if rate_of(state, key):
            start = Start(at=event.at, tokens=event.reserved.tokens, attempt=name)
            state = replace(state, windows=state.windows.set(key, used(state.windows.get(key, _EMPTY), start)))
    return state


def left(state: RunState, one: TaskState, id_: str, cost: Cost) -> RunState:
    """Give back an attempt's place at the provider, and settle the tokens it was counted for."""
    card = state.roster.agents[str(one.agent)]
    if card.provider:
        state = replace(state, drawn=state.drawn.set(card.provider, state.drawn[card.provider] - 1))
    elif not card.rate and not state.holds:
        return state
    name = f"{id_}/{one.attempt}"
    for key in keys_of(card):
        hold = state.holds.get(key)
        if hold is not None and hold.probe == name:
            state = replace(state, holds=state.holds.set(key, replaced(hold, probe="")))
        if key in state.windows:
            window = settled(state.windows[key], name, cost.tokens)
            state = replace(state, windows=state.windows.set(key, window))
    return state


def tallied(state: RunState, id_: str, failure: FailureClass | None) -> RunState:
    """Count the end of an attempt for the breakers; one that went well counts only among some that did not."""
    agent = state.tasks[id_].agent
    failed = failure is not None and agent is not None and tells_of(state, agent, failure)
    if agent is None or not (failed or state.tallies):
        return state
    card: AgentCard = state.roster.agents[agent]
    for key in keys_of(card):
        breaker, known = breaker_of(state, key), state.tallies.get(key)
        if not breaker.failures or (known is None and not failed) or (known is not None and known.open):
            continue
        tally = counted(known or Tally(), breaker, failed=failed)
        tallies = state.tallies.set(key, tally) if tally.recent else state.tallies.delete(key)
        state = replace(state, tallies=tallies)
    return state
