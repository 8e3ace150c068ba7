"""What a run and the others of its store tell each other of agents and providers: see `stretto.core.sharing`.

A rate holds for all runs together, exactly: what counts against it is appended beside the run, in the same commit, and
only after everything that the others have appended was heard.
"""

from collections.abc import Mapping, Sequence

from stretto.core.commands import Command, HearOf
from stretto.core.domain import Catalogue
from stretto.core.events import AgentHeld, BreakerClosed, BreakerOpened, Event
from stretto.core.evolve import evolve
from stretto.core.sharing import hears, keys_in, stream_of, told
from stretto.core.state import RunState
from stretto.ports import Beside, Clock, Journal


class Sharing:
    """One run's part in it. Nothing is read or written before it has joined."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal, self._clock = journal, clock
        self._run, self._rated = "", False
        self._known: dict[str, int] = {}  # how far each stream is known, by the key of agent or provider
        self._news: list[HearOf] = []

    async def join(self, run: str, catalogue: Catalogue, heard: Mapping[str, int]) -> Sequence[Command]:
        """Begin to share with a run, and give what it has not heard yet."""
        self._run = run
        rates = [*(one.rate for one in catalogue.agents), *(one.rate for one in catalogue.providers.values())]
        self._rated = any(rates)
        tails = keys_in(catalogue)
        heads = await self._journal.heads([stream_of(key) for key in tails])
        self._known = {
            key: min(head, max(heard.get(key, 0), head - most))
            for (key, most), head in zip(tails.items(), heads, strict=True)
        }
        await self._read(dict(zip(tails, heads, strict=True)))
        return self.news()

    async def listen(self) -> None:
        """See whether others have told anything."""
        if self._known:
            heads = await self._journal.heads([stream_of(key) for key in self._known])
            await self._read(dict(zip(self._known, heads, strict=True)))

    def news(self) -> list[HearOf]:
        """Give what was heard since the last time."""
        news, self._news = self._news, []
        return news

    def tell(self, state: RunState, facts: Sequence[tuple[str, Event]]) -> Sequence[Beside]:
        """Give what others are to learn of facts that are to be appended; `state` is the one before them."""
        said: dict[str, list[tuple[str, Event]]] = {}
        for actor, fact in facts:
            if self._rated or isinstance(fact, AgentHeld | BreakerOpened | BreakerClosed):
                for key, news in told(state, fact):
                    said.setdefault(key, []).append((actor, news))
            if self._rated:
                state = evolve(state, fact)
        return [Beside(stream=stream_of(key), after=self._known.get(key, 0), facts=one) for key, one in said.items()]

    def was_told(self, beside: Sequence[Beside]) -> None:
        """Note that it was appended."""
        if beside:
            ends = {one.stream: one.after + len(one.facts) for one in beside}
            self._known = {key: max(known, ends.get(stream_of(key), 0)) for key, known in self._known.items()}

    async def _read(self, heads: Mapping[str, int]) -> None:
        for key, head in heads.items():
            if head > self._known[key]:
                read = await self._journal.read(stream_of(key), self._known[key])
                self._known[key] = max(self._known[key], read[-1].seq)
                facts = [one.event for one in read]
                news = hears(key, self._run, read[-1].seq, facts, self._clock.now())
                if news is not None:
                    self._news.append(news)
