"""What runs teach about durations: a fold over their events, by agent and skill. It only ever sets priorities."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from stretto.core.domain import AgentCard
from stretto.core.events import (
    AttemptCompleted,
    AttemptDoubted,
    AttemptFailed,
    AttemptForgotten,
    AttemptStarted,
    AttemptSuspended,
    Event,
    RunEnded,
    TaskAdded,
)

MOST_WEIGHT = 50
"""Attempts that what was learned before counts for at the most, so that recent ones keep their say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """How long an agent takes for a skill: the mean seconds of `count` attempts that brought a result."""

    count: int
    seconds: float

    def merged(self, newer: "Learned") -> "Learned":
        """Give what both say together. Each counts for at most `MOST_WEIGHT` attempts."""
        old, new = min(self.count, MOST_WEIGHT), min(newer.count, MOST_WEIGHT)
        mean = (self.seconds * old + newer.seconds * new) / (old + new)
        return Learned(count=min(old + new, MOST_WEIGHT), seconds=mean)


@dataclass(slots=True)
class Lessons:
    """A run's events folded so far. Attempts that failed or waited for a person teach nothing."""

    _skills: dict[str, str] = field(default_factory=dict)
    _begun: dict[str, tuple[str, float]] = field(default_factory=dict)
    _sums: dict[str, tuple[int, float]] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Fold one more event."""
        match event:
            case TaskAdded():
                self._skills[event.task.id] = event.task.skill
            case AttemptStarted():
                skill = self._skills.get(event.task.partition("[")[0])  # an item or a round has the skill of the whole
                if skill is not None:
                    self._begun[event.task] = (f"{event.agent}/{skill}", event.at)
            case AttemptCompleted():
                name, begun = self._begun.pop(event.task, ("", 0.0))
                if name:
                    count, seconds = self._sums.get(name, (0, 0.0))
                    self._sums[name] = (count + 1, seconds + max(event.at - begun, 0.0))
            case AttemptFailed() | AttemptSuspended() | AttemptDoubted() | AttemptForgotten():
                self._begun.pop(event.task, None)
            case RunEnded():
                self._begun.clear()
                self._sums.clear()  # the store has them
            case _:
                pass

    def with_end(self, events: Sequence[Event]) -> dict[str, Learned]:
        """Give what the run will have taught with these events, which end it; nothing when they do not."""
        if not any(isinstance(event, RunEnded) for event in events):
            return {}
        whole = Lessons(dict(self._skills), dict(self._begun), dict(self._sums))
        for event in takewhile(_before_the_end, events):
            whole.take(event)
        return whole.learned()

    def interrupted(self) -> None:
        """Forget the attempts under way: nobody knows how long they took while their process was gone."""
        self._begun.clear()

    def learned(self) -> dict[str, Learned]:
        """Give what was learned, by "agent/skill"."""
        return {name: Learned(count=count, seconds=total / count) for name, (count, total) in self._sums.items()}


def learned(events: Iterable[Event]) -> dict[str, Learned]:
    """Fold the events of a run that has not ended yet, or those up to its end."""
    lessons = Lessons()
    for event in takewhile(_before_the_end, events):
        lessons.take(event)
    return lessons.learned()


def _before_the_end(event: Event) -> bool:
    return not isinstance(event, RunEnded)


def merged(old: Mapping[str, Learned], new: Mapping[str, Learned]) -> dict[str, Learned]:
    """Give what is known after a run."""
    return {**old, **{name: old[name].merged(one) if name in old else one for name, one in new.items()}}


def expected(known: Mapping[str, Learned], agents: Iterable[AgentCard]) -> dict[str, float]:
    """Give the seconds to expect of some agents, by "agent/skill", where anything is known."""
    names = (f"{card.name}/{skill.name}" for card in agents for skill in card.skills)
    return {name: known[name].seconds for name in names if name in known}
