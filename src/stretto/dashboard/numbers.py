"""The numbers: what the runs amount to, against what they should; in all, and by workflow, agent or week."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from stretto.dashboard.actions import NUMBERS
from stretto.dashboard.charts import weekly
from stretto.dashboard.parts import Tag, chip, foreign, heading, link
from stretto.dashboard.shell import Frame
from stretto.dashboard.words import Told
from stretto.measuring import By
from stretto.telling.words import span

BY: Final[Mapping[By, str]] = {"workflow": "By workflow", "agent": "By agent", "week": "By week"}
SINCE: Final = {"": "All time", "7": "7 days", "30": "30 days", "90": "90 days"}
LINES: Final = 100
SHARE: Final = 0.2
"""The greatest share of the server's time that a page may take to have runs measured that were not yet."""

_VERDICTS: Final = {
    "met": Told("✓", "met", "good"),
    "missed": Told("✗", "missed", "bad"),
    "no data": Told("–", "no data yet", "off"),
    "no target": Told("·", "no target", "off"),
}
_NAMES: Final = {
    "completion": "Completion",
    "handoff": "Handoff",
    "errors": "Errors",
    "hallucinations": "Hallucinations",
    "satisfaction": "Satisfaction",
    "cost": "Cost of a run",
    "misallocation": "Misallocation",
}
_DEFINITIONS: Final = {
    "completion": "Runs that finished without anybody stepping in, of all runs that ended.",
    "handoff": "From the last result that a task waits for to its start; 95 of 100 are quicker than this.",
    "errors": "Accepted results that were found wrong later, of all accepted results.",
    "hallucinations": "Claims that do not stand in the evidence they cite, of all claims that were checked.",
    "satisfaction": "The mean of the ratings from 1 to 5 that people gave to what was delivered.",
    "cost": "The mean cost of a run in dollars; it should fall from week to week.",
    "misallocation": "Tasks that had to be moved to another agent, of all tasks that were given to one.",
}


async def numbers(frame: Frame) -> None:
    """Build the page: `by` and `since` (days) in the address."""
    by: By = next((one for one in BY if one == frame.query.get("by")), "workflow")
    page = _Numbers(frame, by, frame.query.get("since", ""))
    await page.show()
    frame.while_open(page.measure)


class _Numbers:
    """The page of one visitor."""

    def __init__(self, frame: Frame, by: By, since: str) -> None:
        self._frame, self._by, self._since = frame, by, since if since in SINCE else ""
        self._complete = False
        with Tag("div", "row spread titled"):
            heading(1, "Numbers")
            self._told = Tag("p", "soft", "", role="status")
        with Tag("nav", "row filters", aria_label="Which runs"):
            for days, text in SINCE.items():
                current = "true" if days == self._since else None
                link(text, f"/numbers?by={self._by}&since={days}", "button filter", aria_current=current)
        self._tiles = Tag("section", "tiles", aria_label="In all")
        with Tag("nav", "row filters apart", aria_label="Broken down"):
            for name, text in BY.items():
                current = "true" if name == self._by else None
                link(text, f"/numbers?by={name}&since={self._since}", "button filter", aria_current=current)
        self._table = Tag("div", "sheet flush scroll", tabindex="0", role="region", aria_label=BY[self._by])

    async def show(self) -> None:
        """Ask for the numbers, and show them."""
        since = time.time() - 86_400 * int(self._since) if self._since else None
        told = await self._frame.visitor.do(NUMBERS, since=since, by=self._by)
        self._complete = told["complete"]
        runs = told["total"]["counts"]["runs"]
        more = "" if self._complete else "; more are being counted"
        self._told.text = f"{runs:,} runs that ended{more}"
        self._tiles.clear()
        with self._tiles:
            for target in told["targets"]:
                _tile(target, told["total"])
        self._table.clear()
        with self._table:
            self._rows(told)

    async def measure(self) -> None:
        """Have runs measured that were not yet, while the page is open."""
        while not self._complete:
            begun = time.perf_counter()
            await self.show()
            await asyncio.sleep(max(1.0, (time.perf_counter() - begun) / SHARE))

    def _rows(self, told: Mapping[str, Any]) -> None:
        rows = told["rows"]
        if not rows:
            Tag("div", "empty", "No run has ended yet.")
            return
        with Tag("table", "table numbers"):
            Tag("caption", "visually-hidden", BY[self._by])
            with Tag("thead"), Tag("tr"):
                Tag("th", "", self._by.capitalize(), scope="col")
                Tag("th", "number", "Attempts" if self._by == "agent" else "Runs", scope="col")
                for target in told["targets"]:
                    if self._by != "agent" or target["name"] in _OF_AGENTS:
                        Tag("th", "number", _NAMES[target["name"]], scope="col", title=_DEFINITIONS[target["name"]])
            with Tag("tbody"):
                for row in rows[:LINES]:
                    self._row(row, told["targets"])
        if len(rows) > LINES:
            Tag("p", "soft padded", f"and {len(rows) - LINES:,} more; the command `stretto numbers` lists all")

    def _row(self, row: Mapping[str, Any], targets: Sequence[Mapping[str, Any]]) -> None:
        with Tag("tr"):
            with Tag("th", "", scope="row"):
                foreign(_name(row), most=80)
            Tag("td", "number", f"{row['counts']['attempts' if self._by == 'agent' else 'runs']:,}")
            for target in targets:
                if self._by == "agent" and target["name"] not in _OF_AGENTS:
                    continue
                one = row["numbers"][target["name"]]
                with Tag("td", "number"):
                    verdict = _VERDICTS[one["verdict"]]
                    if one["verdict"] in ("met", "missed"):
                        Tag("span", "sign", verdict.sign, data_tone=verdict.tone, role="img", aria_label=verdict.word)
                    Tag("span", "", f" {amount(target['unit'], one['value'])}")


_OF_AGENTS: Final = frozenset({"errors", "hallucinations", "misallocation"})
"""The numbers that say something of an agent alone."""


def _tile(target: Mapping[str, Any], total: Mapping[str, Any]) -> None:
    """Show one number: its value, whether that is as it should be, week by week, and what it is."""
    name, one = target["name"], total["numbers"][target["name"]]
    with Tag("article", "sheet tile"):
        with Tag("header", "row spread"):
            heading(2, _NAMES[name])
            if one["verdict"] != "no target":
                chip(_VERDICTS[one["verdict"]])
        Tag("p", "big", amount(target["unit"], one["value"]))
        Tag("p", "soft", wanted(target))
        weeks = {week: values[name] for week, values in total["weeks"].items()}
        weekly(_NAMES[name], weeks, target["bound"], lambda value: amount(target["unit"], value))
        with Tag("details", "fold"):
            Tag("summary", "", "What is this?")
            Tag("p", "soft", _DEFINITIONS[name])


def amount(unit: str, value: float | None) -> str:
    """Give a number with its unit."""
    if value is None:
        return "–"
    match unit:
        case "share":
            return f"{100 * value:.1f} %"
        case "seconds":
            return f"{1000 * value:.0f} ms" if value < 1 else span(value)
        case "dollars":
            return f"${value:,.2f}" if value >= 0.1 or not value else f"${value:.4f}"
    return f"{value:.2f}"


def wanted(target: Mapping[str, Any]) -> str:
    """Say how a number should be."""
    match target["comparison"]:
        case "above" | "below":
            return f"should be {target['comparison']} {amount(target['unit'], target['bound'])}"
        case "falling":
            return "should fall from week to week"
    return "without a target"


def _name(row: Mapping[str, Any]) -> str:
    if "agent" in row:
        return f"{row['agent']}: {row['skill']} ({row['version']})"
    return str(row.get("workflow") or row.get("week") or "")
