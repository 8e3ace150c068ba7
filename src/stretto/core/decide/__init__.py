"""`decide`: which facts follow from a command. None when it is late, doubled or moot; all of them or none."""

from collections.abc import Sequence
from typing import assert_never

from stretto.core.commands import (
    AddTask,
    AnswerRequest,
    BeginCall,
    Cancel,
    ChangeEdition,
    ChangeLimits,
    ClarifyGoal,
    ClosePlan,
    Command,
    Continue,
    Deliver,
    EditPlan,
    EndCall,
    FailPlan,
    FireTimer,
    HearOf,
    InterpretGoal,
    Judged,
    LookedUp,
    NoticeSent,
    Pause,
    RateRun,
    Recover,
    Replan,
    ReportOutcome,
    ReportReview,
    ReportShortened,
    RetryTask,
    SubmitGoal,
)
from stretto.core.decide.attempts import looked_up, outcome, recover, shortened
from stretto.core.decide.calls import begin_call, end_call
from stretto.core.decide.chains import catch_up
from stretto.core.decide.control import cancel, retry
from stretto.core.decide.draft import Draft
from stretto.core.decide.holds import hear
from stretto.core.decide.notices import sent
from stretto.core.decide.pausing import carry_on, pause, watch
from stretto.core.decide.people import answer
from stretto.core.decide.planning import add_task, clarify, close_plan, fail_plan, interpret, submit
from stretto.core.decide.rating import rate
from stretto.core.decide.reviews import review
from stretto.core.decide.revising import choose, edit, follow, replan
from stretto.core.decide.runs import change_edition, change_limits, deliver, fire
from stretto.core.decide.starting import judged
from stretto.core.decide.undoing import undo_what_fell
from stretto.core.events import (
    Event,
)
from stretto.core.state import RunState


def decide(state: RunState, command: Command) -> Sequence[Event]:
    """Give the facts that follow from a command, in order."""
    return step(state, command)[0]


def step(state: RunState, command: Command) -> tuple[Sequence[Event], RunState]:
    """Give the facts and the state after them, so that a shell folds them only once."""
    draft = Draft(state, command)
    match command:
        case Judged():
            judged(draft, command)
        case ReportOutcome():
            outcome(draft, command)
            watch(draft)
        case ReportReview():
            review(draft, command)
            watch(draft)
        case ReportShortened():
            shortened(draft, command)
        case BeginCall():
            begin_call(draft, command)
        case EndCall():
            end_call(draft, command)
        case AddTask():
            add_task(draft, command)
        case ClosePlan():
            close_plan(draft, command)
        case FailPlan():
            fail_plan(draft, command)
        case InterpretGoal():
            interpret(draft, command)
        case ClarifyGoal():
            clarify(draft, command)
        case SubmitGoal():
            submit(draft, command)
        case FireTimer():
            fire(draft, command)
        case AnswerRequest():
            if not choose(draft, command):
                answer(draft, command)
        case Recover():
            recover(draft)
            catch_up(draft)
        case LookedUp():
            looked_up(draft, command)
            watch(draft)
        case ChangeLimits():
            change_limits(draft, command)
        case ChangeEdition():
            change_edition(draft, command)
        case Cancel():
            cancel(draft, command)
        case Pause():
            pause(draft, command)
        case Continue():
            carry_on(draft, command)
        case HearOf():
            hear(draft, command)
        case NoticeSent():
            sent(draft, command)
        case RetryTask():
            retry(draft, command)
        case EditPlan():
            edit(draft, command)
        case Replan():
            replan(draft, command)
        case RateRun():
            rate(draft, command)
        case Deliver():
            deliver(draft, command)
        case _:
            assert_never(command)
    follow(draft)
    if draft.events and draft.state.open_tasks == 0 and draft.state.settled and not state.settled:
        undo_what_fell(draft)
    return draft.events, draft.state
