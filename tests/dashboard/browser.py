"""A real browser before a real server: pages are opened, looked at and used as people do."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
LAPTOP, PHONE = (1280, 800), (390, 844)
SECONDS = 30.0

needs_browser = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="there is no browser; set CHROMIUM")


class Server:
    """The pages of a workspace, in a process of their own that may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port: int = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        log = (self._folder.parent / "server.log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.dashboard.server", str(self._folder), str(self._port)],
            stdout=log,
            stderr=log,
        )
        log.close()
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/static/favicon.svg", timeout=SECONDS):  # noqa: S310
                    return
            except (urllib.error.URLError, ConnectionError):
                self._process_wait(0.05)
        raise AssertionError((self._folder.parent / "server.log").read_text())

    def _process_wait(self, seconds: float) -> None:
        """Give the server a moment, less where it ends."""
        assert self._process is not None
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return

    def kill(self) -> None:
        """End it as a machine that loses power would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(SECONDS)


@dataclass
class Visit:
    """One open page, with everything that it said and asked for."""

    page: Page
    url: str
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def open(self, address: str) -> Page:
        """Open an address of the server, and wait until it is alive."""
        self.page.goto(f"{self.url}{address}")
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until the page talks to the server, and is drawn."""
        self.page.wait_for_function("window.did_handshake === true && document.querySelector('h1') !== null")

    def violations(self) -> list[str]:
        """Give what axe finds wrong with the page as it is."""
        found = Axe().run(self.page).response["violations"]
        return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]


@contextmanager
def a_browser() -> Iterator[Browser]:
    """Start a browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visiting(
    browser: Browser,
    url: str,
    *,
    scheme: Literal["light", "dark"] = "light",
    size: tuple[int, int] = LAPTOP,
    role: str = "",
) -> Iterator[Visit]:
    """Visit a server; at the end nothing was logged as an error, and nothing was asked of another host."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        reduced_motion="reduce",
        accept_downloads=True,
    )
    context.set_default_timeout(SECONDS * 1000)
    if role:
        context.add_cookies([{"name": "role", "value": role, "url": url}])
    visit = Visit(context.new_page(), url)
    visit.page.on("console", lambda said: visit.errors.append(said.text) if said.type == "error" else None)
    visit.page.on("pageerror", lambda error: visit.errors.append(str(error)))
    visit.page.on(
        "request",
        lambda request: None if request.url.startswith((url, "data:", "blob:")) else visit.outside.append(request.url),
    )
    try:
        yield visit
    finally:
        context.close()
    assert visit.errors == []
    assert visit.outside == []
