"""The pages in a real browser: a run from its beginning to its result, on any screen, by keyboard, after a crash."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from stretto.bootstrap import open_workspace, serving
from stretto.core.state import RunState
from tests.dashboard.browser import LAPTOP, PHONE, SECONDS, Server, a_browser, needs_browser, visiting
from tests.dashboard.studio import PAPER, studio
from tests.desk.office import ADMIN, until

pytestmark = needs_browser

HOSTILE = (
    'Say <script>document.title="owned"</script> "x" \' & \u202egnp.exe <img src=x onerror=alert(1)> ' + "w" * 10_000
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, dict[str, str]]]:
    """Serve a studio in which one run is done, one waits for a person, one is large, and one has a hostile goal."""
    folder = studio(tmp_path_factory.mktemp("house") / "studio", many=600)
    known = asyncio.run(seeded(folder))
    server = Server(folder)
    server.start()
    yield server, known
    server.kill()


async def seeded(folder: Path) -> dict[str, str]:
    known: dict[str, str] = {}

    def settled(state: RunState) -> bool:
        return state.status.final or bool(state.requests)

    async with asyncio.timeout(SECONDS), serving(open_workspace(folder)) as service:
        for name, goal, plan in (
            ("done", "Report on rivers", "brief"),
            ("waiting", "Report on lakes", None),
            ("large", "Six hundred steps", "large"),
            ("hostile", HOSTILE, "brief"),
        ):
            inputs = {"topic": HOSTILE} if name == "hostile" else None
            begun, _ = await service.desk.submit(ADMIN, goal, plan=plan, inputs=inputs)
            await until(service.desk, begun.run, settled)
            known[name] = begun.run
    return known


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with a_browser() as one:
        yield one


@pytest.fixture
def server(runs: tuple[Server, dict[str, str]]) -> Server:
    return runs[0]


@pytest.fixture
def known(runs: tuple[Server, dict[str, str]]) -> dict[str, str]:
    return runs[1]


ADDRESSES = (
    "/",
    "/?status=failed&q=nothing",
    "/new",
    "/runs/{done}",
    "/runs/{waiting}?tab=graph",
    "/runs/{large}?tab=graph",
    "/runs/{waiting}?tab=timeline",
    "/runs/{hostile}",
    "/runs/{done}?at=5",
    "/runs/no-such-run",
)


def test_a_run_is_started_watched_and_its_report_read(server: Server, browser: Browser) -> None:
    with visiting(browser, server.url) as visit:
        page = visit.open("/")
        page.get_by_role("link", name="New run").click()
        visit.settle()
        page.get_by_label("What do you want done?").fill("Report on the sea")
        page.get_by_label("How").select_option("plan:brief")
        page.get_by_label("topic").fill("the sea")
        page.get_by_role("button", name="Start").click()
        page.wait_for_url("**/runs/*tab=graph")
        expect(page.get_by_role("link", name=re.compile("^write, Done"))).to_be_visible()
        expect(page.locator(".standing .chip")).to_contain_text("Done")
        page.get_by_role("link", name="Timeline").click()
        expect(page.locator(".timeline .line")).to_have_count(7)
        expect(page.locator(".timeline .line", has_text="doubt")).to_contain_text("×2")
        page.get_by_role("link", name="Result").click()
        expect(page.get_by_role("heading", name="the sea", level=3)).to_be_visible()
        expect(page.get_by_role("cell", name="facts")).to_be_visible()


def test_the_graph_of_an_open_page_follows_the_run(server: Server, known: dict[str, str], browser: Browser) -> None:
    with visiting(browser, server.url) as visit, visiting(browser, server.url) as other:
        watched = visit.open(f"/runs/{known['waiting']}?tab=graph")
        expect(watched.locator(".why")).to_contain_text("publish waits for a person: ")
        box = watched.get_by_role("link", name=re.compile("^publish"))
        expect(box).to_have_attribute("data-tone", "asking")
        page = other.open(f"/runs/{known['waiting']}")
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_text("Paused. What is under way")).to_be_visible()
        expect(watched.locator(".why")).to_contain_text("Paused")
        page.get_by_role("button", name="Go on…").click()
        page.get_by_role("dialog").get_by_role("button", name="Go on").click()
        expect(watched.locator(".why")).not_to_contain_text("Paused")


def test_the_list_of_runs_shows_a_new_run_without_being_asked(server: Server, browser: Browser) -> None:
    with visiting(browser, server.url) as visit, visiting(browser, server.url) as other:
        watched = visit.open("/")
        page = other.open("/new")
        page.get_by_label("What do you want done?").fill("Appear by yourself")
        page.get_by_label("How").select_option("plan:brief")
        page.get_by_role("button", name="Start").click()
        page.wait_for_url("**/runs/*")
        expect(watched.locator("tbody tr").first).to_contain_text("Appear by yourself")
        expect(watched.locator("tbody tr").first).to_contain_text("Done")


def test_runs_are_found_by_words_and_status(server: Server, browser: Browser) -> None:
    with visiting(browser, server.url) as visit:
        page = visit.open("/")
        page.get_by_role("searchbox").fill("LAKES report")
        expect(page.locator("tbody tr")).to_have_count(1)
        page.wait_for_url("**/?q=*")
        page.get_by_role("button", name="Waiting").click()
        page.wait_for_url("**status=waiting*")
        expect(page.locator("tbody tr")).to_contain_text("Report on lakes")
        page.reload()
        expect(page.get_by_role("button", name="Waiting")).to_have_attribute("aria-pressed", "true")
        page.get_by_role("searchbox").fill("no such words anywhere")
        expect(page.get_by_text("No run fits this.")).to_be_visible()


def test_what_is_wrong_with_a_new_run_is_said_at_its_field(server: Server, browser: Browser, tmp_path: Path) -> None:
    with visiting(browser, server.url) as visit:
        page = visit.open("/new")
        page.get_by_label("What do you want done?").fill(" ")
        page.get_by_label("Budget").fill("a lot")
        page.get_by_label("paper", exact=True).fill("no/such/paper.txt")
        page.get_by_role("button", name="Start").click()
        for label in ("What do you want done?", "Budget", "paper"):
            expect(page.get_by_label(label, exact=True)).to_have_attribute("aria-invalid", "true")
        expect(page.get_by_label("What do you want done?")).to_be_focused()
        paper = tmp_path / "my <paper>.txt"
        paper.write_text("rivers run")
        page.get_by_label("Choose a file for paper").set_input_files(paper)
        expect(page.get_by_label("paper", exact=True)).to_have_value(re.compile(r"/uploads/.*/my _paper_\.txt$"))


def test_a_plan_is_shown_before_it_runs(server: Server, browser: Browser) -> None:
    with visiting(browser, server.url) as visit:
        page = visit.open("/new")
        page.get_by_role("button", name="Show the plan first").click()
        expect(page.get_by_role("heading", name="The plan")).to_be_visible()
        expect(page.get_by_role("row", name=re.compile("^weigh"))).to_contain_text("Weigh each fact")
        expect(page.get_by_text("side by side, and the items of each fan-out")).to_be_visible()
        expect(page.locator("pre").last).to_have_text("publish.output")
        assert visit.violations() == []


def test_a_large_graph_is_folded_and_opens_on_click_and_by_key(
    server: Server, known: dict[str, str], browser: Browser
) -> None:
    with visiting(browser, server.url) as visit:
        page = visit.open(f"/runs/{known['large']}?tab=graph")
        groups = page.locator("svg .box")
        assert groups.count() <= 120
        groups.first.click()
        expect(page.get_by_role("link", name=re.compile("^t0,"))).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name=re.compile("^studio.step × ")).first).to_be_visible()
        page.get_by_role("button", name=re.compile("^studio.step × ")).first.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("link", name=re.compile("^t0,"))).to_be_focused()


def test_the_graph_is_walked_by_keyboard(server: Server, known: dict[str, str], browser: Browser) -> None:
    with visiting(browser, server.url) as visit:
        page = visit.open(f"/runs/{known['done']}?tab=graph")
        page.get_by_role("link", name=re.compile("^gather,")).focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator("svg a:focus")).to_have_attribute("aria-label", re.compile(r"^weigh \[4\],"))
        page.keyboard.press("ArrowRight")
        expect(page.locator("svg a:focus")).to_have_attribute("aria-label", re.compile("^write,"))
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowDown")
        expect(page.locator("svg a:focus")).to_have_attribute("aria-label", re.compile(r"^weigh\[0\],"))
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"tab=tasks&task=weigh%5B0%5D"))


def test_a_run_is_started_with_the_keyboard_alone(server: Server, browser: Browser) -> None:
    with visiting(browser, server.url) as visit:
        page = visit.open("/")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="New run")).to_be_focused()
        page.keyboard.press("Enter")
        page.wait_for_url("**/new")
        visit.settle()
        page.get_by_label("What do you want done?").focus()
        page.keyboard.press("Tab")
        page.keyboard.type("Plan brief")
        while not page.evaluate("document.activeElement.textContent === 'Start'"):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url("**/runs/*")


def test_a_run_is_cancelled_only_after_a_second_word(server: Server, browser: Browser) -> None:
    with visiting(browser, server.url) as visit:
        page = visit.open("/new")
        page.get_by_label("What do you want done?").fill("Report on nothing")
        page.get_by_role("button", name="Start").click()
        page.wait_for_url("**/runs/*")
        expect(page.locator(".standing .chip")).to_contain_text("Waiting")
        page.get_by_role("button", name="Cancel…").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page.locator(".standing .chip")).to_contain_text("Waiting")
        page.get_by_role("button", name="Cancel…").click()
        assert visit.violations() == []
        page.get_by_label("Why?").fill("no <b>need</b>")
        page.get_by_role("button", name="Cancel the run").click()
        expect(page.locator(".standing .chip")).to_contain_text("Cancelled")
        expect(page.locator(".why")).to_contain_text("no <b>need</b>")


@pytest.mark.parametrize("role", ["viewer", "approver"])
def test_who_may_not_operate_is_offered_nothing_to_operate(
    server: Server, known: dict[str, str], browser: Browser, role: str
) -> None:
    with visiting(browser, server.url, role=role) as visit:
        page = visit.open(f"/runs/{known['waiting']}")
        expect(page.get_by_role("heading", name="Report on lakes")).to_be_visible()
        expect(page.get_by_role("button", name="Cancel…")).to_have_count(0)
        page = visit.open("/new")
        expect(page.get_by_text("It takes a key with the role operator")).to_be_visible()


def test_hostile_words_are_shown_as_they_stand(server: Server, known: dict[str, str], browser: Browser) -> None:
    with visiting(browser, server.url) as visit:
        for address in ("/", f"/runs/{known['hostile']}", f"/runs/{known['hostile']}?tab=graph",
                        f"/runs/{known['hostile']}?tab=timeline"):  # fmt: skip
            page = visit.open(address)
            expect(page.get_by_text('<script>document.title="owned"</script>').first).to_be_visible()
            assert page.title() != "owned"
            assert page.locator("#content img, #content script").count() == 0
            assert "\u202e" not in page.locator("body").inner_text()
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_open_to_everybody(
    server: Server,
    known: dict[str, str],
    browser: Browser,
    scheme: Literal["light", "dark"],
    size: tuple[int, int],
) -> None:
    """Axe finds nothing to mend, and no page is wider than its screen."""
    with visiting(browser, server.url, scheme=scheme, size=size) as visit:
        for address in ADDRESSES:
            page = visit.page
            page.goto(visit.url + address.format(**known))
            visit.settle()
            assert visit.violations() == [], address
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, address
        visit.errors[:] = [one for one in visit.errors if "404" not in one]


@pytest.mark.parametrize(
    ("address", "code"), [("/runs/no-such-run", 404), ("/runs/{done}?at=99999", 400), ("/runs/{done}?at=<b>", 400)]
)
def test_what_cannot_be_shown_says_why(
    server: Server, known: dict[str, str], browser: Browser, address: str, code: int
) -> None:
    with visiting(browser, server.url) as visit:
        answer = visit.page.goto(visit.url + address.format(**known))
        assert answer is not None
        assert answer.status == code
        expect(visit.page.get_by_role("alert")).to_contain_text("This cannot be shown")
        visit.errors.clear()  # the browser logs the status


def test_an_address_without_a_page_leads_back_to_the_runs(server: Server, browser: Browser) -> None:
    with visiting(browser, server.url) as visit:
        for address in ("/nowhere", "/runs/one/two/three"):
            answer = visit.page.goto(visit.url + address)
            assert answer is not None
            assert answer.status == 404
            visit.settle()
            expect(visit.page.get_by_role("heading", name="There is no such page")).to_be_visible()
            assert visit.violations() == []
        visit.page.get_by_role("link", name="All runs").click()
        expect(visit.page.get_by_role("heading", name="Runs", level=1)).to_be_visible()
        missing = visit.page.request.get(f"{visit.url}/static/nowhere.css")
        assert (missing.status, missing.headers["content-type"]) == (404, "application/json")
        visit.errors.clear()  # the browser logs the status


def test_a_document_among_the_files_is_downloaded(server: Server, browser: Browser) -> None:
    with visiting(browser, server.url) as visit:
        page = visit.open("/new")
        page.get_by_label("What do you want done?").fill("Make a paper")
        page.get_by_label("How").select_option("plan:paper")
        page.get_by_role("button", name="Start").click()
        page.wait_for_url("**/runs/*")
        page.get_by_role("link", name="Result").click()
        with page.expect_download() as downloading:
            page.get_by_role("button", name="Download paper.md").click()
        assert downloading.value.suggested_filename == "paper.md"
        assert Path(downloading.value.path()).read_text() == PAPER
        page.get_by_text("Read paper.md here").click()
        expect(page.get_by_role("heading", name="A paper", exact=True)).to_be_visible()
        assert page.locator("#content script").count() == 0


def test_a_failed_task_is_tried_again(server: Server, browser: Browser) -> None:
    with visiting(browser, server.url) as visit:
        page = visit.open("/new")
        page.get_by_label("What do you want done?").fill("Fail once")
        page.get_by_label("How").select_option("plan:fragile")
        page.get_by_role("button", name="Start").click()
        page.wait_for_url("**/runs/*")
        expect(page.locator(".standing .chip")).to_contain_text("Failed")
        page.get_by_role("button", name="Try again…").click()
        page.get_by_label("What should it mind?").fill("mind the gap")
        page.get_by_role("dialog").get_by_role("button", name="Try again").click()
        expect(page.locator(".standing .chip")).to_contain_text("Done")


def test_the_theme_follows_the_system_until_somebody_chooses(server: Server, browser: Browser) -> None:
    with visiting(browser, server.url, scheme="dark") as visit:
        page = visit.open("/")
        ground = "getComputedStyle(document.body).backgroundColor"
        dark = page.evaluate(ground)
        page.get_by_role("button", name="Theme").click()
        assert page.evaluate(ground) != dark
        page.reload()
        assert page.evaluate(ground) != dark


def test_after_a_crash_the_page_comes_back_and_tells_the_truth(
    server: Server, known: dict[str, str], browser: Browser
) -> None:
    with visiting(browser, server.url) as visit:
        page = visit.open(f"/runs/{known['waiting']}?tab=graph")
        page.evaluate("window.before = true")
        server.kill()
        server.start()
        page.wait_for_function("window.before === undefined && window.did_handshake === true")
        expect(page.get_by_role("link", name=re.compile("^publish"))).to_have_attribute("data-tone", "asking")
        page.get_by_role("button", name="Pause").click()
        expect(page.locator(".why")).to_contain_text("Paused")
        visit.errors[:] = [one for one in visit.errors if "ERR_CONNECTION" not in one]
