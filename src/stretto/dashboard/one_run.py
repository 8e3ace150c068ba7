"""One run: what it is about, how it stands, what can be done with it, and a tab for each way to look at it."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from stretto.core.domain import Request
from stretto.core.events import RunCancelled, RunCancelling
from stretto.core.state import RunState
from stretto.dashboard.audit import audit
from stretto.dashboard.context_tab import context
from stretto.dashboard.controls import Controls
from stretto.dashboard.cost_tab import costs
from stretto.dashboard.delivery import delivered
from stretto.dashboard.events_tab import events, time_travel
from stretto.dashboard.graph_tab import graph
from stretto.dashboard.live import LiveRun
from stretto.dashboard.parts import Tag, chip, foreign, link, when
from stretto.dashboard.shell import Frame, run_address
from stretto.dashboard.tasks_tab import tasks
from stretto.dashboard.timeline_tab import timeline
from stretto.dashboard.words import RUN_STATUS, exact, short
from stretto.telling.outlook import outlook
from stretto.telling.standstill import named, reason
from stretto.telling.words import against, span

LONGEST_GOAL = 240
"""Characters of a goal that stand over its page; the whole of a longer one is a click away."""
MOST_HOLDS = 3

Tab = Callable[[Frame, LiveRun], Awaitable[None]]

TABS: Final[Mapping[str, tuple[str, Tab]]] = MappingProxyType(
    {
        "result": ("Result", delivered),
        "graph": ("Graph", graph),
        "timeline": ("Timeline", timeline),
        "tasks": ("Tasks", tasks),
        "context": ("Context", context),
        "cost": ("Cost", costs),
        "events": ("Events", events),
        "audit": ("Audit", audit),
    }
)
"""By the word in the address: the tab's name, and what builds it. The first one is shown where none is named."""


async def one_run(frame: Frame) -> None:
    """Build the page of a run: `/runs/RUN?tab=TAB`, with `at` for a point of its past."""
    live = LiveRun(frame, frame.path["run"], frame.query.get("at"))
    await live.load()
    _title(frame, live.state)
    _Head(frame, live)
    tab = frame.query.get("tab", "")
    chosen = tab if tab in TABS else next(iter(TABS))
    with Tag("nav", "tabs", aria_label="Views of this run"):
        for name, (text, _) in TABS.items():
            address = run_address(live.run, name, at=live.at or "")
            link(text, address, aria_current="page" if name == chosen else None)
    if live.past:
        await time_travel(frame, live, chosen)
    with Tag("div", "tab"):
        await TABS[chosen][1](frame, live)
    live.follow()


def _title(frame: Frame, state: RunState) -> None:
    frame.title(short(state.goal or state.run, 60))


class _Head:
    """What every tab of a run begins with, kept up to date."""

    def __init__(self, frame: Frame, live: LiveRun) -> None:
        self._live = live
        state = live.state
        with Tag("div", "runhead"):
            if live.past:
                with Tag("p", "past", role="status", data_tone="asking"):
                    Tag("span", "", f"This is the run as it was on {exact(state.at)}, after event {state.seq}. ")
                    link("Back to now", run_address(live.run, frame.query.get("tab", "")))
            with Tag("div", "row crumbs soft"):
                link("Runs", "/")
                foreign(live.run, "mono")
                if state.forked_from:
                    with Tag("span"):
                        Tag("span", "", "forked from ")
                        link(state.forked_from, run_address(state.forked_from))
                if state.parent:
                    with Tag("span"):
                        Tag("span", "", "part of ")
                        link(state.parent, run_address(state.parent))
            with Tag("div", "row spread"):
                with Tag("h1", "goal"):
                    foreign(state.goal or "A run without a goal", most=LONGEST_GOAL)
                if not live.past:
                    Controls(frame, live)
            if len(state.goal) > LONGEST_GOAL:
                with Tag("details", "soft"):
                    Tag("summary", "", "The whole goal")
                    foreign(state.goal, "prewrap")
            with Tag("div", "row standing"):
                self._status = Tag("span")
                with Tag("span", "progress"):
                    self._bar = Tag("span", "bar", role="progressbar", aria_valuemin=0, aria_label="Tasks done")
                    with self._bar:
                        self._done = Tag("i")
                    self._tasks = Tag("span")
                with Tag("span"):
                    Tag("span", "soft", "Began ")
                    when(state.started, live.now)
                with Tag("span"):
                    Tag("span", "soft", "Took ")
                    self._took = Tag("time")
                self._cost = Tag("span", "against")
                self._end = Tag("span")
            self._why = Tag("ul", "why", hidden=True)
        self._shown: tuple[object, ...] = ()
        live.on_change(self._show)

    def _show(self, state: RunState, now: float) -> None:
        told = RUN_STATUS[state.standing]
        amounts = tuple(against(state.spent, state.steps, state.budget))
        why = tuple(_why(self._live, now))
        if (told, amounts, why) != self._shown:
            self._shown = (told, amounts, why)
            self._redraw(state, amounts, why)
        total = max(state.planned, 1)
        share = 100 * min(1.0, 1 - state.open_tasks / max(len(state.ids), 1)) if state.ids else 0.0
        self._bar.attribute("aria_valuenow", state.completed)
        self._bar.attribute("aria_valuemax", total)
        self._done.attribute("style", f"width:{share:.1f}%")
        self._tasks.text = f"{state.completed} of {state.planned} tasks" if state.planned else "no tasks yet"
        self._took.text = span((state.ended if state.ended is not None else now) - state.started)
        ticks = state.ended is None and not self._live.past
        self._took.attribute("data_since", f"{state.started:.3f}" if ticks else None)
        self._end.text = _expectation(state, now)

    def _redraw(self, state: RunState, amounts: tuple[tuple[str, float], ...], why: tuple[str, ...]) -> None:
        self._status.clear()
        with self._status:
            chip(RUN_STATUS[state.standing], "large")
        self._cost.clear()
        with self._cost:
            for text, used in amounts:
                Tag("span", "", text, data_tone="bad" if used >= 1 else "asking" if used >= 0.8 else None)
        self._why.clear()
        self._why.attribute("hidden", not why)
        with self._why:
            for line in why:
                with Tag("li"):
                    foreign(line, most=400)
            if state.requests and not state.status.final:
                with Tag("li"):
                    link("Decide in the inbox", "/inbox")


def _expectation(state: RunState, now: float) -> str:
    """Say when the run should end, as far as anybody knows."""
    if state.ended is not None or not state.ids:
        return ""
    ahead = outlook(state, now)
    parts = []
    if ahead.end is not None and (ahead.end > now + 1 or not ahead.unknown):
        least = "at least " if ahead.unknown else "about "
        parts.append(f"{least}{span(ahead.end - now)} to go")
    if state.until is not None:
        left = state.until - now
        parts.append(f"deadline in {span(left)}" if left > 0 else "past its deadline")
    return ", ".join(parts)


def _why(live: LiveRun, now: float) -> list[str]:
    """Say why a run does not go on as it could, or why it ended before its time."""
    state = live.state
    if state.status.final:
        return list(_cut_short(live))
    told = []
    if state.paused is not None:
        told.append(f"Paused: {state.paused or 'somebody asked for it'}")
    if state.cancelling is not None:
        told.append("Being cancelled: what is under way may end by itself for a moment")
    if state.draft is not None:
        told.append(f"Being planned anew: {state.draft.why}")
    if state.requests:
        told.append(_waiting(tuple(state.requests.values())))
    return [*told, *(f"The {named(key)} {reason(hold, now)}" for key, hold in sorted(state.holds.items())[:MOST_HOLDS])]


def _waiting(requests: Sequence[Request]) -> str:
    """Say what waits for people: the question itself, where it is the only one."""
    if len(requests) > 1:
        return f"{len(requests)} things wait for people"
    [one] = requests
    return f"{one.task or 'The goal'} waits for {one.to or 'a person'}: {one.question}"


def _cut_short(live: LiveRun) -> Iterator[str]:
    state = live.state
    if state.refused is not None:
        yield f"There was no plan: {state.refused}"
    if state.stopped is not None:
        yield f"Stopped: {state.stopped}"
    if state.deadline_passed:
        yield "The deadline passed"
    if state.cancelled is not None:
        told = (one.event for one in reversed(live.recorded) if isinstance(one.event, RunCancelled | RunCancelling))
        why = next((event.reason for event in told if event.reason), "")
        yield f"Cancelled by {state.cancelled.removeprefix('person:')}{f': {why}' if why else ''}"
