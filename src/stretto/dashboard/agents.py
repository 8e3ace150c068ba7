"""The agents: what each can do, whether it is given work now, how much it has, and how well it has done so far."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from stretto.dashboard.actions import AGENTS, NUMBERS
from stretto.dashboard.parts import Tag, chip, foreign, heading, link, when
from stretto.dashboard.shell import Frame, run_address
from stretto.dashboard.task_page import moment_of
from stretto.dashboard.visitor import Visitor
from stretto.dashboard.words import Told
from stretto.telling.words import span

LOOK_SECONDS: Final = 2.0
COUNT_SECONDS: Final = 20.0
"""Seconds between two looks at how agents are, and at how they have done."""
MOST_RUNS: Final = 5

_HEALTH: Final = {
    "closed": Told("✓", "Works", "good"),
    "open": Told("✗", "Held: failed too often", "bad"),
    "half-open": Told("≈", "On probation", "partly"),
    "held": Told("–", "Pauses", "asking"),
    "off": Told("✓", "Works, never held", "good"),
}

Agent = Mapping[str, Any]


async def look(visitor: Visitor) -> Sequence[Agent]:
    """Look at how the agents are."""
    return await visitor.do(AGENTS)


async def look_back(visitor: Visitor) -> Sequence[Mapping[str, Any]]:
    """Look at how agents have done, skill by skill."""
    told = await visitor.do(NUMBERS, by="agent")
    rows: Sequence[Mapping[str, Any]] = told["rows"]
    return rows


async def agents(frame: Frame) -> None:
    """Build the page."""
    page = _Agents(frame)
    page.show(await frame.board.shared(look, every=LOOK_SECONDS).again(frame.visitor))
    page.count(await frame.board.shared(look_back, every=COUNT_SECONDS).again(frame.visitor))
    frame.while_open(page.follow)
    frame.while_open(page.follow_counts)


class _Agents:
    """The page of one visitor."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._cards: dict[str, _Card] = {}
        self._seen: Sequence[Agent] | None = None
        self._counted: Sequence[Mapping[str, Any]] | None = None
        with Tag("div", "row spread titled"):
            heading(1, "Agents")
            self._told = Tag("p", "soft", "", role="status")
        self._list = Tag("div", "stack")

    async def follow(self) -> None:
        async with self._frame.board.shared(look, every=LOOK_SECONDS).watching(self._frame.visitor) as watched:
            while True:
                seen = await watched.after(self._seen)
                self._frame.visitor.who()
                self.show(seen)

    async def follow_counts(self) -> None:
        async with self._frame.board.shared(look_back, every=COUNT_SECONDS).watching(self._frame.visitor) as watched:
            while True:
                seen = await watched.after(self._counted)
                self._frame.visitor.who()
                self.count(seen)

    def show(self, seen: Sequence[Agent]) -> None:
        """Show how the agents are; one that is as before is left as it is."""
        self._seen = seen
        for name in [name for name in self._cards if name not in {one["agent"] for one in seen}]:
            self._cards.pop(name).whole.delete()
        for one in seen:
            if one["agent"] not in self._cards:
                with self._list:
                    self._cards[one["agent"]] = _Card(one)
            self._cards[one["agent"]].show(one)
        held = sum(one["health"]["state"] in ("open", "half-open", "held") for one in seen)
        busy = sum(one["load"]["under_way"] for one in seen)
        self._told.text = f"{len(seen)} agents, {busy} attempts under way, {held} held"

    def count(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Show how the agents have done."""
        self._counted = rows
        for name, card in self._cards.items():
            card.count([row for row in rows if row["agent"] == name])


class _Card:
    """One agent."""

    def __init__(self, one: Agent) -> None:
        self._shown: Agent | None = None
        self._skills: dict[str, Mapping[str, Any]] = {}
        with Tag("article", "sheet stack agent") as self.whole:
            with Tag("header", "row spread"):
                with Tag("div", "row"):
                    with heading(2, ""):
                        foreign(one["agent"], most=80)
                    Tag("span", "soft", one["kind"])
                    with Tag("span", "soft"):
                        Tag("span", "", "version ")
                        foreign(one["version"], "mono", most=40)
                self._health = Tag("div", "row")
            if one["description"]:
                with Tag("p", "soft"):
                    foreign(one["description"], most=300)
            self._facts = Tag("dl", "facts")
            region = Tag("div", "scroll", tabindex="0", role="region", aria_label=f"Skills of {one['agent']}")
            with region, Tag("table", "table skills"):
                Tag("caption", "visually-hidden", "Skills, and how it has done at each")
                with Tag("thead"), Tag("tr"):
                    for name in (
                        "Skill",
                        "Effect",
                        "Attempts",
                        "Success",
                        "Usual time",
                        "95 of 100 within",
                        "Cost each",
                    ):
                        Tag("th", "" if name in ("Skill", "Effect") else "number", name, scope="col")
                self._body = Tag("tbody")
        self._version = one["version"]
        self._rows(one, [])

    def show(self, one: Agent) -> None:
        """Show how it is now."""
        if one == self._shown:
            return
        self._shown = one
        health = one["health"]
        self._health.clear()
        with self._health:
            chip(_HEALTH[health["state"]])
            if health["probing"]:
                Tag("span", "soft", "one attempt tries it now")
            if health["until"]:
                Tag("span", "soft", "until")
                when(moment_of(health["until"]), time.time())
        self._facts.clear()
        with self._facts:
            if health["why"]:
                _fact("Why", health["why"])
            load = one["load"]
            limit = f" of at most {load['limit']}" if load["limit"] is not None else ""
            waiting = f", {load['waiting']} ready tasks wait for it" if load["waiting"] else ""
            _fact("Under way", f"{load['under_way']}{limit}{waiting}")
            if load["runs"]:
                Tag("dt", "", "In")
                with Tag("dd", "row links"):
                    for run in load["runs"][:MOST_RUNS]:
                        with link("", run_address(run)):
                            foreign(run, "mono")
                    if len(load["runs"]) > MOST_RUNS:
                        Tag("span", "soft", f"and {len(load['runs']) - MOST_RUNS} more runs")
            if one["rate"]:
                _fact("Last minute", _rate(one["rate"]))
            _provider(one["provider"])
            if one["breaker"] is None:
                _fact("Breaker", "none")
            elif one["kind"] != "person":
                breaker = one["breaker"]
                _fact("Breaker", f"held when {breaker['failures']} of its last {breaker['window']} attempts fail")
            if one["most_cost"] is None:
                _fact("Cost", "has no bound")
            elif not one["most_cost"]["free"]:
                _fact(
                    "Cost",
                    f"at most ${one['most_cost']['money']:g} and {one['most_cost']['tokens']:,} tokens an attempt",
                )
            if one["perimeter"] is not None:
                _fact("Sees only", ", ".join(one["perimeter"]) or "what carries no label")
            if one["backups"]:
                _fact("Stands in for it", ", ".join(one["backups"]))

    def count(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Show how it has done, skill by skill; what former versions did is told apart."""
        self._body.clear()
        if self._shown is not None:
            self._rows(self._shown, rows)

    def _rows(self, one: Agent, rows: Sequence[Mapping[str, Any]]) -> None:
        counts = {(row["skill"], row["version"]): row["counts"] for row in rows}
        with self._body:
            for skill in one["skills"]:
                _skill(skill, counts.pop((skill["name"], self._version), None))
            for (name, version), counted in sorted(counts.items()):
                _skill({"name": f"{name} (version {version})", "effect": "", "asks": False, "description": ""}, counted)


def _skill(skill: Mapping[str, Any], counted: Mapping[str, Any] | None) -> None:
    with Tag("tr"):
        with Tag("th", "", scope="row"):
            foreign(skill["name"], most=80)
            if skill["description"]:
                foreign(skill["description"], "soft skill", most=160)
        effect = {"none": "", "undeclared": "not declared"}.get(skill["effect"], skill["effect"])
        Tag("td", "", f"{effect}{', asks first' if skill['asks'] else ''}".removeprefix(", "))
        if counted is None:
            for _ in range(5):
                Tag("td", "number soft", "–")
            return
        attempts, success, seconds = counted["attempts"], counted["success_rate"], counted["seconds"]
        Tag("td", "number", f"{attempts:,}")
        failures = ", ".join(f"{many} {name}" for name, many in counted["failures"].items())
        Tag("td", "number", f"{100 * success:.1f} %" if success is not None else "–", title=failures or None)
        for name in ("median", "p95"):
            Tag("td", "number", span(seconds[name]) if seconds[name] is not None else "–")
        Tag("td", "number", f"${counted['money'] / attempts:.4f}".rstrip("0").rstrip(".") if attempts else "–")


def _provider(one: Mapping[str, Any] | None) -> None:
    if one is None:
        return
    Tag("dt", "", "Provider")
    with Tag("dd", "row"):
        foreign(one["name"])
        chip(_HEALTH[one["health"]["state"]])
        limit = f" of at most {one['limit']}" if one["limit"] is not None else ""
        Tag("span", "soft", f"{one['under_way']}{limit} under way")
        if one["rate"]:
            Tag("span", "soft", _rate(one["rate"]))
        if one["health"]["why"]:
            foreign(one["health"]["why"], "soft")


def _rate(rate: Mapping[str, Any]) -> str:
    parts = [
        f"{rate[name]['used']:,} of {rate[name]['limit']:,} {name}"
        for name in ("requests", "tokens")
        if rate[name]["limit"] is not None
    ]
    return ", ".join(parts) + ("; no room right now" if rate["free_at"] else "")


def _fact(name: str, text: str) -> None:
    Tag("dt", "", name)
    with Tag("dd"):
        foreign(text)
