"""The command line. Its modules load what they need when a command runs, so that `--help` is quick."""

import sys
from typing import NoReturn

import typer

from stretto.cli import (
    agents,
    answers,
    control,
    init,
    keys,
    models,
    numbers,
    plans,
    requests,
    run,
    runs,
    schemas,
    serve,
    worker,
    workspace,
)
from stretto.cli.capture import fill_standard_streams
from stretto.cli.options import EXIT, EXIT_USAGE
from stretto.cli.text import clean
from stretto.core.errors import StrettoError, UsageError

app = typer.Typer(
    name="stretto",
    help="An orchestrator agent: a goal in, a checked plan, specialists side by side, one deliverable out.",
    epilog="Exit codes: 0 finished, 3 partial, 4 waits for a person or sleeps, 1 failed, 2 usage, 130 cancelled.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (
    init, run, plans, runs, control, requests, answers, numbers, agents, models, worker, serve, keys, workspace,
    schemas,
):  # fmt: skip
    module.register(app)


def _version(shown: bool) -> None:
    if shown:
        from stretto import __version__

        typer.echo(f"stretto {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Say which release this is."
    ),
) -> None:
    del version


def main() -> None:
    """Run the command line and exit; errors that people can mend are one clear message."""
    fill_standard_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        app()
    except UsageError as error:
        _leave(str(error), EXIT_USAGE)
    except StrettoError as error:
        _leave(str(error), EXIT["failed"])
    except OSError as error:
        if error.filename is None:
            raise
        _leave(f"cannot use {error.filename}: {error.strerror}; check the name and its rights", EXIT_USAGE)
    except KeyboardInterrupt:
        _leave("interrupted", EXIT["cancelled"])


def _leave(message: str, code: int) -> NoReturn:
    typer.echo(f"stretto: {clean(message)}", err=True)
    sys.exit(code)
