"""How a run is getting on, and that it pauses and goes on."""

from msgspec.structs import replace

from stretto.core.canonical import digest
from stretto.core.domain import FREE, Cost
from stretto.core.stall import Pulse, ended, learned, wasted
from stretto.core.state import RunState


def continued(state: RunState) -> RunState:
    """Go on, with a new account of what was spent for nothing."""
    return replace(state, paused=None, pulse=Pulse(known=state.pulse.known))


def attempted(state: RunState, cost: Cost, *, failed: bool) -> RunState:
    """Count an attempt that has ended; what a failed one cost brought nothing."""
    pulse = ended(state.pulse, state.catalogue.rules, failed=failed)
    pulse = wasted(pulse, cost) if failed else pulse
    return state if pulse is state.pulse else replace(state, pulse=pulse)


def sent_back(state: RunState, id_: str) -> RunState:
    """Count what a rejected result cost."""
    pulse = wasted(state.pulse, state.tasks[id_].last)
    return state if pulse is state.pulse else replace(state, pulse=pulse)


def accepted(state: RunState, id_: str) -> RunState:
    """See whether an accepted result is new. While nothing costs anything, nobody needs to know."""
    one = state.tasks[id_]
    if state.spent == FREE or one.result is None:
        return state
    result = one.result
    mark = digest([result.output, [(file.name, file.content) for file in result.artifacts]])
    return replace(state, pulse=learned(state.pulse, mark, one.last))
