"""`requests`: what waits for whom, over all runs of this store."""

import asyncio
import time
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from stretto.cli.options import JsonOption, StoreOption, WorkspaceOption, store_file
from stretto.cli.text import as_json as json_text
from stretto.cli.text import one_line

if TYPE_CHECKING:
    from stretto.core.domain import Request
    from stretto.core.state import RunState

MOST_RUNS = 1_000_000
_ENDED = ("finished", "partial", "failed", "cancelled")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("requests")(requests)


def requests(
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    person: Annotated[
        Optional[str], typer.Option("--for", metavar="NAME", help="Only what this person is asked now.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List what waits for people in all runs, the oldest first."""
    found = [
        (state, one)
        for state in asyncio.run(_waiting(store_file(workspace, store)))
        for one in state.requests.values()
        if person is None or one.to == person
    ]
    found.sort(key=lambda pair: (pair[1].asked, pair[1].id))
    if as_json:
        typer.echo(json_text([_view(state, one) for state, one in found]))
    elif not found:
        typer.echo(f"nothing waits for {one_line(person)}" if person is not None else "nothing waits for anybody")
    else:
        _print(found, time.time())


async def _waiting(store: Any) -> "list[RunState]":
    """Give the runs that have not ended."""
    from stretto.bootstrap import open_store
    from stretto.orchestrator import load
    from stretto.ports import RunQuery

    async with open_store(store, must_exist=True) as journal:
        listed = await journal.runs(RunQuery(limit=MOST_RUNS))
        return [await load(journal, one.run) for one in listed if one.status not in _ENDED]


def _view(state: "RunState", one: "Request") -> dict[str, Any]:
    from stretto.views import request_view

    return {"run_id": state.run, "goal": state.goal, **request_view(one)}


def _print(found: "list[tuple[RunState, Request]]", now: float) -> None:
    from stretto.cli.view.lines import foreign
    from stretto.cli.view.printing import signs_of, width_for, write
    from stretto.cli.view.tables import columns
    from stretto.telling.words import ticking

    signs = signs_of()
    cells = [
        [
            (foreign(one.to, signs) or "anybody", "bold"),
            ("" if one.due is None else f"{ticking(one.due - now)} left" if one.due > now else "overdue", "yellow"),
            (foreign(state.run, signs), "dim"),
            (foreign(one.task, signs) or "the goal", ""),
            (one.kind, ""),
            (foreign(one.question, signs), ""),
        ]
        for state, one in found
    ]
    write(columns(("for", "until", "run", "task", "kind", "question"), cells, width_for(), signs))
