"""What a run costs: against its budget, work against coordination, by agent, model and task, and what is ahead."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from msgspec.structs import replace

from stretto.core.domain import FREE, Cost
from stretto.core.state import RunState
from stretto.dashboard.live import LiveRun
from stretto.dashboard.parts import Tag, foreign, heading, link
from stretto.dashboard.shell import Frame, run_address
from stretto.ledger import budget_view, cost_ahead
from stretto.telling.words import money, span
from stretto.usage import usage_view

DEAREST: Final = 50
"""Tasks that are listed, those that cost most first."""

_PURPOSES: Final = {
    "planner": "planning",
    "worker": "work of models",
    "reviewer": "reviews",
    "synthesiser": "composing the answer",
    "summariser": "summaries",
    "tool": "tools",
}


async def costs(frame: Frame, live: LiveRun) -> None:
    """Build the tab; it is shown anew whenever something was spent or reserved."""
    body = Tag("div", "columns costs")
    seen: object = None

    def show(state: RunState, now: float) -> None:
        nonlocal seen
        told = (state.spent, state.reserved, state.steps, state.revisions, state.budget, state.open_tasks)
        if told == seen:
            return
        seen = told
        body.clear()
        with body:
            _against(state, now)
            _forecast(state)
            _purposes(state)
            _shares("By agent", state.spent_by, state.spent)
            for title, meters in (("By model", state.meters.models), ("By tool", state.meters.tools)):
                _shares(title, {name: one.cost for name, one in meters.items()}, state.spent, _calls(state, title))
            _tasks(live, state)

    live.on_change(show)


def _against(state: RunState, now: float) -> None:
    """Show what is used of each limit."""
    told = budget_view(state if state.status.final else replace(state, at=max(now, state.at)))
    limits, spent, left = told["limit"], told["spent"], told["left"]
    reserved = told["reserved"]
    with Tag("section", "sheet stack"):
        heading(2, "Against the budget")
        with Tag("dl", "meters"):
            for name, title in (
                ("money", "Dollars"),
                ("tokens", "Tokens"),
                ("steps", "Attempts"),
                ("seconds", "Time"),
                ("revisions", "Revisions"),
            ):
                used, limit = spent[name], limits[name]
                if not used and limit is None:
                    continue
                held = reserved.get(name, 0)
                Tag("dt", "", title)
                with Tag("dd"):
                    text = _amount(name, used) + (f" of {_amount(name, limit)}" if limit is not None else ", no limit")
                    more = f", {_amount(name, held)} reserved" if held else ""
                    rest = f", {_amount(name, left[name])} left" if limit is not None else ""
                    Tag("span", "", f"{text}{more}{rest}")
                    if limit:
                        _bar((used + held) / limit, f"{title} used")
        if told["overspent"]:
            Tag("h3", "", "More than was reserved")
            for id_, cost in told["overspent"].items():
                with Tag("p"):
                    foreign(id_)
                    Tag("span", "", f" cost ${cost['money']:g} and {cost['tokens']:,} tokens more")


def _forecast(state: RunState) -> None:
    """Show what the tasks that have not begun will take at the least, as far as their agents declare it."""
    if state.status.final:
        return
    ahead = cost_ahead(state)
    with Tag("section", "sheet stack"):
        heading(2, "What is ahead")
        with Tag("dl", "facts"):
            _fact("Spent", _cost(state.spent))
            _fact("Reserved for work under way", _cost(state.reserved))
            _fact("Tasks to come, at the least", _cost(ahead))
            total = state.spent + state.reserved + ahead
            _fact("In all, at the least", _cost(total))
        limit = state.budget.money
        if limit is not None and total.money > limit:
            with Tag("p", "", data_tone="bad"):
                Tag("span", "", f"That is more than the budget of ${limit:f}.")


def _purposes(state: RunState) -> None:
    told = usage_view(state)
    with Tag("section", "sheet stack"):
        heading(2, "Work and coordination")
        work, coordination = state.spent - state.coordination.cost, state.coordination.cost
        with Tag("dl", "facts"):
            _fact("Work", _cost(work))
            _fact("Coordination", f"{_cost(coordination)} in {state.coordination.calls:,} calls")
        rows = [(_PURPOSES.get(role, role), one) for role, one in told["roles"].items()]
        if rows:
            _table(("For", "Calls", "Tokens in", "Tokens out", "Dollars"), [_metered(name, one) for name, one in rows])


def _shares(title: str, costs: Mapping[str, Cost], whole: Cost, calls: Mapping[str, str] | None = None) -> None:
    """Show who took how much of what was spent, the greatest share first."""
    if not costs:
        return
    listed = sorted(costs.items(), key=lambda one: (-one[1].money, -one[1].tokens, one[0]))
    with Tag("section", "sheet stack"):
        heading(2, title)
        with Tag("dl", "meters"):
            for name, cost in listed[:DEAREST]:
                with Tag("dt"):
                    foreign(name, most=60)
                with Tag("dd"):
                    Tag("span", "", f"{_cost(cost)}{(calls or {}).get(name, '')}")
                    if whole.money:
                        _bar(float(cost.money / whole.money), "Share of what was spent", plain=True)


def _calls(state: RunState, title: str) -> dict[str, str]:
    meters = state.meters.models if title == "By model" else state.meters.tools
    return {
        name: f", {one.calls:,} calls, {one.usage.input:,} tokens in, {one.usage.output:,} out"
        for name, one in meters.items()
    }


def _tasks(live: LiveRun, state: RunState) -> None:
    dear = [(id_, one.cost) for id_, one in state.tasks.items() if one.cost != FREE and one.children is None]
    if not dear:
        return
    dear.sort(key=lambda one: (-one[1].money, -one[1].tokens, one[0]))
    with Tag("section", "sheet stack"):
        heading(2, "By task")
        with Tag("dl", "meters"):
            for id_, cost in dear[:DEAREST]:
                with Tag("dt"), link("", run_address(live.run, "tasks", task=id_, at=live.at or "")):
                    foreign(id_, most=60)
                with Tag("dd"):
                    Tag("span", "", _cost(cost))
                    if state.spent.money:
                        _bar(float(cost.money / state.spent.money), "Share of what was spent", plain=True)
        if len(dear) > DEAREST:
            Tag("p", "soft", f"and {len(dear) - DEAREST:,} tasks that cost less")


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with Tag("div", "scroll", tabindex="0", role="region", aria_label="What was used"), Tag("table", "table"):
        with Tag("thead"), Tag("tr"):
            for number, name in enumerate(columns):
                Tag("th", "number" if number else "", name, scope="col")
        with Tag("tbody"):
            for row in rows:
                with Tag("tr"):
                    for number, text in enumerate(row):
                        with Tag("td", "number" if number else ""):
                            foreign(text)


def _metered(name: str, one: Mapping[str, Any]) -> tuple[str, ...]:
    return (name, f"{one['calls']:,}", f"{one['input']:,}", f"{one['output']:,}", f"${one['money']:g}")


def _bar(share: float, label: str, *, plain: bool = False) -> None:
    tone = None if plain else "bad" if share >= 1 else "asking" if share >= 0.8 else None
    percent = max(0.0, min(100.0, 100 * share))
    name = {"aria_valuemin": 0, "aria_valuemax": 100, "aria_valuenow": round(percent), "aria_label": label}
    with Tag("span", "bar", role="progressbar", data_tone=tone, **name):
        Tag("i", "", style=f"width:{percent:.1f}%")


def _fact(name: str, text: str) -> None:
    Tag("dt", "", name)
    Tag("dd", "", text)


def _cost(cost: Cost) -> str:
    return money(cost.money) + (f", {cost.tokens:,} tokens" if cost.tokens else "")


def _amount(name: str, amount: float) -> str:
    if name == "money":
        return money(Decimal(str(amount)))
    return span(amount) if name == "seconds" else f"{amount:,}"
