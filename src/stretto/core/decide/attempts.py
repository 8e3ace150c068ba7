"""What follows from the end of an attempt: its outcome, its review, the ladder, a doubt."""

from typing import assert_never

from stretto.core.budget import lost
from stretto.core.commands import (
    LookedUp,
    ReportOutcome,
    ReportShortened,
)
from stretto.core.context import effect_of
from stretto.core.decide.calls import lose_calls, lose_own_calls
from stretto.core.decide.draft import Draft
from stretto.core.decide.holds import probed_by, weigh
from stretto.core.decide.ladder import Setback, climb
from stretto.core.decide.people import ask, hand_on, is_personal
from stretto.core.decide.reviews import repeats
from stretto.core.domain import (
    FREE,
    Completed,
    Cost,
    Failed,
    FailureClass,
    InputRequired,
    Outcome,
    TaskStatus,
    Unknown,
)
from stretto.core.events import (
    ArgumentsShortened,
    AttemptCompleted,
    AttemptDoubted,
    AttemptFailed,
    AttemptForgotten,
    AttemptLost,
    AttemptSuspended,
)
from stretto.core.ladder import MAY_HAVE_HAPPENED
from stretto.core.state import RunState, TaskState

_DOUBTFUL = (TaskStatus.RUNNING, TaskStatus.UNKNOWN)


def outcome(draft: Draft, command: ReportOutcome) -> None:
    """Take in how an attempt ended."""
    one = draft.state.tasks.get(command.task)
    if one is None or one.status is not TaskStatus.RUNNING or one.attempt != command.attempt:
        return
    if not one.in_doubt or isinstance(command.outcome, Completed):  # what else it says of an action in doubt is known
        take(draft, one, command.task, command.attempt, command.outcome)


def take(draft: Draft, one: TaskState, id_: str, attempt: int, outcome: Outcome) -> None:
    """Note an outcome, and what follows from it."""
    probed = probed_by(draft.state, one, id_)
    lose_calls(draft, id_)
    match outcome:
        case Completed():
            draft.say(
                AttemptCompleted,
                task=id_,
                attempt=attempt,
                output=outcome.output,
                artifacts=outcome.artifacts,
                citations=outcome.citations,
                cost=outcome.cost,
                personal=is_personal(draft.state, one),
                gaps=outcome.gaps,
            )
        case Failed():
            if outcome.failure in MAY_HAVE_HAPPENED and _can_be_looked_up(draft.state, one):
                _put_in_doubt(draft, id_, attempt, outcome.failure, outcome.message, outcome.cost)
            else:
                _fell(draft, id_, attempt, outcome)
        case InputRequired():
            draft.say(
                AttemptSuspended,
                task=id_,
                attempt=attempt,
                unknown=False,
                message=outcome.question,
                cost=outcome.cost,
            )
            if outcome.request is not None:
                hand_on(draft, id_, attempt, outcome.request)
            else:
                ask(draft, id_, attempt, "question", outcome.question)
        case Unknown():
            if effect_of(draft.state, one, str(one.agent)).repeatable:
                _fell(draft, id_, attempt, _failed(FailureClass.UNKNOWN, outcome.message, outcome.cost))
            elif _can_be_looked_up(draft.state, one):
                _put_in_doubt(draft, id_, attempt, FailureClass.UNKNOWN, outcome.message, outcome.cost)
            elif one.doubt is not None and one.doubt[0] is not FailureClass.UNKNOWN:
                _fell(draft, id_, attempt, _failed(*one.doubt, outcome.cost))  # it said that it failed: so it stands
            else:
                doubt(draft, id_, attempt, outcome.message, outcome.cost)
        case _:
            assert_never(outcome)
    weigh(draft, str(one.agent), outcome, probed)


def _fell(draft: Draft, id_: str, attempt: int, outcome: Failed, *, settled: bool = False) -> None:
    """Note a failure, and climb the ladder; `settled` when the action is known not to have happened."""
    one = draft.state.tasks[id_]
    stuck = repeats(one, outcome.produced)
    draft.say(
        AttemptFailed,
        task=id_,
        attempt=attempt,
        failure=outcome.failure,
        message=outcome.message,
        cost=outcome.cost,
        produced=outcome.produced,
    )
    setback = Setback(
        failure=outcome.failure,
        message=outcome.message,
        agent=str(one.agent),
        retry_after=outcome.retry_after,
        stuck=stuck,
        settled=settled,
    )
    climb(draft, id_, setback)


def _failed(failure: FailureClass, message: str, cost: Cost = FREE) -> Failed:
    return Failed(failure=failure, message=message, cost=cost)


def _can_be_looked_up(state: RunState, one: TaskState) -> bool:
    """Whether an action that must not happen twice can be asked about, and was not yet."""
    agent = str(one.agent)
    return not one.in_doubt and state.roster.agents[agent].looks_up and not effect_of(state, one, agent).repeatable


def _put_in_doubt(draft: Draft, id_: str, attempt: int, failure: FailureClass, message: str, cost: Cost) -> None:
    draft.say(AttemptDoubted, task=id_, attempt=attempt, failure=failure, message=message, cost=cost)


def shortened(draft: Draft, command: ReportShortened) -> None:
    """Note what of its arguments an attempt got shortened."""
    one = draft.state.tasks.get(command.task)
    under_way = one is not None and one.status is TaskStatus.RUNNING and one.attempt == command.attempt
    if one is not None and under_way and one.shortened != command.arguments:
        draft.say(ArgumentsShortened, task=command.task, attempt=command.attempt, arguments=command.arguments)


def doubt(draft: Draft, id_: str, attempt: int, message: str, cost: Cost = FREE) -> None:
    """Ask a person what became of an attempt."""
    draft.say(AttemptSuspended, task=id_, attempt=attempt, unknown=True, message=message, cost=cost)
    ask(draft, id_, attempt, "doubt", f"{message}; did it happen? Answer done, retry or fail")


def recover(draft: Draft) -> None:
    """Put in doubt what a dead owner had under way; what may be repeated is simply done again.

    What it spent nobody knows. Where a budget limits it, that is all that was reserved, so that no crash crosses it.
    """
    lose_own_calls(draft)
    state = draft.state
    for id_ in sorted(state.active, key=lambda name: state.tasks[name].position):
        one = state.tasks[id_]
        if one.status is not TaskStatus.RUNNING or one.agent is None or one.in_doubt:
            continue
        one = lose_calls(draft, id_)
        if (kept := state.kept.get(str(one.key))) is not None:
            done = Completed(output=kept.output, artifacts=kept.artifacts, citations=kept.citations)
            take(draft, one, id_, one.attempt, done)
            continue
        agent, cost = str(one.agent), lost(state, one)
        if not effect_of(state, one, agent).repeatable:
            in_doubt(draft, id_, f"the process died while {agent!r} was at work", cost)
        elif cost != FREE:
            draft.say(AttemptLost, task=id_, attempt=one.attempt, cost=cost)


def in_doubt(draft: Draft, id_: str, message: str, cost: Cost = FREE) -> None:
    """Put an attempt under way in doubt: its agent is asked what became of it, or a person."""
    one = draft.state.tasks[id_]
    if draft.state.roster.agents[str(one.agent)].looks_up:
        draft.say(AttemptDoubted, task=id_, attempt=one.attempt, cost=cost)
    else:
        doubt(draft, id_, one.attempt, message, cost)


def looked_up(draft: Draft, command: LookedUp) -> None:
    """Take in what the agent knows of an action in doubt."""
    one = draft.state.tasks.get(command.task)
    if one is None or one.status not in _DOUBTFUL or one.attempt != command.attempt or not one.in_doubt:
        return
    if one.request is not None:
        return  # a person is asked already
    if command.outcome is None and one.doubt is not None:
        _fell(draft, command.task, command.attempt, _failed(*one.doubt), settled=True)
    elif command.outcome is None:
        draft.say(AttemptForgotten, task=command.task, attempt=command.attempt)
    else:
        take(draft, one, command.task, command.attempt, command.outcome)
