"""A real browser before real pages: a workspace served by a process of its own, and what a page must never do."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

CHROMIUM = "/usr/bin/chromium"
PATIENCE = 30.0
"""Seconds that anything may take before a test gives up."""
ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a workspace from a process of its own, and give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.dashboard.server", str(folder), str(port)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths, "NICEGUI_STORAGE_PATH": str(folder / ".stretto")},
    )
    address = f"http://127.0.0.1:{port}"
    try:
        soon(lambda: _answers(address, process))
        yield address
    finally:
        process.terminate()
        process.wait(PATIENCE)


def soon(holds: Callable[[], bool]) -> None:
    """Return once something holds; fails where it takes too long."""
    pause = threading.Event()
    for _ in range(int(PATIENCE / 0.05)):
        if holds():
            return
        pause.wait(0.05)
    raise AssertionError(f"it did not come about within {PATIENCE} seconds")


def _answers(address: str, process: "subprocess.Popen[bytes]") -> bool:
    assert process.poll() is None, "the server has ended"
    try:
        return httpx.get(address).status_code == 200
    except httpx.TransportError:
        return False


@dataclass
class Tab:
    """A page in a browser, with everything it must not have done."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("request", self._asked)
        self.page.set_default_timeout(PATIENCE * 1000)

    def go(self, path: str) -> Page:
        """Open a page of ours, and wait until it is alive."""
        self.page.goto(f"{self.address}{path}")
        self.page.wait_for_function("window.did_handshake === true")
        return self.page

    def violations(self) -> list[str]:
        """Give what stands in the way of people with disabilities, as axe finds it."""
        found = Axe().run(self.page).response["violations"]
        return [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found]

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.complaints.append(f"outside: {request.url}")


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Start a browser without a window."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield started
        finally:
            started.close()


@contextlib.contextmanager
def tab(browser: Browser, address: str, role: str = "admin", **options: Any) -> Iterator[Tab]:
    """Open a tab as somebody with a role; at the end the page must have had nothing to complain of."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    context.add_cookies([{"name": "role", "value": role, "url": address}])
    one = Tab(context.new_page(), address)
    try:
        yield one
        assert one.complaints == []
    finally:
        context.close()
