"""The pages of a workspace on a port, as a program of its own: `python -m tests.dashboard.server FOLDER PORT`.

Who asks is whoever the cookie `role` says, the owner of the machine without one: what the guard of a real server finds
out from keys and sessions, pages only read.
"""

import asyncio
import sys
from http.cookies import SimpleCookie
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from stretto.access.roles import EVERYWHERE, Principal, Role
from stretto.bootstrap import open_workspace, serving
from stretto.dashboard.pages import mount


class Stamped:
    """A credential that always stands for one principal."""

    def __init__(self, role: Role) -> None:
        self._role = role

    def principal(self) -> Principal:
        return Principal(name=f"ann ({self._role})", roles=frozenset({self._role}), workspaces=EVERYWHERE)


class Porter:
    """Says of each request who asks."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            headers = dict(scope["headers"])
            cookie = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1"))
            role = Role(cookie["role"].value) if "role" in cookie else Role.ADMIN
            scope["state"] = {**scope.get("state", {}), "credential": Stamped(role)}
        await self._app(scope, receive, send)


async def serve(folder: Path, port: int) -> None:
    """Serve until somebody ends it; prints a line once it can be asked."""
    async with serving(open_workspace(folder)) as service:
        app = FastAPI()
        workspace = service.desk.team.workspace
        mount(app, service.desk, name=workspace.name if workspace else "stretto")
        server = uvicorn.Server(uvicorn.Config(Porter(app), port=port, log_level="warning"))
        await server.serve()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
