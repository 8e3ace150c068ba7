"""Progress as plain lines: what begins, what ended and how, what waits for a person."""

from collections.abc import Sequence
from datetime import datetime
from typing import TextIO

from stretto.cli.chains import news
from stretto.cli.screen import Quiet
from stretto.cli.text import clean, one_line
from stretto.core.chains import BY_HAND
from stretto.core.events import (
    AgentHeld,
    AttemptDoubted,
    AttemptStarted,
    BreakerClosed,
    BreakerOpened,
    CompensationPlanned,
    DeadlinePassed,
    Event,
    NobodyAnswered,
    NoticeTried,
    PersonAnswered,
    PersonAsked,
    PersonReminded,
    PlanClosed,
    PlanRefused,
    RequestEscalated,
    RequestExpired,
    ResultRejected,
    ResultReviewed,
    RetryScheduled,
    RunCancelled,
    RunContinued,
    RunEnded,
    RungClimbed,
    RunPaused,
    RunStopped,
    RunSubmitted,
    TaskAdded,
    TaskCompleted,
    TaskExpanded,
    TaskFailed,
    TaskSkipped,
)
from stretto.core.state import RunState
from stretto.telling.standstill import named

MOST_TASK_LINES = 400
_SIGNS = {"start": "▸", "done": "✓", "fail": "✗", "skip": "–", "ask": "?", "note": "·"}
_PLAIN_SIGNS = {"start": ">", "done": "+", "fail": "x", "skip": "-", "ask": "?", "note": "."}


class Progress(Quiet):
    """A screen (see `stretto.cli.screen`) of one line per thing that happened; long runs are thinned out."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._lines = 0
        self._alert = ""
        plain = (stream.encoding or "").lower().replace("-", "") != "utf8"
        self._signs = _PLAIN_SIGNS if plain else _SIGNS

    def __call__(self, state: RunState, events: Sequence[Event]) -> None:
        super().__call__(state, events)
        tasks = sum(isinstance(event, TaskAdded) for event in events)
        for event in events:
            self._tell(state, event)
        if tasks and state.plan_open:
            self._line(state.at, "note", f"{len(state.ids)} tasks planned so far")

    def alert(self, text: str) -> None:
        if text and text != self._alert:
            self.say(f"! {text}")
        self._alert = text

    def overhear(self, text: str) -> None:
        self.prompt(text)

    def _tell(self, state: RunState, event: Event) -> None:
        at = event.at
        match event:
            case RunSubmitted():
                self.say(f"goal   {one_line(event.goal)}\nrun    {event.run}")
            case PlanClosed():
                tasks = sum(one.parent is None for one in state.tasks.values())
                warnings = sum(one.severity == "warning" for one in event.diagnostics)
                told = f", {warnings} warnings" if warnings else ""
                self._line(at, "note", f"plan checked: {tasks} tasks, no errors{told}")
            case CompensationPlanned():
                self._task(at, "note", event.task, f"will be undone because {event.because}")
            case PlanRefused():
                self._line(at, "fail", f"plan refused: {event.reason}")
            case TaskExpanded():
                self._line(at, "note", f"{event.task}: {len(event.items)} items")
            case AttemptStarted():
                again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
                self._task(at, "start", event.task, f"{event.agent}{again}  {self._subject(state, event.task)}")
            case TaskCompleted():
                one = state.tasks[event.task]
                took = f"{at - one.started:.1f} s" if one.started is not None else ""
                self._task(at, "done", event.task, took)
            case TaskFailed():
                self._line(at, "fail", f"{event.task}: {event.failure.value}: {event.message}")
            case TaskSkipped():
                self._task(at, "skip", event.task, f"skipped: {event.reason}")
            case RungClimbed() if event.do not in ("retry", "revise", "ask"):
                to = f" {event.agent}" if event.agent else ""
                self._line(at, "note", f"{event.task}: {event.failure.value}: {event.why}; next: {event.do}{to}")
            case RunStopped():
                self._line(at, "fail", event.reason)
            case NobodyAnswered():
                self._line(at, "note", f"{event.task}: nobody answered in time")
            case RetryScheduled() if event.rung == BY_HAND:
                self._line(at, "note", f"{event.task}: whoever did it is asked for another result")
            case RetryScheduled():
                self._line(at, "note", f"{event.task}: {event.rung}; tries again in {event.until - at:.1f} s")
            case ResultReviewed():
                for note in (note for review in event.reviews for note in review.notes):
                    self._line(at, "note", f"{event.task}: {note}")
            case ResultRejected():
                self._line(at, "note", f"{event.task}: sent back by {event.reviewer}: {'; '.join(event.findings)}")
            case PersonAsked():
                self._line(
                    at, "ask", f"{event.request.task or 'the goal'} waits for a person: {event.request.question}"
                )
            case PersonAnswered():
                self._line(at, "note", f"{event.task}: {event.decision} by {event.by}")
            case PersonReminded() | RequestEscalated() | RequestExpired():
                self._line(at, "note" if isinstance(event, RequestExpired) else "ask", str(news(event)))
            case AttemptDoubted():
                self._line(at, "note", f"{event.task}: in doubt after a stop; asking whether it happened")
            case DeadlinePassed():
                self._line(at, "fail", event.reason)
            case BreakerOpened():
                heard = f" (learned in run {event.run})" if event.run else ""
                self._line(at, "fail", f"{named(event.agent)} is held for {event.until - at:.1f} s: {event.why}{heard}")
            case BreakerClosed():
                self._line(at, "done", f"{named(event.agent)} is well again")
            case AgentHeld():
                self._line(at, "note", f"{named(event.agent)} is held for {event.until - at:.1f} s: {event.why}")
            case RunPaused():
                self._line(at, "fail" if event.alarm else "note", f"paused: {event.reason}")
            case RunContinued():
                self._line(at, "note", f"goes on, says {event.by}")
            case NoticeTried() if event.errors:
                for channel, error in event.errors:
                    given_up = "" if event.until is not None else "; given up"
                    self._line(at, "note", f"an alert did not get through {channel}: {error}{given_up}")
            case RunCancelled():
                self._line(at, "fail", f"cancelled by {event.by}")
            case RunEnded():
                self._line(at, "note", f"run {event.status.value}")

    def _subject(self, state: RunState, id_: str) -> str:
        one = state.tasks[id_]
        item = one.item if isinstance(one.item, str) else ""
        return item.rsplit("/", 1)[-1] if item else one.task.objective

    def _task(self, at: float, sign: str, id_: str, text: str) -> None:
        self._lines += 1
        if self._lines == MOST_TASK_LINES:
            self._line(at, "note", "many tasks: from here on only what matters")
        elif self._lines < MOST_TASK_LINES:
            self._line(at, sign, f"{id_:<18} {text}".rstrip())

    def _line(self, at: float, sign: str, text: str) -> None:
        clock = datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S")
        self.say(f"{clock}  {self._signs[sign]} {' '.join(clean(text).splitlines())}")
