"""The part of `plan` that takes plans of other systems, checks them against cards or tools, and mends them."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from stretto.cli.text import as_json, counted, one_line
from stretto.core.errors import UsageError

if TYPE_CHECKING:
    from stretto.core.domain import Catalogue, Json
    from stretto.plan_files import Judged


def catalogues(paths: list[Path], otherwise: "Catalogue | None" = None) -> "Callable[[Json], Catalogue]":
    """Give which cards a plan is held against: of several files the one that its `dataset` names, else all.

    Without files it is `otherwise`.
    """
    from stretto.cards import joined, read_cards

    held = {path: read_cards(path) for path in paths}
    every = joined(held.values()) if held or otherwise is None else otherwise

    def chosen(document: "Json") -> "Catalogue":
        named = document.get("dataset") if isinstance(document, dict) else None
        if isinstance(named, str) and named:
            for path, catalogue in held.items():
                if path.name.startswith(named):
                    return catalogue
        return every

    return chosen


def tell(judged: "Iterator[Judged]", *, as_json: bool, write: Path | None) -> int:
    """Print what became of each plan, and write the only one where it is wanted; gives the exit code."""
    summary = _Summary()
    last: Judged | None = None
    aside = str(write) == "-"  # then standard output is for the plan alone
    for last in judged:
        summary.add(last)
        if as_json and not aside:
            _print_json(last)
        else:
            _print(last, aside)
    if last is None:
        raise UsageError("there is no plan in this file")
    if aside or not as_json:
        summary.print(aside)
    if write is not None:
        if summary.plans != 1:
            raise UsageError(f"--write takes one plan, and the file has {summary.plans}")
        _write(last, write)
    return 1 if summary.status["refused"] else 0


class _Summary:
    def __init__(self) -> None:
        self.status: Counter[str] = Counter()
        self._found: Counter[tuple[str, str]] = Counter()
        self._repaired: Counter[tuple[str, str]] = Counter()

    @property
    def plans(self) -> int:
        return self.status.total()

    def add(self, one: "Judged") -> None:
        self.status[one.intake.status] += 1
        for said in one.intake.found:
            self._found[said.severity, said.code] += 1
            self._repaired[said.severity, said.code] += said.repaired

    def print(self, aside: bool) -> None:
        """Print a line for every code: how often it was found, mended and left."""
        if self._found:
            typer.echo(f"\n{'code':<32}{'severity':<10}{'found':>8}{'repaired':>10}{'left':>8}", err=aside)
        for (severity, code), found in sorted(self._found.items()):
            repaired = self._repaired[severity, code]
            typer.echo(f"{code:<32}{severity:<10}{found:>8}{repaired:>10}{found - repaired:>8}", err=aside)
        counts = ", ".join(f"{self.status[one]} {one}" for one in ("ok", "repaired", "refused"))
        typer.echo(f"\n{counted(self.plans, 'plan')}: {counts}", err=aside)


def _print_json(one: "Judged") -> None:
    from stretto.views import diagnostic_view

    view = {
        "id": one.id,
        "status": one.intake.status,
        "diagnostics": [diagnostic_view(said) for said in one.intake.found],
        "changes": [
            {"code": did.code, "where": did.path, "what": did.what, "why": did.why} for did in one.intake.changes
        ],
    }
    typer.echo(as_json(view, indent=None))


def _print(one: "Judged", aside: bool) -> None:
    """Print a line for the plan, and below it its errors and what was mended."""
    tasks = len(one.intake.plan.tasks)
    typer.echo(f"{one_line(one.id):<24} {one.intake.status:<9} {counted(tasks, 'task')}", err=aside)
    for said in one.intake.found:
        if said.severity == "error":
            typer.echo(f"  {'mended' if said.repaired else 'left'}: {said}", err=aside or not said.repaired)


def _write(one: "Judged", path: Path) -> None:
    """Write the mended plan; see `write_document`."""
    from stretto.core.plan.writing import write_plan

    write_document(write_plan(one.intake.plan, one.intake.goal), path)


def write_document(document: dict[str, Any], path: Path) -> None:
    """Write a plan's document, as YAML or, for a file called so, JSON; `-` is standard output. Raises UsageError."""
    from stretto.documents import yaml_text

    is_json = path.suffix.lower() == ".json"
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n" if is_json else yaml_text(document)
    if str(path) == "-":
        typer.echo(text, nl=False)
        return
    try:
        path.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}; name another file with --write") from None
