"""The tab with the graph of a run: live states, the critical path, and folded where it is large."""

from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from stretto.core.state import RunState
from stretto.dashboard.graph import Shape, critical_lines, key_of, looks, picture, shape_of
from stretto.dashboard.live import LiveRun
from stretto.dashboard.parts import Foreign, Tag, button, foreign, link
from stretto.dashboard.shell import Frame, run_address
from stretto.dashboard.words import TASK_STATUS, short
from stretto.telling.outlook import outlook
from stretto.telling.rows import Kind, Row, rows_of

MOST_LISTED = 200
"""Tasks that the list beside the picture shows."""

_KEYS = (
    "Arrow keys walk along the lines, Enter opens, Escape leads back out, + and − zoom, as does Ctrl with the wheel."
)


class Picture(ui.element, component="components/run_graph.js"):
    """The graph in the browser. What it shows is given whole once, and then as changes."""

    def __init__(self, label: str) -> None:
        super().__init__()
        self._props["label"] = label

    def begin(self, picture: dict[str, Any], looks: dict[str, Any], critical: list[str]) -> None:
        self._props.update({"picture": picture, "looks": looks, "critical": critical})


async def graph(frame: Frame, live: LiveRun) -> None:
    """Build the tab; `open` in the address names what is open in it."""
    _Graph(frame, live, frame.query.get("open", ""))


class _Graph:
    def __init__(self, frame: Frame, live: LiveRun, opened: str) -> None:
        self._frame, self._live, self._opened = frame, live, opened
        self._shape: Shape | None = None
        self._looks: dict[str, dict[str, Any]] = {}
        self._critical: list[str] = []
        with Tag("div", "row spread graphbar"):
            self._crumbs = Tag("nav", "row", aria_label="Where in the graph")
            with Tag("ul", "legend row", aria_label="Signs"):
                for kind in (Kind.RUNNING, Kind.ASKING, Kind.DONE, Kind.FAILED, Kind.RETRYING, Kind.BLOCKED):
                    with Tag("li", "", data_tone=TASK_STATUS[kind].tone):
                        Tag("span", "sign", TASK_STATUS[kind].sign, aria_hidden="true")
                        Tag("span", "soft", TASK_STATUS[kind].word)
                with Tag("li"):
                    Tag("span", "criticalsign", "", aria_hidden="true")
                    Tag("span", "soft", "Critical path")
        self._nothing = Tag("div", "sheet empty", "The plan is being written.", hidden=True)
        self._picture = Picture(f"Graph of tasks. {_KEYS}")
        self._picture.on("opened", self._open)
        Tag("p", "hint soft", _KEYS)
        with Tag("details", "sheet aslist"):
            Tag("summary", "", "The same as a list")
            self._list = Tag("ul", "plain")
            self._more = link("", run_address(live.run, "tasks"), hidden=True)
        self._lines: dict[str, Tag] = {}
        live.on_change(self._show)

    def _open(self, event: GenericEventArguments) -> None:
        opened = event.args if isinstance(event.args, str) else ""
        if opened == self._opened:
            return
        self._opened, self._shape = opened, None
        self._show(self._live.state, self._live.now, opening=True)

    def _show(self, state: RunState, now: float, *, opening: bool = False) -> None:
        self._nothing.attribute("hidden", bool(state.ids))
        self._picture.set_visibility(bool(state.ids))
        rows = rows_of(state, now)
        by_id = {row.id: row for row in rows}
        ahead = outlook(state, now)
        first, shape = self._shape is None, self._shape
        if shape is None or shape.key != key_of(state, self._opened):
            shape = self._shape = shape_of(state, self._opened)
            self._looks, self._critical = looks(shape, by_id, ahead), critical_lines(shape, ahead)
            whole = (picture(shape, state.run), self._looks, self._critical)
            if first and not opening:
                self._picture.begin(*whole)
            else:
                self._picture.run_method("open" if opening else "replace", *whole)
            self._lead(shape)
        else:
            found, critical = looks(shape, by_id, ahead), critical_lines(shape, ahead)
            changed = {id_: look for id_, look in found.items() if look != self._looks.get(id_)}
            if changed or critical != self._critical:
                self._picture.run_method("patch", changed, critical if critical != self._critical else None)
            self._looks, self._critical = found, critical
        self._list_all(rows)

    def _lead(self, shape: Shape) -> None:
        self._crumbs.clear()
        with self._crumbs:
            for number, (opens, name) in enumerate(shape.crumbs):
                if number + 1 == len(shape.crumbs):
                    foreign(name, "strong", 100)
                else:
                    button(f"← {name}", lambda opens=opens: self._open_to(opens), "quiet")

    def _open_to(self, opened: str) -> None:
        self._opened, self._shape = opened, None
        self._show(self._live.state, self._live.now, opening=True)

    def _list_all(self, rows: list[Row]) -> None:
        """Give the graph as text, for who does not see it; only what has changed is sent."""
        state = self._live.state
        for row in rows[:MOST_LISTED]:
            if (line := self._lines.get(row.id)) is None:
                with self._list, Tag("li"):
                    line = self._lines[row.id] = Foreign("a", "foreign", "", href=_task_address(state, row))
            line.text = _line(state, row)
        self._more.attribute("hidden", len(rows) <= MOST_LISTED)
        self._more.text = f"All {len(rows):,} tasks"


def _task_address(state: RunState, row: Row) -> str:
    return run_address(state.run, "tasks", task=row.id)


def _line(state: RunState, row: Row) -> str:
    """Say of a task what the picture says."""
    after = ", ".join(sorted(state.tasks[row.id].needs))
    parts = (TASK_STATUS[row.kind].word, row.agent and f"by {row.agent}", after and f"after {after}")
    return short(f"{TASK_STATUS[row.kind].sign} {row.name}: {', '.join(part for part in parts if part)}", 240)
