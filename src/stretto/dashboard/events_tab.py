"""What happened in a run, event by event, and the way into its past: any point of it can be looked at, and forked."""

from typing import Final

from nicegui.events import GenericEventArguments

from stretto.access.roles import Permission
from stretto.chronicle import told
from stretto.core.state import RunState
from stretto.dashboard.actions import FORK, RECORDED
from stretto.dashboard.live import LiveRun
from stretto.dashboard.parts import Tag, button, foreign, link
from stretto.dashboard.shell import Frame, run_address
from stretto.dashboard.words import exact
from stretto.ports import Recorded

LINES: Final = 100


async def events(frame: Frame, live: LiveRun) -> None:
    """Build the tab."""
    if not live.past:
        await time_travel(frame, live, "events")
    _Log(frame, live)


async def time_travel(frame: Frame, live: LiveRun, tab: str) -> None:
    """Make the control that leads to a point of the run's past, and to another tab of the same point."""
    recorded = await frame.visitor.do(RECORDED, live.run)
    last = len(recorded) if live.past else live.state.seq
    control = TimeTravel(frame, live, tab, last)
    if not live.past:
        live.on_change(lambda state, now: control.grown(state.seq))


class TimeTravel:
    """The control that leads to a point of a run's past, and back; every tab then shows the run as it was."""

    def __init__(self, frame: Frame, live: LiveRun, tab: str, last: int) -> None:
        self._frame, self._live, self._tab = frame, live, tab
        here = live.state.seq
        self.whole = Tag("section", "sheet travel row", aria_label="Time travel")
        with self.whole:
            Tag("label", "label", "The run after event", for_="travel")
            self._slider = Tag(
                "input", "slider", id="travel", type="range", min=1, max=last, value=here, step=1,
                aria_label="The run after this event",
            )  # fmt: skip
            self._number = Tag(
                "input", "input number", type="number", min=1, max=last, value=here, aria_label="Number of the event"
            )
            self._of = Tag("span", "soft", f"of {last:,}")
            for control in (self._slider, self._number):
                control.on("change", self._chosen, js_handler="(e) => emit(e.target.value)")
            with Tag("span", "actions"):
                button("◀", lambda: self._go(self._live.state.seq - 1), "quiet", aria_label="One event earlier")
                button("▶", lambda: self._go(self._live.state.seq + 1), "quiet", aria_label="One event later")
                if live.past:
                    link("Back to now", run_address(live.run, tab), "button")
                if frame.visitor.may(Permission.OPERATE):
                    button("Fork from here…", self._fork)
        self._last = last

    def grown(self, last: int) -> None:
        """Take in that the run has gone on."""
        self._last = last
        for control in (self._slider, self._number):
            control.attribute("max", last)
            control.attribute("value", self._live.state.seq)
        self._of.text = f"of {last:,}"

    def _chosen(self, event: GenericEventArguments) -> None:
        text = str(event.args).strip()
        if not text.isdecimal():
            self._frame.say(f"An event has a number from 1 to {self._last:,}.")
            return
        self._go(int(text[:9]))

    def _go(self, number: int) -> None:
        wanted = min(max(number, 1), self._last)
        if wanted == self._last and self._live.past:
            self._frame.open(run_address(self._live.run, self._tab))
        elif wanted != self._live.state.seq:
            self._frame.open(run_address(self._live.run, self._tab, at=str(wanted)))

    def _fork(self) -> None:
        seq = self._live.state.seq
        with self._frame.asking("Fork this run", "Fork it", self._forked):
            where = f"after event {seq:,}, {exact(self._live.state.at)}" if self._live.past else "where it stands now"
            Tag("p", "", f"Another run begins {where}. This one stays as it is.")
            Tag("p", "soft", "What it did to the world is not done again; what was only thought is thought anew.")

    async def _forked(self) -> None:
        at = str(self._live.state.seq) if self._live.past else None
        state = await self._frame.visitor.do(FORK, self._live.run, at)
        self._frame.open(run_address(state.run))


class _Log:
    """The list of events, the newest first, found by words, page by page."""

    def __init__(self, frame: Frame, live: LiveRun) -> None:
        self._live = live
        self._words, self._before = "", 0
        self._shown: tuple[int, ...] = ()
        with Tag("div", "row search"):
            Tag("label", "visually-hidden", "Search in events", for_="find-event")
            search = Tag(
                "input", "input", id="find-event", type="search", placeholder="Search events: words, type or who",
                autocomplete="off", maxlength=200,
            )  # fmt: skip
            search.on("input", self._typed, js_handler="(e) => emit(e.target.value)", throttle=0.3)
        with Tag("div", "sheet flush scroll"):
            with Tag("table", "table events"):
                Tag("caption", "visually-hidden", "Events, the newest first")
                with Tag("thead"), Tag("tr"):
                    for name in ("Event", "When (UTC)", "Who", "Type", "What"):
                        Tag("th", "number" if name == "Event" else "", name, scope="col")
                self._body = Tag("tbody")
            self._empty = Tag("div", "empty", "No event fits this.", hidden=True)
        with Tag("nav", "row pages", aria_label="Pages of events"):
            self._newest = button("Newest", lambda: self._turn(0))
            self._older = button("Older →", lambda: self._turn(self._shown[-1] if self._shown else 0))
        live.on_change(self._changed)

    def _changed(self, state: RunState, now: float) -> None:
        if not self._before:
            self._show()

    def _typed(self, event: GenericEventArguments) -> None:
        self._words, self._before = str(event.args).casefold(), 0
        self._show()

    def _turn(self, before: int) -> None:
        self._before = before
        self._show()

    def _show(self) -> None:
        found, more = self._found()
        seqs = tuple(one.seq for one in found)
        if seqs == self._shown and self._body.default_slot.children:
            return
        known = set(self._shown) if not self._before and not self._words else set[int]()
        fresh = [one for one in found if one.seq not in known]
        rows = self._body.default_slot.children
        if known and len(fresh) < len(found) and all(one.seq > self._shown[0] for one in fresh):
            for row in rows[len(found) - len(fresh) :]:
                row.delete()
            with self._body:
                for place, one in enumerate(fresh):
                    self._line(one).move(self._body, target_index=place)
        else:
            self._body.clear()
            with self._body:
                for one in found:
                    self._line(one)
        self._shown = seqs
        self._empty.attribute("hidden", bool(found))
        self._older.attribute("hidden", not more)
        self._newest.attribute("hidden", not self._before)

    def _found(self) -> tuple[list[Recorded], bool]:
        """Give a page of the events that fit, the newest first, and whether there are older ones."""
        recorded, words = self._live.recorded, self._words.split()
        begin = min(self._before - 1 if self._before else len(recorded), self._live.state.seq)
        found: list[Recorded] = []
        for number in range(begin - 1, -1, -1):
            one = recorded[number]
            if words:
                text = f"{one.seq} {one.actor} {type(one.event).__name__} {told(one.event)}".casefold()
                if not all(word in text for word in words):
                    continue
            if len(found) == LINES:
                return found, True
            found.append(one)
        return found, False

    def _line(self, one: Recorded) -> Tag:
        with Tag("tr") as row:
            with Tag("td", "number"):
                address = run_address(self._live.run, "events", at=str(one.seq))
                link(f"{one.seq:,}", address, title="See the run as it was after this event")
            Tag("td", "nowrap soft", exact(one.event.at)[11:19], title=exact(one.event.at))
            with Tag("td", "who-did"):
                foreign(one.actor, most=60)
            Tag("td", "mono", type(one.event).__name__)
            with Tag("td", "what"):
                foreign(told(one.event), most=300)
        return row
