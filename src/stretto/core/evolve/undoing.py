"""What was done is to be taken back, and was."""

from msgspec.structs import replace

from stretto.core.events import CompensationPlanned
from stretto.core.evolve.tasks import enlisted
from stretto.core.state import RunState


def planned(state: RunState, event: CompensationPlanned) -> RunState:
    """Add the task that takes another back."""
    one = replace(state.tasks[event.task], undo=event.undo.id, because=event.because)
    state = replace(
        state,
        tasks=state.tasks.set(event.task, one),
        undos=state.undos + 1,
        undoing=state.undoing.set(event.undo.id, None),
    )
    return enlisted(state, event.undo)
