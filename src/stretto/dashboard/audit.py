"""The audit: whether the record of a run is whole, and every decision in it, with who, why and what came of it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from nicegui import ui

from stretto.core.domain import RunStatus
from stretto.core.state import RunState
from stretto.dashboard.actions import AUDIT, DECISIONS, RUNS
from stretto.dashboard.live import LiveRun
from stretto.dashboard.parts import Tag, button, chip, foreign, heading, link, when
from stretto.dashboard.shell import Frame, run_address
from stretto.dashboard.task_page import moment_of
from stretto.dashboard.words import RUN_STATUS, Told
from stretto.ports import RunQuery, RunSummary

LINES: Final = 100
RUNS_SHOWN: Final = 20
LOOK_SECONDS: Final = 1.0

KINDS: Final = {
    "policy": "Policies",
    "person": "People",
    "silence": "Nobody answered",
    "review": "Reviews",
    "control": "The run as a whole",
}
_TONES: Final = {
    "allow": "good",
    "approve": "good",
    "accept": "good",
    "deny": "bad",
    "send back": "partly",
    "ask": "asking",
}


async def audit(frame: Frame, live: LiveRun) -> None:
    """Build the tab of a run."""
    page = _Decisions(frame, live)
    await page.show()
    seen = live.state.seq

    def changed(state: RunState, now: float) -> None:
        nonlocal seen
        if state.seq != seen:
            seen = state.seq
            page.stale()

    live.on_change(changed)


async def all_audits(frame: Frame) -> None:
    """Build the page over all runs: whether each record is whole, and what people decided in it."""
    with Tag("div", "row spread titled"):
        heading(1, "Audit")
    Tag("p", "soft", "The newest runs: whether their records are whole, and who decided what in them.")
    words = tuple(frame.query.get("q", "")[:200].split())
    with Tag("form", "row search", role="search", method="get", action="/audit"):
        Tag("label", "visually-hidden", "Search in goals and run numbers", for_="find-run")
        Tag(
            "input", "input", id="find-run", type="search", name="q", value=" ".join(words),
            placeholder="Search in goals and run numbers", maxlength=200,
        )  # fmt: skip
    page = await frame.visitor.do(RUNS, RunQuery(words=words, limit=RUNS_SHOWN))
    body = Tag("div", "stack")
    places = []
    with body:
        for one in page.runs:
            places.append((one, _run(one)))
        if not page.runs:
            Tag("p", "empty sheet", "No run fits this.")

    async def fill() -> None:
        for one, place in places:
            await _fill(frame, one, place)

    frame.while_open(fill)


def _run(one: RunSummary) -> Tag:
    with Tag("article", "sheet stack"):
        with Tag("header", "row"):
            chip(RUN_STATUS[RunStatus(one.status)])
            with link("", run_address(one.run, "audit")):
                foreign(one.goal or one.run, most=160)
            foreign(one.run, "mono soft")
        return Tag("div", "stack")


async def _fill(frame: Frame, one: RunSummary, place: Tag) -> None:
    """Check the record of a run, and say what people decided in it."""
    _, broken = await frame.visitor.do(AUDIT, one.run)
    told = await frame.visitor.do(DECISIONS, one.run)
    people = [entry for entry in told if entry["kind"] in ("person", "silence")]
    with place:
        _chain(broken)
        if not people:
            Tag("p", "soft", f"{len(told):,} decisions, none of them by a person.")
        for entry in people[:5]:
            with Tag("p", "row"):
                chip(Told("·", entry["decision"], _TONES.get(entry["decision"], "off")))
                foreign(f"{entry['who']} on {entry['task'] or 'the goal'}", most=120)
                if entry["reason"]:
                    foreign(entry["reason"], "soft", most=200)
                when(moment_of(entry["at"]), moment_of(entry["at"]), "soft")
        if len(people) > 5:
            link(f"and {len(people) - 5:,} more", run_address(one.run, "audit"))


def _chain(broken: int | None) -> None:
    """Say whether the chain of a run's events holds."""
    if broken is None:
        with Tag("p", "row"):
            chip(Told("✓", "The record is whole", "good"))
            Tag("span", "soft", "each event carries the hash of the one before")
        return
    with Tag("p", "row", role="alert"):
        chip(Told("✗", "The record is broken", "bad"))
        Tag(
            "span",
            "",
            f"event {broken:,} does not fit the chain: it, or one before it, was changed after it was written",
        )


class _Decisions:
    """The decisions of one run, by kind and page by page."""

    def __init__(self, frame: Frame, live: LiveRun) -> None:
        self._frame, self._live = frame, live
        self._told: Sequence[Mapping[str, Any]] = ()
        self._kind, self._first = "", 0
        with Tag("section", "sheet stack"):
            self._head = Tag("div", "row spread")
        self._kinds = Tag("div", "row filters apart", role="group", aria_label="Kinds of decisions")
        region = Tag("div", "sheet flush scroll", tabindex="0", role="region", aria_label="Decisions")
        with region, Tag("table", "table decisions"):
            Tag("caption", "visually-hidden", "Decisions, oldest first")
            with Tag("thead"), Tag("tr"):
                for name in ("Event", "When (UTC)", "Who", "Decision", "On", "Why", "Task now"):
                    Tag("th", "number" if name == "Event" else "", name, scope="col")
            self._body = Tag("tbody")
        with Tag("nav", "row pages", aria_label="Pages of decisions"):
            self._place = Tag("span", "soft")
            self._back = button("← Before", lambda: self._turn(-LINES))
            self._on = button("After →", lambda: self._turn(LINES))

    async def show(self) -> None:
        """List the decisions; the chain is checked meanwhile."""
        told = await self._frame.visitor.do(DECISIONS, self._live.run)
        last = self._live.state.seq
        self._told = [entry for entry in told if entry["seq"] <= last] if self._live.past else told
        self._head.clear()
        with self._head:
            with Tag("div", role="status") as chain:
                Tag("p", "soft", "Checking the record…")
            with Tag("div", "actions"):
                self._again = button("Look again", self.show)
                self._again.attribute("hidden", True)
                button("Export as JSON Lines", self._export)
        self._list()

        async def check() -> None:
            _, broken = await self._frame.visitor.do(AUDIT, self._live.run)
            chain.clear()
            with chain:
                _chain(broken)

        self._frame.while_open(check)

    def stale(self) -> None:
        """Say that the run has gone on since."""
        self._again.text = "The run has gone on: look again"
        self._again.attribute("hidden", False)

    def _export(self) -> None:
        lines = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in self._told)
        with self._frame.client:
            ui.download.content(lines, f"audit-{self._live.run}.jsonl", "application/jsonl")

    def _choose(self, kind: str) -> None:
        self._kind, self._first = kind, 0
        self._list()

    def _turn(self, by: int) -> None:
        self._first = max(0, self._first + by)
        self._list()

    def _list(self) -> None:
        self._kinds.clear()
        with self._kinds:
            for kind, text in {"": "All", **KINDS}.items():
                many = sum(not kind or entry["kind"] == kind for entry in self._told)
                if many or kind == self._kind:
                    pressed = "true" if kind == self._kind else "false"
                    with button("", lambda kind=kind: self._choose(kind), "filter", aria_pressed=pressed):
                        Tag("span", "", text)
                        Tag("span", "many", f"{many:,}")
        found = [entry for entry in self._told if not self._kind or entry["kind"] == self._kind]
        page = found[self._first : self._first + LINES]
        self._body.clear()
        with self._body:
            for entry in page:
                self._line(entry)
        last = self._first + len(page)
        self._place.text = f"{self._first + 1:,}–{last:,} of {len(found):,}" if len(found) > LINES else ""
        self._back.attribute("hidden", not self._first)
        self._on.attribute("hidden", last >= len(found))

    def _line(self, entry: Mapping[str, Any]) -> None:
        with Tag("tr"):
            with Tag("td", "number"):
                link(f"{entry['seq']:,}", run_address(self._live.run, "events", at=str(entry["seq"])))
            Tag("td", "nowrap soft", entry["at"][:19].replace("T", " "))
            with Tag("td", "who-did"):
                foreign(entry["who"], most=80)
            with Tag("td"):
                chip(Told("·", entry["decision"], _TONES.get(entry["decision"], "off")))
            with Tag("td"), Tag("div", "row links"):
                if entry["task"]:
                    with link("", run_address(self._live.run, "tasks", task=entry["task"])):
                        foreign(entry["task"], most=60)
                foreign(entry["what"], "soft", most=160)
            with Tag("td"):
                foreign(entry["reason"], most=300)
            Tag("td", "nowrap soft", entry["outcome"])
