"""`plan`: look a plan over like a program, without running anything."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from stretto.cli.options import JsonOption, ModelOption, PlannerOption, WorkspaceOption, here_or, orchestrator
from stretto.cli.proposals import show_proposal
from stretto.core.errors import UsageError

if TYPE_CHECKING:
    from stretto.bootstrap import Orchestrator
    from stretto.core.domain import Plan


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("plan")(plan)


def plan(
    goal: Annotated[
        Optional[str], typer.Argument(metavar="GOAL", help="A goal; how it would be pursued is shown.")
    ] = None,
    file: Annotated[
        Optional[Path],
        typer.Option(
            "--file",
            metavar="FILE",
            help="The plan: YAML or JSON. Plans of other systems: Markdown and JSON Lines too.",
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    inputs: Annotated[
        Optional[list[str]], typer.Option("--input", metavar="NAME=VALUE", help="An input of the goal. Repeatable.")
    ] = None,
    tools: Annotated[
        Optional[list[Path]],
        typer.Option("--tools", metavar="FILE", help="Check against these agent cards or tools, and mend what can be."),
    ] = None,
    write: Annotated[
        Optional[Path],
        typer.Option("--write", metavar="FILE", help="Write the plan here, mended where that can be (- prints it)."),
    ] = None,
    budget: Annotated[
        Optional[str], typer.Option("--budget", metavar="AMOUNT", help="Check that it fits this budget.")
    ] = None,
    model: ModelOption = None,
    planner: PlannerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a plan and show it: every defect with its code, its place and how to mend it."""
    from stretto.amounts import budget_of
    from stretto.cli.text import as_json as written
    from stretto.cli.text import counted
    from stretto.core.plan.diagnostics import diagnose, errors
    from stretto.views import diagnostic_view
    from stretto.workspace import read_plan_file

    if tools or (write is not None and file is not None) or (file is not None and _is_foreign(file)):
        raise typer.Exit(_take_in(file, tools or [], workspace, budget, write, as_json))
    if workspace is None and file is None and not goal and not Path("workspace.yaml").exists():
        raise UsageError("which plan? Give a goal, a file with --file, or a workspace with -w")
    team = _team(workspace, model)
    if write is not None and not goal:
        raise UsageError("which plan is to be written? Name a file with --file, or a goal")
    wanted = write is not None or planner is not None
    if goal and file is None and (wanted or team.workspace is None or team.workspace.plan is None):
        show_proposal(team, goal, inputs or (), as_json, planner=planner, write=write)
    path = file if file is not None or team.workspace is None else team.workspace.plan_file()
    if path is None or not path.exists():
        raise UsageError(f"there is no file {path}")
    read, found, document = read_plan_file(path, size=team.size, largest=team.settings.plan_bytes)
    if read.tasks:
        checked = team.check(read, budget=budget_of(budget) if budget else None)
        found += document.placed(checked) if document is not None else checked
    elif not errors(found):
        found.append(diagnose("empty-plan", "tasks", "the plan has no task", "Add at least one task."))
    status = "refused" if errors(found) else "ok"
    if as_json:
        view = [diagnostic_view(one) for one in found]
        typer.echo(written({"id": read.name or path.stem, "status": status, "diagnostics": view}, indent=None))
    else:
        for one in found:
            typer.echo(str(one), err=one.severity == "error")
        _draw(read, team)
        wrong = len(errors(found))
        counts = (counted(len(read.tasks), "task"), counted(wrong, "error"), counted(len(found) - wrong, "remark"))
        typer.echo(f"\n{status}: {', '.join(counts)}")
    raise typer.Exit(1 if status == "refused" else 0)


def _is_foreign(file: Path) -> bool:
    """Tell files that may hold plans of other systems: by their ending, and JSON and YAML by what is in them."""
    from stretto.core.plan.foreign.form import task_graph
    from stretto.documents import Unreadable, read_document
    from stretto.plan_files import LINES, PROSE

    if file.suffix.lower() in (*LINES, *PROSE):
        return True
    try:
        value = read_document(file).value
    except Unreadable:
        return False
    return task_graph(value[0] if isinstance(value, list) and value else value) is not None


def _take_in(
    file: Path | None, tools: list[Path], workspace: Path | None, budget: str | None, write: Path | None, as_json: bool
) -> int:
    """Take in the plans of a file, against cards or tools or else the agents at hand; gives the exit code."""
    from stretto.amounts import budget_of
    from stretto.cli.foreign import catalogues, tell
    from stretto.plan_files import judge

    if file is None:
        raise UsageError("which plans? Name a file with --file")
    if not file.is_file():
        raise UsageError(f"there is no file {file}")
    team = _team(workspace)
    judged = judge(
        file,
        catalogues(tools, team.catalogue),
        size=team.size,
        budget=budget_of(budget) if budget else None,
        largest=team.settings.plan_bytes,
    )
    return tell(judged, as_json=as_json, write=write)


def _team(workspace: Path | None, model: str | None = None) -> "Orchestrator":
    """Give the agents of a workspace, or without one those that ship with Stretto."""
    return orchestrator(here_or(workspace), None, model=model)


def _draw(plan: "Plan", team: "Orchestrator") -> None:
    """Print the graph: who waits for whom, the critical path, what it takes."""
    from stretto.cli.view.printing import signs_of, width_for, write
    from stretto.cli.view.tables import plan_table
    from stretto.core.routing import roster

    write(plan_table(plan, roster(team.catalogue), width_for(), signs_of()))
