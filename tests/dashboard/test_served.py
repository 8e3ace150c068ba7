"""The pages behind the guard, as `stretto serve` gives them: signing in, an approval, the report, signing out."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import expect

from tests.cli.program import PROGRAM, look
from tests.dashboard.browser import SECONDS, a_browser, needs_browser, visiting
from tests.desk.office import workspace
from tests.servers.test_serve import free_port

pytestmark = needs_browser


@contextmanager
def served(folder: Path, port: int) -> Iterator[str]:
    """Serve a workspace in a process of its own, which is killed in the end."""
    words = [*PROGRAM, "serve", "-w", str(folder), "--port", str(port)]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        assert process.stderr is not None
        assert "serves office" in process.stderr.readline()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate(timeout=SECONDS)


def key(folder: Path, name: str, *roles: str) -> str:
    """Make a key."""
    words = [word for role in roles for word in ("--role", role)]
    made = look("keys", "add", name, *words, "-w", str(folder), cwd=folder)
    assert made.code == 0, made.err
    return made.out.strip()


def test_people_sign_in_start_approve_read_and_sign_out_each_by_their_role(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "office")
    keys = {"oli": key(folder, "oli", "operator"), "apu": key(folder, "apu", "approver")}
    with served(folder, free_port()) as url, a_browser() as browser:
        with visiting(browser, url) as visit:
            page = visit.page
            page.goto(f"{url}/new")
            expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
            page.get_by_label("Your key").fill(keys["oli"])
            page.get_by_role("button", name="Sign in").click()
            visit.settle()
            page.get_by_label("What do you want done?").fill("Say hello to the guard")
            page.get_by_role("button", name="Start").click()
            page.wait_for_url("**/runs/*")
            run = re.findall(r"/runs/([^?]+)", page.url)[0]
            visit.open("/inbox")
            expect(page.get_by_text("Say hello to the guard")).to_be_visible()
            expect(page.get_by_role("button", name="Approve")).to_have_count(0)
            assert (visit.errors, visit.outside) == ([], [])
        with visiting(browser, url) as visit:
            page = visit.page
            page.goto(f"{url}/inbox")
            page.get_by_label("Your key").fill(keys["apu"])
            page.get_by_role("button", name="Sign in").click()
            visit.settle()
            page.get_by_role("button", name="Approve").click()
            visit.open(f"/runs/{run}?tab=result")
            expect(page.get_by_text("sent HELLO")).to_be_visible()
            assert visit.violations() == []
            assert (visit.errors, visit.outside) == ([], [])
            page.context.clear_cookies()
            page.goto(f"{url}/runs/{run}")
            expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
