"""The tasks of a run: all of them in a table, found by words and status, and each on a page of its own."""

from typing import Final

from nicegui.events import GenericEventArguments

from stretto.core.state import RunState, TaskState
from stretto.dashboard.live import LiveRun
from stretto.dashboard.parts import Tag, button, chip, foreign, link
from stretto.dashboard.shell import Frame, run_address
from stretto.dashboard.task_page import task_page
from stretto.dashboard.words import TASK_STATUS
from stretto.telling.rows import Kind, Row, rows_of
from stretto.telling.words import cost, span

LINES: Final = 50
_COLUMNS: Final = ("Status", "Task", "Agent", "Took", "Attempts", "Cost", "Note")
_NUMBERS: Final = frozenset({"Took", "Attempts", "Cost"})


async def tasks(frame: Frame, live: LiveRun) -> None:
    """Build the tab; with `task` in the address, the page of that task."""
    wanted = frame.query.get("task", "")
    if wanted:
        await task_page(frame, live, wanted)
    else:
        _Table(frame, live)


class _Table:
    """The table. It follows the run; what is looked for stays."""

    def __init__(self, frame: Frame, live: LiveRun) -> None:
        self._live = live
        self._words, self._kind, self._first = "", "", 0
        self._lines: dict[str, _Line] = {}
        self._counts: dict[str, int] | None = None
        self._rows: list[Row] = []
        with Tag("div", "row search"):
            Tag("label", "visually-hidden", "Search in tasks, skills and agents", for_="find-task")
            search = Tag(
                "input", "input", id="find-task", type="search", placeholder="Search tasks, skills, agents",
                autocomplete="off", maxlength=200,
            )  # fmt: skip
            search.on("input", self._typed, js_handler="(e) => emit(e.target.value)", throttle=0.2)
            self._kinds = Tag("div", "row filters", role="group", aria_label="Status")
        with Tag("div", "sheet flush scroll"):
            with Tag("table", "table tasks"):
                Tag("caption", "visually-hidden", "Tasks, each after what it waits for")
                with Tag("thead"), Tag("tr"):
                    for name in _COLUMNS:
                        Tag("th", "number" if name in _NUMBERS else "", name, scope="col")
                self._body = Tag("tbody")
            self._empty = Tag("div", "empty", "No task fits this.", hidden=True)
        with Tag("nav", "row pages", aria_label="Pages of tasks"):
            self._place = Tag("span", "soft")
            self._back = button("← Before", lambda: self._turn(-LINES))
            self._on = button("After →", lambda: self._turn(LINES))
        live.on_change(self._changed)

    def _changed(self, state: RunState, now: float) -> None:
        self._rows = rows_of(state, now)
        self._show()

    def _typed(self, event: GenericEventArguments) -> None:
        self._words, self._first = str(event.args).casefold(), 0
        self._show()

    def _choose(self, kind: str) -> None:
        self._kind, self._first = kind, 0
        self._show()

    def _turn(self, by: int) -> None:
        self._first = max(0, self._first + by)
        self._show()

    def _show(self) -> None:
        state = self._live.state
        found = [row for row in self._rows if self._fits(state, row)]
        self._first = min(self._first, max(0, (len(found) - 1) // LINES * LINES))
        page = found[self._first : self._first + LINES]
        self._filters()
        shown = {row.id for row in page}
        for id_ in [id_ for id_ in self._lines if id_ not in shown]:
            self._lines.pop(id_).row.delete()
        for place, row in enumerate(page):
            line = self._lines.get(row.id)
            if line is None:
                with self._body:
                    line = self._lines[row.id] = _Line(self._live, row)
            line.show(row, state.tasks[row.id])
            if self._body.default_slot.children[place] is not line.row:
                line.row.move(self._body, target_index=place)
        self._empty.attribute("hidden", bool(page))
        last = self._first + len(page)
        self._place.text = f"{self._first + 1:,}–{last:,} of {len(found):,}" if len(found) > LINES else ""
        self._back.attribute("hidden", not self._first)
        self._on.attribute("hidden", last >= len(found))

    def _fits(self, state: RunState, row: Row) -> bool:
        if self._kind and row.kind.value != self._kind:
            return False
        words = f"{row.id} {state.tasks[row.id].task.skill} {row.agent} {row.note}".casefold() if self._words else ""
        return all(word in words for word in self._words.split())

    def _filters(self) -> None:
        counts = {kind.value: sum(row.kind is kind for row in self._rows) for kind in Kind}
        wanted = {"": len(self._rows)} | {name: many for name, many in counts.items() if many or name == self._kind}
        wanted |= {"chosen": [*wanted].index(self._kind) if self._kind in wanted else 0}
        if wanted == self._counts:
            return
        self._counts = dict(wanted)
        del wanted["chosen"]
        self._kinds.clear()
        with self._kinds:
            for name, many in wanted.items():
                told = TASK_STATUS[Kind(name)] if name else None
                pressed = "true" if name == self._kind else "false"
                tone = told.tone if told else None
                with button("", lambda name=name: self._choose(name), "filter", aria_pressed=pressed, data_tone=tone):
                    if told is not None:
                        Tag("span", "sign", told.sign, aria_hidden="true")
                    Tag("span", "", told.word if told else "All")
                    Tag("span", "many", f"{many:,}")


class _Line:
    """One task in the table."""

    def __init__(self, live: LiveRun, row: Row) -> None:
        self._kind: Kind | None = None
        with Tag("tr") as self.row:
            self._status = Tag("td", "nowrap")
            with Tag("th", "task", scope="row"):
                with link("", run_address(live.run, "tasks", task=row.id, at=live.at or "")):
                    foreign(row.name, most=80)
                self._skill = foreign("", "soft skill", most=80)
            with Tag("td"):
                self._agent = foreign("")
            self._took = Tag("td", "number")
            self._attempts = Tag("td", "number")
            self._cost = Tag("td", "number")
            with Tag("td", "note"):
                self._note = foreign("", "soft")

    def show(self, row: Row, one: TaskState) -> None:
        """Show how the task stands."""
        if row.kind is not self._kind:
            self._kind = row.kind
            self._status.clear()
            with self._status:
                chip(TASK_STATUS[row.kind])
        self._skill.text = one.task.skill if one.task.skill != row.id else ""
        self._agent.text = row.agent
        self._took.text = span(row.seconds) if row.seconds is not None else ""
        self._attempts.text = str(one.attempt or "")
        self._cost.text = cost(one.cost) if one.cost.money or one.cost.tokens else ""
        self._note.text = row.note[:240]
