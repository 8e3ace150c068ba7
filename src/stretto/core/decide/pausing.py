"""A run pauses: when it is told to, and by itself when nothing comes of going on."""

from stretto.core.commands import Continue, Pause
from stretto.core.decide.draft import Draft
from stretto.core.events import RunContinued, RunPaused
from stretto.core.stall import why_stop


def pause(draft: Draft, command: Pause) -> None:
    """Begin nothing new from now on."""
    state = draft.state
    if state.run and not state.status.final and not state.halted:
        by = command.actor.removeprefix("person:")
        draft.say(RunPaused, by=command.actor, reason=command.reason or f"paused by {by}")


def carry_on(draft: Draft, command: Continue) -> None:
    """Go on with a paused run."""
    if draft.state.paused is not None and not draft.state.status.final:
        draft.say(RunContinued, by=command.actor)


def watch(draft: Draft) -> None:
    """Pause a run that fails too often, or spends without learning anything; look after every attempt's end."""
    state = draft.state
    if not draft.events or state.halted or not state.open_tasks or state.status.final:
        return
    reason = why_stop(state.pulse, state.catalogue.rules, state.budget)
    if reason is not None:
        draft.say(RunPaused, by="system", reason=reason, alarm=True)
