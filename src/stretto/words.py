"""What is asked of a run from outside: its owner reads it, or it is carried out at once when nobody owns it.

The house is one without agents and people: enough to carry out a command, not to perform work.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import reduce

from stretto.core.commands import AnswerRequest, Cancel, Command, Recover
from stretto.core.decide import decide
from stretto.core.decide.revising import finished, is_old
from stretto.core.domain import Json, Plan
from stretto.core.errors import OwnedElsewhere, UsageError
from stretto.core.evolve import evolve
from stretto.core.state import RunState
from stretto.edits import edit_of, require_possible
from stretto.lookup import find_run, new_run_id, parent_of
from stretto.orchestrator import Conductor, House, load, summary
from stretto.travel import as_it_was, fork_of

PATIENCE, PAUSE = 20, 0.05
"""How often, and after how many seconds, it is looked whether the owner of a run has read what was left for it."""

GRACE = 10.0
"""Seconds that attempts under way have to end by themselves when a run is cancelled."""


async def leave_word(house: House, run: str, command: Command) -> RunState:
    """Leave a command for a run: its owner reads it, or it is carried out at once when nobody owns it.

    Gives the state afterwards as far as it is known here. Raises UsageError for an answer to a team's run: what it
    asks is answered in the run above.
    """
    journal = house.journal
    if isinstance(command, AnswerRequest) and (parent := await parent_of(journal, run)):
        raise UsageError(f"run {run} is a team's work for run {parent}; answer there")
    await journal.post(run, command)
    conductor = Conductor(house, judging=False)
    for _ in range(PATIENCE):
        notes = await journal.inbox(run)
        if not notes:
            break  # the owner has taken it
        try:
            await conductor.begin(run, [note.command for note in notes])
            await conductor.clear(notes)
            await conductor.leave()
        except OwnedElsewhere:
            await asyncio.sleep(PAUSE)  # the owner looks into its inbox, unless it is about to end
    return await load(journal, run)


async def grant(house: House, run_id: str, wish: Callable[[RunState], Command]) -> RunState:
    """Leave a run what somebody wants of it, and give its state; raises UsageError where that makes no sense."""
    run = await find_run(house.journal, run_id)
    state = await load(house.journal, run)
    command = wish(state)
    require_possible(state, command)
    return await leave_word(house, run, command)


async def cancel(
    house: House, run_id: str, *, actor: str, reason: str = "", grace: float = GRACE, undo: bool = False
) -> RunState:
    """Cancel a run, with grace where somebody drives it and it is not being cancelled already; gives its state."""
    run = await find_run(house.journal, run_id)
    state = await load(house.journal, run)
    at_once = state.cancelling is not None or await house.journal.owner(run) is None
    word = Cancel(actor=actor, reason=reason, grace=0.0 if at_once else grace, undo=undo)
    return await leave_word(house, run, word)


async def fork(
    house: House,
    run_id: str,
    at: str | None = None,
    *,
    actor: str,
    plan: Plan | None = None,
    inputs: dict[str, Json] | Sequence[str] = (),
) -> str:
    """Begin a run where another was at a point, with another plan or other inputs; gives its id. Nothing is performed.

    Results of live data that are no longer fresh are redone.
    """
    journal = house.journal
    parent, run = await find_run(journal, run_id), new_run_id()
    facts = fork_of(await journal.read(parent), at, run, time.time())
    state = as_it_was([event for _, event in facts], len(facts))
    commands: list[Command] = [Recover()]
    if not state.plan_open or plan is not None:
        revised = edit_of(state, plan, inputs=inputs, refresh=True, actor=actor)
        changed = plan is not None or revised.inputs or any(is_old(state, one, time.time()) for one in finished(state))
        if changed:
            recovered = reduce(evolve, decide(state, commands[0]), state)
            require_possible(recovered, revised)
            commands.append(revised)
    elif inputs:
        raise UsageError(f"run {parent}: its plan was not whole at that point; fork later, or hand over a plan")
    lease = await journal.claim(run)
    try:
        await journal.append(lease, 0, facts, summary(state))
    finally:
        await journal.release(lease)
    conductor = Conductor(house, judging=False)
    await conductor.begin(run, commands)
    await conductor.leave()
    return run
