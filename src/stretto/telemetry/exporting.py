"""Follows runs and hands their spans to a collector, without anybody waiting for it.

The loop of a run only notes what happened; a thread of its own folds the notes into spans and gives them to the SDK.
A collector that is slow or gone costs nothing but memory, and of that no more than `MOST_WAITING` events take: what is
beyond is dropped, counted, and said once.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from stretto.core.events import Event
from stretto.core.state import RunState
from stretto.telemetry.choosing import Telemetry
from stretto.telemetry.measures import Measure, measured
from stretto.telemetry.runs import Runs
from stretto.telemetry.shape import Span

MOST_WAITING = 100_000
"""Events that wait to become spans."""

GATHER_SECONDS = 0.25
"""How long the thread lets notes gather before it looks at them."""

FLUSH_SECONDS = 5.0
"""How long the end of a process waits, at the most, for the collector to take what is left."""

_log = logging.getLogger("stretto.telemetry")


class Pipeline(Protocol):
    """Where spans and measures go."""

    @property
    def room(self) -> int:
        """How many spans it takes now without dropping any."""
        ...

    @property
    def failed(self) -> int:
        """How many spans the collector did not take."""
        ...

    def wait_for_room(self, seconds: float) -> None:
        """Return when there is more room, or after so long."""
        ...

    def put(self, span: Span) -> None: ...

    def measure(self, measure: Measure) -> None: ...

    def queues(self, ready: int, running: int) -> None:
        """Note how many tasks are ready to start, and how many attempts are under way."""
        ...

    def dropped(self, events: int) -> None:
        """Note how many events were dropped so far."""
        ...

    def close(self) -> None:
        """Hand over what is left; returns when that is done or nothing more can be done."""
        ...

    def abandon(self) -> None:
        """Give up what is under way, from another thread."""
        ...


class Exporter:
    """See `stretto.ports.Historian`. Nothing is loaded or started before there is something to tell."""

    def __init__(self, telemetry: Telemetry, open_pipeline: Callable[[Telemetry], Pipeline]) -> None:
        self._telemetry, self._open = telemetry, open_pipeline
        self._notes: deque[tuple[RunState, Sequence[Event], bool]] = deque()
        self._lock = threading.Lock()
        self._waiting = self._dropped = 0
        self._awake, self._closing, self._giving_up = threading.Event(), threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._pipeline: Pipeline | None = None
        self._said = False

    def recall(self, state: RunState, before: Sequence[Event]) -> None:
        self._note(state, before, recalled=True)

    def __call__(self, state: RunState, events: Sequence[Event]) -> None:
        self._note(state, events, recalled=False)

    def close(self, patience: float = FLUSH_SECONDS) -> None:
        """Hand over what is left, for so many seconds at the most; say what was dropped."""
        if self._thread is None:
            return
        self._closing.set()
        self._awake.set()
        self._thread.join(patience)
        if self._thread.is_alive():
            self._giving_up.set()
            if self._pipeline is not None:
                self._pipeline.abandon()
            self._say("did not take what was left in time")
        elif self._pipeline is not None and self._pipeline.failed:
            self._say(f"did not take {self._pipeline.failed} spans")
        if self._dropped:
            _log.warning("telemetry: %s events of runs were dropped, for too many waited", self._dropped)

    def _note(self, state: RunState, events: Sequence[Event], *, recalled: bool) -> None:
        with self._lock:
            if self._waiting > MOST_WAITING:
                self._dropped += len(events)
                return
            self._waiting += len(events)
            self._notes.append((state, events, recalled))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="stretto-telemetry", daemon=True)
                self._thread.start()
        if not self._awake.is_set():
            self._awake.set()

    # ---- in the thread

    def _work(self) -> None:
        try:
            self._pipeline = self._open(self._telemetry)
            runs, queues = Runs(self._telemetry.disclosure), _Queues()
            while True:
                self._awake.wait()
                self._closing.wait(GATHER_SECONDS)
                self._awake.clear()
                last = self._closing.is_set()
                self._drain(self._pipeline, runs, queues)
                if last:
                    break
            if not self._giving_up.is_set():
                self._pipeline.close()
        except Exception as error:  # whatever it is, no run may suffer from it
            _log.warning("telemetry: nothing more is sent: %s: %s", type(error).__name__, error)

    def _drain(self, pipeline: Pipeline, runs: Runs, queues: "_Queues") -> None:
        while self._notes and not self._giving_up.is_set():
            state, events, recalled = self._notes.popleft()
            found = runs.recall(state, events) if recalled else runs.take(state, events)
            for span in found:
                self._hand_over(pipeline, span)
                for measure in () if recalled else measured(span):
                    pipeline.measure(measure)
            queues.take(state)
            with self._lock:
                self._waiting -= len(events)
        pipeline.queues(*queues.total)
        pipeline.dropped(self._dropped)
        if pipeline.failed:
            self._say("does not take what it is sent")

    def _hand_over(self, pipeline: Pipeline, span: Span) -> None:
        while pipeline.room < 1 and not self._giving_up.is_set():
            pipeline.wait_for_room(GATHER_SECONDS)
        pipeline.put(span)

    def _say(self, what: str) -> None:
        """Say once that something is wrong with the collector."""
        if not self._said:
            self._said = True
            _log.warning("telemetry: the collector at %s %s; runs are not affected", self._telemetry.shown, what)


class _Queues:
    """How many tasks are ready, and how many attempts under way, over all runs."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[int, int]] = {}

    def take(self, state: RunState) -> None:
        ready = sum(bits.bit_count() for bits in state.ready.values())
        if state.status.final or not (ready or state.under_way):
            self._of.pop(state.run, None)
        else:
            self._of[state.run] = ready, state.under_way

    @property
    def total(self) -> tuple[int, int]:
        return sum(ready for ready, _ in self._of.values()), sum(running for _, running in self._of.values())
