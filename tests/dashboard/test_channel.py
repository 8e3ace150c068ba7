"""The channel of a page takes what its own visitor says, and nothing from anybody else who was let in."""

import asyncio
import html
import json
import re
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.dashboard.browser import Server
from tests.dashboard.studio import studio

SECONDS = 20.0
ADMIN, VIEWER = {"Cookie": "role=admin"}, {"Cookie": "role=viewer"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(studio(tmp_path_factory.mktemp("channel") / "studio", 10))
    made.start()
    yield made
    made.kill()


class Opened:
    """A page as the server sent it: its id, and its elements by number, as far as they are known."""

    def __init__(self, text: str) -> None:
        id_, elements = re.search(r"'client_id': '([0-9a-f-]{36})'", text), re.search(r"String\.raw`(.*?)`", text, re.S)
        assert id_
        assert elements
        self.id = id_[1]
        self.elements: dict[str, Any] = json.loads(html.unescape(elements[1]))

    async def element(
        self, socket: ClientConnection, holds: Callable[[dict[str, Any]], Any]
    ) -> tuple[int, dict[str, Any]]:
        """Give the first element of which something holds; waits until the page has it."""
        while True:
            for number, one in self.elements.items():
                if one and holds(one):
                    return int(number), one
            self.elements.update(await told(socket, "update"))


async def opened(server: Server, path: str, who: dict[str, str]) -> Opened:
    async with httpx.AsyncClient(base_url=server.url, headers=who, timeout=SECONDS) as client:
        return Opened((await client.get(path)).text)


def event(page: Opened, number: int, element: dict[str, Any], *args: Any) -> str:
    """Give what a page says when something happens to an element."""
    (listener,) = (one["listener_id"] for one in element["events"] if one["type"] in ("click", "input"))
    said = {"client_id": page.id, "id": number, "listener_id": listener, "args": [json.dumps(one) for one in args]}
    return f"42{json.dumps(['event', said])}"


def query(page: str) -> dict[str, str]:
    return {
        "client_id": page, "tab_id": "t", "document_id": str(uuid.uuid4()), "next_message_id": "0",
        "implicit_handshake": "true",
    }  # fmt: skip


@asynccontextmanager
async def socket(server: Server, who: dict[str, str], **asked: str) -> AsyncIterator[tuple[ClientConnection, str]]:
    """Open a socket as a browser does, and give it with what it was told."""
    address = server.url.replace("http", "ws") + "/_nicegui_ws/socket.io/?"
    address += urlencode({"EIO": "4", "transport": "websocket", **asked})
    async with asyncio.timeout(SECONDS), connect(address, additional_headers=who) as made:
        assert str(await made.recv()).startswith("0")
        await made.send("40")
        yield made, str(await made.recv())


async def told(made: ClientConnection, kind: str) -> Any:
    """Wait until the page is told something of a kind, and give it."""
    while True:
        text = str(await made.recv())
        if text.startswith("42") and json.loads(text[2:])[0] == kind:
            return json.loads(text[2:])[1]


async def asked(made: ClientConnection, *message: Any) -> Any:
    """Say something that is answered, and give the answer."""
    await made.send(f"421{json.dumps(message)}")
    while True:
        text = str(await made.recv())
        if text.startswith("431"):
            return json.loads(text[3:])[0]


async def test_a_page_is_opened_for_who_asked_for_it(server: Server) -> None:
    page = await opened(server, "/new", ADMIN)
    async with socket(server, ADMIN, **query(page.id)) as (_, said):
        assert said.startswith("40")


async def test_the_page_of_somebody_else_is_opened_neither_at_once_nor_later(server: Server) -> None:
    page = await opened(server, "/new", ADMIN)
    async with socket(server, VIEWER, **query(page.id)) as (_, said):
        assert said.startswith("44"), "the page of an administrator was opened for a viewer"
    own = await opened(server, "/", VIEWER)
    async with socket(server, VIEWER, **query(own.id)) as (made, _):
        assert await asked(made, "handshake", query(page.id)) is False
        assert await asked(made, "handshake", "nonsense") is False


async def test_what_a_socket_says_for_the_page_of_somebody_else_is_not_done(server: Server) -> None:
    page, own = await opened(server, "/new", ADMIN), await opened(server, "/", VIEWER)
    async with socket(server, ADMIN, **query(page.id)) as (ann, _), socket(server, VIEWER, **query(own.id)) as (eve, _):
        goal = await page.element(ann, lambda one: one["tag"] == "textarea")
        start = await page.element(ann, lambda one: one.get("text") == "Start")
        await ann.send(event(page, *goal, "The goal of Ann"))
        await eve.send(event(page, *goal, "The goal of Eve"))
        assert await asked(eve, "handshake", query(own.id)) is False  # this page is open, and what came before is done
        await ann.send(event(page, *start))
        run = (await told(ann, "open"))["path"].partition("?")[0]
    assert "The goal of Ann" in httpx.get(f"{server.url}{run}", headers=ADMIN, timeout=SECONDS).text


async def test_what_no_page_says_leaves_nothing_in_the_log(server: Server) -> None:
    page = await opened(server, "/", VIEWER)
    async with socket(server, VIEWER, **query(page.id)) as (made, _):
        for message in (
            {"client_id": page.id, "id": 4},
            {"client_id": page.id},
            {"client_id": ["x"]},
            "nonsense",
            None,
        ):
            for kind in ("event", "ack", "javascript_response"):
                await made.send(f"42{json.dumps([kind, message])}")
        await made.send(f"42{json.dumps(['log', {'client_id': page.id, 'level': 'error', 'message': 'forged'}])}")
        assert await asked(made, "handshake", "nonsense") is False
    log = (server._folder.parent / "server.log").read_text()
    assert "Traceback" not in log
    assert "forged" not in log


async def test_files_are_handed_in_on_ones_own_page_alone(server: Server) -> None:
    page = await opened(server, "/new", ADMIN)
    async with socket(server, ADMIN, **query(page.id)) as (ann, _):
        _, field = await page.element(ann, lambda one: "/upload/" in one.get("props", {}).get("url", ""))
        for who, status in ((VIEWER, 404), (ADMIN, 200)):
            async with httpx.AsyncClient(base_url=server.url, headers=who, timeout=SECONDS) as client:
                answer = await client.post(field["props"]["url"], files={"file": ("a.txt", b"x")})
            assert answer.status_code == status, who


async def test_no_other_site_is_told_that_it_may_read_the_channel(server: Server) -> None:
    answer = httpx.get(
        f"{server.url}/_nicegui_ws/socket.io/?EIO=4&transport=polling",
        headers={**ADMIN, "Origin": "http://evil.example"},
    )
    assert not [name for name in answer.headers if name.startswith("access-control")]
