"""How far reviewers can be trusted: a fold over a run's events that holds what they said against what came later.

A rejection was right (a hit) when a person who was asked about the result did not let it count, and wrong (a false
alarm) when one did. An acceptance was wrong (a miss) when the task was done again with feedback, when a later reviewer
of the same result found a criterion missed that this one had found met, or when a person did not let the result count;
it was right (a pass) when a person did.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from stretto.core.domain import Json, Review
from stretto.core.events import (
    AttemptCompleted,
    Event,
    PersonAnswered,
    PersonAsked,
    ResultRejected,
    ResultReviewed,
    RunEnded,
    TaskCompleted,
    TasksReopened,
)

FEWEST = 10
"""Cases that have to be known before a reviewer is judged by them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRecord:
    """How often a reviewer was right and wrong, as far as anybody knows."""

    hits: int = 0
    misses: int = 0
    false_alarms: int = 0
    passes: int = 0

    def __add__(self, more: "TrackRecord") -> "TrackRecord":
        return TrackRecord(
            hits=self.hits + more.hits,
            misses=self.misses + more.misses,
            false_alarms=self.false_alarms + more.false_alarms,
            passes=self.passes + more.passes,
        )

    @property
    def hit_rate(self) -> float | None:
        """The share of bad results that it rejected; None while none is known."""
        bad = self.hits + self.misses
        return self.hits / bad if bad else None

    @property
    def false_alarm_rate(self) -> float | None:
        """The share of good results that it rejected; None while none is known."""
        good = self.false_alarms + self.passes
        return self.false_alarms / good if good else None

    @property
    def pays(self) -> bool:
        """Whether it is worth asking: it has to find more bad results than it rejects good ones.

        Each hit saves a bad result, each false alarm costs a revision for nothing. With fewer than `FEWEST` known
        cases, passes not counted, it is asked.
        """
        return self.hits + self.misses + self.false_alarms < FEWEST or self.hits > self.false_alarms


NOTHING_KNOWN = TrackRecord()


@dataclass(slots=True)
class Trials:
    """A run's events folded so far."""

    _records: dict[str, TrackRecord] = field(default_factory=dict)
    _said: dict[str, tuple[Review, ...]] = field(default_factory=dict)  # of the latest result, by task
    _output: dict[str, Json] = field(default_factory=dict)
    _rejected: dict[str, str] = field(default_factory=dict)  # who sent the latest result back, by task
    _accepted: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _asked: dict[str, str] = field(default_factory=dict)  # tasks by open request about a result, or its failure

    def take(self, event: Event) -> None:
        """Fold one more event."""
        match event:
            case AttemptCompleted():
                self._said.pop(event.task, None)
                self._output[event.task] = event.output
            case ResultReviewed():
                self._said[event.task] = event.reviews
                self._gainsaid(event.reviews)
            case ResultRejected():
                if not event.reviewer.startswith("person:"):
                    self._rejected[event.task] = self._name_of(event.task, event.reviewer)
            case TaskCompleted():
                self._accepted[event.task] = self._acceptors(event)
                self._rejected.pop(event.task, None)
            case TasksReopened():
                for name in self._accepted.get(event.task, ()) if finds_wrong(event) else ():
                    self._count(name, misses=1)
            case PersonAsked():
                failed = event.request.kind == "failure" and event.request.task in self._rejected
                if failed or event.request.kind == "review":
                    self._asked[event.request.id] = event.request.task
            case PersonAnswered():
                if (task := self._asked.pop(event.request, None)) is not None:
                    self._decided(task, event)
            case RunEnded():
                self._records.clear()  # the store has them
            case _:
                pass

    def with_end(self, events: Sequence[Event]) -> dict[str, TrackRecord]:
        """Give what will be known with these events, which end the run; nothing when they do not."""
        if not any(isinstance(event, RunEnded) for event in events):
            return {}
        whole = Trials(
            dict(self._records),
            dict(self._said),
            dict(self._output),
            dict(self._rejected),
            dict(self._accepted),
            dict(self._asked),
        )
        for event in takewhile(lambda one: not isinstance(one, RunEnded), events):
            whole.take(event)
        return whole.records()

    def records(self) -> dict[str, TrackRecord]:
        """Give what is known since the run began, or ended last, by reviewer."""
        return dict(self._records)

    def _gainsaid(self, reviews: tuple[Review, ...]) -> None:
        """Count a miss for whoever found a criterion met that a later reviewer of the same result found missed."""
        for place, review in enumerate(reviews):
            missed = {score.criterion for score in review.scores if not score.met}
            for earlier in reviews[:place]:
                if any(score.met and score.criterion in missed for score in earlier.scores):
                    self._count(earlier.name, misses=1)

    def _decided(self, task: str, event: PersonAnswered) -> None:
        said = self._said.get(task, ())
        if task in self._rejected:  # it failed in the end, and a person was asked what now
            if event.decision == "done" and event.value == self._output.get(task):
                self._count(self._rejected[task], false_alarms=1)
            elif event.decision in ("done", "skip", "fail"):
                self._count(self._rejected[task], hits=1)
            return
        good = event.decision == "approve" or (event.decision == "done" and event.value == self._output.get(task))
        for review in said:
            if not review.scores:
                continue
            if review.accepted:
                self._count(review.name, passes=1) if good else self._count(review.name, misses=1)
            else:
                self._count(review.name, false_alarms=1) if good else self._count(review.name, hits=1)

    def _acceptors(self, event: TaskCompleted) -> tuple[str, ...]:
        if not event.reviewer or event.reviewer.startswith("person:"):
            return ()
        return tuple(self._name_of(event.task, name) for name in event.reviewer.split("+"))

    def _name_of(self, task: str, reviewer: str) -> str:
        """Give the name under which a reviewer is known: with the model that it asked."""
        return next((one.name for one in self._said.get(task, ()) if one.reviewer == reviewer), reviewer)

    def _count(self, name: str, *, hits: int = 0, misses: int = 0, false_alarms: int = 0, passes: int = 0) -> None:
        more = TrackRecord(hits=hits, misses=misses, false_alarms=false_alarms, passes=passes)
        self._records[name] = self._records.get(name, NOTHING_KNOWN) + more


def finds_wrong(event: TasksReopened) -> bool:
    """Whether an accepted result was found wrong later: it is done again, and somebody said what to mind."""
    return event.again and bool(event.feedback)


def records(events: Iterable[Event]) -> dict[str, TrackRecord]:
    """Fold the events of a run that has not ended yet."""
    trials = Trials()
    for event in events:
        trials.take(event)
    return trials.records()


def with_those(old: Mapping[str, TrackRecord], new: Mapping[str, TrackRecord]) -> dict[str, TrackRecord]:
    """Give what is known after a run."""
    return {**old, **{name: old.get(name, NOTHING_KNOWN) + one for name, one in new.items()}}
