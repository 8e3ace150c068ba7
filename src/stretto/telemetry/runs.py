"""The spans of all runs that a process follows: those that it saw begin, and those that it took over."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence

from stretto.core.events import Event
from stretto.core.state import RunState
from stretto.telemetry.contents import Contents
from stretto.telemetry.disclosure import Disclosure
from stretto.telemetry.identity import root_id, trace_id
from stretto.telemetry.shape import Span
from stretto.telemetry.spans import RunSpans

SENT_AGAIN = 60.0
"""Seconds before the last event of a run that is taken over: what ended in them is told again, for nobody knows whether
the process that saw it lived to tell."""

MOST_GOING, MOST_ENDED = 1024, 16
"""Runs that are known: of those that go on, and of those that have ended, for what is written after their end."""


class Runs:
    """The spans of all runs that a process follows."""

    def __init__(self, disclosure: Disclosure) -> None:
        self._contents = Contents(disclosure)
        self._going: OrderedDict[str, RunSpans] = OrderedDict()
        self._ended: OrderedDict[str, RunSpans] = OrderedDict()

    def recall(self, state: RunState, before: Sequence[Event]) -> Iterator[Span]:
        """Take in a run that is taken over, with all its events: what is open goes on.

        What ended just before, as far as it was not seen here, is given again.
        """
        run = self._of(state.run)
        last = before[-1].at if before else 0.0
        for span in run.take(state, before[run.seq :]):
            if span.end >= last - SENT_AGAIN:
                yield span
        self._put(run)

    def take(self, state: RunState, events: Sequence[Event]) -> Iterator[Span]:
        """Give the spans that ended with the events of a commit, after which the run stands so."""
        run = self._of(state.run)
        missing = state.seq - len(events) - run.seq
        if missing > 0:
            run.lose(missing)
        yield from run.take(state, events[max(-missing, 0) :])
        self._put(run)

    def _of(self, run: str) -> "RunSpans":
        return self._going.get(run) or self._ended.get(run) or RunSpans(run, self._contents, self._above)

    def _put(self, run: "RunSpans") -> None:
        """Keep a run, as the one touched last; those that nobody touched for longest go where there are too many."""
        here, there, most = self._going, self._ended, MOST_GOING
        if run.ended:
            here, there, most = there, here, MOST_ENDED
        there.pop(run.run, None)
        here[run.run] = run
        here.move_to_end(run.run)
        while len(here) > most:
            here.popitem(last=False)

    def _above(self, parent: str, run: str, began: float) -> tuple[int, int]:
        above = self._going.get(parent)
        if above is None:  # its own story was lost: ids of runs that people begin have no dots
            return trace_id(run.partition(".")[0]), root_id(parent)
        return above.trace, above.ordering(run, began)
