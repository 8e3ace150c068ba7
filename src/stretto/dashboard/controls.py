"""The buttons of a run: what may be done with it as it stands, by whoever looks at it."""

from collections.abc import Callable

from stretto.access.roles import Permission
from stretto.core.domain import TaskStatus
from stretto.core.state import RunState
from stretto.dashboard.actions import CANCEL, PAUSE, REPLAN, RESUME, RETRY
from stretto.dashboard.fields import Check, choice, text_area, text_line
from stretto.dashboard.live import LiveRun
from stretto.dashboard.parts import Tag, button
from stretto.dashboard.shell import Frame

MOST_FAILED = 200
"""Failed tasks that are offered to be done once more."""


class Controls:
    """The row of buttons. It changes with the run; a word that comes too late is refused by the run, in plain words."""

    def __init__(self, frame: Frame, live: LiveRun) -> None:
        self._frame, self._live = frame, live
        self._row = Tag("div", "actions controls", role="group", aria_label="What can be done")
        self._offered: tuple[str, ...] | None = None
        live.on_change(self._show)

    def _show(self, state: RunState, now: float) -> None:
        offered = offers(state) if self._frame.visitor.may(Permission.OPERATE) else ()
        if offered == self._offered:
            return
        self._offered = offered
        self._row.clear()
        made: dict[str, Callable[[], Tag]] = {
            "pause": lambda: button("Pause", self._pause),
            "resume": lambda: button("Go on…", self._resume, "primary"),
            "retry": lambda: button("Try again…", self._retry),
            "replan": lambda: button("Plan anew…", self._replan),
            "cancel": lambda: button("Cancel…", self._cancel, "danger"),
        }
        with self._row:
            for name in offered:
                made[name]()

    async def _pause(self) -> None:
        with self._frame.plainly():
            await self._frame.visitor.do(PAUSE, self._live.run)
            self._frame.say("Paused. What is under way ends and is kept.", "good")

    def _resume(self) -> None:
        with self._frame.asking("Go on with this run", "Go on", self._resumed):
            self._budget = text_line("Another budget", hint="Such as $5, 100k tokens or 50 steps; empty keeps it.")
            self._deadline = text_line("Another deadline", hint="Such as 30m or 2026-12-31T18:00; empty keeps it.")

    async def _resumed(self) -> None:
        budget, deadline = self._budget.text.strip() or None, self._deadline.text.strip() or None
        await self._frame.visitor.do(RESUME, self._live.run, budget=budget, deadline=deadline)

    def _retry(self) -> None:
        with self._frame.asking("Try a task again", "Try again", self._retried):
            self._task = choice("Task", {id_: id_ for id_ in failed(self._live.state)})
            self._feedback = text_area("What should it mind?", hint="May stay empty. Its agent reads it.")
            Tag("p", "soft", "What fell because of the task is done again too.")

    async def _retried(self) -> None:
        await self._frame.visitor.do(RETRY, self._live.run, self._task.text, feedback=self._feedback.text.strip())

    def _replan(self) -> None:
        with self._frame.asking("Plan the unfinished part anew", "Plan anew", self._replanned):
            self._words = text_area("What should be different?", hint="Added to the goal. Finished tasks stay.")

    async def _replanned(self) -> None:
        await self._frame.visitor.do(REPLAN, self._live.run, self._words.text)

    def _cancel(self) -> None:
        with self._frame.asking("Cancel this run?", "Cancel the run", self._cancelled, tone="bad"):
            Tag("p", "", "A cancelled run does not go on. What is finished stays.")
            self._reason = text_line("Why?", hint="May stay empty. It stands in the record.")
            self._undo = Check("Take back what it did, where that can be done")

    async def _cancelled(self) -> None:
        await self._frame.visitor.do(CANCEL, self._live.run, reason=self._reason.text.strip(), undo=self._undo.checked)


def offers(state: RunState) -> tuple[str, ...]:
    """Say what may be done with a run as it stands, in the order of the buttons."""
    if not state.run or state.parent:
        return ()
    found = []
    if not state.status.final and state.cancelling is None:
        found.append("pause" if state.paused is None else "resume")
    if failed(state):
        found.append("retry")
    if state.delivery is None and not state.status.final and not state.planning:
        found.append("replan")
    if not state.status.final:
        found.append("cancel")
    return tuple(found)


def failed(state: RunState) -> list[str]:
    """Name the tasks that may be tried again because they failed, in the order of the plan."""
    found = []
    for position in range(len(state.ids)):
        one = state.tasks[state.ids[position]]
        if one.status is TaskStatus.FAILED and one.task.undoes is None and one.children is None:
            found.append(state.ids[position])
            if len(found) == MOST_FAILED:
                break
    return found
