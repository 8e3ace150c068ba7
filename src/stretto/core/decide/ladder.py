"""What follows from a failure: the next rung of the task's ladder, by class, agent and number of failures."""

from dataclasses import dataclass

from stretto.core.budget import out_of_revisions, out_of_time
from stretto.core.canonical import short
from stretto.core.chains import assigned
from stretto.core.context import Missing, effect_of, resolve
from stretto.core.decide.draft import Draft
from stretto.core.decide.ending import fail, skip
from stretto.core.decide.undoing import undo_again
from stretto.core.domain import FailureClass, Json, Ladder, Request, Rung
from stretto.core.events import NobodyAnswered, PersonAsked, RetryScheduled, RungClimbed, RunStopped
from stretto.core.ladder import (
    AGAIN,
    BACKUP,
    ELSEWHERE,
    MAY_HAVE_HAPPENED,
    Place,
    pause_before,
    place_for,
    rungs_for,
    tries_of,
)
from stretto.core.state import RunState, TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class Setback:
    """A failure, and what is known of it. `agent` is who failed, or would have begun.

    `begun` tells a failed attempt from a task that could not start; `counted` that the failure is among the tries
    already; `final` that a person has said no; `stuck` why a further revision would lead nowhere; `elsewhere`
    that another agent should have it at once; `settled` that the action is known not to have happened.
    """

    failure: FailureClass
    message: str
    agent: str
    feedback: tuple[str, ...] = ()
    retry_after: float | None = None
    begun: bool = True
    counted: bool = True
    final: bool = False
    stuck: str = ""
    elsewhere: bool = False
    settled: bool = False


def climb(draft: Draft, id_: str, setback: Setback) -> None:
    """Try the next rung of the ladder; at its end the task fails."""
    state, one = draft.state, draft.state.tasks[id_]
    if one.task.undoes is not None:
        undo_again(draft, id_, setback.failure, setback.message, begun=setback.begun)
        return
    before = one.tries.get(tries_of(setback.failure, setback.agent), 0)
    rungs = rungs_for(setback.failure, ladders_of(state, one, setback.agent), state.catalogue.rules.retries)
    failures = before + (not setback.counted)
    if setback.elsewhere and _usable(state, one, setback, BACKUP):
        place = Place(rung=BACKUP, failures=failures)
    else:
        place = place_for(rungs, failures, lambda rung: _usable(state, one, setback, rung))
    rung, message = place.rung, setback.message
    if setback.stuck:
        message = f"no progress, {setback.stuck}: {message}"
    if rung.do == "fail":
        fail(draft, id_, setback.failure, message)
        return
    draft.say(
        RungClimbed,
        task=id_,
        attempt=one.attempt,
        failure=setback.failure,
        by=setback.agent,
        do=rung.do,
        failures=place.failures,
        begun=setback.begun,
        agent=_who(state, one, setback, rung),
        arguments=rung.arguments if rung.do == "with" else {},
        within=rung.within if rung.do == "ask" else None,
        why=message,
    )
    match rung.do:
        case "ask":
            _ask(draft, id_, rung, setback.failure, message)
        case "skip":
            skip(
                draft, id_, "", wanted=False, excused=True, reason=f"left out after {setback.failure.value}: {message}"
            )
        case "compensate":
            fail(draft, id_, setback.failure, message)
        case "stop":
            fail(draft, id_, setback.failure, message)
            draft.say(RunStopped, task=id_, reason=f"the run was stopped when {id_!r} failed: {message}")
        case _:
            _schedule(draft, id_, rung, place.earlier, setback)


def hold_up(draft: Draft, id_: str, agent: str, failure: FailureClass, message: str) -> None:
    """Go on when a task cannot start: a stand-in is passed over, else it is a failure of its own."""
    one = draft.state.tasks[id_]
    last = one.climbed[-1] if one.climbed else None
    if last is None or last.do not in ELSEWHERE or (last.agent, last.attempt) != (agent, one.attempt):
        climb(draft, id_, not_begun(agent, failure, message))
        return
    told = f"{last.why}; {agent!r} cannot take over: {message}"
    climb(draft, id_, Setback(failure=last.failure, message=told, agent=last.by, begun=last.begun))


def not_begun(agent: str, failure: FailureClass, message: str, *, final: bool = False) -> Setback:
    """Give the setback of a task that could not start."""
    return Setback(failure=failure, message=message, agent=agent, begun=False, counted=False, final=final)


def expire(draft: Draft, id_: str) -> None:
    """Go on when the time of the person who was asked about a failure is over."""
    one = draft.state.tasks.get(id_)
    if one is None or one.request is None or one.answer_by is None or draft.at < one.answer_by:
        return
    last = one.climbed[-1]
    draft.say(NobodyAnswered, request=one.request, task=id_)
    climb(
        draft,
        id_,
        Setback(
            failure=last.failure,
            message=f"{last.why}; nobody answered in time",
            agent=last.by,
            begun=last.begun,
            counted=False,
        ),
    )


def ladders_of(state: RunState, one: TaskState, agent: str) -> tuple[Ladder, ...]:
    """Give the ladders that hold for a task, the nearest first: its own, the skill's, the agent's, the run's."""
    roster, run = state.roster, state.catalogue.rules.ladder
    return one.task.ladder, roster.skill(one.task, agent).ladder, roster.agents[agent].ladder, run


def _usable(state: RunState, one: TaskState, setback: Setback, rung: Rung) -> bool:
    """Whether a rung can be used here: harmless, within the limits, and with somebody to use it."""
    if rung.do == "ask":
        return not setback.final
    own = one.task.limits.attempts
    whole = one.task.for_each is not None and one.number is None
    if setback.final or whole or (own is not None and one.attempt - one.since >= own):
        return False
    doubtful = setback.begun and not setback.settled and setback.failure in MAY_HAVE_HAPPENED
    if doubtful and not effect_of(state, one, setback.agent).repeatable:
        return False
    if rung.do in ELSEWHERE:
        return bool(_who(state, one, setback, rung))
    if rung.do == "revise" and setback.stuck:
        return False
    most = state.roster.limits(one.task, setback.agent).attempts
    return most is None or _attempts_of(one) < most


def _who(state: RunState, one: TaskState, setback: Setback, rung: Rung) -> str:
    """Name who is to do it next: nobody in particular for a plain retry."""
    match rung.do:
        case "backup":
            return next(iter(state.roster.stand_ins(one.task, _tried(one, setback.agent))), "")
        case "agent":
            able = state.roster.equivalent(one.task.skill, rung.agent) is not None
            return rung.agent if able and rung.agent not in _tried(one, setback.agent) else ""
        case "revise" | "with":
            return setback.agent
        case _:
            return ""


def _tried(one: TaskState, agent: str) -> dict[str, None]:
    """Name those who have had their turn at a task, in that order."""
    had = dict.fromkeys(name for step in one.climbed for name in (step.by, step.agent) if name)
    return had | {agent: None}


def _attempts_of(one: TaskState) -> int:
    """Count the attempts since the task changed hands."""
    return one.attempt - max((step.attempt for step in one.climbed if step.do in ELSEWHERE), default=one.since)


def _schedule(draft: Draft, id_: str, rung: Rung, earlier: int, setback: Setback) -> None:
    state, one = draft.state, draft.state.tasks[id_]
    attempt = one.attempt
    pause = pause_before(
        rung,
        earlier,
        name=f"{draft.state.run}/{id_}",
        attempt=attempt,
        retry_after=setback.retry_after if rung.do in AGAIN else None,
    )
    told = rung.do == "revise" or (rung.do == "with" and setback.failure is FailureClass.INVALID_OUTPUT)
    told = told or (setback.elsewhere and rung.do in ELSEWHERE)
    over = out_of_time(state, one, draft.at + pause) or (out_of_revisions(state, one) if told else "")
    if over:
        fail(draft, id_, FailureClass.OVER_BUDGET, f"{setback.message}; {over}")
        return
    draft.say(
        RetryScheduled,
        task=id_,
        attempt=attempt,
        until=draft.at + pause,
        rung=setback.failure.value,
        feedback=(setback.feedback or (setback.message,)) if told else (),
    )


def _ask(draft: Draft, id_: str, rung: Rung, failure: FailureClass, message: str) -> None:
    state, one = draft.state, draft.state.tasks[id_]
    request = Request(
        id=short([state.run, id_, one.attempt, one.round, "failure"]),
        task=id_,
        attempt=one.attempt,
        kind="failure",
        question=f"{failure.value}: {message}; what now? Answer retry, done, skip or fail",
        arguments=arguments_of(state, one),
        asked=draft.at,
        to=rung.who,
    )
    named = rung.who or rung.within is not None  # the rung says more than any chain
    draft.say(PersonAsked, request=request if named else assigned(state, request, one.agent))


def arguments_of(state: RunState, one: TaskState) -> Json:
    """Give what the task was to be done on, so that a person can do it by hand."""
    try:
        return resolve(state, one)
    except Missing:
        return None
