"""How a goal would be pursued: what it was taken to mean, the plan, why, and what it would cost."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

import typer

from stretto.cli.text import as_json as json_text
from stretto.cli.text import clean

if TYPE_CHECKING:
    from stretto.bootstrap import Orchestrator
    from stretto.core.domain import Estimate, Interpretation, Plan, PlannerChoice
    from stretto.planners.proposal import Proposal

ASKS, REFUSED = 4, 1


def show_proposal(
    team: "Orchestrator",
    goal: str,
    inputs: Sequence[str],
    as_json: bool,
    *,
    planner: str | None = None,
    write: Path | None = None,
) -> NoReturn:
    """Print how a goal would be pursued, and exit: 0 with a plan, 4 when a person is to be asked, 1 without."""
    from stretto.cli.foreign import write_document
    from stretto.core.plan.diagnostics import errors
    from stretto.core.plan.writing import write_plan
    from stretto.planners.proposal import proposal_view

    proposal = asyncio.run(team.plan(goal, inputs=inputs, planner=cast("PlannerChoice | None", planner)))
    found = team.check(proposal.plan) if proposal.plan is not None and proposal.plan.tasks else list(proposal.found)
    if write is not None and proposal.plan is not None:
        write_document(write_plan(proposal.plan, goal), write)
    apart = write is not None and str(write) == "-"
    wrong = errors(found)
    if as_json:
        typer.echo(json_text(proposal_view(goal, proposal, found)), err=apart)
    else:
        for line in _lines(proposal):
            typer.echo(clean(line), err=apart)
        for one in (one for one in found if one.severity != "info"):
            typer.echo(clean(str(one)), err=one.severity == "error")
    if proposal.plan is None:
        raise typer.Exit(ASKS if proposal.question is not None else REFUSED)
    raise typer.Exit(REFUSED if wrong else 0)


def _lines(proposal: "Proposal") -> list[str]:
    meant = proposal.interpretation
    lines = [f"goal      {meant.restated}"] if meant.restated else []
    if proposal.plan is not None:
        lines += _of_plan(proposal.plan, meant)
    lines += [f"assumed   {one}" for one in meant.assumptions]
    lines += [f"because   {one}" for one in meant.reasons]
    lines += [f"mended    {one}" for one in meant.repaired]
    if proposal.usage.tokens:
        cost = f", ${proposal.cost.money:f}" if proposal.cost.money else ""
        lines.append(f"took      {proposal.usage.input} tokens read, {proposal.usage.output} written{cost}")
    if proposal.question is not None:
        lines += ["", f"asks      {proposal.question.text}"]
        lines += [f"          {number}  {one}" for number, one in enumerate(proposal.question.choices, 1)]
    if proposal.refusal is not None:
        lines += ["", f"no plan   {proposal.refusal.reason}"]
        lines += [f"missing   {one}" for one in proposal.refusal.missing]
        lines += [f"instead   {one}" for one in proposal.refusal.instead]
    return lines


def _of_plan(plan: "Plan", meant: "Interpretation") -> list[str]:
    lines = [f"done when {one}" for one in meant.done]
    lines.append(f"planned   by {meant.planner}")
    for task in plan.tasks:
        given = ", ".join(f"{name}={_shown(value)}" for name, value in task.inputs.items())
        spread = f"  for each of {_shown(task.for_each.items)}" if task.for_each is not None else ""
        when = f"  when {task.when}" if task.when else ""
        lines.append(f"  {task.id:<18} {task.skill}({given}){spread}{when}")
    if isinstance(plan.deliver, dict) and plan.deliver.keys() == {"literal"}:
        lines += ["", *str(plan.deliver["literal"]).splitlines(), ""]
    else:
        lines.append(f"delivers  {_shown(plan.deliver)}")
    for one in meant.estimates:
        lines.append(_way(one, chosen=one.mode == meant.mode))
    return lines


def _way(one: "Estimate", *, chosen: bool) -> str:
    mark = "→" if chosen else " " if one.possible else "×"
    work = f"{one.seconds:g} s of work, " if one.seconds is not None else ""
    money = f"${one.cost.money:f}, " if one.cost.money else ""
    cost = f"{one.tasks} task{'s' if one.tasks != 1 else ''}, {work}{money}{one.overhead * 1000:.0f} ms of overhead"
    return f"{mark} {one.mode:<12} {cost if one.possible else ''}{': ' if one.possible else ''}{one.why}"


def _shown(value: object, most: int = 60) -> str:
    if isinstance(value, dict) and isinstance(value.get("ref"), str):
        return str(value["ref"])
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_shown(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_shown(inner) for inner in value) + "]"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= most else text[: most - 1] + "…"
