"""What is known of many runs and streams at once: only what is new since the last look is read."""

import asyncio
from collections.abc import Mapping, Sequence

from stretto.core.domain import Catalogue
from stretto.core.events import Event
from stretto.core.evolve import evolve
from stretto.core.sharing import keys_in, stream_of
from stretto.core.state import RunState
from stretto.ports import Journal


class States:
    """The states of runs, as of the last look."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._known: dict[str, RunState] = {}
        self._looking = asyncio.Lock()

    async def of(self, runs: Sequence[str]) -> Mapping[str, RunState]:
        """Give these runs as they are now; others are forgotten."""
        async with self._looking:
            heads = await self._journal.heads(runs)
            found: dict[str, RunState] = {}
            for run, head in zip(runs, heads, strict=True):
                state = self._known.get(run) or RunState()
                if state.seq < head:
                    for one in await self._journal.read(run, state.seq):
                        state = evolve(state, one.event)
                found[run] = state
            self._known = found
            return found


class Streams:
    """What the streams of agents and providers hold, as far back as it matters."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._known: dict[str, tuple[int, list[Event]]] = {}
        self._looking = asyncio.Lock()

    async def of(self, catalogue: Catalogue) -> Mapping[str, Sequence[Event]]:
        """Give the last facts of the agents and providers of a catalogue, by key."""
        async with self._looking:
            tails = keys_in(catalogue)
            heads = await self._journal.heads([stream_of(key) for key in tails])
            for (key, most), head in zip(tails.items(), heads, strict=True):
                seen, facts = self._known.get(key, (max(0, head - most), []))
                if seen < head:
                    read = await self._journal.read(stream_of(key), seen)
                    self._known[key] = (read[-1].seq, [*facts, *(one.event for one in read)][-most:])
            return {key: self._known[key][1] for key in tails if key in self._known}
