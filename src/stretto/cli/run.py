"""`run` and `resume`: pursue a goal, go on with a run."""

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, Optional, cast

import typer

from stretto.cli.interruption import end, until_interrupted
from stretto.cli.options import (
    EXIT,
    EXIT_USAGE,
    JsonOption,
    ModelOption,
    PlainOption,
    PlannerOption,
    QuietOption,
    RunArgument,
    StoreOption,
    WorkspaceOption,
    exit_code,
    here_or,
    orchestrator,
    prepared_store,
    store_file,
    workspace_folder,
)
from stretto.cli.text import as_json as json_text
from stretto.cli.text import place
from stretto.core.errors import UsageError

if TYPE_CHECKING:
    from stretto.bootstrap import Orchestrator
    from stretto.bootstrap.editions import Opening
    from stretto.core.domain import PlannerChoice
    from stretto.core.state import RunState
    from stretto.ports import People
    from stretto.views import Run

STANDARD_INPUT = "-"

BudgetOption = Annotated[
    Optional[str], typer.Option("--budget", metavar="AMOUNT", help="What it may spend at most, like '$2, 50 steps'.")
]
DeadlineOption = Annotated[
    Optional[str],
    typer.Option(
        "--deadline", metavar="WHEN", help="When it must end: '10m', '2h', or a moment like 2026-12-31T18:00."
    ),
]
OutputOption = Annotated[
    Optional[Path],
    typer.Option(
        "--output", metavar="FOLDER", help="Where report and artifacts land (default: output/RUN in the workspace)."
    ),
]
ApproveOption = Annotated[
    str, typer.Option("--approve", metavar="ask|all|none", help="Ask before what needs approval, or decide beforehand.")
]
WaitOption = Annotated[
    Optional[bool],
    typer.Option(
        "--wait/--no-wait", help="Wait for people (default: on a terminal); else exit 4 when only they can help."
    ),
]


class Shown(NamedTuple):
    """How a run is shown: as plain lines even on a terminal, or not at all."""

    plain: bool
    quiet: bool


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("run")(run)
    app.command("resume")(resume)


def run(
    goal: Annotated[Optional[str], typer.Argument(metavar="[GOAL]", help="What you want done, in a sentence.")] = None,
    workspace: WorkspaceOption = None,
    plan: Annotated[
        Optional[str],
        typer.Option(
            "--plan", metavar="PLAN", help="A plan's file, its name in the workspace, or JSON Lines: `-`, *.jsonl."
        ),
    ] = None,
    inputs: Annotated[
        Optional[list[str]],
        typer.Option("--input", metavar="NAME=VALUE", help="An input of the plan, or a bare file. Repeatable."),
    ] = None,
    budget: BudgetOption = None,
    deadline: DeadlineOption = None,
    model: ModelOption = None,
    output: OutputOption = None,
    store: StoreOption = None,
    approve: ApproveOption = "ask",
    wait: WaitOption = None,
    planner: PlannerOption = None,
    as_json: JsonOption = False,
    plain: PlainOption = False,
    quiet: QuietOption = False,
) -> None:
    """Pursue a goal: plan, check, run, ask, deliver."""
    folder = here_or(workspace)
    if folder is None and not goal:
        raise UsageError("which goal? Say it in a sentence, or name a workspace that has one with -w FOLDER")

    async def pursue(team: "Orchestrator", people: "People", patient: bool) -> "Run":
        wanted = goal if goal is not None else (team.workspace.goal if team.workspace else "")
        return await team.run(
            wanted,
            plan=plan,
            inputs=inputs or [],
            budget=budget,
            deadline=deadline,
            approve=_approve(approve),
            people=people,
            wait=patient,
            planner=cast("PlannerChoice | None", planner),
        )

    typed = plan == STANDARD_INPUT
    _drive(folder, store, output, wait, as_json, Shown(plain, quiet), pursue, model=model, typed=typed)


def resume(
    run_id: RunArgument,
    workspace: WorkspaceOption = None,
    budget: BudgetOption = None,
    deadline: DeadlineOption = None,
    model: ModelOption = None,
    output: OutputOption = None,
    store: StoreOption = None,
    approve: ApproveOption = "ask",
    wait: WaitOption = None,
    as_json: JsonOption = False,
    plain: PlainOption = False,
    quiet: QuietOption = False,
    inputs: Annotated[
        Optional[list[str]], typer.Option("--input", metavar="NAME=VALUE", help="With --plan: its inputs. Repeatable.")
    ] = None,
    plan: Annotated[
        Optional[str],
        typer.Option("--plan", metavar="FILE", help="The whole of a plan whose stream broke off: `-`, *.jsonl."),
    ] = None,
) -> None:
    """Go on with a run after a crash, an exit or an answer. Nothing that is finished runs again."""
    if inputs and plan is None:
        raise UsageError("a run keeps its plan and inputs; start another with `stretto run` for new ones")

    if (told := asyncio.run(_told_to_go_on(run_id, workspace, store))) is not None:
        typer.echo(told)
        return

    async def pursue(team: "Orchestrator", people: "People", patient: bool) -> "Run":
        return await team.resume(
            run_id,
            plan=plan,
            inputs=inputs,
            budget=budget,
            deadline=deadline,
            approve=_approve(approve),
            people=people,
            wait=patient,
        )

    folder = _folder_of(run_id, workspace, store)
    typed = plan == STANDARD_INPUT
    _drive(folder, store, output, wait, as_json, Shown(plain, quiet), pursue, run_id, model=model, typed=typed)


async def _told_to_go_on(run_id: str, workspace: Path | None, store: Path | None) -> str | None:
    """Tell the process that drives a paused run to go on with it; None where there is none."""
    from stretto.bootstrap import find_run, leave_word, open_store, user
    from stretto.core.commands import Continue
    from stretto.orchestrator import load

    async with open_store(store_file(workspace, store), must_exist=True) as journal:
        run = await find_run(journal, run_id)
        owner = await journal.owner(run)
        if owner is None or (await load(journal, run)).paused is None:
            return None
        await leave_word(journal, run, Continue(actor=f"person:{user()}"))
        return f"run {run} goes on in {owner}"


def _folder_of(run_id: str, workspace: Path | None, store: Path | None) -> Path | None:
    """Give the workspace of a run: as named, else as the run itself remembers; None when it had none.

    Raises UsageError when only the Python program that began it has its agents.
    """
    if workspace is not None:
        return workspace_folder(workspace)
    if store is None and (here := here_or(None)) is not None:
        return here
    from stretto.bootstrap import SPECIALISTS

    state = asyncio.run(_state(run_id, store))
    if state.workspace:
        return Path(state.workspace)
    if not {one.name for one in state.catalogue.agents} <= SPECIALISTS.keys():
        raise UsageError(
            "this run was started from Python; go on with Orchestrator.resume(), or name a workspace with -w"
        )
    return None


def _in_its_edition(run_id: str, store: Path) -> "Callable[[Path, Opening], Orchestrator]":
    """Say how a workspace is opened: in the edition of the run that is to go on, else so that a new one notes it."""
    from stretto.bootstrap.editions import opened_for, opened_here

    if not run_id:
        return opened_here
    state = asyncio.run(_state(run_id, store))
    return lambda folder, opening: opened_for(state.edition, folder, opening)


async def _state(run_id: str, store: Path | None) -> "RunState":
    from stretto.bootstrap import find_run, open_store
    from stretto.orchestrator import load

    async with open_store(store_file(None, store), must_exist=True) as journal:
        return await load(journal, await find_run(journal, run_id))


def _approve(text: str) -> Literal["ask", "all", "none"]:
    if text not in ("ask", "all", "none"):
        raise UsageError(f"--approve is ask, all or none, not {text!r}")
    return cast(Literal["ask", "all", "none"], text)


def _drive(
    folder: Path | None,
    store: Path | None,
    output: Path | None,
    wait: bool | None,
    as_json: bool,
    shown: "Shown",
    pursue: "Callable[[Orchestrator, People, bool], Awaitable[Run]]",
    run_id: str = "",
    *,
    model: str | None = None,
    typed: bool = False,
) -> None:
    """Pursue something and show it; where the plan is `typed` on standard input, no answers are."""
    from stretto.cli.asking import Terminal
    from stretto.cli.capture import prints_kept_apart
    from stretto.cli.output import conclude, hand_over, list_files, prepare
    from stretto.cli.screen import screen_for
    from stretto.engines.people import Nobody

    on_terminal = sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty() and not typed
    patient = on_terminal if wait is None else wait
    where = place(folder, store)
    if output is not None:
        prepare(output)
    with prints_kept_apart() as apart:
        screen = screen_for(apart.err, place=where, plain=shown.plain, quiet=shown.quiet)
        apart.pass_to(screen.overhear)
        file = prepared_store(store) or store_file(folder, None)
        team = orchestrator(folder, file, (screen,), model, opened=_in_its_edition(run_id, file))
        people: People = Terminal(screen) if on_terminal and patient else Nobody()

        async def shown_while_pursued() -> "Run":
            async with screen.drawing():
                try:
                    return await pursue(team, people, patient)
                finally:
                    apart.settle()

        result = until_interrupted(shown_while_pursued())
        if result is None:
            kept = screen.run or run_id
            again = f"the run is kept. Go on: stretto resume {kept}{where}" if kept else "nothing was begun"
            screen.say(f"interrupted; {again}")
            end(EXIT["cancelled"])
        target = output or (team.workspace.folder if team.workspace else Path()) / "output" / result.run_id
        problem, files = None, {}
        try:
            files = hand_over(result, target)
        except UsageError as error:
            problem = error
        with contextlib.suppress(BrokenPipeError):  # whoever reads it has heard enough, like `head`
            if as_json:
                apart.out.write(json_text({**result.as_json(files), "output": str(target)}) + "\n")
            else:
                conclude(result, where, apart.out)
                if problem is None:
                    list_files(files, target, apart.out)
            apart.out.flush()
        if problem is not None:
            screen.say(f"stretto: {problem}")
            end(EXIT_USAGE)
        end(exit_code(result.status))
