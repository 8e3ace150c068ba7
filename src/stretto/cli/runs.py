"""`runs`, `show`, `watch`: look at runs of this store, from any process."""

import asyncio
import sys
import time
from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from stretto.cli.options import (
    JsonOption,
    PlainOption,
    RunArgument,
    StoreOption,
    WorkspaceOption,
    exit_code,
    store_file,
)
from stretto.cli.text import answer_command, clean, counted, local, one_line, place
from stretto.cli.text import as_json as json_text
from stretto.core.errors import UsageError

if TYPE_CHECKING:
    from stretto.core.events import Event
    from stretto.core.state import RunState
    from stretto.ports import Recorded, RunSummary
    from stretto.views import Run


MOST_BELOW = 20


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("runs")(runs)
    app.command("show")(show)
    app.command("watch")(watch)


def runs(
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    limit: Annotated[int, typer.Option("--limit", metavar="NUMBER", min=1, help="How many, newest first.")] = 50,
    everything: Annotated[bool, typer.Option("--all", help="Also the runs of teams, named RUN.TASK.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the runs, newest first; those of teams only with --all."""
    from stretto.bootstrap import open_store
    from stretto.ports import RunQuery
    from stretto.views import summary_view

    async def look() -> "Sequence[RunSummary]":
        async with open_store(store_file(workspace, store), must_exist=True) as journal:
            return await journal.runs(RunQuery(limit=limit, teams=everything))

    found = asyncio.run(look())
    if as_json:
        typer.echo(json_text([summary_view(one) for one in found]))
    elif not found:
        typer.echo("no runs yet")
    else:
        from stretto.cli.view.printing import signs_of, width_for, write
        from stretto.cli.view.tables import run_list

        began = {one.run: local(one.started) for one in found}
        write(run_list(found, began, width_for(), signs_of()))


def show(
    run_id: RunArgument,
    task: Annotated[Optional[str], typer.Argument(metavar="[TASK]", help="Show this task and its inner calls.")] = None,
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    times: Annotated[
        bool, typer.Option("--timeline", help="Show when which task ran, how much side by side, gaps and handoffs.")
    ] = False,
    context: Annotated[
        bool,
        typer.Option("--context", help="Show the shared context: versions, who wrote them from what, who read them."),
    ] = False,
    entry: Annotated[
        Optional[str], typer.Option("--entry", metavar="KEY[@VERSION]", help="Print one context entry whole, as JSON.")
    ] = None,
    at: Annotated[
        Optional[str],
        typer.Option("--at", metavar="POINT", help="As it was: after event NUMBER, at a moment, or before TASK began."),
    ] = None,
    events: Annotated[bool, typer.Option("--events", help="List the events: number, moment, who, what.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show one run: its tasks, what waits for a person with the full diff, what it delivered."""
    from stretto.bootstrap import find_run, open_store
    from stretto.core.evolve import evolve
    from stretto.core.state import RunState
    from stretto.views import Run, moment

    async def look() -> "tuple[Sequence[Recorded], str | None]":
        async with open_store(store_file(workspace, store), must_exist=True) as journal:
            run = await find_run(journal, run_id)
            return await journal.read(run), await journal.owner(run)

    recorded, owner = asyncio.run(look())
    happened = [one.event for one in recorded]
    if at is not None:
        from stretto.travel import moment_of

        recorded, owner = recorded[: moment_of(happened, at)], None
        happened = happened[: len(recorded)]
    found = Run(state=reduce(evolve, happened, RunState()))
    past = {} if at is None else {"past": {"seq": len(recorded), "at": moment(found.state.at)}}
    if entry is not None:
        typer.echo(json_text(_entry(found, entry)))
    elif task is not None:
        _print_task(found.state, task, as_json=as_json)
    elif events:
        _print_events(recorded, as_json=as_json)
    elif as_json:
        typer.echo(json_text({**found.as_json(), **past}))
    elif context:
        _print_context(found)
    elif times:
        _print_timeline(found.state, happened, _seen_at(found.state, owner))
    else:
        if past:
            said = f"as it was after event {len(recorded)}, {local(found.state.at)}"
            typer.echo(f"{said}; this is the past\n")
        _print(found, place(workspace, store), _seen_at(found.state, owner), past=bool(past))


def _print_task(state: "RunState", id_: str, *, as_json: bool) -> None:
    """Print one task: who did it, what it cost, and what its inner calls took, one by one."""
    from stretto.core.plan.names import Names
    from stretto.usage import calls_view, meter_text
    from stretto.views import task_view

    if id_ not in state.tasks:
        raise UsageError(f"there is no task {id_!r}. {Names(lambda: list(state.tasks)).mend(id_)}")
    if as_json:
        typer.echo(json_text(task_view(state, id_)))
        return
    one = state.tasks[id_]
    who = f" by {one.agent}" if one.agent is not None else ""
    typer.echo(clean(f"{id_}: {one.status.value}{who}, {counted(one.attempt, 'attempt')}, cost {one.cost}"))
    if one.reason:
        typer.echo(f"  {one_line(one.reason)}")
    if one.calls or one.meter.calls:
        typer.echo(clean(f"  {meter_text(one.meter)}"))
    for call in calls_view(one):
        typer.echo(f"  {one_line(_call_line(call))}")


def _call_line(call: dict[str, Any]) -> str:
    """Say how an inner call stands, and what it took."""
    said = [f"attempt {call['attempt']}: {call['key']} calls {call['what']}: {call['status']}"]
    if call["by"]:
        said.append(f"{'approved ' if call['approved'] else ''}by {call['by']}")
    said.append(f"${call['money']:g}")
    if call["input"] or call["output"]:
        said.append(f"{call['input']} tokens in, {call['output']} out")
    return ", ".join(said) + (f": {call['message']}" if call["message"] else "")


def _print_events(recorded: "Sequence[Recorded]", *, as_json: bool) -> None:
    """Print a line per event."""
    from stretto.chronicle import chronicle

    listed = chronicle(recorded)
    if as_json:
        typer.echo(json_text(listed))
        return
    for one, event in zip(listed, recorded, strict=True):
        when = local(event.event.at)[11:]
        who = one_line(one["actor"])
        typer.echo(f"{one['seq']:>5}  {when}  {who:<18} {one['type']:<17} {one_line(one['text'])[:200]}".rstrip())


def _entry(run: "Run", wanted: str) -> object:
    from stretto.views import entry_value

    try:
        return entry_value(run.state, wanted)
    except LookupError as error:
        raise UsageError(str(error.args[0])) from None


def _print_context(run: "Run") -> None:
    """Print the context of a run, a paragraph per version."""
    from stretto.views import context_view

    for one in context_view(run.state):
        marks = f"{'' if one['newest'] else '  (superseded)'}{'  (undone)' if one['undone'] else ''}"
        head = f"{one['key']}@{one['version']}{marks}  {one['bytes']:,} bytes"
        typer.echo(clean(head))
        sources = [*one["from"], *(f"{key}@{version}" for key, version in one["reads"].items())]
        typer.echo(clean(f"  written by {one['task']} ({one['agent']}, attempt {one['attempt']}) at {one['at']}"))
        for name, ids in (("from", sources), ("read by", one["read_by"]), ("stale for", one["stale_for"])):
            if ids:
                typer.echo(clean(f"  {name} {', '.join(ids)}"))
        typer.echo(f"  {one_line(one['begins'])}")
    for id_ in run.state.ids.values():
        for name, how in run.state.tasks[id_].shortened.items():
            why = f"; {how.why}" if how.why else ""
            told = f"{how.kept:,} of {how.characters:,} characters, {how.how}{why}"
            typer.echo(clean(f"{id_} got {name} shortened: {told}"))
    if not run.state.context:
        typer.echo("this run wrote nothing to its context")


def watch(
    run_id: RunArgument,
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    wait: Annotated[
        bool,
        typer.Option(
            "--wait/--no-wait", help="Keep watching while it waits for a person, or for somebody to resume it."
        ),
    ] = True,
    plain: PlainOption = False,
) -> None:
    """Follow a run that another process drives, until it ends. Ctrl-C ends the watching, not the run."""
    from stretto.cli.following import follow
    from stretto.cli.screen import screen_for

    where = place(workspace, store)
    screen = screen_for(sys.stderr, place=where, plain=plain)
    try:
        found = asyncio.run(follow(store_file(workspace, store), run_id, screen, wait=wait, place=where))
    except KeyboardInterrupt:
        screen.say("no longer watching; nothing was done to the run")
        raise typer.Exit(130) from None
    raise typer.Exit(exit_code(found.standing.value))


def _seen_at(state: "RunState", owner: str | None) -> float:
    """Give the moment a run is looked at: now while somebody drives it, else that of its last event."""
    return time.time() if owner is not None else state.at


def _print(run: "Run", where: str, now: float, *, past: bool = False) -> None:
    from stretto.cli.asking import shown
    from stretto.cli.chains import charge
    from stretto.cli.output import answer_text, defects_text, gaps_text
    from stretto.cli.view.printing import signs_of, width_for, write
    from stretto.cli.view.tables import record, rungs
    from stretto.core.state import team_run
    from stretto.ledger import ledger_lines
    from stretto.telling.standstill import standstill
    from stretto.usage import usage_lines
    from stretto.views import edition_name, is_team_work

    state = run.state
    write(record(state, now, width_for(), signs_of()))
    if climbed := rungs(state, width_for(), signs_of()):
        write([(), *climbed])
    for told in standstill(state, now, where):
        typer.echo(f"\n{one_line(told)}")
    ended = f", ended {local(state.ended)}" if state.ended is not None else ""
    typer.echo(f"\nbegan {local(state.started)}{ended}, cost {run.cost}")
    for line in [*usage_lines(state), *ledger_lines(state)]:
        typer.echo(clean(line))
    if state.edition or state.edition_note:
        why = f" ({one_line(state.edition_note)})" if state.edition_note else ""
        typer.echo(f"{edition_name(state.edition)} of the workspace{why}")
    if run.wake is not None and run.wake > time.time():
        typer.echo(f"sleeps until {local(run.wake)}")
    below = [team_run(state.run, id_, one.turn) for id_, one in state.tasks.items() if is_team_work(state, one)]
    for name in below[:MOST_BELOW]:
        typer.echo(f"a team's run: stretto show {name}{where}")
    if len(below) > MOST_BELOW:
        typer.echo(f"and {len(below) - MOST_BELOW} more; --json names them all")
    for request in sorted(state.requests.values(), key=lambda one: (one.asked, one.id)):
        typer.echo(
            f"\nwaits for {one_line(request.to) or 'you'}: {one_line(request.task) or 'the goal'} ({request.kind}): "
            f"{one_line(request.question)}"
        )
        if request.chain is not None:
            typer.echo(f"  {charge(request, local)}")
        if detail := shown(request, most=None):
            typer.echo(detail)
        if past:
            continue
        typer.echo(f"  decide  {answer_command(run.run_id, request.task, request.kind, where)}")
    if state.status.final and run.gaps:
        typer.echo(f"\nmissing:\n{gaps_text(run)}", nl=False)
    if state.refused is not None and state.diagnostics:
        typer.echo(f"\nthe plan:\n{defects_text(run)}", nl=False)
    if run.answer is not None:
        typer.echo(f"\n{clean(answer_text(run))}")


def _print_timeline(state: "RunState", events: "Sequence[Event]", now: float) -> None:
    from stretto.cli.view.gantt import gantt
    from stretto.cli.view.layout import head
    from stretto.cli.view.printing import signs_of, width_for, write
    from stretto.core.timeline import timeline

    width, signs = width_for(), signs_of()
    above = head(state, now, width or 1000, 4, signs)
    write([*above, (), *gantt(timeline(events, now), width, signs)])
