"""`pause`, `cancel`, `retry`, `edit`, `replan`, `fork`: a person's hand on a run, from any terminal."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from stretto.cli.options import RunArgument, StoreOption, WorkspaceOption, here_or, store_file
from stretto.cli.text import counted, one_line, place
from stretto.core.errors import UsageError

if TYPE_CHECKING:
    from stretto.core.commands import Command
    from stretto.core.domain import Plan
    from stretto.core.state import RunState

PlanOption = Annotated[
    Optional[str], typer.Option("--plan", metavar="PLAN", help="A plan's file, or its name in the workspace.")
]
InputOption = Annotated[
    Optional[list[str]], typer.Option("--input", metavar="NAME=VALUE", help="Another input of the run. Repeatable.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (pause, cancel, retry, edit, replan, fork):
        app.command(command.__name__)(command)


def pause(
    run_id: RunArgument,
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is shown wherever the run is.")] = "",
) -> None:
    """Have a run begin nothing new; what is under way ends and is kept. `resume` goes on."""
    from stretto.bootstrap import find_run, leave_word, open_store, user
    from stretto.core.commands import Pause

    async def leave() -> "tuple[RunState, str | None]":
        async with open_store(store_file(workspace, store), must_exist=True) as journal:
            run = await find_run(journal, run_id)
            owner = await journal.owner(run)
            return await leave_word(journal, run, Pause(actor=f"person:{user()}", reason=reason)), owner

    state, owner = asyncio.run(leave())
    if state.status.final:
        typer.echo(f"run {state.run} had ended before: {state.status.value}")
        return
    if state.paused is None and state.cancelling is not None:
        typer.echo(f"run {state.run} is being cancelled; nothing new begins in it")
        return
    told = f"is paused: {one_line(state.paused)}" if state.paused is not None else f"will pause; {owner} reads it soon"
    typer.echo(f"run {state.run} {told}; go on with: stretto resume {state.run}{place(workspace, store)}")


def cancel(
    run_id: RunArgument,
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the record.")] = "",
    grace: Annotated[
        float, typer.Option("--grace", metavar="SECONDS", min=0, help="How long agents at work have to end themselves.")
    ] = 10.0,
    now: Annotated[bool, typer.Option("--now", help="End it at once, as a second cancel does.")] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="First take back what was done, the last first, where it can be taken back.")
    ] = False,
) -> None:
    """Stop a run; what is finished stays. Agents at work are told, and have some seconds to end by themselves."""
    from stretto.bootstrap import cancel as cancelled
    from stretto.bootstrap import find_run, open_store
    from stretto.orchestrator import load

    async def stop() -> "tuple[RunState, RunState]":
        async with open_store(store_file(workspace, store), must_exist=True) as journal:
            before = await load(journal, await find_run(journal, run_id))
            return before, await cancelled(journal, before.run, reason=reason, grace=0.0 if now else grace, undo=undo)

    before, after = asyncio.run(stop())
    if before.status.final and before.status.value != "cancelled":
        told = f"had ended before: {before.status.value}"
    elif after.status.final:
        told = f"is {after.status.value}"
    elif after.undoing and after.cancelled is not None:
        where = place(workspace, store)
        told = f"is cancelled once what it did is undone; go on with: stretto resume {before.run}{where}"
    elif after.cancelling is not None:
        told = f"is being cancelled; agents at work have {grace:g} s to end, a second cancel ends it at once"
    else:
        told = f"is {after.status.value}; its owner will stop it"
    typer.echo(f"run {before.run} {told}")


def retry(
    run_id: RunArgument,
    task: Annotated[str, typer.Argument(metavar="TASK", help="The task; an item of a fan-out is TASK[NUMBER].")],
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    agent: Annotated[Optional[str], typer.Option("--agent", metavar="NAME", help="Who is to do it.")] = None,
    feedback: Annotated[str, typer.Option("--feedback", metavar="TEXT", help="What the agent should mind.")] = "",
    again: Annotated[
        bool, typer.Option("--again", help="Also where it is completed: it and what follows from it are done anew.")
    ] = False,
) -> None:
    """Do a failed, skipped or cancelled task once more, with all that fell because of it."""
    from stretto.bootstrap import user
    from stretto.core.commands import RetryTask

    def wish(state: "RunState") -> "Command":
        return RetryTask(
            actor=f"person:{user()}",
            revision=state.revision,
            task=task,
            agent=agent,
            feedback=feedback,
            again=again,
        )

    _grant(run_id, wish, workspace, store, lambda state: f"{task} is open again")


def edit(
    run_id: RunArgument,
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    plan: PlanOption = None,
    values: Annotated[
        Optional[list[str]],
        typer.Option("--set", metavar="TASK.inputs.NAME=VALUE", help="Another value for an argument. Repeatable."),
    ] = None,
    remove: Annotated[
        Optional[list[str]], typer.Option("--remove", metavar="TASK", help="Leave a task out. Repeatable.")
    ] = None,
    inputs: InputOption = None,
) -> None:
    """Change the plan of a run. Finished tasks that stay as they were keep their results."""
    from stretto.bootstrap import user
    from stretto.edits import edit_of

    if plan is None and not values and not remove and not inputs:
        raise UsageError("what is to change? Say --plan FILE, --set TASK.inputs.NAME=VALUE, --remove TASK or --input")
    chosen = _read_plan(plan, workspace)

    def wish(state: "RunState") -> "Command":
        return edit_of(
            state,
            chosen,
            values=values or [],
            remove=remove or [],
            inputs=inputs or [],
            actor=f"person:{user()}",
        )

    def told(state: "RunState") -> str:
        tasks = [one for one in state.tasks.values() if one.parent is None]
        kept = sum(one.status.value == "completed" for one in tasks)
        return f"revision {state.revision} is in place; {kept} of {counted(len(tasks), 'task')} keep their results"

    _grant(run_id, wish, workspace, store, told)


def replan(
    run_id: RunArgument,
    words: Annotated[
        Optional[str], typer.Argument(metavar="[WORDS]", help="What to add to the goal, in a sentence.")
    ] = None,
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
) -> None:
    """Have the unfinished part of a run planned anew, around what failed."""
    from stretto.bootstrap import user
    from stretto.core.commands import Replan

    def wish(state: "RunState") -> "Command":
        return Replan(actor=f"person:{user()}", revision=state.revision, words=(words or "").strip())

    _grant(run_id, wish, workspace, store, lambda _: "it will be planned anew")


def fork(
    run_id: RunArgument,
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    at: Annotated[
        Optional[str],
        typer.Option("--at", metavar="POINT", help="After event NUMBER, at a moment, or before TASK began."),
    ] = None,
    plan: PlanOption = None,
    inputs: InputOption = None,
) -> None:
    """Begin another run where this one was at a point; what it did to the world is not done again."""
    from stretto.bootstrap import find_run, open_store
    from stretto.bootstrap import fork as forked

    chosen = _read_plan(plan, workspace)

    async def begin() -> tuple[str, str]:
        async with open_store(store_file(workspace, store), must_exist=True) as journal:
            parent = await find_run(journal, run_id)
            return parent, await forked(journal, parent, at, plan=chosen, inputs=inputs or [])

    parent, run = asyncio.run(begin())
    typer.echo(f"run {run} is forked from {parent}; go on with: stretto resume {run}{place(workspace, store)}")


def _grant(
    run_id: str,
    wish: "Callable[[RunState], Command]",
    workspace: Path | None,
    store: Path | None,
    told: "Callable[[RunState], str]",
) -> None:
    """Leave a run what somebody wants of it, and say who goes on with it."""
    from stretto.bootstrap import grant, open_store

    async def leave() -> "tuple[RunState, str | None]":
        async with open_store(store_file(workspace, store), must_exist=True) as journal:
            state = await grant(journal, run_id, wish)
            return state, await journal.owner(state.run)

    state, owner = asyncio.run(leave())
    resume = f"go on with: stretto resume {state.run}{place(workspace, store)}"
    typer.echo(f"run {state.run}: {told(state)}; {f'{owner} goes on with it' if owner else resume}")


def _read_plan(plan: str | None, workspace: Path | None) -> "Plan | None":
    """Read a plan's file, or one of the workspace by its name; raises BadPlan with the place of what is wrong."""
    if plan is None:
        return None
    from stretto.workspace import read_plan_file, read_workspace, require

    folder = here_or(workspace)
    path = read_workspace(folder).plan_file(plan) if folder is not None else Path(plan)
    read, found, _ = read_plan_file(path)
    return require(read, found)
