"""What holds for a run as a whole: its timers, its limits, its end."""

from stretto.core.chains import TIMER
from stretto.core.commands import (
    ChangeEdition,
    ChangeLimits,
    Deliver,
    FireTimer,
)
from stretto.core.decide.chains import pass_on
from stretto.core.decide.control import end_cancelled
from stretto.core.decide.draft import Draft
from stretto.core.decide.holds import end_hold
from stretto.core.decide.ladder import expire
from stretto.core.decide.people import PERSONAL
from stretto.core.decide.waiting import timer_fired
from stretto.core.domain import (
    RunStatus,
)
from stretto.core.events import (
    DeadlinePassed,
    EditionChanged,
    LimitsChanged,
    RetryDue,
    RunEnded,
)
from stretto.core.undoing import anything_stands


def change_limits(draft: Draft, command: ChangeLimits) -> None:
    """Give a run that goes on another budget or deadline."""
    state = draft.state
    if state.run and not state.status.final and (command.budget or command.deadline is not None):
        draft.say(LimitsChanged, budget=command.budget, deadline=command.deadline)


def change_edition(draft: Draft, command: ChangeEdition) -> None:
    """Have a run that goes on do so with another edition of its workspace."""
    state = draft.state
    if state.run and not state.status.final and command.edition != state.edition:
        draft.say(EditionChanged, edition=command.edition, before=state.edition, reason=command.reason)


def fire(draft: Draft, command: FireTimer) -> None:
    """Take in that a timer's moment has come."""
    state = draft.state
    if command.timer == "deadline":
        until = state.until
        if until is not None and draft.at >= until and not state.deadline_passed and not state.status.final:
            whose = (
                {} if until == state.deadline else {"reason": f"the {state.budget.seconds:g} s of the budget are over"}
            )
            draft.say(DeadlinePassed, deadline=until, **whose)
        return
    if command.timer.startswith("failure/"):
        expire(draft, command.timer.removeprefix("failure/"))
        return
    if command.timer.startswith("hold/"):
        end_hold(draft, command.timer.removeprefix("hold/"))
        return
    timer_fired(draft, command.timer)
    if command.timer.startswith(TIMER):
        pass_on(draft, command.timer)
        return
    if command.timer == "cancel":
        if state.cancelling is not None and not state.status.final and draft.at >= state.cancelling:
            end_cancelled(draft, state.cancelling_by, "the grace is over", undo=state.cancelling_undo)
        return
    id_ = command.timer.removeprefix("retry/")
    one = state.tasks.get(id_)
    if one is not None and one.retry_at is not None and draft.at >= one.retry_at:
        draft.say(RetryDue, task=id_, attempt=one.attempt)


def deliver(draft: Draft, command: Deliver) -> None:
    """End the run with its deliverable."""
    state, delivery = draft.state, command.delivery
    if not state.settled:
        return
    short_of = RunStatus.PARTIAL if anything_stands(state) else RunStatus.FAILED
    status = short_of if delivery.gaps else RunStatus.FINISHED
    draft.say(
        RunEnded,
        status=status if state.cancelled is None else RunStatus.CANCELLED,
        delivery=delivery,
        personal=any(one.labels & PERSONAL for one in state.tasks.values()),
    )
