"""Tables that stand still: the tasks of a run, the runs of a store, the tasks of a plan."""

from collections.abc import Mapping, Sequence

from rich.cells import cell_len

from stretto.cli.view.layout import STYLES, head, sign_of
from stretto.cli.view.lines import LONGEST, UNICODE, Line, Signs, Span, cropped, foreign, pad
from stretto.core.domain import Plan, RunStatus, SideEffect, Task
from stretto.core.plan.forecast import Forecast, cost_of, duration, forecast
from stretto.core.plan.graph import graph_of
from stretto.core.plan.references import Need, needs
from stretto.core.routing import Roster
from stretto.core.state import RunState, TaskState
from stretto.ports import RunSummary
from stretto.telling.rows import Kind, Row, outline, rows_of
from stretto.telling.words import cost, count, span

MOST_TASKS = 400
"""Tasks of a plan that are drawn."""

WIDEST = 48
"""Cells of a column on a terminal, but for the last."""
HEAD = "bold dim"
_RIGHT = ("tries", "time", "cost", "done", "about")
_RUN_STYLES = {
    RunStatus.PLANNING: "cyan",
    RunStatus.RUNNING: "bold cyan",
    RunStatus.WAITING: "bold yellow",
    RunStatus.FINISHED: "green",
    RunStatus.PARTIAL: "yellow",
    RunStatus.FAILED: "red",
    RunStatus.CANCELLED: "red",
}


def record(state: RunState, now: float, width: int | None, signs: Signs = UNICODE) -> list[Line]:
    """Give a run with all its tasks: agent, attempts, time, cost, what became of it, and why this agent."""
    rows = rows_of(state, now)
    names = ("  task", "agent", "tries", "time", "cost", "note", "chosen because")
    cells = [_task_cells(row, state.tasks[row.id], state.roster, signs) for row in rows]
    return [*head(state, now, width or 1000, 4, signs), (), *columns(names, cells, width, signs)]


def rungs(state: RunState, width: int | None, signs: Signs = UNICODE) -> list[Line]:
    """Give what was tried after failures, task by task: after which attempt of whom, and what came next."""
    cells = []
    for position in range(len(state.ids)):
        id_ = state.ids[position]
        for step in state.tasks[id_].climbed:
            to = f" {step.agent}" if step.agent and step.agent != step.by else ""
            cells.append(
                [
                    (foreign(id_, signs), ""),
                    (str(step.attempt), ""),
                    (foreign(step.by, signs), ""),
                    (step.failure.value, ""),
                    (foreign(f"{step.do}{to}", signs), ""),
                    (foreign(step.why, signs), "dim"),
                ]
            )
    return columns(("after a failure", "attempt", "agent", "class", "next", "why"), cells[:MOST_TASKS], width, signs)


def run_list(runs: Sequence[RunSummary], moments: Mapping[str, str], width: int | None, signs: Signs) -> list[Line]:
    """Give a line for each run; `moments` tells when each began, in words."""
    cells = []
    for one in runs:
        took = span(one.ended - one.started) if one.ended is not None else ""
        cells.append(
            [
                (foreign(one.run, signs), ""),
                (one.status, _RUN_STYLES[RunStatus(one.status)]),
                (moments[one.run], "dim"),
                (took, "dim"),
                (f"{one.completed}/{one.tasks}", ""),
                (cost(one.cost), ""),
                (foreign(one.goal, signs), ""),
            ]
        )
    return columns(("run", "status", "began", "time", "done", "cost", "goal"), cells, width, signs)


def plan_table(plan: Plan, agents: Roster, width: int | None, signs: Signs = UNICODE) -> list[Line]:
    """Give a plan as a graph: who waits for whom, the critical path marked, what it takes as far as agents declare."""
    graph = graph_of(plan.tasks)
    ahead = forecast(plan, graph, agents)
    path = set(ahead.path) if len(ahead.path) > 1 else set()
    before = {id_: tuple(names) for id_, names in graph.before.items()}
    cells = []
    for id_, depth in outline(before)[:MOST_TASKS]:
        task = graph.tasks[id_]
        able = agents.candidates(task)
        sign = signs.critical if id_ in path else signs.blocked
        seconds = duration(task, agents)
        cells.append(
            [
                (f"{sign} {'  ' * min(depth, 8)}{foreign(id_, signs)}", "bold" if id_ in path else ""),
                (foreign(task.skill, signs), "" if able else "red"),
                (foreign(able[0], signs) + (f" +{len(able) - 1}" if len(able) > 1 else "") if able else "", ""),
                (span(seconds) if seconds is not None else "", "dim"),
                (cost(cost_of(task, agents)) if able else "", "dim"),
                (foreign(_terms(task, before[id_], agents), signs), "dim"),
            ]
        )
    table = columns(("  task", "skill", "agent", "about", "cost", "when"), cells, width, signs)
    if len(plan.tasks) > MOST_TASKS:
        table.append(((f"{signs.cut} {len(plan.tasks) - MOST_TASKS} more tasks", "dim"),))
    spreads = any(task.for_each is not None for task in plan.tasks)
    return [*table, (), *_ahead(ahead, width, signs, spreads=spreads)] if plan.tasks else []


def columns(names: Sequence[str], cells: Sequence[Sequence[Span]], width: int | None, signs: Signs) -> list[Line]:
    """Give cells in columns under their names; a column that is empty throughout is left out."""
    used = [number for number in range(len(names)) if any(row[number][0] for row in cells)]
    widest = WIDEST if width is not None else LONGEST
    widths = {
        number: min(max(cell_len(names[number]), *(cell_len(row[number][0]) for row in cells)), widest)
        for number in used[:-1]
    }
    lines = []
    for row in [[(name, HEAD) for name in names], *cells] if used else []:
        spans: list[Span] = []
        for number in used:
            text, style = row[number]
            right = names[number] in _RIGHT
            spans.append((pad(text, widths[number], signs, right=right) if number in widths else text, style))
            spans.append(("  ", ""))
        lines.append(cropped(spans, width, signs))
    return lines


def _task_cells(row: Row, one: TaskState, agents: Roster, signs: Signs) -> list[Span]:
    name = f"{sign_of(row.kind, signs)} {'  ' * min(row.depth, 8)}{foreign(row.name, signs)}"
    style = STYLES[row.kind]
    fan = one.children is not None
    return [
        (name, style.removeprefix("bold ") if row.kind in (Kind.ASKING, Kind.FAILED) else ""),
        (foreign(row.agent, signs) if one.started is not None else "", ""),
        (str(one.attempt) if one.attempt else "", ""),
        ("" if row.seconds is None else span(row.seconds), ""),
        (cost(one.cost) if one.attempt else "", ""),
        (foreign(_became(row, one), signs), style.removeprefix("bold ") if row.kind is Kind.FAILED else "dim"),
        ("" if fan or one.started is None else foreign(_chosen(one, agents), signs), "dim"),
    ]


def _became(row: Row, one: TaskState) -> str:
    """Give the note of a row; for what went well, what it was about."""
    if row.kind is Kind.DONE and one.children is None and one.attempt == 1:
        return row.note or one.task.objective
    return row.note


def _chosen(one: TaskState, agents: Roster) -> str:
    """Say why the agent that did a task was the one."""
    took_over = next(
        (step for step in reversed(one.climbed) if step.agent == one.agent and step.agent != step.by), None
    )
    if took_over is not None:
        return f"{'backup' if took_over.do == 'backup' else 'named'} after {took_over.by}: {took_over.failure.value}"
    if one.task.agent:
        return "the plan names it"
    able = agents.candidates(one.task)
    if len(able) == 1:
        return f"only agent with {one.task.skill}"
    if one.agent == able[0]:
        return f"first of {len(able)} with {one.task.skill}"
    return f"first with a free place of {len(able)} with {one.task.skill}"


def _terms(task: Task, before: Sequence[str], agents: Roster) -> str:
    """Say when a task starts: after whom, under which condition, how often, whether somebody is asked."""
    said = [_start(task, before)]
    if task.for_each is not None:
        most = task.for_each.parallel
        said.append("for each item" if most is None else f"for each item, {most} at once")
    if task.repeat is not None:
        until = f" until {task.repeat.until}" if task.repeat.until is not None else ""
        pause = f", {span(task.repeat.pause)} apart" if task.repeat.pause else ""
        said.append(f"{'up to ' if until else ''}{count(task.repeat.max, 'round')}{until}{pause}")
    if task.limits.deadline is not None:
        said.append(f"done within {span(task.limits.deadline)}")
    if task.when is not None:
        said.append(f"when {task.when}")
    if _asks(task, agents):
        said.append("asks a person")
    return "; ".join(said)


def _start(task: Task, before: Sequence[str]) -> str:
    """Say what a task waits for."""
    said = f"after {', '.join(before)}" if before else "at once"
    if task.join is not None:
        others = [name for name in before if needs(task)[name] is not Need.MEMBER]
        taken = {"first": "the first", "all": "all"}.get(str(task.join.take), str(task.join.take))
        said = f"after {taken} of {', '.join(task.join.of)}{' and ' if others else ''}{', '.join(others)}"
    if task.wait is not None:
        said = f"{span(task.wait)} {said}" if before else f"after {span(task.wait)}"
    return said


def _asks(task: Task, agents: Roster) -> bool:
    if task.approval == "ask" or task.risk == "high":
        return True
    return any(
        agents.skill(task, name).approval == "ask" or agents.effect(task, name) is SideEffect.IRREVERSIBLE
        for name in agents.candidates(task)
    )


def _ahead(ahead: Forecast, width: int | None, signs: Signs, *, spreads: bool) -> list[Line]:
    """Give the critical path and what the plan takes, a fan-out counted as one task."""
    lines: list[Line] = []
    if len(ahead.path) > 1:
        chain = f" {signs.arrow} ".join(foreign(id_, signs) for id_ in ahead.path)
        lines.append(cropped([(f"{signs.critical} critical path: ", "bold"), (chain, "")], width, signs))
    said = [f"up to {ahead.abreast} side by side{', and the items of each fan-out' if spreads else ''}"]
    if ahead.undeclared < len(ahead.path):
        least = "at least " if ahead.undeclared else "about "
        said.append(f"{least}{span(ahead.seconds)}")
    elif ahead.path:
        said.append(f"{count(len(ahead.path), 'task')} one after the other, no agent declares how long it takes")
    said.append(f"reserves {cost(ahead.cost)}")
    lines.append(cropped([("; ".join(said), "dim")], width, signs))
    return lines
