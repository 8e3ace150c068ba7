"""A real server on a free port of the loopback, with clients of every role."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from stretto.access.book import AccessBook
from stretto.access.roles import Role
from stretto.bootstrap import Service, open_access, open_workspace, serving
from stretto.bootstrap.web import listening
from stretto.servers.http.addresses import Addresses
from stretto.servers.http.guard import Guard
from tests.desk.office import workspace

ROLES = ("viewer", "operator", "approver", "admin")
SECONDS = 20.0


@dataclass(kw_only=True)
class House:
    """A served workspace: its address, its keys, and clients by role (`nobody` shows no key)."""

    service: Service
    book: AccessBook
    guard: Guard
    url: str
    keys: Mapping[str, str] = field(default_factory=dict)
    clients: Mapping[str, httpx.AsyncClient] = field(default_factory=dict)

    def __getattr__(self, role: str) -> httpx.AsyncClient:
        return self.clients[role]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    async def begun(self, goal: str = "say hello", **more: Any) -> str:
        """Begin a run, and give its id."""
        answer = await self.clients["admin"].post("/api/runs", json={"goal": goal, **more})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["run_id"])

    async def asking(self, **more: Any) -> tuple[str, str]:
        """Begin a run, and give it with the request that it puts to a person."""
        run = await self.begun(**more)
        return run, await self.request_of(run)

    async def request_of(self, run: str) -> str:
        """Wait until a run asks a person, and give the request."""
        async with asyncio.timeout(SECONDS), self.service.desk.watching(_admin(), run) as followed:
            while not followed.state.requests:
                await followed.after(followed.seq)
            return next(iter(followed.state.requests))

    async def ended(self, run: str) -> str:
        """Wait until a run has ended, and give its status."""
        async with asyncio.timeout(SECONDS), self.service.desk.watching(_admin(), run) as followed:
            while not followed.state.status.final:
                await followed.after(followed.seq)
            return followed.state.status.value

    async def raw(self, sent: bytes) -> bytes:
        """Send bytes as they are, and give the head of what comes back."""
        reading, writing = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writing.write(sent)
            await writing.drain()
            async with asyncio.timeout(SECONDS):
                return await reading.read(65536)
        finally:
            writing.close()


def _admin() -> Any:
    from tests.desk.office import ADMIN

    return ADMIN


def free_socket() -> socket.socket:
    """Give a socket bound to a free port of the loopback."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    return listener


@asynccontextmanager
async def house(
    folder: Path, *, keys: bool = True, addresses: Addresses | None = None, store: Path | None = None, **more: Any
) -> AsyncIterator[House]:
    """Serve a workspace, with a key for each role unless there are to be none."""
    home = folder if (folder / "workspace.yaml").exists() else workspace(folder)
    team = open_workspace(home, store=store)
    listener = free_socket()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with AsyncExitStack() as stack:
        book = await stack.enter_async_context(open_access(home / ".stretto" / "runs.db"))
        known = {role: (await key(book, role, Role(role))) for role in ROLES} if keys else {}
        service = await stack.enter_async_context(serving(team, **more))
        guard = await stack.enter_async_context(
            listening(service, book, listener, addresses or Addresses(), name="office", pages=False)
        )
        shown = {role: {"Authorization": f"Bearer {text}"} for role, text in known.items()} or {"admin": {}}
        clients = {
            role: await stack.enter_async_context(httpx.AsyncClient(base_url=url, headers=headers, timeout=SECONDS))
            for role, headers in {**shown, "nobody": {}}.items()
        }
        yield House(service=service, book=book, guard=guard, url=url, keys=known, clients=clients)


async def key(book: AccessBook, name: str, *roles: Role, workspaces: frozenset[str] = frozenset({"office"})) -> str:
    """Make a key, and give its text."""
    return (await book.add_key(name, roles=frozenset(roles), workspaces=workspaces)).text


def says(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Give what an error says; it has the one form, and the status and code that are expected."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    body = answer.json()
    assert body.keys() == {"error"}
    error: dict[str, Any] = body["error"]
    assert error.keys() <= {"code", "message", "mend", "where", "diagnostics"}
    assert error["code"] == code
    assert error["message"]
    assert "Traceback" not in answer.text
    return error
