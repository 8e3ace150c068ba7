"""The agents that are there, by name, and the catalogue a run keeps of them."""

from collections.abc import Iterable, Iterator

from stretto.core.domain import Asks, Catalogue, ContextSpec, NoticeKind, Playbook, Provider, Rules
from stretto.core.errors import BadAgent
from stretto.ports import Agent


class Registry:
    """Holds agents; two of one name are refused with BadAgent."""

    def __init__(self, agents: Iterable[Agent] = ()) -> None:
        self._agents: dict[str, Agent] = {}
        for agent in agents:
            name = agent.card.name
            if name in self._agents:
                raise BadAgent(f"two agents are called {name!r}; give one another name")
            self._agents[name] = agent

    def get(self, name: str) -> Agent | None:
        """Give an agent, or None when it is not here (any more)."""
        return self._agents.get(name)

    def catalogue(
        self,
        rules: Rules | None = None,
        playbooks: tuple[Playbook, ...] = (),
        context: dict[str, ContextSpec] | None = None,
        providers: dict[str, Provider] | None = None,
        notify: tuple[NoticeKind, ...] = (),
        people: tuple[str, ...] = (),
        ask: Asks | None = None,
    ) -> Catalogue:
        """Give what a run keeps: the cards in the order of registration, rules, and what else is handed over."""
        return Catalogue(
            agents=tuple(agent.card for agent in self._agents.values()),
            rules=rules or Rules(),
            playbooks=playbooks,
            context=context or {},
            providers=providers or {},
            notify=notify,
            people=people,
            ask=ask or {},
        )

    def __iter__(self) -> Iterator[Agent]:
        return iter(self._agents.values())
