"""The frame around every page: where one is, what waits, who one is, and what the page has to say."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Final
from urllib.parse import quote

from nicegui import Client, background_tasks, ui
from starlette.requests import Request

from stretto.core.errors import Forbidden, StoreError, StrettoError, Unauthenticated, UnknownRun, UsageError
from stretto.dashboard.board import ASKING, Board
from stretto.dashboard.parts import Tag, button, foreign, heading, link
from stretto.dashboard.visitor import Visitor, visitor_of
from stretto.desk import Desk

log = logging.getLogger("stretto.server")

NAVIGATION: Final = (
    ("Runs", "/"),
    ("Inbox", "/inbox"),
    ("Agents", "/agents"),
    ("Numbers", "/numbers"),
    ("Audit", "/audit"),
)
MOST_NOTICES = 4

_STATUS: Final = ((Unauthenticated, 401), (Forbidden, 403), (UnknownRun, 404), (UsageError, 400))
_SHOW = "getHtmlElement({id})?.showModal()"
_CLOSE = "getHtmlElement({id})?.close()"


def run_address(run: str, tab: str = "", **query: str) -> str:
    """Give the address of a run's page."""
    asked = "&".join(f"{key}={quote(value, safe='')}" for key, value in {"tab": tab, **query}.items() if value)
    return f"/runs/{quote(run, safe='')}{'?' if asked else ''}{asked}"


def told_of(error: Exception) -> str:
    """Give what a page tells of an error; what is about the server's insides stands in its log alone, under an id."""
    if isinstance(error, StrettoError) and not isinstance(error, StoreError):
        return str(error)
    id_ = secrets.token_hex(6)
    log.error("error %s on a page: %s", id_, type(error).__name__, exc_info=error)
    return f"The server failed here. Whoever runs it finds error {id_} in its log."


class Frame:
    """One open page: its visitor, its address, and where it says what there is to say."""

    def __init__(self, visitor: Visitor, board: Board, name: str, request: Request, client: Client) -> None:
        self.visitor, self.board, self.name = visitor, board, name
        self.path: Mapping[str, str] = request.path_params
        self.query: Mapping[str, str] = request.query_params
        self.client = client
        with client.content:
            self._notices = Tag("div", "notices", aria_live="polite")
            self._dialogs = Tag("div", "dialogs")

    def say(self, text: str, tone: str = "bad") -> None:
        """Show a notice until it is closed: tone `bad` for what did not work, `good` for what did."""
        shown = self._notices.default_slot.children
        while len(shown) >= MOST_NOTICES:
            shown[0].delete()
        with self._notices, Tag("div", "notice", role="alert" if tone == "bad" else "status", data_tone=tone) as notice:
            foreign(text)
            button("✕", notice.delete, "quiet", aria_label="Close this notice")

    @contextmanager
    def plainly(self) -> Iterator[None]:
        """Show what goes wrong inside as a notice, and go on; who is not known any more is led to sign in."""
        try:
            yield
        except Unauthenticated:
            self.leave()
        except StrettoError as error:
            self.say(told_of(error))

    def leave(self) -> None:
        """Ask the server for this page anew, which leads who is not known any more to where one signs in."""
        self.client.run_javascript("window.location.reload()")

    def while_open(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something as long as the page is open; it ends with the page."""

        async def go() -> None:
            with self.client.content, self.plainly():
                await work()

        task = background_tasks.create(go(), name="stretto-page")
        self.client.on_delete(lambda: task.cancel())

    def title(self, text: str) -> None:
        """Name the page, in its window and its history."""
        self.client.title = f"{text} – {self.name}"

    def open(self, address: str) -> None:
        """Go to another page of ours."""
        self.client.open(address)

    @contextmanager
    def asking(self, title: str, yes: str, work: Callable[[], Awaitable[None]], *, tone: str = "") -> Iterator[Tag]:
        """Ask before something is done, with the fields that are made inside; what goes wrong is said in the dialog."""
        with self.dialog(title) as dialog:
            yield dialog
            with Tag("p", "wrong", role="alert", data_tone="bad", hidden=True) as wrong:
                why = foreign("")

            async def agreed() -> None:
                try:
                    await work()
                except Unauthenticated:
                    self.leave()
                except StrettoError as error:
                    why.text = told_of(error)
                    wrong.attribute("hidden", False)
                else:
                    self.close(dialog)

            with Tag("div", "actions"):
                button(yes, agreed, "primary", data_tone=tone or None)
                button("Back", lambda: self.close(dialog))

    @contextmanager
    def dialog(self, title: str) -> Iterator[Tag]:
        """Open a dialog over the page; what is made inside stands in it. The escape key closes it."""
        with self._dialogs, Tag("dialog", "dialog") as dialog:
            dialog.attribute("aria_labelledby", f"title-{dialog.id}")
            heading(2, title).attribute("id", f"title-{dialog.id}")
            dialog.on("close", dialog.delete, args=[])
            yield dialog
        self.client.run_javascript(_SHOW.format(id=dialog.id))

    def close(self, dialog: Tag) -> None:
        """Close a dialog."""
        self.client.run_javascript(_CLOSE.format(id=dialog.id))


@asynccontextmanager
async def framed(request: Request, desk: Desk, board: Board, name: str, title: str) -> AsyncIterator[Frame | None]:
    """Build the frame of a page for whoever asks; what is made inside is the page.

    Gives None, with the reason on the page, where whoever asks is not known. An error of the desk becomes the page. Of
    what nobody foresaw the page tells an id alone, under which the server's log has it.
    """
    client = ui.context.client
    ui.page_title(f"{title} – {name}")
    try:
        visitor = visitor_of(request.scope, desk)
        visitor.who()
    except Exception as error:
        client.status_code = _status_of(error)
        _failed("Nobody is signed in" if client.status_code == 401 else "This cannot be shown", told_of(error))
        yield None
        return
    with client.layout:
        header = Tag("header", "top")
    client.layout.default_slot.children.insert(0, client.layout.default_slot.children.pop())
    frame = Frame(visitor, board, name, request, client)
    with header:
        link("Skip to content", "#content", "skip")
        _header(frame, request.url.path)
    with client.content, Tag("div", "page", id="content", tabindex="-1"):
        try:
            yield frame
        except Exception as error:
            client.status_code = _status_of(error)
            _failed("This cannot be shown", told_of(error))


def _header(frame: Frame, here: str) -> None:
    with link("", "/", "brand", aria_label=f"Stretto, workspace {frame.name}"):
        Tag("span", "mark", "", aria_hidden="true")
        foreign(frame.name, "workspace", 60)
    with Tag("nav", "", aria_label="Pages"):
        for text, address in NAVIGATION:
            current = here == address or (address == "/" and here.startswith(("/runs", "/new")))
            with link(text, address, aria_current="page" if current else None):
                if address == "/inbox":
                    _waiting(frame)
    with Tag("div", "aside"):
        foreign(frame.visitor.who().name, "who", 40).attribute("title", "who you are here")
        Tag("button", "button quiet theme", "", type="button", aria_label="Theme: as the system, light or dark").on(
            "click", js_handler="() => stretto.turn()"
        )


def _waiting(frame: Frame) -> None:
    """Show how much waits for people, as it changes."""
    badge = Tag("span", "count", "", hidden=True)

    async def watch() -> None:
        async with frame.board.watching(frame.visitor, ASKING) as watched:
            seen = None
            while True:
                seen = await watched.after(seen)
                await frame.client.connected()
                frame.visitor.who()
                badge.text = str(seen.asks)
                badge.attribute("aria_label", f"{seen.asks} waiting")
                badge.attribute("hidden", not seen.asks)

    frame.while_open(watch)


async def nowhere(frame: Frame) -> None:
    """Build the page of an address that has none."""
    frame.client.status_code = 404
    _failed("There is no such page", "The address may be mistyped, or from another release.")


def _status_of(error: Exception) -> int:
    return next((code for kind, code in _STATUS if isinstance(error, kind)), 500)


def _failed(title: str, why: str) -> None:
    with Tag("section", "unavailable", role="alert"):
        heading(1, title)
        foreign(why)
        link("All runs", "/")


async def idle() -> None:
    """Wait until the page is closed."""
    await asyncio.Event().wait()
