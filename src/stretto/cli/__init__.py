"""The command line. Its modules load what they need when a command runs, so that `--help` is quick."""

import sys

import typer

from stretto.cli import agents, answers, init, plans, run, runs
from stretto.core.errors import StrettoError, UsageError

app = typer.Typer(
    name="stretto",
    help="An orchestrator agent: a goal in, a checked plan, specialists side by side, one deliverable out.",
    epilog="Exit codes: 0 finished, 3 partial, 4 waits for a person, 1 failed, 2 usage, 130 cancelled.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (init, run, plans, runs, answers, agents):
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
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        app()
    except UsageError as error:
        typer.echo(f"stretto: {error}", err=True)
        sys.exit(2)
    except StrettoError as error:
        typer.echo(f"stretto: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        typer.echo("stretto: interrupted", err=True)
        sys.exit(130)
