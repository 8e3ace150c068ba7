"""`schema`: the JSON Schemas of the files that people write, for editors."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from stretto.cli.text import as_json as json_text
from stretto.core.errors import UsageError

KINDS = ("workspace", "plan", "playbook", "agent", "settings")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("schema")(schema)


def schema(
    kind: Annotated[Optional[str], typer.Argument(metavar=f"[{'|'.join(KINDS)}]", help="Of which file.")] = None,
    out: Annotated[
        Optional[Path], typer.Option("--out", metavar="FOLDER", help="Write KIND.schema.json here: that one, or all.")
    ] = None,
) -> None:
    """Print the JSON Schema of a kind of file, for editors; with --out write it, or all of them, into a folder."""
    from stretto.schemas import SCHEMAS

    if kind is not None and kind not in SCHEMAS:
        raise UsageError(f"there is no schema of {kind!r}; there are {', '.join(SCHEMAS)}")
    if out is None:
        if kind is None:
            raise UsageError(f"of which file? Say one of {', '.join(SCHEMAS)}, or write all with --out FOLDER")
        typer.echo(json_text(SCHEMAS[kind]()))
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in [kind] if kind is not None else SCHEMAS:
            file = out / f"{name}.schema.json"
            file.write_text(json_text(SCHEMAS[name]()) + "\n", encoding="utf-8")
            typer.echo(f"wrote {file}")
    except OSError as error:
        raise UsageError(f"cannot write to {out}: {error.strerror}") from None
