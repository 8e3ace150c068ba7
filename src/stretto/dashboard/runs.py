"""The list of runs: found by words and status, live, a page at a time."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

from nicegui import background_tasks
from nicegui.events import GenericEventArguments

from stretto.access.roles import Permission
from stretto.core.domain import RunStatus
from stretto.dashboard.board import Sight
from stretto.dashboard.parts import Tag, button, chip, foreign, heading, link, when
from stretto.dashboard.shell import Frame, run_address
from stretto.dashboard.words import RUN_STATUS
from stretto.ports import RunQuery, RunSummary
from stretto.telling.words import money, span, tokens

LINES: Final = 50
"""Runs on a page."""

_COLUMNS: Final = ("Status", "Goal", "Started", "Took", "Tasks", "Cost", "Waits for people")
_NUMBERS: Final = frozenset({"Took", "Tasks", "Cost"})
_LONGEST_SEARCH: Final = 200


async def runs(frame: Frame) -> None:
    """Build the page; its address holds what is looked for."""
    listing = _Listing(frame, query_of(frame.query))
    await listing.begin()


def query_of(asked: Mapping[str, str]) -> RunQuery:
    """Read what an address looks for; what makes no sense in it is left out."""
    status = asked.get("status", "")
    return RunQuery(
        words=tuple(asked.get("q", "")[:_LONGEST_SEARCH].split()),
        statuses=frozenset({status} & {one.value for one in RunStatus}),
        teams=False,
        before=_place(asked.get("before", "")),
        limit=LINES,
    )


def address_of(query: RunQuery) -> str:
    """Give the address that looks for the same."""
    asked = {
        "q": " ".join(query.words),
        "status": "".join(query.statuses),
        "before": f"{query.before[0]!r},{query.before[1]}" if query.before else "",
    }
    kept = urlencode({key: value for key, value in asked.items() if value})
    return f"/?{kept}" if kept else "/"


def _place(text: str) -> tuple[float, str] | None:
    started, _, run = text.partition(",")
    try:
        return (float(started), run) if run else None
    except ValueError:
        return None


class _Listing:
    """The page of one visitor. What is looked for may change; the lines follow the store."""

    def __init__(self, frame: Frame, query: RunQuery) -> None:
        self._frame, self._query = frame, query
        self._lines: dict[str, _Line] = {}
        self._watch: asyncio.Task[None] | None = None
        self._found = asyncio.Event()
        with Tag("div", "row spread titled"):
            heading(1, "Runs")
            if frame.visitor.may(Permission.OPERATE):
                link("New run", "/new", "button primary")
        with Tag("form", "row search", role="search") as form:
            Tag("label", "visually-hidden", "Search in goals and run numbers", for_="search")
            self._search = Tag(
                "input",
                "input",
                id="search",
                type="search",
                name="q",
                value=" ".join(query.words),
                placeholder="Search in goals and run numbers",
                autocomplete="off",
                maxlength=_LONGEST_SEARCH,
            )
            self._search.on(
                "input",
                self._typed,
                args=[["target"]],
                js_handler="(e) => emit(e.target.value)",
                throttle=0.3,
                leading_events=False,
            )
            self._statuses = Tag("div", "row filters", role="group", aria_label="Status")
        form.on("submit.prevent", lambda: None, args=[])
        with Tag("div", "sheet flush"):
            with Tag("table", "table runs"):
                Tag("caption", "visually-hidden", "Runs, newest first")
                with Tag("thead"), Tag("tr"):
                    for name in _COLUMNS:
                        Tag("th", "number" if name in _NUMBERS else "", name, scope="col")
                self._body = Tag("tbody")
            self._empty = Tag("div", "empty", hidden=True)
        self._foot = Tag("nav", "row pages", aria_label="Pages of runs")

    async def begin(self) -> None:
        """Show the first look before the page is sent, then follow."""
        self._follow()
        await self._found.wait()
        self._frame.client.on_delete(self._stop)

    def _follow(self) -> None:
        self._stop()
        self._found.clear()
        self._watch = background_tasks.create(self._watching(self._query), name="stretto-runs")

    def _stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()

    async def _watching(self, query: RunQuery) -> None:
        with self._frame.client.content, self._frame.plainly():
            try:
                async with self._frame.board.watching(self._frame.visitor, query) as watched:
                    seen = None
                    while True:
                        seen = await watched.after(seen)
                        if self._found.is_set():
                            await self._frame.client.connected()
                        self._frame.visitor.who()
                        self._show(seen)
                        self._found.set()
            finally:
                self._found.set()

    def _typed(self, event: GenericEventArguments) -> None:
        words = tuple(str(event.args)[:_LONGEST_SEARCH].split())
        self._look_for(replace(self._query, words=words, before=None))

    def _look_for(self, query: RunQuery) -> None:
        if query == self._query:
            return
        self._query = query
        self._frame.client.run_javascript(f"history.replaceState(null, '', {json.dumps(address_of(query))})")
        self._follow()

    def _show(self, sight: Sight) -> None:
        now = time.time()
        self._filters(sight.counts)
        found = sight.page.runs
        shown = {one.run for one in found}
        for run in [run for run in self._lines if run not in shown]:
            self._lines.pop(run).row.delete()
        for place, one in enumerate(found):
            line = self._lines.get(one.run)
            if line is None:
                with self._body:
                    line = self._lines[one.run] = _Line(one, now)
            line.show(one, now)
            children = self._body.default_slot.children
            if children[place] is not line.row:
                line.row.move(self._body, target_index=place)
        self._empty.attribute("hidden", bool(found))
        searched = self._query.words or self._query.statuses or self._query.before
        starts = " Start one with “New run”." if self._frame.visitor.may(Permission.OPERATE) else ""
        self._empty.text = "No run fits this." if searched else f"No run yet.{starts}"
        self._pages(sight)

    def _filters(self, counts: Mapping[str, int]) -> None:
        [chosen] = self._query.statuses or {""}
        wanted = {"": sum(counts.values())} | {
            status.value: counts.get(status.value, 0)
            for status in RunStatus
            if counts.get(status.value) or status.value == chosen
        }
        self._statuses.clear()
        with self._statuses:
            for status, number in wanted.items():
                statuses = frozenset({status} if status else ())

                def choose(statuses: frozenset[str] = statuses) -> None:
                    self._look_for(replace(self._query, statuses=statuses, before=None))

                told = RUN_STATUS[RunStatus(status)] if status else None
                pressed = "true" if status == chosen else "false"
                with button("", choose, "filter", aria_pressed=pressed, data_tone=told.tone if told else None):
                    if told is not None:
                        Tag("span", "sign", told.sign, aria_hidden="true")
                    Tag("span", "", told.word if told else "All")
                    Tag("span", "many", f"{number:,}")

    def _pages(self, sight: Sight) -> None:
        self._foot.clear()
        with self._foot:
            if self._query.before:
                link("← Newest", address_of(replace(self._query, before=None)), "button")
            if sight.page.more:
                link("Older →", address_of(replace(self._query, before=sight.page.more)), "button")


class _Line:
    """One run in the table."""

    def __init__(self, one: RunSummary, now: float) -> None:
        with Tag("tr") as self.row:
            self._status = Tag("td", "status")
            with Tag("td", "goal"), link("", run_address(one.run)):
                foreign(one.goal or "no goal", "", 160)
            with Tag("td", "started nowrap soft"):
                when(one.started, now)
            with Tag("td", "took number"):
                self._took = Tag("time")
            with Tag("td", "tasks number"):
                self._tasks = Tag("span")
            with Tag("td", "cost number"):
                self._cost = Tag("span")
            with Tag("td", "asks"):
                self._asks = link("", run_address(one.run), "chip", data_tone="asking", hidden=True)
        self._shown = ""

    def show(self, one: RunSummary, now: float) -> None:
        """Show how the run stands; nothing is sent where nothing changed."""
        if one.status != self._shown:
            self._shown = one.status
            self._status.clear()
            with self._status:
                chip(RUN_STATUS[RunStatus(one.status)])
        self._took.text = span((one.ended if one.ended is not None else now) - one.started)
        self._took.attribute("data_since", None if one.ended is not None else f"{one.started:.3f}")
        self._tasks.text = f"{one.completed}/{one.tasks}" if one.tasks else "–"
        dollars = money(one.cost.money) if one.cost.money or not one.cost.tokens else tokens(one.cost.tokens)
        self._cost.text = dollars
        self._asks.text = f"? {one.asks}" if one.asks else ""
        self._asks.attribute("aria_label", f"{one.asks} waiting" if one.asks else None)
        self._asks.attribute("hidden", not one.asks)
