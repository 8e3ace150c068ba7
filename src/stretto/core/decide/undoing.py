"""What is to be taken back is planned when nothing else is open, and people are asked where it cannot be done."""

from dataclasses import replace

from stretto.core.canonical import short
from stretto.core.context import effect_of
from stretto.core.decide.draft import Draft
from stretto.core.decide.ending import fail
from stretto.core.domain import PERSONAL_LABELS, FailureClass, Request
from stretto.core.events import CompensationPlanned, PersonAsked, RetryScheduled
from stretto.core.undoing import (
    CannotUndo,
    compensation,
    fallen,
    frozen_arguments,
    pause_before_retry,
    reversible,
)


def undo_what_fell(draft: Draft) -> None:
    """Plan to take back that on which something was built which did not come about."""
    state = draft.state
    if state.completed < state.planned:
        causes = fallen(state)
        _plan(draft, reversible(state, causes), causes)


def undo_everything(draft: Draft, why: str) -> bool:
    """Plan to take back all that can be; gives whether anything is being taken back."""
    ids = reversible(draft.state, draft.state.tasks)
    _plan(draft, ids, dict.fromkeys(ids, why))
    return bool(draft.state.undoing)


def _escalate(draft: Draft, id_: str, message: str) -> None:
    """Ask a person what becomes of an undoing that cannot be done."""
    one = draft.state.tasks[id_]
    tries = f" after {one.attempt} attempts" if one.attempt > 1 else ""
    told = f"{one.task.undoes!r} could not be undone{tries}: {message}"
    request = Request(
        id=short([draft.state.run, id_, one.attempt, one.round, "doubt"]),
        task=id_,
        attempt=one.attempt,
        kind="doubt",
        question=f"{told}; see to it, then answer done, retry or fail",
        asked=draft.at,
    )
    draft.say(PersonAsked, request=request)


def undo_again(draft: Draft, id_: str, failure: FailureClass, message: str, *, begun: bool) -> None:
    """Try a failed undoing again, or ask a person: its ladder is the same whatever the failure."""
    state, one = draft.state, draft.state.tasks[id_]
    pause = None
    if begun:
        agent = str(one.agent)
        most = state.roster.limits(one.task, agent).attempts
        pause = pause_before_retry(failure, one, effect_of(state, one, agent), most)
    if pause is None:
        _escalate(draft, id_, message)
        return
    feedback = (message,) if failure is FailureClass.INVALID_OUTPUT else ()
    until = draft.at + pause
    draft.say(RetryScheduled, task=id_, attempt=one.attempt, until=until, rung=failure.value, feedback=feedback)


def _plan(draft: Draft, ids: list[str], causes: dict[str, str]) -> None:
    """Plan undoings in this order, each behind the one before: everything about them is settled first."""
    before = max(draft.state.undoing, key=lambda name: draft.state.tasks[name].position, default=None)
    for id_ in ids:
        state = draft.state
        undo, unable = compensation(state, id_), ""
        try:
            undo = replace(undo, inputs=frozen_arguments(state, id_))
        except CannotUndo as error:
            unable = str(error)
        draft.say(
            CompensationPlanned,
            task=id_,
            undo=replace(undo, after=(before,) if before is not None else ()),
            because=causes[id_],
            personal=bool(state.tasks[id_].labels & PERSONAL_LABELS),
        )
        if unable:
            fail(draft, undo.id, FailureClass.REFUSED, unable)
        before = undo.id
