"""`init`: a small workspace that runs at once."""

from importlib.resources import as_file, files
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Annotated

import typer

from stretto.cli.text import place
from stretto.core.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init")(init)


def init(folder: Annotated[Path, typer.Argument(help="The folder to make; new or empty.")] = Path()) -> None:
    """Make a small workspace that runs at once."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty, and nothing was written; name a new folder: stretto init FOLDER")
    try:
        with as_file(files("stretto") / "starter") as starter:
            copytree(starter, folder, dirs_exist_ok=True, ignore=ignore_patterns("__pycache__"))
    except OSError as error:
        raise UsageError(f"cannot write to {folder}: {error.strerror}") from None
    typer.echo(f"made a workspace in {folder}: agents in Python, a plan in YAML, two notes to work on\n")
    typer.echo(f"  stretto plan{place(folder, None)}\n  stretto run{place(folder, None)}")
