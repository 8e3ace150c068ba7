"""Options that several commands share, and what follows from them."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from stretto.core.errors import BadWorkspace, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from stretto.bootstrap import Orchestrator
    from stretto.bootstrap.editions import Opening
    from stretto.ports import Listener

WorkspaceOption = Annotated[
    Optional[Path],
    typer.Option("-w", "--workspace", metavar="FOLDER", help="The workspace's folder (default: this one)."),
]
StoreOption = Annotated[
    Optional[Path],
    typer.Option(
        "--store", metavar="FILE", help="The file that keeps the runs (default: .stretto/runs.db in the workspace)."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs on standard output.")]
PlainOption = Annotated[
    bool, typer.Option("--plain", help="Show progress as plain lines, as it is done without a terminal.")
]
QuietOption = Annotated[
    bool, typer.Option("-q", "--quiet", help="Show no progress; questions and the result still appear.")
]
ModelOption = Annotated[
    Optional[str],
    typer.Option(
        "--model", metavar="MODEL", help="The model of every role: PROVIDER:NAME, `local`, or a name of the workspace."
    ),
]
PlannerOption = Annotated[
    Optional[str],
    typer.Option(
        "--planner",
        metavar="auto|model|rules|playbook",
        help="Who plans the goal (default: the lightest that can, see docs/planning.md).",
    ),
]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, its beginning, or `last`.")]

EXIT = {"finished": 0, "partial": 3, "waiting": 4, "failed": 1, "cancelled": 130}
EXIT_USAGE = 2
FILE = "workspace.yaml"
_SQLITE = b"SQLite format 3\0"


def exit_code(status: str) -> int:
    """Give the exit code of a run's status; a run still going counts as waiting."""
    return EXIT.get(status, 4)


def workspace_folder(given: Path | None) -> Path:
    """Give the workspace's folder; raises UsageError when there is none."""
    if given is not None:
        return given.parent if given.name == FILE and given.is_file() else given
    if Path(FILE).exists():
        return Path()
    raise UsageError("this folder is no workspace; name one with -w FOLDER, or make one with `stretto init FOLDER`")


def here_or(given: Path | None) -> Path | None:
    """Give the workspace's folder, or None when none is named and this folder is none."""
    return workspace_folder(given) if given is not None or Path(FILE).exists() else None


def store_file(workspace: Path | None, store: Path | None) -> Path:
    """Give the store's file: as named, else `.stretto/runs.db` in the workspace or, without one, in this folder.

    Raises UsageError when it can be none.
    """
    if store is None:
        folder = (here_or(workspace) or Path()).absolute()
        if not folder.is_dir():
            raise BadWorkspace(f"there is no folder {folder}; `stretto init {folder}` makes a workspace")
        store = folder / ".stretto" / "runs.db"
    _check_store(store)
    return store


def _check_store(store: Path) -> None:
    mend = "name another file with --store"
    try:
        if store.is_dir():
            raise UsageError(f"the store {store} is a folder; {mend}")
        if store.exists():
            with store.open("rb") as stream:
                begins = stream.read(len(_SQLITE))
            if begins and begins != _SQLITE:
                raise UsageError(f"the store {store} is a file of something else; {mend}")
            if not os.access(store, os.W_OK) or not os.access(store.parent, os.W_OK):
                raise UsageError(f"the store {store} cannot be written; mend its rights, or {mend}")
    except OSError as error:
        raise UsageError(f"the store {store} cannot be used: {error.strerror}; {mend}") from None
    except ValueError as error:  # a zero byte in the name
        raise UsageError(f"the store {str(store)!r} cannot be used: {error}; {mend}") from None


def prepared_store(store: Path | None) -> Path | None:
    """Give a store to write to, with its folder made; raises UsageError."""
    if store is None:
        return None
    _check_store(store)
    try:
        store.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the store {store} cannot be made: {error.strerror}; name another with --store") from None
    return store


def orchestrator(
    folder: Path | None,
    store: Path | None,
    listeners: "tuple[Listener, ...]" = (),
    model: str | None = None,
    *,
    opened: "Callable[[Path, Opening], Orchestrator] | None" = None,
) -> "Orchestrator":
    """Open a workspace; without one, the team of those that ship with Stretto.

    `model` serves every role; behind commas stand those that take its place. `opened` says how, where it is not just
    what stands in the folder.
    """
    from stretto.bootstrap import Orchestrator, specialists
    from stretto.bootstrap.editions import Opening

    models = [one.strip() for one in model.split(",")] if model is not None else None
    if folder is None:
        return Orchestrator(specialists(), store=store, listeners=listeners, models=models)
    opening = Opening(store=store, listeners=listeners, models=models)
    return opening.standing(folder) if opened is None else opened(folder, opening)
