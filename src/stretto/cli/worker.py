"""`worker`: drive the runs of a store that nobody drives."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional, TextIO

import typer

from stretto.cli.interruption import end, until_interrupted
from stretto.cli.options import StoreOption, WorkspaceOption, here_or, orchestrator, prepared_store, store_file
from stretto.cli.text import one_line
from stretto.core.errors import StoreError, UsageError

if TYPE_CHECKING:
    from stretto.bootstrap.reloading import Reload, Reloading
    from stretto.workers import Report

RUNS = 16


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("worker")(worker)


def worker(
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    runs: Annotated[int, typer.Option("--runs", metavar="NUMBER", min=1, help="Runs driven at once.")] = RUNS,
    places: Annotated[
        Optional[int],
        typer.Option(
            "--places", metavar="NUMBER", min=1, help="Agent calls at once over all runs (default: `parallel` of one)."
        ),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Only until nothing is due any more.")] = False,
) -> None:
    """Drive the runs that nobody drives, each when it has something to do, until interrupted."""
    from stretto.cli.capture import prints_kept_apart

    folder = here_or(workspace)
    file = prepared_store(store) or store_file(folder, None)
    with prints_kept_apart() as apart:
        log = Log(apart.out, apart.err, (folder or Path()) / "output")
        reloading = reloading_of(folder, file, log)
        team = reloading or orchestrator(folder, file)

        async def work() -> None:
            async with team.worker(runs=runs, places=places, tell=log) as one, _watched(None if once else reloading):
                if not once:
                    log.say(f"drives what is due in {file}; Ctrl-C ends it and gives its runs back")
                await one.work(once=once)

        until_interrupted(work())
        apart.settle()
        log.conclude()
        end(0)


def reloading_of(folder: Path | None, store: Path, log: "Log") -> "Reloading | None":
    """Open a workspace so that it may change; None where there is none, or where its editions cannot be kept."""
    from stretto.bootstrap.reloading import Reloading

    if folder is None:
        return None
    try:
        return Reloading(folder, store, tell=log.reloaded)
    except StoreError as error:
        log.say(f"{error}; changes of the workspace are not taken up, and runs go on with what stands there")
        return None


@contextlib.asynccontextmanager
async def _watched(reloading: "Reloading | None") -> AsyncIterator[None]:
    """Take up what changes in the workspace meanwhile."""
    watching = asyncio.create_task(reloading.watch()) if reloading is not None else None
    try:
        yield
    finally:
        if watching is not None:
            watching.cancel()


class Log:
    """A line for each thing that happens to a run; what runs deliver is handed over as it comes."""

    def __init__(self, out: TextIO, err: TextIO, folder: Path) -> None:
        self._out, self._err, self._folder = out, err, folder
        self._counts: Counter[str] = Counter()

    def __call__(self, report: "Report") -> None:
        self._counts[report.kind] += 1
        self._line(report.run, report.what)
        if report.kind == "ended" and report.state is not None:
            from stretto.cli.output import hand_over
            from stretto.views import Run

            try:
                hand_over(Run(state=report.state), self._folder / report.run)
            except UsageError as error:
                self._line(report.run, str(error))

    def say(self, text: str) -> None:
        """Say something about the worker itself."""
        with contextlib.suppress(OSError, ValueError):
            self._err.write(f"stretto: {one_line(text)}\n")
            self._err.flush()

    def reloaded(self, reload: "Reload") -> None:
        """Say what came of a changed workspace."""
        from stretto.cli.editions import told

        for line in told(reload):
            self.say(line)

    def conclude(self) -> None:
        """Say what came of it all."""
        said = [
            f"{self._counts[kind]} {what}"
            for kind, what in (
                ("ended", "ended"),
                ("resting", "came to rest"),
                ("returned", "given back"),
                ("broken", "could not be driven"),
                ("foreign", "left alone"),
            )
            if self._counts[kind]
        ]
        self.say(f"runs: {', '.join(said)}" if said else "nothing was due")

    def _line(self, run: str, what: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # whoever reads it has heard enough; the runs go on
            self._out.write(f"{run}  {one_line(what)}\n")
            self._out.flush()
