"""Rates and breakers: whether an attempt may start, what its end says of agent and provider, what others learned."""

from stretto.core.breaker import pause_of, trips
from stretto.core.commands import HearOf
from stretto.core.decide.draft import Draft
from stretto.core.domain import Completed, Failed, FailureClass, InputRequired, Outcome
from stretto.core.events import AgentHeld, BreakerClosed, BreakerOpened, Heard, HoldEnded
from stretto.core.holds import breaker_of, has_place, keys_of, rate_of, shut, tells_of
from stretto.core.rates import Window, free_at
from stretto.core.state import RunState, TaskState

_EMPTY = Window()


def admitted(draft: Draft, agent: str) -> bool:
    """Whether an attempt of this agent may start now; where its rate says no, it is held until it may."""
    state, card = draft.state, draft.state.roster.agents[agent]
    if state.paused is not None or shut(state, agent) or not has_place(state, agent):
        return False
    late = False
    for key in keys_of(card):
        if rate := rate_of(state, key):
            until = free_at(state.windows.get(key, _EMPTY), rate, draft.at, card.cost.tokens)
            if until > draft.at:
                draft.say(AgentHeld, agent=key, until=until, why=f"its rate is {rate}")
                late = True
    return not late


def probed_by(state: RunState, one: TaskState, id_: str) -> tuple[str, ...]:
    """Give the keys that the attempt under way probes."""
    if not state.holds or one.agent is None:
        return ()
    name = f"{id_}/{one.attempt}"
    keys = keys_of(state.roster.agents[one.agent])
    return tuple(key for key in keys if key in state.holds and state.holds[key].probe == name)


def weigh(draft: Draft, agent: str, outcome: Outcome, probed: tuple[str, ...]) -> None:
    """Take in what the end of an attempt, counted already, says of its agent and provider."""
    match outcome:
        case Failed() if tells_of(draft.state, agent, outcome.failure):
            for key in keys_of(draft.state.roster.agents[agent]):
                _count_failure(draft, key, outcome.failure, probing=key in probed)
            if outcome.failure is FailureClass.RATE_LIMITED and outcome.retry_after and outcome.retry_after > 0:
                _hold(draft, keys_of(draft.state.roster.agents[agent])[-1], outcome.retry_after)
        case Completed() | Failed() | InputRequired():
            for key in probed:
                draft.say(BreakerClosed, agent=key)


def _count_failure(draft: Draft, key: str, failure: FailureClass, *, probing: bool) -> None:
    state, breaker = draft.state, breaker_of(draft.state, key)
    tally = state.tallies.get(key)
    if tally is None or not (probing or trips(tally, breaker)):
        return
    failed = f"{tally.recent.bit_count()} of its last {breaker.window} attempts failed, the last"
    why = f"{'the probe failed' if probing else failed}: {failure.value}"
    times = tally.times + 1
    draft.say(BreakerOpened, agent=key, until=draft.at + pause_of(breaker, times), why=why, times=times)


def _hold(draft: Draft, key: str, seconds: float) -> None:
    hold, until = draft.state.holds.get(key), draft.at + seconds
    if hold is None or hold.until is None or hold.until < until:
        draft.say(AgentHeld, agent=key, until=until, why=f"it asked not to be asked for {seconds:g} s", asked=True)


def end_hold(draft: Draft, key: str) -> None:
    """Take in that the time of a hold is over."""
    hold = draft.state.holds.get(key)
    if hold is not None and hold.until is not None and draft.at >= hold.until:
        tally = draft.state.tallies.get(key)
        draft.say(HoldEnded, agent=key, probing=tally is not None and tally.open)


def hear(draft: Draft, command: HearOf) -> None:
    """Take in what other runs have learned of an agent or provider."""
    state, key = draft.state, command.agent
    if not state.run or state.status.final or command.upto <= state.heard.get(key, 0):
        return
    draft.say(Heard, agent=key, upto=command.upto, starts=command.starts)
    tally, hold = state.tallies.get(key), state.holds.get(key)
    if command.healed and tally is not None and tally.open:
        draft.say(BreakerClosed, agent=key, run=command.run)
    news = command.hold
    if news is None or news.until is None or news.until <= draft.at:
        return
    if hold is not None and (hold.until is None or hold.until >= news.until):
        return  # it is known better here
    if command.tripped and not breaker_of(state, key).failures:
        return  # here it is switched off
    if command.tripped:
        draft.say(BreakerOpened, agent=key, until=news.until, why=news.why, times=command.tripped, run=command.run)
    else:
        draft.say(AgentHeld, agent=key, until=news.until, why=news.why, asked=True, run=command.run)
