"""`serve`: one process with the engine, the HTTP API and the dashboard."""

import asyncio
import ipaddress
import logging
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional, TextIO

import typer

from stretto.cli.interruption import end, until_interrupted
from stretto.cli.options import StoreOption, WorkspaceOption, here_or, orchestrator, prepared_store, store_file
from stretto.cli.worker import RUNS, Log, reloading_of
from stretto.core.errors import UsageError

if TYPE_CHECKING:
    from stretto.access.book import AccessBook

HOST, PORT = "127.0.0.1", 8710
HOW_TO_END = "Ctrl-C ends it and gives its runs back"
IN_THE_CLEAR = "others reach it without TLS: keys go over the network in the clear; see docs/access.md"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve)


def serve(
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Where to listen; beyond this machine only with keys.")
    ] = HOST,
    port: Annotated[
        int, typer.Option("--port", metavar="NUMBER", min=0, max=65535, help="0: any that is free.")
    ] = PORT,
    urls: Annotated[
        Optional[list[str]],
        typer.Option("--url", metavar="URL", help="An address by which browsers reach it through a proxy. Repeatable."),
    ] = None,
    runs: Annotated[int, typer.Option("--runs", metavar="NUMBER", min=1, help="Runs driven at once.")] = RUNS,
    places: Annotated[
        Optional[int],
        typer.Option(
            "--places", metavar="NUMBER", min=1, help="Agent calls at once over all runs (default: `parallel` of one)."
        ),
    ] = None,
) -> None:
    """Serve a workspace: drive its runs, with an HTTP API and a dashboard, until interrupted."""
    _require_extra()
    from stretto.servers.http.addresses import is_loopback, read_addresses

    folder = here_or(workspace)
    file = prepared_store(store) or store_file(folder, None)
    with _bound(host, port) as listener:
        beyond = not is_loopback(listener.getsockname()[0])
        addresses = read_addresses(urls or (), beyond=beyond)

        from stretto.bootstrap import open_access, serving
        from stretto.bootstrap.web import listening
        from stretto.cli.capture import prints_kept_apart

        with prints_kept_apart() as apart:
            log = Log(apart.out, apart.err, (folder or Path()) / "output")
            _log_to(apart.err)
            served = reloading_of(folder, file, log) or orchestrator(folder, file)

            async def work() -> None:
                async with open_access(file) as book:
                    if beyond:
                        _require_keys(book, host)
                    async with serving(served, runs=runs, places=places, tell=log) as service:
                        known = service.desk.team.workspace
                        name = known.name if known else "the agents that ship"
                        async with listening(service, book, listener, addresses, name=name):
                            log.say(f"serves {name} at {_address(listener)} (store {file}); {HOW_TO_END}")
                            if beyond and not addresses.secure:
                                log.say(IN_THE_CLEAR)
                            await asyncio.wait([service.work])
                        service.work.result()

            until_interrupted(work())
            apart.settle()
            log.conclude()
            end(0)


def _require_extra() -> None:
    from importlib.util import find_spec

    missing = [name for name in ("nicegui", "uvicorn") if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"`stretto serve` needs {' and '.join(missing)}; install them with `pip install 'stretto[web]'`"
        )


def _require_keys(book: "AccessBook", host: str) -> None:
    """Raise UsageError where nobody needs a key, for an address that others reach."""
    if not book.any_keys():
        raise UsageError(
            f"others can reach {host}, and without a key anybody could do anything here; make one with "
            "`stretto keys add NAME --role admin`, or listen on 127.0.0.1 alone"
        )


def _bound(host: str, port: int) -> socket.socket:
    """Give a socket that is bound to an address; raises UsageError."""
    listener = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except (OSError, UnicodeError) as error:
        if listener is not None:
            listener.close()
        why = error.strerror if isinstance(error, OSError) else "it is no address"
        raise UsageError(f"cannot listen on {host}:{port}: {why}; name another with --host or --port") from None
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ipaddress.ip_address(host).version == 6 else host
    return f"http://{shown}:{port}"


def _log_to(stream: TextIO) -> None:
    """Have what the server notes go to standard error, a line each."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("stretto: %(message)s"))
    for name in ("stretto.server", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(logging.WARNING)
        logger.propagate = False
