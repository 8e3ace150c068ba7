"""What whoever runs this program asks of a run of a store: see `stretto.words`."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from stretto import words
from stretto.bootstrap.houses import bare_house
from stretto.bootstrap.stores import actor
from stretto.bootstrap.tracing import traced_in
from stretto.core.commands import Command
from stretto.core.domain import Json, Plan
from stretto.core.state import RunState
from stretto.lookup import find_run
from stretto.orchestrator import House, load
from stretto.ports import Journal
from stretto.words import GRACE

GONE = "the one that it began with is not at hand"
"""Why a run goes on with another edition of its workspace."""


async def leave_word(journal: Journal, run: str, command: Command) -> RunState:
    """Leave a command for a run, and give the state afterwards as far as it is known here; raises UsageError."""
    async with _house_for(journal, run) as house:
        return await words.leave_word(house, run, command)


async def grant(journal: Journal, run_id: str, wish: Callable[[RunState], Command]) -> RunState:
    """Leave a run what somebody wants of it, and give its state; raises UsageError where that makes no sense."""
    async with _house_for(journal, run_id) as house:
        return await words.grant(house, run_id, wish)


async def cancel(
    journal: Journal, run_id: str, *, reason: str = "", grace: float = GRACE, undo: bool = False
) -> RunState:
    """Cancel a run, with grace where somebody drives it and it is not being cancelled already; gives its state."""
    async with _house_for(journal, run_id) as house:
        return await words.cancel(house, run_id, actor=actor(), reason=reason, grace=grace, undo=undo)


async def fork(
    journal: Journal,
    run_id: str,
    at: str | None = None,
    *,
    plan: Plan | None = None,
    inputs: dict[str, Json] | Sequence[str] = (),
) -> str:
    """Begin a run where another was at a point, with another plan or other inputs; gives its id."""
    return await words.fork(bare_house(journal), run_id, at, actor=actor(), plan=plan, inputs=inputs)


@asynccontextmanager
async def _house_for(journal: Journal, begins: str) -> AsyncIterator[House]:
    """Give a bare house whose word about a run is told as its workspace wants it; raises UnknownRun."""
    state = await load(journal, await find_run(journal, begins))
    async with traced_in(state.workspace) as historians:
        yield bare_house(journal, historians)
