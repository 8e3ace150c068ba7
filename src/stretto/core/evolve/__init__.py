"""`evolve`: what a fact makes of a run. Total: it refuses nothing, and each fact costs the same in any plan."""

from typing import assert_never

from msgspec.structs import replace

from stretto.core.domain import FREE, FailureClass, Rating, TaskStatus
from stretto.core.events import (
    AgentHeld,
    ArgumentsShortened,
    AttemptCompleted,
    AttemptDoubted,
    AttemptFailed,
    AttemptForgotten,
    AttemptLost,
    AttemptStarted,
    AttemptSuspended,
    BreakerClosed,
    BreakerOpened,
    CallBegun,
    CallEnded,
    CallFailed,
    CallForgotten,
    CallJudged,
    CallLost,
    CallRefused,
    CompensationPlanned,
    DeadlinePassed,
    EditionChanged,
    Event,
    GoalInterpreted,
    Heard,
    HoldEnded,
    LimitsChanged,
    NobodyAnswered,
    NoticeTried,
    PersonAnswered,
    PersonAsked,
    PersonReminded,
    PlanClosed,
    PlanRefused,
    PlanRevised,
    RateUsed,
    ReadStale,
    RepeatStopped,
    RequestEscalated,
    RequestExpired,
    ResultRejected,
    ResultReused,
    ResultReviewed,
    RetryDue,
    RetryScheduled,
    RevisionBegun,
    RevisionRefused,
    RoundJudged,
    RoundOpened,
    RoundPaused,
    RunCancelled,
    RunCancelling,
    RunContinued,
    RunEnded,
    RunForked,
    RungClimbed,
    RunPaused,
    RunRated,
    RunStopped,
    RunSubmitted,
    TaskAdded,
    TaskCompleted,
    TaskDrafted,
    TaskExpanded,
    TaskFailed,
    TaskJudged,
    TaskOverdue,
    TaskSkipped,
    TasksReopened,
    WaitEnded,
)
from stretto.core.evolve.attempts import brought, doubted, failed, released, sent_for_revision, started
from stretto.core.evolve.calls import (
    call_begun,
    call_ended,
    call_failed,
    call_forgotten,
    call_judged,
    call_lost,
    call_refused,
)
from stretto.core.evolve.chains import escalated, expired, reminded
from stretto.core.evolve.holds import begun, heard, held, let_go, tallied
from stretto.core.evolve.ladder import climbed, given_up
from stretto.core.evolve.pausing import accepted, attempted, continued, sent_back
from stretto.core.evolve.people import answered, asked
from stretto.core.evolve.queues import changed, ready, unready
from stretto.core.evolve.reviews import reviewed
from stretto.core.evolve.revisions import drafted, drafting, forked, reopened, reused, revised, withdrawn
from stretto.core.evolve.rounds import round_opened
from stretto.core.evolve.runs import plan_closed, stopped, submitted
from stretto.core.evolve.streams import broken_off
from stretto.core.evolve.tasks import added, completed, expanded, over
from stretto.core.evolve.undoing import planned
from stretto.core.evolve.waiting import wait_ended, without_timer
from stretto.core.notices import noticed, tried
from stretto.core.state import LIMIT, WAIT, RunState


def evolve(state: RunState, event: Event) -> RunState:
    """Give the state after a fact."""
    state = replace(state, seq=state.seq + 1, at=event.at)
    match event:
        case TaskAdded():
            return added(state, event)
        case AttemptStarted():
            return begun(started(state, event), event)
        case AttemptCompleted():
            cost = event.cost + state.tasks[event.task].called
            return tallied(attempted(brought(state, event), cost, failed=False), event.task, None)
        case TaskCompleted():
            return completed(accepted(state, event.task), event)
        case CompensationPlanned():
            return planned(state, event)
        case TaskFailed():
            return over(state, event.task, status=TaskStatus.FAILED, failure=event.failure, reason=event.message)
        case TaskSkipped():
            said = {"reason": event.reason, "wanted": event.wanted, "excused": event.excused}
            return over(state, event.task, status=TaskStatus.SKIPPED, **said)
        case AttemptFailed():
            cost = event.cost + state.tasks[event.task].called
            state = failed(state, event.task, event.cost, event.failure, event.message, event.produced)
            return tallied(attempted(state, cost, failed=True), event.task, event.failure)
        case ArgumentsShortened():
            return changed(state, event.task, shortened=event.arguments)
        case ResultReviewed():
            return reviewed(state, event)
        case ResultRejected():
            told = "; ".join(event.findings)
            state = sent_back(state, event.task)
            return failed(state, event.task, FREE, FailureClass.INVALID_OUTPUT, told, event.produced)
        case CallBegun():
            return call_begun(state, event)
        case CallEnded():
            return call_ended(state, event)
        case CallFailed():
            return call_failed(state, event)
        case CallRefused():
            return call_refused(state, event)
        case CallJudged():
            return call_judged(state, event)
        case CallForgotten():
            return call_forgotten(state, event)
        case CallLost():
            return call_lost(state, event)
        case RungClimbed():
            return climbed(state, event)
        case ReadStale():
            if event.redone:
                return changed(state, event.task, status=TaskStatus.PENDING, result=None)
            return changed(state, event.task, stale=event.entries)
        case AttemptSuspended():
            status = TaskStatus.UNKNOWN if event.unknown else TaskStatus.WAITING
            return changed(released(state, event.task, event.cost), event.task, status=status)
        case AgentHeld() | BreakerOpened():
            return noticed(held(state, event), event)
        case NoticeTried():
            return tried(state, event)
        case HoldEnded() | BreakerClosed():
            return let_go(state, event)
        case Heard():
            return heard(state, event)
        case RateUsed():
            return state  # in the stream of an agent only
        case RunPaused():
            return noticed(replace(state, paused=event.reason), event)
        case RunContinued():
            return continued(state)
        case AttemptDoubted():
            return doubted(state, event)
        case AttemptForgotten():
            return ready(changed(released(state, event.task, FREE), event.task, in_doubt=False), event.task)
        case AttemptLost():
            return ready(released(state, event.task, event.cost), event.task)
        case RetryScheduled():
            state = sent_for_revision(state, event.task) if event.feedback else state
            return changed(state, event.task, retry_at=event.until, feedback=event.feedback)
        case RetryDue():
            return ready(changed(state, event.task, retry_at=None), event.task)
        case TaskExpanded():
            return expanded(state, event)
        case RoundOpened():
            return round_opened(state, event)
        case RoundJudged():
            one = state.tasks[event.task]
            judged = replace(one, ready=False, status=TaskStatus.RUNNING)
            return replace(unready(state, one), tasks=state.tasks.set(event.task, judged))
        case RoundPaused():
            return replace(state, timers=state.timers.set(f"{WAIT}/{event.task}", event.until))
        case RepeatStopped():
            one = replace(state.tasks[event.task], reason=event.reason)
            return replace(state, tasks=state.tasks.set(event.task, one))
        case WaitEnded():
            return wait_ended(state, event)
        case TaskOverdue():
            return without_timer(state, f"{LIMIT}/{event.task}")
        case PersonAsked():
            return noticed(asked(state, event), event)
        case PersonAnswered():
            return answered(state, event)
        case PersonReminded():
            return noticed(reminded(state, event), event)
        case RequestEscalated():
            return noticed(escalated(state, event), event)
        case RequestExpired():
            return noticed(expired(state, event), event)
        case TaskJudged():
            return state
        case RunSubmitted():
            return submitted(state, event)
        case GoalInterpreted():
            if state.draft is not None:
                draft = replace(state.draft, inputs=event.inputs, specs=event.specs)
                return replace(state, interpretation=event.interpretation, draft=draft)
            return replace(
                state,
                interpretation=event.interpretation,
                inputs={**state.inputs, **event.inputs},
                specs={**state.specs, **event.specs},
            )
        case PlanClosed():
            return plan_closed(state, event)
        case PlanRefused():
            without = replace(state, refused=event.reason, diagnostics=event.diagnostics, plan_open=False)
            if event.finish:
                return broken_off(without, "it was held back until the plan is closed, and that never came")
            return stopped(without, f"the plan was refused: {event.reason}")
        case LimitsChanged():
            return replace(
                state,
                budget=event.budget if event.budget is not None else state.budget,
                deadline=event.deadline if event.deadline is not None else state.deadline,
            )
        case EditionChanged():
            return replace(state, edition=event.edition, edition_note=event.reason)
        case DeadlinePassed():
            return noticed(stopped(replace(state, deadline_passed=True), event.reason), event)
        case RunCancelled():
            gone = replace(state, cancelled=event.by, cancelling=None)
            return noticed(stopped(gone, f"cancelled by {event.by}", sparing=event.undo), event)
        case RunCancelling():
            return replace(state, cancelling=event.until, cancelling_by=event.by, cancelling_undo=event.undo)
        case TasksReopened():
            return reopened(state, event)
        case RevisionBegun():
            return drafting(state, event)
        case TaskDrafted():
            return drafted(state, event)
        case RevisionRefused():
            return withdrawn(state, event)
        case PlanRevised():
            return revised(state, event)
        case ResultReused():
            return reused(state, event)
        case RunForked():
            return forked(state, event)
        case RunStopped():
            return noticed(stopped(replace(state, stopped=event.reason), event.reason), event)
        case NobodyAnswered():
            return given_up(state, event)
        case RunEnded():
            return noticed(replace(state, status=event.status, delivery=event.delivery, ended=event.at), event)
        case RunRated():
            rating = Rating(by=event.by, score=event.score, words=event.words, at=event.at)
            return replace(state, ratings=state.ratings.set(event.by, rating))
    assert_never(event)
