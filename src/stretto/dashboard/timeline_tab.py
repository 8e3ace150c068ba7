"""The tab with the timeline of a run: who, when, waiting against working, retries, and waits for people."""

from typing import Any

from nicegui import ui

from stretto.core.state import RunState
from stretto.core.timeline import Timeline
from stretto.core.timeline import timeline as fold
from stretto.dashboard.live import LiveRun
from stretto.dashboard.parts import Foreign, Tag
from stretto.dashboard.shell import Frame
from stretto.dashboard.spans import changed, lines_of
from stretto.dashboard.words import short
from stretto.telling.words import span

MOST_LISTED = 200
_LEGEND = (
    ("open", "Working"),
    ("done", "Worked"),
    ("failed", "Failed or withdrawn"),
    ("person", "Waiting for a person"),
    ("wait", "Waiting to begin"),
)


class Bars(ui.element, component="components/run_timeline.js"):
    """The timeline in the browser, of which only the lines in sight are drawn."""


async def timeline(frame: Frame, live: LiveRun) -> None:
    """Build the tab."""
    _Timeline(live)


class _Timeline:
    def __init__(self, live: LiveRun) -> None:
        self._live = live
        self._lines: dict[str, Any] = {}
        with Tag("div", "row spread graphbar"):
            self._facts = Tag("p", "timefacts", "")
            with Tag("ul", "legend row", aria_label="Colours"):
                for what, text in _LEGEND:
                    with Tag("li"):
                        Tag("span", f"key {what}", "", aria_hidden="true")
                        Tag("span", "soft", text)
        self._nothing = Tag("div", "sheet empty", "Nothing has begun yet.", hidden=True)
        self._bars = Bars()
        with Tag("details", "sheet aslist"):
            Tag("summary", "", "The same as a list")
            self._list = Tag("ul", "plain")
            self._rest = Tag("p", "soft", hidden=True)
        self._items: dict[str, Tag] = {}
        self._begun = False
        live.on_change(self._show)

    def _show(self, state: RunState, now: float) -> None:
        line = fold([one.event for one in self._live.recorded], now)
        lines = lines_of(line)
        ends = state.ended is not None or self._live.past
        length = round(line.end - line.begin, 3)
        if not self._begun:
            self._begun = True
            self._bars._props.update(
                {"run": state.run, "lines": lines, "length": length, "ended": ends, "begin": line.begin}
            )
        else:
            more = changed(lines, self._lines)
            gone = [task for task in self._lines if task not in lines]
            if more or gone or ends:
                self._bars.run_method("patch", more, gone, length, ends)
        self._lines = lines
        self._nothing.attribute("hidden", bool(lines))
        self._bars.set_visibility(bool(lines))
        self._facts.text = facts(line)
        self._list_all(lines)

    def _list_all(self, lines: dict[str, Any]) -> None:
        """Give the timeline as text, for who does not see it; only what has changed is sent."""
        for task, one in list(lines.items())[:MOST_LISTED]:
            if (item := self._items.get(task)) is None:
                with self._list:
                    item = self._items[task] = Foreign("li", "foreign")
            item.text = _line(one)
        self._rest.attribute("hidden", len(lines) <= MOST_LISTED)
        self._rest.text = f"and {len(lines) - MOST_LISTED:,} more tasks"


def facts(line: Timeline) -> str:
    """Say how well the time was used."""
    asked = sum(one.end - one.begin for one in line.stretches if one.kind == "person")
    said = [
        f"{span(line.end - line.begin)} in all, {span(line.busy)} of them at work",
        f"{line.parallel:.1f} side by side on average, {line.most} at most",
    ]
    if asked:
        said.append(f"waited for people {span(asked)}")
    if line.gaps:
        said.append(f"idle {span(line.idle)}")
    return " · ".join(said)


def _line(one: dict[str, Any]) -> str:
    """Say of a task what its bars show."""
    words = {"wait": "waited", "person": "waited for a person", "done": "worked", "failed": "failed", "open": "working"}
    said = []
    for what, begin, end, who, attempt in one["bars"]:
        lasted = f" for {span(end - begin)}" if end is not None else ""
        by = f" ({who}, attempt {attempt})" if who and what in ("done", "failed", "open") else ""
        said.append(f"{words[what]} from {span(begin)}{lasted}{by}")
    return short(f"{one['name']}: {'; '.join(said)}", 400)
