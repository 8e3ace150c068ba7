"""Who may be given work: agents and providers that are held, and how many attempts providers take at once.

Holds, tallies and windows go by a key: an agent's name, or `provider:NAME`.
"""

from collections.abc import Sequence

from stretto.core.breaker import COUNTED
from stretto.core.domain import NO_RATE, AgentCard, Breaker, FailureClass, Rate
from stretto.core.effects import Wait
from stretto.core.routing import free_agent
from stretto.core.state import RunState, candidates_for, head_of

PROVIDER = "provider:"


def keys_of(card: AgentCard) -> tuple[str, ...]:
    """Give the keys that an attempt of this agent counts for: its own, and its provider's."""
    return (card.name, PROVIDER + card.provider) if card.provider else (card.name,)


def rate_of(state: RunState, key: str) -> Rate:
    """Give the rate of an agent or provider."""
    if key.startswith(PROVIDER):
        provider = state.catalogue.providers.get(key.removeprefix(PROVIDER))
        return provider.rate if provider is not None else NO_RATE
    return state.roster.agents[key].rate


def breaker_of(state: RunState, key: str) -> Breaker:
    """Give the breaker of an agent or provider: its own, else that of the run's rules."""
    if key.startswith(PROVIDER):
        provider = state.catalogue.providers.get(key.removeprefix(PROVIDER))
        own = provider.breaker if provider is not None else None
    else:
        own = state.roster.agents[key].breaker
    return own or state.catalogue.rules.breaker


def tells_of(state: RunState, agent: str, failure: FailureClass) -> bool:
    """Whether a failure says something of the agent, so that breakers count it.

    An error of a plain function that nobody could take the place of is taken for a bug that some items meet: waiting
    mends none. It counts where somebody asks for a breaker, where there is a provider, or another agent for the skill.
    """
    if failure is not FailureClass.ERROR:
        return failure in COUNTED
    card = state.roster.agents[agent]
    asked = card.breaker is not None or card.provider or state.catalogue.rules.breaker != Breaker()
    if asked or card.backups or card.kind != "function":
        return True
    return any(len(state.roster.by_skill[skill.name]) > 1 for skill in card.skills)


def shut(state: RunState, agent: str) -> bool:
    """Whether a hold keeps this agent from taking one more attempt."""
    if not state.holds:
        return False
    for key in keys_of(state.roster.agents[agent]):
        hold = state.holds.get(key)
        if hold is not None and (not hold.probing or hold.probe):
            return True
    return False


def has_place(state: RunState, agent: str) -> bool:
    """Whether agent and provider take one more attempt at once."""
    openings = Openings(state)
    return free_agent(openings.among((agent,)), state.roster, state.busy) is not None


class Openings:
    """Which agents may be given work while several attempts are given out: one probe each, providers' places kept."""

    def __init__(self, state: RunState) -> None:
        self._state = state
        self._plain = not state.holds and not state.catalogue.providers
        self._drawn: dict[str, int] = {} if self._plain else dict(state.drawn)
        self._probed: set[str] = set()

    def among(self, names: Sequence[str]) -> Sequence[str]:
        """Give those that may be given one more attempt."""
        return names if self._plain else [name for name in names if self._may(name)]

    def take(self, name: str) -> None:
        """Note that one attempt is given to this agent."""
        if self._plain:
            return
        card = self._state.roster.agents[name]
        self._probed.update(key for key in keys_of(card) if key in self._state.holds)
        if card.provider:
            self._drawn[card.provider] = self._drawn.get(card.provider, 0) + 1

    def _may(self, name: str) -> bool:
        card = self._state.roster.agents[name]
        if shut(self._state, name) or not self._probed.isdisjoint(keys_of(card)):
            return False
        provider = self._state.catalogue.providers.get(card.provider) if card.provider else None
        most = provider.concurrency if provider is not None else None
        return most is None or self._drawn.get(card.provider, 0) < most


def hold_timers(state: RunState) -> list[Wait]:
    """Give the waits for the ends of holds, of those that keep a ready task waiting."""
    if not state.holds or state.halted:
        return []
    wanted: dict[str, None] = {}
    for queue, bits in state.ready.items():
        for name in candidates_for(state, state.tasks[head_of(state, queue, bits)[1]]):
            wanted.update(dict.fromkeys(keys_of(state.roster.agents[name])))
    return [
        Wait(timer=f"hold/{key}", until=hold.until)
        for key in wanted
        if (hold := state.holds.get(key)) is not None and hold.until is not None
    ]
