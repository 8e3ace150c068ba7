"""What a run leaves behind: its files in a folder, and a few lines on the screen."""

import os
import re
import shutil
import textwrap
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from stretto.cli.rendering import as_text
from stretto.cli.text import answer_command, as_json, clean, counted, local, one_line
from stretto.core.domain import Artifact
from stretto.core.errors import UsageError
from stretto.telling.standstill import standstill
from stretto.usage import usage_lines
from stretto.views import Run, artifact_bytes, artifacts_of

LONGEST_NAME = 120
MOST_PLACES = 3
"""Places that are named behind a mark."""
LONGEST_ANSWER = 4000
WIDEST_PROSE = 100


def prepare(folder: Path) -> None:
    """Make the output folder before anything runs; raises UsageError when it cannot take files."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise UsageError(f"--output {folder} is a file; name a folder") from None
    except OSError as error:
        raise UsageError(f"cannot write to {folder}: {error.strerror}; name another folder with --output") from None
    if not os.access(folder, os.W_OK):
        raise UsageError(f"cannot write to {folder}; mend its rights, or name another folder with --output")


def hand_over(run: Run, folder: Path) -> dict[tuple[str, str], str]:
    """Write artifacts and `delivery.json` into a folder; gives the path of each artifact.

    Names are kept to plain file names inside the folder, whatever an agent called them.
    """
    try:
        written = save_artifacts(artifacts_of(run.state), folder)
        _write(folder / "delivery.json", as_json(run.as_json(written)).encode(errors="replace") + b"\n")
    except OSError as error:
        raise UsageError(
            f"cannot write to {folder}: {error.strerror}; the run is kept, "
            f"`stretto resume {run.run_id} --output FOLDER` hands it over elsewhere"
        ) from None
    return written


def save_artifacts(artifacts: Iterable[tuple[str, Artifact]], folder: Path) -> dict[tuple[str, str], str]:
    """Write artifacts, each with its task, into a folder; gives the path of each. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[tuple[str, str], str] = {}
    taken: set[str] = {"delivery.json"}
    for task, artifact in artifacts:
        path = folder / _free(_safe(artifact.name), _safe(task), taken)
        _write(path, artifact_bytes(artifact))
        written[task, artifact.name] = str(path)
    return written


def conclude(run: Run, place: str, out: TextIO) -> None:
    """Say how it ended, and what to do next. `place` are the options by which others find the run."""
    state = run.state
    done = f"{state.completed} of {counted(state.planned, 'task')}"
    took = f"{(state.ended or state.at) - state.started:.1f} s"
    out.write(f"\n{run.status} after {took}: {done}, cost {run.cost}\n")
    for line in usage_lines(state):
        out.write(f"{one_line(line)}\n")
    if run.answer is not None:
        shown = clean(answer_text(run))
        if isinstance(run.answer, str) and out.isatty():
            shown = "\n".join(_wrapped(line) for line in shown.splitlines())
        if len(shown) > LONGEST_ANSWER:
            shown = f"{shown[:LONGEST_ANSWER]}…\n(the whole answer: delivery.json, or stretto show {run.run_id}{place})"
        out.write(f"\n{shown}\n")
    if run.gaps:
        out.write("\nmissing:\n" + gaps_text(run))
    if state.refused is not None and state.diagnostics:
        out.write("\nthe plan:\n" + defects_text(run))
    if run.contradictions:
        out.write("\ncontradictions:\n" + contradictions_text(run))
    if run.footnotes:
        out.write("\nsources:\n" + footnotes_text(run))
    if run.notes:
        out.write("\nto note:\n" + "".join(f"  {one_line(task)}: {one_line(note)}\n" for task, note in run.notes))
    for told in standstill(state, state.at, place):
        out.write(f"\n{one_line(told)}\n")
    for request in run.requests:
        command = answer_command(run.run_id, request["task"], request["kind"], place)
        whom, what = one_line(request["to"]) or "you", request["task"] or "the goal"
        out.write(f"\nwaits for {whom}: {what}: {one_line(request['question'])}\n")
        out.write(f"  decide  {command}\n")
    if run.wake is not None and run.wake > time.time():
        out.write(f"\nsleeps until {local(run.wake)}; then `stretto worker` goes on with it\n")
        if not run.requests:
            out.write(f"  go on   stretto resume {run.run_id}{place}\n")
    if out.isatty() and run.status in ("finished", "partial") and not run.ratings:
        out.write(f"\nhow good is it?  stretto rate {run.run_id} 1..5{place}\n")
    if run.requests:
        out.write(f"  look    stretto show {run.run_id}{place}\n  go on   stretto resume {run.run_id}{place}\n")


def _wrapped(line: str) -> str:
    """Break a line of prose between words; what is set in, like code and tables, stays as it is."""
    width = min(shutil.get_terminal_size().columns, WIDEST_PROSE)
    if line.startswith((" ", "\t", "|")):
        return line
    return textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)


def gaps_text(run: Run) -> str:
    """Give a line for each gap."""
    said = []
    for gap in run.gaps:
        head = ": ".join(one_line(part) for part in (gap.task, gap.what) if part)
        said.append(f"{'! ' if gap.urgent else '  '}{head}: {one_line(gap.why)}\n")
    return "".join(said)


def defects_text(run: Run) -> str:
    """Give a line for each defect of the plan, as for a plan's file."""
    return "".join(f"  {one_line(str(one))}\n" for one in run.state.diagnostics)


def contradictions_text(run: Run) -> str:
    """Say where results contradict each other, one line per result."""
    lines = [
        f"  {one_line(task)}: {one_line(_cut(text, 200))}" for one in run.contradictions for task, text in one.said
    ]
    return "\n".join(lines) + "\n"


def footnotes_text(run: Run) -> str:
    """Say what each mark in a written answer stands for: a task, and the first places that its result cites."""
    lines = []
    for one in run.footnotes:
        cited = [f"{place.file}:{place.line}" if place.line is not None else place.file for place in one.citations]
        more = f" and {len(cited) - MOST_PLACES} more" if len(cited) > MOST_PLACES else ""
        places = one_line(f"{', '.join(cited[:MOST_PLACES])}{more}")
        lines.append(f"  [{one_line(one.mark)}]  {places}".rstrip() + "\n")
    return "".join(lines)


def answer_text(run: Run) -> str:
    """Give the answer as text."""
    return run.answer if isinstance(run.answer, str) else as_text(run.answer)


def list_files(files: dict[tuple[str, str], str], folder: Path, out: TextIO) -> None:
    """Say where everything lies."""
    here = Path.cwd()
    shown = folder.relative_to(here) if folder.is_absolute() and folder.is_relative_to(here) else folder
    out.write(f"\noutput in {shown}:\n")
    for name in (*sorted({Path(path).name for path in files.values()}), "delivery.json"):
        out.write(f"  {name}\n")


def _safe(name: str) -> str:
    plain = re.sub(r"[^\w.\- ]", "_", name.replace("\\", "/").rsplit("/", 1)[-1]).strip(". ")
    stem, dot, ending = plain.rpartition(".")
    if len(plain.encode()) <= LONGEST_NAME:
        return plain or "artifact"
    ending = f"{dot}{ending}" if dot and len(ending) <= 10 else ""
    return _cut(stem if ending else plain, LONGEST_NAME - len(ending.encode())) + ending


def _cut(text: str, most: int) -> str:
    return text.encode()[:most].decode(errors="ignore")


def _free(name: str, task: str, taken: set[str]) -> str:
    """Give a name that no other file here has, on any file system."""
    tried, number = name, 1
    while tried.casefold() in taken:
        tried = f"{task}-{name}" if number == 1 else f"{task}-{number}-{name}"
        number += 1
    taken.add(tried.casefold())
    return tried


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; a link in its place is not followed."""
    beside = path.with_name(f".{os.getpid()}.new")
    beside.write_bytes(content)
    beside.replace(path)
