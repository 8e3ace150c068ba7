"""Options that several commands share, and what follows from them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from stretto.core.errors import UsageError

if TYPE_CHECKING:
    from stretto.bootstrap import Orchestrator
    from stretto.ports import Listener

WorkspaceOption = Annotated[
    Optional[Path], typer.Option("-w", "--workspace", help="The workspace's folder (default: this one).")
]
StoreOption = Annotated[
    Optional[Path],
    typer.Option("--store", help="The file that keeps the runs (default: .stretto/runs.db in the workspace)."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs on standard output.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, its beginning, or `last`.")]

EXIT = {"finished": 0, "partial": 3, "waiting": 4, "failed": 1, "cancelled": 130}


def exit_code(status: str) -> int:
    """Give the exit code of a run's status; a run still going counts as waiting."""
    return EXIT.get(status, 4)


def workspace_folder(given: Path | None) -> Path:
    """Give the workspace's folder; raises UsageError when there is none."""
    if given is not None:
        return given
    if Path("workspace.yaml").exists():
        return Path()
    raise UsageError("this folder is no workspace; name one with -w FOLDER, or make one with `stretto init FOLDER`")


def store_file(workspace: Path | None, store: Path | None) -> Path:
    """Give the store's file; raises UsageError when nothing tells which."""
    if store is not None:
        return store
    if workspace is None and not Path("workspace.yaml").exists():
        raise UsageError("which store? Name a workspace with -w FOLDER, or the file with --store FILE")
    return workspace_folder(workspace).absolute() / ".stretto" / "runs.db"


def orchestrator(folder: Path, store: Path | None, listeners: "tuple[Listener, ...]" = ()) -> "Orchestrator":
    """Open a workspace."""
    from stretto.bootstrap import open_workspace

    return open_workspace(folder, store=store, listeners=listeners)
