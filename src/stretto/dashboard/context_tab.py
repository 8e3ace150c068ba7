"""The shared context of a run: every version, who wrote it from what, who read it, and what is stale."""

from collections.abc import Mapping
from typing import Any

from stretto.core.state import RunState
from stretto.dashboard.live import LiveRun
from stretto.dashboard.parts import Tag, foreign, heading, link, when
from stretto.dashboard.shell import Frame, run_address
from stretto.dashboard.task_page import moment_of
from stretto.dashboard.values import fold, shown_value
from stretto.views import context_view, entry_value


async def context(frame: Frame, live: LiveRun) -> None:
    """Build the tab; it is shown anew whenever something is written or read."""
    body = Tag("div", "stack")
    seen: object = None

    def show(state: RunState, now: float) -> None:
        nonlocal seen
        told = context_view(state) if state.context else []
        if told == seen:
            return
        seen = told
        body.clear()
        with body:
            if not told:
                Tag("p", "empty sheet", "This run has written nothing to its shared context.")
            by_key: dict[str, list[Mapping[str, Any]]] = {}
            for one in told:
                by_key.setdefault(one["key"], []).append(one)
            for key, versions in by_key.items():
                _entry(live, key, versions)

    live.on_change(show)


def _entry(live: LiveRun, key: str, versions: list[Mapping[str, Any]]) -> None:
    with Tag("section", "sheet stack"):
        with heading(2, ""):
            foreign(key, "mono")
        if versions[-1]["description"]:
            with Tag("p", "soft"):
                foreign(versions[-1]["description"])
        for one in reversed(versions):
            with Tag("article", "attempt"):
                _version(live, one)


def _version(live: LiveRun, one: Mapping[str, Any]) -> None:
    wanted = f"{one['key']}@{one['version']}"
    with Tag("header", "row"):
        heading(3, f"Version {one['version']}")
        if not one["newest"]:
            Tag("span", "chip", "superseded", data_tone="off")
        if one["undone"]:
            Tag("span", "chip", "undone", data_tone="partly")
        Tag("span", "soft", f"{one['bytes']:,} bytes")
        when(moment_of(one["at"]), live.now, "soft")
    with Tag("dl", "facts"):
        _tasks(live, "Written by", [one["task"]], f" ({one['agent']}, attempt {one['attempt']})")
        _tasks(live, "From the results of", one["from"])
        if one["reads"]:
            Tag("dt", "", "From the entries")
            with Tag("dd"):
                foreign(", ".join(f"{key}@{version}" for key, version in one["reads"].items()), "mono")
        _tasks(live, "Read by", one["read_by"])
        _tasks(live, "Stale for", one["stale_for"])

    def value() -> None:
        try:
            shown_value(entry_value(live.state, wanted))
        except LookupError as error:
            foreign(str(error.args[0]))

    with Tag("p", "mono begins"):
        foreign(one["begins"])
    if one["bytes"] > len(one["begins"]):
        fold("Show all of it", value)


def _tasks(live: LiveRun, name: str, ids: list[str], more: str = "") -> None:
    if not ids:
        return
    Tag("dt", "", name)
    with Tag("dd", "row links"):
        for id_ in ids[:50]:
            with link("", run_address(live.run, "tasks", task=id_, at=live.at or "")):
                foreign(id_, most=60)
        if more:
            foreign(more, "soft")
        if len(ids) > 50:
            Tag("span", "soft", f"and {len(ids) - 50:,} more")
