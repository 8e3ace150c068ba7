"""`runs`, `show`, `watch`, `cancel`: look at runs of this store, from any process."""

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from stretto.cli.options import JsonOption, RunArgument, StoreOption, WorkspaceOption, exit_code, store_file

if TYPE_CHECKING:
    from stretto.views import Run

POLL_SECONDS = 0.3


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("runs")(runs)
    app.command("show")(show)
    app.command("watch")(watch)
    app.command("cancel")(cancel)


def runs(
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    limit: Annotated[int, typer.Option("--limit", help="How many, newest first.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List the runs, newest first."""
    from stretto.bootstrap import open_store
    from stretto.views import summary_view

    async def look() -> list[dict[str, object]]:
        async with open_store(store_file(workspace, store), must_exist=True) as journal:
            return [summary_view(one) for one in await journal.runs(limit=limit)]

    found = asyncio.run(look())
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for one in found:
        began = str(one["started"])[:19].replace("T", " ")
        goal = " ".join(str(one["goal"]).split())
        typer.echo(f"{one['run_id']}  {one['status']:<9}  {began}  {one['completed']}/{one['tasks']}  {goal[:60]}")
    if not found:
        typer.echo("no runs yet")


def show(
    run_id: RunArgument,
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one run: its tasks, what waits for a person with the full diff, what it delivered."""
    from stretto.bootstrap import find_run, open_store
    from stretto.orchestrator import load
    from stretto.views import Run

    async def look() -> Run:
        async with open_store(store_file(workspace, store), must_exist=True) as journal:
            return Run(state=await load(journal, await find_run(journal, run_id)))

    found = asyncio.run(look())
    if as_json:
        typer.echo(json.dumps(found.as_json(), ensure_ascii=False, indent=2))
        return
    _print(found)


def watch(
    run_id: RunArgument,
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Keep watching while the run waits for a person.")
    ] = True,
) -> None:
    """Follow a run that another process drives, until it ends."""
    from stretto.bootstrap import find_run, open_store
    from stretto.cli.progress import Progress
    from stretto.core.evolve import evolve
    from stretto.core.state import RunState
    from stretto.views import Run

    async def follow() -> Run:
        progress = Progress(sys.stderr)
        state = RunState()
        async with open_store(store_file(workspace, store), must_exist=True) as journal:
            run = await find_run(journal, run_id)
            while True:
                fresh = [one.event for one in await journal.read(run, state.seq)]
                for event in fresh:
                    state = evolve(state, event)
                if fresh:
                    progress(state, fresh)
                if state.status.final or (not wait and state.standing.value == "waiting"):
                    return Run(state=state)
                await asyncio.sleep(POLL_SECONDS)

    found = asyncio.run(follow())
    raise typer.Exit(exit_code(found.status))


def cancel(
    run_id: RunArgument,
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the record.")] = "",
) -> None:
    """Stop a run; what is finished stays."""
    from stretto.bootstrap import find_run, leave_word, open_store, user
    from stretto.core.commands import Cancel

    async def stop() -> tuple[str, str]:
        async with open_store(store_file(workspace, store), must_exist=True) as journal:
            run = await find_run(journal, run_id)
            state = await leave_word(journal, run, Cancel(actor=f"person:{user()}", reason=reason))
            return run, state.status.value

    run, status = asyncio.run(stop())
    told = "is cancelled" if status == "cancelled" else f"is {status}; its owner will stop it"
    typer.echo(
        f"run {run} {told if status not in ('finished', 'partial', 'failed') else f'had ended before: {status}'}"
    )


def _print(run: "Run") -> None:
    body = run.as_json()
    typer.echo(f"run     {run.run_id}\ngoal    {body['goal']}\nstatus  {run.status}\ncost    {run.cost}")
    typer.echo(f"began   {body['started']}\nended   {body['ended'] or '-'}\n")
    for one in body["tasks"]:
        told = f"{one['id']:<20} {one['status']:<10} {one['agent'] or '-':<14} {one['attempts']} tries"
        typer.echo(f"  {told}  {one['reason']}".rstrip())
    for request in run.requests:
        typer.echo(f"\nwaits for you: {request['task']} ({request['kind']}): {request['question']}")
        text = request["diff"] or json.dumps(request["arguments"], ensure_ascii=False, indent=2)
        for line in text.splitlines():
            typer.echo("  " + "".join(letter if letter.isprintable() or letter == "\t" else "�" for letter in line))
    for gap in run.gaps if run.state.status.final else ():
        typer.echo(f"\nmissing: {gap.task or '-'}: {gap.what}: {gap.why}")
    if run.answer is not None:
        text = run.answer if isinstance(run.answer, str) else json.dumps(run.answer, ensure_ascii=False, indent=2)
        typer.echo(f"\n{text}")
