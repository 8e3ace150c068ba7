"""`approve`, `deny`, `answer`: a person's word on what waits for one, from any terminal."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from stretto.cli.options import RunArgument, StoreOption, WorkspaceOption, store_file
from stretto.cli.text import place
from stretto.core.canonical import canonical
from stretto.core.domain import Json
from stretto.core.errors import UsageError

TaskArgument = Annotated[
    Optional[str], typer.Argument(metavar="[TASK]", help="The task; may be left out when only one waits.")
]

AsOption = Annotated[
    Optional[str], typer.Option("--as", metavar="NAME", help="Who says so (default: who you are logged in as).")
]

TAKEN_OVER = ("approval", "question")
_DONE = {"approve": "approved", "deny": "denied", "edit": "edited", "answer": "answered"}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("approve")(approve)
    app.command("deny")(deny)
    app.command("answer")(answer)


def approve(
    run_id: RunArgument,
    task: TaskArgument = None,
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    edit: Annotated[
        Optional[Path],
        typer.Option("--edit", metavar="FILE", help="A JSON file with the arguments to use instead of those shown."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the record.")] = "",
    name: AsOption = None,
) -> None:
    """Approve what a run waits with, exactly as it was shown; or edit its arguments."""
    if edit is None:
        _decide(run_id, task, workspace, store, "approve", ("approval", "review"), name, reason=reason)
    else:
        _decide(run_id, task, workspace, store, "edit", ("approval",), name, reason=reason, value=_arguments(edit))


def deny(
    run_id: RunArgument,
    task: TaskArgument = None,
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is named in the delivery.")] = "",
    name: AsOption = None,
) -> None:
    """Deny it: the task does not happen, and the delivery says so."""
    _decide(run_id, task, workspace, store, "deny", ("approval", "question", "goal"), name, reason=reason)


def answer(
    run_id: RunArgument,
    words: Annotated[
        Optional[list[str]],
        typer.Argument(metavar="[TASK] ANSWER", help="The answer, after the task if several wait."),
    ] = None,
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    result: Annotated[
        Optional[str], typer.Option("--result", metavar="JSON", help="With done: what it gave, where others need it.")
    ] = None,
    done: Annotated[
        Optional[str],
        typer.Option("--done", metavar="VALUE", help="You have done the task yourself, and this is its result."),
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; with retry: what is wrong with a result.")
    ] = "",
    name: AsOption = None,
) -> None:
    """Answer a question of a task or about the goal, take a task over, or say what becomes of a doubt or failure."""
    said = list(words or ())
    if done is not None:
        if len(said) > 1:
            raise UsageError("with --done there is no other answer; name at most the task")
        _decide(
            run_id, said[0] if said else None, workspace, store, "done", TAKEN_OVER, name, typed=done, reason=reason
        )
        return
    if not said:
        raise UsageError("which answer? Write it after the run, or --done VALUE when you have done the task yourself")
    if len(said) > 2:
        raise UsageError("one answer, please; put it in quotes")
    task = said[0] if len(said) == 2 else None
    if result is not None and said[-1] != "done":
        raise UsageError("--result belongs to the answer `done` to an attempt in doubt or a failure")
    value = _json(result, "--result") if result is not None else None
    kinds = ("question", "doubt", "goal", "failure", "alternatives", "review")
    _decide(run_id, task, workspace, store, said[-1], kinds, name, value=value, reason=reason)


def _decide(
    run_id: str,
    task: str | None,
    workspace: Path | None,
    store: Path | None,
    decision: str,
    kinds: tuple[str, ...],
    name: str | None,
    **more: Any,
) -> None:
    from stretto.answering import answer_of
    from stretto.bootstrap import find_run, leave_word, open_store, user
    from stretto.core.chains import answers_for
    from stretto.orchestrator import load
    from stretto.results import is_result, result_of

    actor = f"person:{user() if name in (None, user()) else f'{name} (typed by {user()})'}"

    async def leave() -> str:
        async with open_store(store_file(workspace, store), must_exist=True) as journal:
            run = await find_run(journal, run_id)
            state = await load(journal, run)
            requests = sorted(state.requests.values(), key=lambda one: one.task)
            open_ = [one for one in requests if task in (None, one.task) and one.kind in kinds]
            if not open_:
                waiting = ", ".join(f"{one.task or 'the goal'} ({one.kind})" for one in requests)
                told = (
                    f"open are: {waiting}" if waiting else f"it waits for nobody; its status is {state.standing.value}"
                )
                raise UsageError(f"run {run} has no such request{f' for {task!r}' if task else ''}; {told}")
            if len(open_) > 1:
                raise UsageError(f"several wait: {', '.join(one.task or 'the goal' for one in open_)}; name the task")
            asked = open_[0]
            if not answers_for(asked, actor):
                raise UsageError(f"only {asked.to} may answer this now; say who you are with --as")
            word, value = decision, more.get("value")
            if (typed := more.get("typed")) is not None:
                value = result_of(state, asked, typed)
            elif asked.kind == "alternatives":
                word, value = "answer", decision
            elif asked.kind in ("question", "goal") and decision != "deny":
                word, value = "answer", result_of(state, asked, decision) if is_result(state, asked) else decision
            command = answer_of(state, asked.id, word, actor=actor, value=value, reason=more.get("reason", ""))
            owner = await journal.owner(run)
            await leave_word(journal, run, command)
            resume = f"stretto resume {run}{place(workspace, store)}"
            after = f"{owner} goes on with it" if owner else f"go on with: {resume}"
            return f"{_DONE.get(word, word)}: {asked.task or 'the goal'} of run {run}; {after}"

    typer.echo(asyncio.run(leave()))


def _arguments(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"{file}: not UTF-8 text: {error}") from None
    found = _json(text, str(file))
    if not isinstance(found, dict):
        raise UsageError(f"{file}: the arguments are a mapping, as `stretto show --json` gives them under requests")
    return found


def _json(text: str, where: str) -> Json:
    try:
        found = json.loads(text)
        canonical(found)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where}: not JSON: {error}") from None
    return found
