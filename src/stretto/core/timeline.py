"""When what ran, as a fold over the events of a run: attempts, waits for people, parallelism, idle time, handoffs."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from stretto.core.domain import Task
from stretto.core.events import (
    AttemptCompleted,
    AttemptFailed,
    AttemptForgotten,
    AttemptLost,
    AttemptStarted,
    AttemptSuspended,
    CompensationPlanned,
    DeadlinePassed,
    Event,
    NobodyAnswered,
    PersonAnswered,
    PersonAsked,
    PlanRefused,
    PlanRevised,
    ReadStale,
    ResultRejected,
    RevisionBegun,
    RevisionRefused,
    RoundOpened,
    RunCancelled,
    RunContinued,
    RunEnded,
    RunForked,
    RunStopped,
    RunSubmitted,
    TaskAdded,
    TaskCompleted,
    TaskExpanded,
    TaskFailed,
    TaskSkipped,
    TasksReopened,
    WaitEnded,
)
from stretto.core.plan.references import needs
from stretto.core.spans import between, covered, most_at_once
from stretto.core.state import child_id

Ending: TypeAlias = Literal["done", "failed", "open"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of time in which something went on, in seconds since the epoch.

    `kind` tells an attempt from a wait for a person; an `open` one has not ended yet, and ends with the last event.
    """

    task: str
    kind: Literal["attempt", "person"]
    attempt: int
    agent: str
    begin: float
    end: float
    ending: Ending


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff:
    """How long a task that could start took to start: from the last result it waits for, a person's word, or the end of
    a pause on.
    """

    task: str
    after: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A run in time. `parallel` is the mean number of attempts while any runs, `most` the greatest.

    `gaps` are the times between begin and end in which neither an attempt ran nor a person was waited for.
    """

    begin: float
    end: float
    stretches: tuple[Stretch, ...]
    handoffs: tuple[Handoff, ...]
    gaps: tuple[tuple[float, float], ...]
    parallel: float
    most: int

    @property
    def busy(self) -> float:
        """Seconds in which at least one attempt ran."""
        return covered([(one.begin, one.end) for one in self.stretches if one.kind == "attempt"])

    @property
    def idle(self) -> float:
        """Seconds in which nothing went on and nobody was asked."""
        return sum(end - begin for begin, end in self.gaps)


@dataclass(slots=True)
class TimelineFold:
    """A run's events folded so far: stretches that are `open`, by task and kind, and those that are `closed`.

    `handoffs` grows by one with each task that starts after what it waited for.
    """

    begin: float = 0.0
    end: float = 0.0
    ended: bool = False
    waits: dict[str, tuple[str, ...]] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    open: dict[tuple[str, str], Stretch] = field(default_factory=dict)
    closed: list[Stretch] = field(default_factory=list)
    results: dict[str, float] = field(default_factory=dict)
    free: dict[str, tuple[float, str]] = field(default_factory=dict)  # when an answer, or a moment, let a task go on
    begun: set[str] = field(default_factory=set)
    undoings: set[str] = field(default_factory=set)
    offered: str | None = None  # the failed task about which somebody was last asked how to go on
    handoffs: list[Handoff] = field(default_factory=list)

    def take(self, event: Event) -> None:
        """Take in the next event of the run."""
        if not self.ended:
            self.end = event.at
        match event:
            case RunSubmitted():
                self.begin = event.at
            case TaskAdded():
                self._plan(event.task)
            case CompensationPlanned():
                self._plan(event.undo)
                self.undoings.add(event.undo.id)
            case TaskExpanded():
                for number in range(len(event.items)):
                    self.parents[child_id(event.task, number)] = event.task
            case RoundOpened():
                name = child_id(event.task, event.round)
                self.parents[name] = event.task
                if event.round:
                    self.free[name] = (event.at, child_id(event.task, event.round - 1))
            case WaitEnded():
                self.free[event.task] = (event.at, "its wait")
            case AttemptStarted():
                self._start(event)
            case AttemptCompleted():
                self.results[event.task] = event.at
                self._close(event.task, "attempt", event.at, "done")
            case AttemptFailed() | AttemptSuspended() | AttemptForgotten() | AttemptLost():
                self._close(event.task, "attempt", event.at, "failed")
            case ResultRejected():
                self._send_back(event.task)
            case ReadStale():
                if event.redone:
                    self._send_back(event.task)
            case PersonAsked():
                one = event.request
                self._open(one.task, "person", one.attempt, "", event.at)
                if one.kind == "alternatives" and not one.via:
                    self.offered = one.task
            case PersonAnswered():
                self.offered = None if event.task == self.offered else self.offered
                self.free[event.task] = (event.at, "a person")
                self._close(event.task, "person", event.at, "done")
            case TaskCompleted() | TaskFailed() | TaskSkipped():
                self.results.setdefault(event.task, event.at)
                for kind in ("attempt", "person"):
                    self._close(event.task, kind, event.at, "failed")
            case NobodyAnswered():
                self._close(event.task, "person", event.at, "failed")
            case RunCancelled():
                self._stop(event.at, self.undoings if event.undo else frozenset())
            case DeadlinePassed() | RunStopped() | PlanRefused(finish=False):
                self._stop(event.at, self.undoings)
            case RunEnded():
                self.ended = True
            case RevisionRefused():
                self._close("", "person", event.at, "failed")  # nobody is asked any more what the goal means
            case RevisionBegun():
                self._go_on(event.at)
            case RunForked():
                self._go_on(event.at)
                self._let_go(event.at, "the fork")
            case RunContinued():
                self._let_go(event.at, "a pause")
            case TasksReopened():
                self._go_on(event.at)
                self._reopen(event)
            case PlanRevised():
                self._go_on(event.at)
                self._revise(event)
            case _:
                pass

    def _plan(self, task: Task) -> None:
        self.waits[task.id] = tuple(name for name in needs(task) if name != task.id)

    def _go_on(self, at: float) -> None:
        """Go on with a run, whether or not it had ended; nobody is asked any more how."""
        self.ended, self.end = False, at
        if self.offered is not None:
            self._close(self.offered, "person", at, "failed")
            self.offered = None

    def _let_go(self, at: float, after: str) -> None:
        """Let what has not begun go on: until now it was something else that held it back."""
        parts = [id_ for id_, whole in self.parents.items() if self.waits.get(whole) or id_ in self.free]
        waiting = [id_ for id_, before in self.waits.items() if before] + parts
        self.free.update(dict.fromkeys((id_ for id_ in waiting if id_ not in self.begun), (at, after)))

    def _stop(self, at: float, spared: Collection[str]) -> None:
        """End what is under way."""
        for task, kind in [key for key in self.open if key[0] not in spared]:
            self._close(task, kind, at, "failed")

    def _reopen(self, event: TasksReopened) -> None:
        """Open tasks once more: what of them was under way is withdrawn."""
        opened = {task for task, _ in self.open if task in event.tasks or _whole(task) in event.tasks}
        self._stop(event.at, {task for task, _ in self.open} - opened)
        self.free.update(dict.fromkeys(event.tasks, (event.at, "a person")))

    def _revise(self, event: PlanRevised) -> None:
        """Put another plan in place: what stays goes on under its new name, what else was under way is withdrawn."""
        names = renamed(
            event, [*self.results, *self.parents, *self.begun, *self.free, *(task for task, _ in self.open)]
        )
        self._stop(event.at, {task for task, _ in self.open if task in names})
        self.open = {(names[task], kind): replace(one, task=names[task]) for (task, kind), one in self.open.items()}
        self.results = {names[id_]: at for id_, at in self.results.items() if id_ in names}
        self.parents = {names[id_]: _whole(names[id_]) for id_ in self.parents if id_ in names}
        self.begun = {names[id_] for id_ in self.begun if id_ in names}
        self.free = {names[id_]: free for id_, free in self.free.items() if id_ in names}
        for task in event.tasks:
            self._plan(task)
            if task.id not in event.carried:
                self.free[task.id] = event.at, "a new plan"

    def _start(self, event: AttemptStarted) -> None:
        self._close(event.task, "attempt", event.at, "failed")  # its owner died: it was begun again
        self._open(event.task, "attempt", event.attempt, event.agent, event.at)
        if event.task in self.begun:
            return
        self.begun.add(event.task)
        waited = self.waits.get(self.parents.get(event.task, event.task), ())
        if event.task in self.free and event.task in self.parents:
            waited = ()  # a later round waited for the one before
        ready = [(self.results[name], name) for name in waited if name in self.results]
        if event.task in self.free:
            ready.append(self.free[event.task])
        if ready:
            at, after = max(ready)
            self.handoffs.append(Handoff(task=event.task, after=after, seconds=max(event.at - at, 0.0)))

    def _open(self, task: str, kind: Literal["attempt", "person"], attempt: int, agent: str, at: float) -> None:
        self.open[task, kind] = Stretch(
            task=task, kind=kind, attempt=attempt, agent=agent, begin=at, end=at, ending="open"
        )

    def _close(self, task: str, kind: str, at: float, ending: Ending) -> None:
        one = self.open.pop((task, kind), None)
        if one is not None:
            self.closed.append(replace(one, end=at, ending=ending))

    def _send_back(self, task: str) -> None:
        """The last attempt brought a result that does not count: a review refused it, or what it had read changed."""
        self.results.pop(task, None)
        for number in range(len(self.closed) - 1, -1, -1):
            one = self.closed[number]
            if one.task == task and one.kind == "attempt":
                self.closed[number] = replace(one, ending="failed")
                return


def timeline(events: Iterable[Event], now: float | None = None) -> Timeline:
    """Fold events; `now` is when a run that has not ended is looked at (None: at its last event)."""
    fold = TimelineFold()
    for event in events:
        fold.take(event)
    end = fold.end if fold.ended or now is None else max(now, fold.end)
    still = [replace(one, end=end) for one in fold.open.values()]
    stretches = sorted([*fold.closed, *still], key=lambda one: (one.begin, one.end, one.task))
    attempts = [(one.begin, one.end) for one in stretches if one.kind == "attempt"]
    busy = covered(attempts)
    return Timeline(
        begin=fold.begin,
        end=end,
        stretches=tuple(stretches),
        handoffs=tuple(fold.handoffs),
        gaps=tuple(between([(one.begin, one.end) for one in stretches], fold.begin, end)),
        parallel=sum(last - first for first, last in attempts) / busy if busy else 0.0,
        most=most_at_once(attempts),
    )


def renamed(event: PlanRevised, ids: Iterable[str]) -> dict[str, str]:
    """Give the new name of each task, item or round that stays as it stands in another plan."""
    new = {old: name for name, old in event.carried.items()}
    return {id_: new[whole] + id_.removeprefix(whole) for id_ in ids if (whole := _whole(id_)) in new}


def _whole(id_: str) -> str:
    """Give the task of the plan that an item or a round belongs to."""
    return id_.partition("[")[0]
