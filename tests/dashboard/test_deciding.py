"""People decide in the inbox, look at the past, fork and rate: in a real browser."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from stretto.bootstrap import open_workspace, serving
from tests.dashboard.browser import LAPTOP, PHONE, SECONDS, Server, Visit, a_browser, needs_browser, visiting
from tests.desk.office import OPERATOR, asks, ended, until, workspace

pytestmark = needs_browser
expect.set_options(timeout=SECONDS * 1000)

WAITING = 7
HOSTILE = "<img src=x onerror='window.hit=1'><script>window.hit=1</script> \u202egnp.exe {{7*7}} " + "w" * 2000


async def prepare(folder: Path) -> None:
    """Begin runs that wait for people, and one that has ended."""
    workspace(folder)
    async with serving(open_workspace(folder)) as service:
        desk = service.desk
        for number in range(WAITING):
            state, _ = await desk.submit(OPERATOR, f"Post letter {number}", inputs={"word": f"letter {number}"})
            await until(desk, state.run, asks)
        hostile = {"tasks": [{"id": "send", "skill": "office.send", "objective": HOSTILE, "inputs": {"text": HOSTILE}}]}
        state, _ = await desk.submit(OPERATOR, HOSTILE, plan=hostile)
        await until(desk, state.run, asks)
        plan = {
            "tasks": [
                {"id": "first", "skill": "office.shout", "inputs": {"word": "a"}, "writes": "note"},
                {"id": "second", "skill": "office.shout", "inputs": {"word": {"ref": "first.output"}}},
            ],
            "deliver": {"ref": "second.output"},
        }
        state, _ = await desk.submit(OPERATOR, "Say it twice", plan=plan)
        await until(desk, state.run, ended)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("office") / "w"
    asyncio.run(prepare(folder))
    server = Server(folder)
    server.start()
    yield server.url
    server.kill()


@pytest.fixture(scope="module")
def chromium(address: str) -> Iterator[Browser]:
    with a_browser() as started:
        yield started


@pytest.fixture
def admin(chromium: Browser, address: str) -> Iterator[Visit]:
    with visiting(chromium, address) as one:
        yield one


def card(page: Page, number: int) -> Locator:
    return page.locator("article.request", has_text=f"Post letter {number}").first


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.closest('article')?.innerText ?? ''"))


def run_page(one: Visit, goal: str, tab_name: str = "result") -> str:
    """Open the page of a run by its goal, and give its address."""
    page = one.open(f"/?q={goal.replace(' ', '+')}")
    page.get_by_role("link", name=goal).first.click()
    page.wait_for_url("**/runs/**")
    path = page.url.removeprefix(one.url).partition("?")[0]
    one.open(f"{path}?tab={tab_name}")
    return path


def test_a_request_is_approved_by_keyboard_and_the_next_one_is_in_front(admin: Visit) -> None:
    page = admin.open("/inbox")
    page.keyboard.press("a")
    expect(card(page, 0)).to_be_focused()
    assert page.locator("[data-settled]").count() == 0
    page.keyboard.press("a")
    expect(card(page, 0)).to_contain_text("Approved by ann (admin)")
    expect(card(page, 1)).to_be_focused()
    page.keyboard.press("j")
    assert "Post letter 2" in focused(page)
    page.keyboard.press("k")
    assert "Post letter 1" in focused(page)
    run_page(admin, "Post letter 0")
    expect(page.locator(".standing")).to_contain_text("Done")
    expect(page.locator(".delivery")).to_contain_text("sent LETTER 0")


def test_a_double_click_decides_one_request_and_no_other(admin: Visit) -> None:
    page = admin.open("/inbox")
    card(page, 1).get_by_role("button", name="Approve").dblclick()
    expect(card(page, 1)).to_contain_text("Approved by")
    page.keyboard.press("a")
    page.keyboard.press("a")
    assert page.locator('[data-settled="mine"]').count() == 1


def test_a_denial_takes_a_reason_and_stands_in_the_audit(admin: Visit) -> None:
    page = admin.open("/inbox")
    card(page, 2).focus()
    page.keyboard.press("d")
    expect(page.get_by_label("Why?")).to_be_focused()
    page.keyboard.type("not today, a new letter comes")
    page.keyboard.press("Control+Enter")
    expect(card(page, 2)).to_contain_text("Denied by ann")
    run_page(admin, "Post letter 2", "audit")
    expect(page.locator(".tab")).to_contain_text("The record is whole")
    row = page.locator("tr", has_text="not today, a new letter comes")
    expect(row.first).to_contain_text("deny")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export as JSON Lines").click()
    assert '"reason": "not today, a new letter comes"' in Path(download.value.path()).read_text()


def test_arguments_are_edited_as_json_and_have_to_fit(admin: Visit) -> None:
    page = admin.open("/inbox")
    mine = card(page, 3)
    mine.get_by_role("button", name="Edit the arguments…").click()
    field = mine.get_by_label("The arguments to go on with")
    expect(field).to_have_value('{\n  "text": "LETTER 3"\n}')
    for wrong, why in (
        ("{", "this is no JSON (line 1, column 2)"),
        ('{"text": 3}', "do not fit"),
        ("[]", "by name"),
        ('{"text": NaN}', "NaN is no number"),
        ("[" * 50_000, "nested too deep"),
    ):
        field.fill(wrong)
        mine.get_by_role("button", name="Edit the arguments", exact=True).click()
        expect(mine.locator(".error")).to_contain_text(why)
    field.fill('{"text": "a better letter"}')
    mine.get_by_role("button", name="Edit the arguments", exact=True).click()
    expect(mine).to_contain_text("Approved with other arguments by ann")
    run_page(admin, "Post letter 3")
    expect(page.locator(".delivery")).to_contain_text("sent a better letter")


def test_of_two_who_decide_the_second_is_told_what_the_first_said(chromium: Browser, address: str) -> None:
    with visiting(chromium, address) as first, visiting(chromium, address, role="approver") as second:
        for one in (first, second):
            one.open("/inbox")
        card(second.page, 4).get_by_role("button", name="Deny…").click()
        card(second.page, 4).get_by_label("Why?").fill("too late")
        card(first.page, 4).get_by_role("button", name="Approve").click()
        expect(card(first.page, 4)).to_contain_text("Approved by")
        expect(card(second.page, 4)).to_contain_text("ann (admin) has decided it already: approve")


def test_who_may_not_decide_sees_everything_and_no_button(chromium: Browser, address: str) -> None:
    for role in ("viewer", "operator"):
        with visiting(chromium, address, role=role) as one:
            page = one.open("/inbox")
            expect(card(page, 5)).to_contain_text("LETTER 5")
            expect(card(page, 5)).to_contain_text("it takes the role approver")
            assert card(page, 5).get_by_role("button").count() == 0


def test_what_others_wrote_is_shown_as_text_and_does_nothing(admin: Visit) -> None:
    page = admin.open("/inbox")
    hostile = page.locator("article.request", has_text="onerror").first
    expect(hostile).to_contain_text("<script>window.hit=1</script>")
    expect(hostile).to_contain_text("{{7*7}}")
    expect(hostile).to_contain_text("\\u202egnp.exe")
    href = str(hostile.locator(".goal a").get_attribute("href"))
    for name in ("result", "tasks", "tasks&task=send", "events", "audit", "cost", "context", "events&at=4"):
        admin.open(f"{href}?tab={name}")
        expect(page.locator("h1")).to_contain_text("<img src=x")
        assert page.evaluate("window.hit") is None
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"), name
    admin.open("/audit")
    expect(page.locator(".stack").first).to_contain_text("<img src=x")
    assert page.evaluate("window.hit") is None


def test_the_whole_page_shows_a_run_as_it_was_and_leads_back(admin: Visit) -> None:
    page = admin.page
    path = run_page(admin, "Say it twice", "events")
    number = page.get_by_label("Number of the event")
    last = int(number.input_value())
    number.fill("5")
    number.press("Enter")
    page.wait_for_url("**at=5**")
    expect(page.locator(".past")).to_contain_text("as it was")
    expect(page.locator(".standing")).to_contain_text("0 of 2 tasks")
    page.get_by_role("link", name="Tasks").click()
    page.wait_for_url("**tab=tasks**at=5**")
    expect(page.locator("table.tasks")).not_to_contain_text("Done")
    page.get_by_role("button", name="One event later").click()
    page.wait_for_url("**at=6**")
    admin.open(f"{path}?tab=events&at={last}")
    expect(page.locator("table.events tbody tr")).to_have_count(last)
    page.get_by_role("link", name="Back to now").first.click()
    page.wait_for_url(lambda url: "at=" not in url)
    expect(page.locator(".standing")).to_contain_text("2 of 2 tasks")


def test_a_run_is_forked_from_a_point_of_its_past(admin: Visit, chromium: Browser, address: str) -> None:
    path = run_page(admin, "Say it twice", "events")
    page = admin.open(f"{path}?tab=events&at=6")
    page.get_by_role("button", name="Fork from here…").click()
    page.get_by_role("button", name="Fork it").click()
    page.wait_for_url(lambda url: "/runs/" in url and path not in url)
    expect(page.locator(".crumbs")).to_contain_text("forked from")
    expect(page.locator(".standing")).to_contain_text("2 of 2 tasks")
    with visiting(chromium, address, role="viewer") as viewer:
        viewer.open(f"{path}?tab=events&at=6")
        assert viewer.page.get_by_role("button", name="Fork from here…").count() == 0


def test_a_delivery_is_rated_with_one_click_and_counts_in_the_numbers(admin: Visit) -> None:
    page = admin.page
    run_page(admin, "Say it twice")
    page.get_by_role("button", name="4: mostly").click()
    expect(page.get_by_role("button", name="4: mostly")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".rating")).to_contain_text("4.0 of 5, by 1 person")
    admin.open("/numbers")
    expect(page.locator(".tile", has_text="Satisfaction").locator(".big")).to_have_text("4.00")
    for by in ("agent", "week", "workflow"):
        admin.open(f"/numbers?by={by}")
        expect(page.locator("table.numbers tbody tr").first).to_be_visible()


def test_a_task_tells_who_tried_it_why_and_what_it_got(admin: Visit) -> None:
    page = admin.page
    run_page(admin, "Say it twice", "tasks")
    page.get_by_label("Search in tasks, skills and agents").fill("second")
    expect(page.locator("table.tasks tbody tr")).to_have_count(1)
    page.get_by_role("link", name="second").click()
    expect(page.locator(".task-page")).to_contain_text("only office has the skill office.shout")
    page.get_by_text("What it got: 1 argument").click()
    expect(page.locator(".attempt .values")).to_contain_text("A")
    expect(page.locator(".task-page")).to_contain_text("no rule speaks against it")


def test_what_comes_to_wait_appears_by_itself(admin: Visit, chromium: Browser, address: str) -> None:
    page = admin.open("/inbox")
    with visiting(chromium, address) as other:
        path = run_page(other, "Post letter 6")
        other.open(f"{path}?tab=events&at=6")
        other.page.get_by_role("button", name="Fork from here…").click()
        other.page.get_by_role("button", name="Fork it").click()
        other.page.wait_for_url(lambda url: "/runs/" in url and path not in url)
    expect(page.locator("article.request", has_text="Post letter 6")).to_have_count(2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [LAPTOP, PHONE])
def test_nothing_stands_in_anybodys_way(
    chromium: Browser, address: str, scheme: Literal["light", "dark"], size: tuple[int, int]
) -> None:
    with visiting(chromium, address, scheme=scheme, size=size) as one:
        path = run_page(one, "Say it twice")
        tabs = [f"{path}?tab={name}" for name in ("tasks", "tasks&task=second", "context", "cost", "events", "audit")]
        for place in ("/inbox", "/agents", "/numbers", "/audit", *tabs, f"{path}?tab=events&at=5"):
            one.open(place)
            expect(one.page.locator("h1")).to_be_visible()
            assert one.violations() == [], place
            assert one.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), place
