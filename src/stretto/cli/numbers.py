"""`numbers`, `rate`: how good the runs of a store were, and how content people are with what one delivered."""

import asyncio
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Optional, cast, get_args

import typer

from stretto.cli.options import JsonOption, RunArgument, StoreOption, WorkspaceOption, store_file, workspace_folder
from stretto.cli.text import as_json as json_text
from stretto.cli.text import counted, one_line
from stretto.core.errors import UsageError

if TYPE_CHECKING:
    from stretto.core.state import RunState
    from stretto.measuring import By, Numbers, Progress

_BY = Literal["workflow", "agent", "week"]
AsOption = Annotated[
    Optional[str], typer.Option("--as", metavar="NAME", help="Who says so (default: who you are logged in as).")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("numbers")(numbers)
    app.command("rate")(rate)


def numbers(
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    since: Annotated[
        Optional[str],
        typer.Option("--since", metavar="WHEN", help="Only runs that ended since then: a date, a moment, or 30d ago."),
    ] = None,
    until: Annotated[
        Optional[str], typer.Option("--until", metavar="WHEN", help="Only runs that ended before then; as --since.")
    ] = None,
    by: Annotated[
        str, typer.Option("--by", metavar="workflow|agent|week", help="What each row of the table is.")
    ] = "workflow",
    as_json: JsonOption = False,
) -> None:
    """Show how good the runs were that have ended: the numbers, their targets, and whether they are met."""
    if by not in get_args(_BY):
        raise UsageError(f"--by is {', '.join(get_args(_BY))}, not {by!r}")
    now = time.time()
    first, last = _moment("--since", since, now), _moment("--until", until, now)
    folder = str(workspace_folder(workspace).resolve()) if workspace is not None and store is not None else None
    found, progress = asyncio.run(_look(store_file(workspace, store), folder, first, last, cast("By", by)))
    if progress.unreadable:
        named = ", ".join(progress.unreadable[:3]) + (", ..." if len(progress.unreadable) > 3 else "")
        told = f"{counted(len(progress.unreadable), 'run')} could not be read and are not counted: {named}"
        typer.echo(one_line(told), err=True)
    if as_json:
        from stretto.measuring import numbers_view

        typer.echo(json_text(numbers_view(found)))
    else:
        _print(found)


def rate(
    run_id: RunArgument,
    score: Annotated[str, typer.Argument(metavar="1..5", help="From 1, not content at all, to 5, fully.")],
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    words: Annotated[str, typer.Option("--words", metavar="TEXT", help="Why, for the record.")] = "",
    name: AsOption = None,
) -> None:
    """Say how content you are with what a run delivered. Your newest word counts."""
    from stretto.bootstrap import grant, open_store, user
    from stretto.core.commands import RateRun

    if not score.strip().isdecimal():
        raise UsageError(f"a rating is a whole number from 1 (not content at all) to 5 (fully), not {score!r}")
    who = user() if name in (None, user()) else f"{name} (typed by {user()})"
    word = RateRun(actor=f"person:{who}", score=int(score.strip()[:9]), words=words)

    async def leave() -> "RunState":
        async with open_store(store_file(workspace, store), must_exist=True) as journal:
            return await grant(journal, run_id, lambda state: word)

    state = asyncio.run(leave())
    typer.echo(one_line(f"run {state.run}: {who} gives it {word.score} of 5"))


async def _look(
    store: Path, folder: str | None, since: float | None, until: float | None, by: "By"
) -> "tuple[Numbers, Progress]":
    from stretto.bootstrap import open_store
    from stretto.measuring import bring_up_to_date, numbers

    async with open_store(store, must_exist=True) as journal:
        progress = await bring_up_to_date(journal)
        return await numbers(journal, folder, since, until, by), progress


def _moment(option: str, text: str | None, now: float) -> float | None:
    """Read a moment, a day (its begin), or a length of time ago; raises UsageError."""
    from stretto.amounts import seconds_of

    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        pass
    try:
        return now - seconds_of(text)
    except UsageError:
        mend = "give a day like 2030-12-31, a moment like 2030-12-31T18:00, or how long ago, like 30d"
        raise UsageError(f"{option} {text!r} is no moment; {mend}") from None


def _print(found: "Numbers") -> None:
    from stretto.cli.view.measures import by_row, legend, overview
    from stretto.cli.view.printing import signs_of, width_for, write

    if not found.total.measures.runs and not found.rows:
        typer.echo("no run has ended yet in that time")
        return
    width, signs = width_for(), signs_of()
    write(overview(found.total, width, signs))
    typer.echo("")
    write(by_row(found, width, signs))
    if told := legend(found.rows):
        typer.echo(told)
