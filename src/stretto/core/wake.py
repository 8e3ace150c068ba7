"""When a run has something to do again, on its own."""

from stretto.core.effects import AskPerson, MakePlan, Notify, Wait
from stretto.core.reconcile import judgements, reconcile
from stretto.core.state import RunState


def wake(state: RunState) -> float | None:
    """Give the earliest moment at which something is due without anybody's word, in seconds since the epoch.

    Work that is due already counts from the run's last event; a timer, or the deadline, from its moment. None when the
    run has ended and every alert is out, when only people can move it, or when it is a team's work, which the run above
    moves. Costs as much as there are open requests and timers, and next to nothing while work is under way.
    """
    if not state.run or state.parent:
        return None
    if state.under_way or judgements(state):
        return state.at
    moments = []
    for effect in reconcile(state):
        match effect:
            case AskPerson():
                pass
            case MakePlan() if state.streamed and state.draft is None:
                pass  # its writer goes on with it, or somebody hands the whole plan over again
            case Wait():
                moments.append(effect.until)
            case Notify():
                moments.append(max(effect.until, state.at))
            case _:
                return state.at
    return min(moments, default=None)
