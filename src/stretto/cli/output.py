"""What a run leaves behind: its files in a folder, and a few lines on the screen."""

import json
import os
import re
from pathlib import Path

import typer

from stretto.core.errors import UsageError
from stretto.views import Run, artifact_bytes, artifacts_of


def hand_over(run: Run, folder: Path) -> dict[tuple[str, str], str]:
    """Write artifacts and `delivery.json` into a folder; gives the path of each artifact.

    Names are kept to plain file names inside the folder, whatever an agent called them.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written: dict[tuple[str, str], str] = {}
        taken: set[str] = {"delivery.json"}
        for task, artifact in artifacts_of(run.state):
            name = _safe(artifact.name)
            if name in taken:
                name = f"{_safe(task)}-{name}"
            taken.add(name)
            _write(folder / name, artifact_bytes(artifact))
            written[task, artifact.name] = str(folder / name)
        body = json.dumps(run.as_json(written), ensure_ascii=False, indent=2)
        _write(folder / "delivery.json", body.encode(errors="replace"))
    except OSError as error:
        raise UsageError(
            f"cannot write to {folder}: {error.strerror}; the run is kept, "
            f"`stretto resume {run.run_id} --output FOLDER` hands it over elsewhere"
        ) from None
    return written


def conclude(run: Run, folder: Path, files: dict[tuple[str, str], str], workspace: Path) -> None:
    """Say how it ended."""
    state = run.state
    done = f"{state.completed} of {len(state.ids)} tasks"
    took = f"{(state.ended or state.at) - state.started:.1f} s"
    typer.echo(f"\n{run.status} after {took}: {done}, cost {run.cost}")
    if run.answer is not None:
        answer = run.answer if isinstance(run.answer, str) else json.dumps(run.answer, ensure_ascii=False, indent=2)
        typer.echo(f"\n{answer}")
    if run.gaps:
        typer.echo("\nmissing:")
        for gap in run.gaps:
            typer.echo(f"  {gap.task or '-'}: {gap.what}: {gap.why}")
    for request in run.requests:
        typer.echo(f"\nwaits for you: {request['task']}: {request['question']}")
        verb = {"approval": "approve", "question": "answer", "doubt": "answer"}[request["kind"]]
        tail = {"approve": "", "answer": " ANSWER"}[verb]
        typer.echo(f"  look    stretto show {run.run_id} -w {workspace}")
        typer.echo(f"  decide  stretto {verb} {run.run_id} {request['task']}{tail} -w {workspace}")
        typer.echo(f"  go on   stretto resume {run.run_id} -w {workspace}")
    typer.echo("")
    for path in files.values():
        typer.echo(f"  {path}")
    typer.echo(f"output in {folder}")


def _safe(name: str) -> str:
    plain = re.sub(r"[^\w.\- ]", "_", name.replace("\\", "/").rsplit("/", 1)[-1]).strip(". ")
    return plain[:120] or "artifact"


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; a link in its place is not followed."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(content)
    beside.replace(path)
