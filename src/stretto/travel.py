"""A run as it was: moments in its past, and runs that begin at one of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import reduce
from threading import Lock

from stretto.core.errors import UsageError
from stretto.core.events import Event, RunForked, RunSubmitted
from stretto.core.evolve import evolve
from stretto.core.forking import before_task, before_the_end, later_deeds, whole
from stretto.core.plan.names import Names
from stretto.core.state import RunState
from stretto.ports import Recorded


def moment_of(events: Sequence[Event], point: str) -> int:
    """Give the number of events up to a point: an event's number, a moment (ISO 8601), or just before a task began.

    A moment without a zone is local time. Raises UsageError for a point that the run never was at.
    """
    text = point.strip()
    if text.isdecimal():
        number = int(text[:18])
        if not 0 < number <= len(events):
            raise UsageError(f"there is no event {text}: this run has the events 1 to {len(events)}")
        return number
    if (at := before_task(events, text)) is not None:
        return at
    when = _moment(text)
    if when is None:
        state = reduce(evolve, events, RunState())
        known = list(state.tasks)
        if text in state.tasks:
            raise UsageError(f"the task {text!r} has not begun; name an event's number, as `show --events` lists them")
        mend = Names(lambda: known).mend(text)
        raise UsageError(f"{text!r} is no event's number, no moment like 2030-12-31T18:00 and no task. {mend}")
    number = sum(event.at <= when for event in events)
    if not number:
        raise UsageError(f"the run began after {text}")
    return number


def _moment(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def as_it_was(events: Sequence[Event], number: int) -> RunState:
    """Give the state after so many events."""
    return reduce(evolve, events[:number], RunState())


class Past:
    """What a run was at any number of events: states on the way are kept, so that looks after the first are quick."""

    STEP = 250

    def __init__(self) -> None:
        self._kept = [RunState()]
        self._folding = Lock()

    def at(self, events: Sequence[Event], number: int) -> RunState:
        """Give the state after so many events of a run, always the same one."""
        with self._folding:
            while len(self._kept) * self.STEP <= number:
                begin = (len(self._kept) - 1) * self.STEP
                self._kept.append(reduce(evolve, events[begin : begin + self.STEP], self._kept[-1]))
        near = number // self.STEP
        return reduce(evolve, events[near * self.STEP : number], self._kept[near])


def fork_of(recorded: Sequence[Recorded], point: str | None, run: str, now: float) -> list[tuple[str, Event]]:
    """Give the facts, with their actors, that a fork begins with: those of its parent, then that it goes its own way.

    Without a point it is forked just before it ended. Raises UsageError for a point that the run never was at.
    """
    events = [one.event for one in recorded]
    at = before_the_end(events) if point is None else whole(events, moment_of(events, point))
    state = as_it_was(events, at)
    if not state.run:
        raise UsageError("before that there is nothing to begin with; name a later event")
    deeds = later_deeds(state, events[at:])
    parent = as_it_was(events, len(events))
    copied = [
        (one.actor, replace(one.event, run=run) if isinstance(one.event, RunSubmitted) else one.event)
        for one in recorded[:at]
    ]
    fork = RunForked(
        at=max(now, state.at),
        parent=parent.run,
        fork_at=at,
        root=parent.root or parent.run,
        kept=deeds.kept,
        begun=deeds.begun,
        undone=deeds.undone,
        lineage=(*parent.lineage, parent.run),
    )
    return [*copied, ("system", fork)]
