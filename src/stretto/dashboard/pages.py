"""All pages and their addresses, put into a web application."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable
from pathlib import Path
from types import MappingProxyType
from typing import Final

from fastapi import FastAPI
from nicegui import Client, core, ui
from nicegui import app as pages_app
from starlette.requests import Request
from starlette.responses import Response

from stretto.dashboard.agents import agents
from stretto.dashboard.audit import all_audits
from stretto.dashboard.board import Board
from stretto.dashboard.channel import OwnUploads, confine_channel
from stretto.dashboard.inbox import inbox
from stretto.dashboard.new_run import new_run
from stretto.dashboard.numbers import numbers
from stretto.dashboard.one_run import one_run
from stretto.dashboard.runs import runs
from stretto.dashboard.shell import Frame, framed, nowhere
from stretto.desk import Desk

STATIC = Path(__file__).parent / "static"
SECONDS_TO_BUILD = 10.0
SECONDS_TO_RECONNECT = 30.0
"""How long the server keeps a page whose connection broke; later it is built anew."""

Build = Callable[[Frame], Awaitable[None]]

PAGES: Final[Mapping[str, tuple[str, Build]]] = MappingProxyType(
    {
        "/": ("Runs", runs),
        "/new": ("New run", new_run),
        "/runs/{run}": ("Run", one_run),
        "/inbox": ("Inbox", inbox),
        "/agents": ("Agents", agents),
        "/numbers": ("Numbers", numbers),
        "/audit": ("Audit", all_audits),
    }
)
"""By address: the title, and what builds the page."""


def mount(app: FastAPI, desk: Desk, *, name: str) -> None:
    """Put the pages into an application, for the runs at a desk; `name` is the workspace's.

    Whatever stands in front of the application says who asks, in `request.scope["state"]["credential"]` (see
    `stretto.access.roles.Credential`); without it no page shows anything. A process has one dashboard.
    """
    board = Board()
    confine_channel(core.sio)
    pages_app.add_middleware(OwnUploads)
    pages_app.add_static_files("/static", STATIC)
    for address, (title, build) in PAGES.items():
        ui.page(address, response_timeout=SECONDS_TO_BUILD)(_page(build, desk, board, name, title))
    ui.add_head_html(
        f'<link rel="stylesheet" href="/static/theme.css?{_mark("theme.css")}">'
        f'<link rel="stylesheet" href="/static/more.css?{_mark("more.css")}">'
        f'<script src="/static/shell.js?{_mark("shell.js")}"></script>'
        f'<script src="/static/inbox.js?{_mark("inbox.js")}"></script>',
        shared=True,
    )
    ui.run_with(
        app,
        title=name,
        favicon=STATIC / "favicon.svg",
        dark=None,
        language="en-US",
        reconnect_timeout=SECONDS_TO_RECONNECT,
        tailwind=False,
        show_welcome_message=False,
    )
    _lead_back(_page(nowhere, desk, board, name, "No such page"))


def _lead_back(page: Callable[[Request], Awaitable[None]]) -> None:
    """Show a page of ours at addresses that have none; what is no page (a script, a file) is answered as before."""
    usual = pages_app.exception_handlers[404]

    async def missing(request: Request, error: Exception) -> Response:
        if request.scope.get("endpoint") is not pages_app:
            answer = usual(request, error)
            return await answer if isawaitable(answer) else answer
        with Client(ui.page(""), request=request) as client:
            await page(request)
        return client.build_response(request, 404)

    pages_app.add_exception_handler(404, missing)


def _page(build: Build, desk: Desk, board: Board, name: str, title: str) -> Callable[[Request], Awaitable[None]]:
    async def page(request: Request) -> None:
        async with framed(request, desk, board, name, title) as frame:
            if frame is not None:
                await build(frame)

    return page


def _mark(file: str) -> str:
    """Name a file's content, so that a browser asks again when it has changed."""
    return hashlib.sha256((STATIC / file).read_bytes()).hexdigest()[:12]
