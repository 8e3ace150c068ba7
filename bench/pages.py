"""How soon pages of the dashboard can be used: `python bench/pages.py [--runs N] [--tasks N]`.

A store with 10,000 runs and one run of 2,000 tasks is served by `stretto serve`, and every page is opened in a real
browser, each five times. Printed are the seconds from asking for the address until the page is drawn and live: the
first time, with nothing of the page's own files at hand, and the median of all. It needs the extra `web`, playwright,
and a Chromium (`CHROMIUM`, else Debian's).
"""

import argparse
import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import BrowserContext, sync_playwright

from stretto.bootstrap import open_workspace

PROGRAM = [sys.executable, "-c", "from stretto.cli import main; main()"]
AGENT = '''from stretto import pure


@pure
async def work(number: int) -> int:
    """Give it back."""
    return number
'''
AT_ONCE, TIMES = 50, 5
LIVE = "window.did_handshake === true && document.querySelector('h1') !== null && document.querySelector('{sign}')"
PAGES = {
    "/": "tbody tr",
    "/?q=goal+77": "tbody tr",
    "/inbox": "h1",
    "/agents": ".sheet",
    "/numbers": ".sheet",
    "/audit": "h1",
    "/runs/large": ".standing",
    "/runs/large?tab=graph": "svg",
    "/runs/large?tab=timeline": ".timeline",
    "/runs/large?tab=tasks": "tbody tr",
    "/runs/large?tab=events": "tbody tr",
}


def workspace(folder: Path) -> Path:
    """Make a workspace with one agent."""
    folder.mkdir()
    (folder / "job.py").write_text(AGENT)
    (folder / "workspace.yaml").write_text("name: bench\nagents: [{python: job.py}]\n")
    return folder


async def fill(folder: Path, runs: int, tasks: int) -> None:
    """Pursue all the runs of a workspace."""
    team = open_workspace(folder)
    one = {"tasks": [{"id": "a", "skill": "job.work", "inputs": {"number": 1}}]}
    places = asyncio.Semaphore(AT_ONCE)

    async def pursue(number: int) -> None:
        async with places:
            await team.run(f"goal {number}", plan=one)

    await asyncio.gather(*(pursue(number) for number in range(runs)))
    wide = [
        {
            "id": f"t{number}",
            "skill": "job.work",
            "inputs": {"number": number},
            "after": [f"t{number - 40}"] if number >= 40 else [],
        }
        for number in range(tasks)
    ]
    await team.run("a large one", plan={"tasks": wide}, run_id="large")


def opened(visitor: BrowserContext, address: str, sign: str) -> float:
    """Give the seconds until a page is drawn and live."""
    page = visitor.new_page()
    begin = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_function(LIVE.format(sign=sign))
    took = time.perf_counter() - begin
    page.close()
    return took


def main() -> None:
    """Fill, serve, open."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--tasks", type=int, default=2_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, socket.socket() as free:
        folder = Path(place) / "w"
        begin = time.perf_counter()
        asyncio.run(fill(workspace(folder), options.runs, options.tasks))
        print(f"{options.runs} runs and one of {options.tasks} tasks in {time.perf_counter() - begin:.0f} s")
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        server = subprocess.Popen([*PROGRAM, "serve", "-w", str(folder), "--port", str(port)], stderr=subprocess.PIPE)
        try:
            assert server.stderr is not None
            server.stderr.readline()
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=30).close()
            with sync_playwright() as playwright:
                path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
                browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
                for page, sign in PAGES.items():
                    visitor = browser.new_context(viewport={"width": 1280, "height": 800})
                    took = [opened(visitor, f"http://127.0.0.1:{port}{page}", sign) for _ in range(TIMES)]
                    visitor.close()
                    print(f"{page:<28} first {took[0]:.2f} s, median {statistics.median(took):.2f} s")
                browser.close()
        finally:
            server.terminate()
            server.wait(30)


if __name__ == "__main__":
    main()
