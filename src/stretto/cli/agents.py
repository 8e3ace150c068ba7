"""`agents`: who is there, what they can do and what they may cost; `agents run`: one skill alone, without a run."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from stretto.cli.options import JsonOption, StoreOption, WorkspaceOption, here_or, orchestrator, store_file
from stretto.cli.reviewers import show_reviewers
from stretto.cli.text import as_json as json_text
from stretto.cli.text import clean, indented, one_line
from stretto.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from stretto.bootstrap import Orchestrator
    from stretto.core.domain import AgentCard, Call, Outcome, Skill
    from stretto.ports import Agent, Assignment

EXIT = {"completed": 0, "failed": 1, "unknown": 1, "denied": 1, "input_required": 4, "waiting": 4}


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
    group.callback()(agents)
    group.command("run")(run)
    app.add_typer(group, name="agents")


def agents(
    context: typer.Context,
    workspace: WorkspaceOption = None,
    reviewers: Annotated[
        bool, typer.Option("--reviewers", help="How often each reviewer was right, in the runs of the store.")
    ] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the agents of a workspace, or without one those that ship with Stretto; run one skill alone."""
    if context.invoked_subcommand is not None:
        context.obj = workspace
        return
    if reviewers:
        show_reviewers(store_file(workspace, store), as_json=as_json)
        return
    import msgspec

    cards = [agent.card for agent in _team(workspace).registry]
    if as_json:
        typer.echo(json_text([msgspec.to_builtins(card) for card in cards]))
        return
    for card in cards:
        typer.echo(f"{card.name}  ({card.kind}, version {card.version})  {one_line(card.description)}")
        if terms := _terms(card):
            typer.echo(f"  {terms}")
        for skill in card.skills:
            takes = ", ".join(skill.inputs.get("properties", {})) or "nothing"
            asks = ", asks first" if _asks(skill) else ""
            undone = f", undone by {skill.undo}" if skill.undo is not None else ""
            typer.echo(f"  {skill.name:<24} takes {takes}; effect {skill.effect.value}{asks}{undone}")
            if skill.description:
                typer.echo(f"  {'':<24} {one_line(skill.description)}")


def _terms(card: "AgentCard") -> str:
    """Say what holds for an agent as a whole: what an attempt may cost, provider, rate, attempts at once, breaker."""
    from stretto.core.domain import FREE

    breaker = card.breaker
    said = [
        "" if card.cost == FREE else f"at most {card.cost} an attempt" if card.bounded else "costs have no bound",
        f"provider {one_line(card.provider)}" if card.provider else "",
        f"at most {card.rate}" if card.rate else "",
        f"{card.concurrency} at once" if card.concurrency is not None else "",
        "" if breaker is None else f"held after {breaker.failures} failures" if breaker.failures else "never held",
    ]
    return "; ".join(one for one in said if one)


def run(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME[.SKILL]", help="An agent, or one of its skills.")],
    arguments: Annotated[
        Optional[list[str]],
        typer.Argument(
            metavar="ARG=VALUE",
            help="The skill's arguments; @FILE takes a file's text or JSON, @- standard input. A bare value goes to "
            "the first argument that is needed, a bare file to `files`.",
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    inputs: Annotated[
        Optional[list[str]], typer.Option("--input", metavar="ARG=VALUE", help="The same as an argument. Repeatable.")
    ] = None,
    output: Annotated[
        Optional[Path], typer.Option("--output", metavar="FOLDER", help="Where the skill's artifacts land.")
    ] = None,
    approve: Annotated[
        str, typer.Option("--approve", metavar="ask|all|none", help="Ask before what needs approval, or decide now.")
    ] = "ask",
    as_json: JsonOption = False,
) -> None:
    """Call one skill alone: no plan, no run, nothing is kept. Without a workspace: the agents that ship."""
    import asyncio

    from stretto.cli.arguments import arguments_of
    from stretto.cli.capture import prints_kept_apart
    from stretto.cli.output import prepare

    if approve not in ("ask", "all", "none"):
        raise UsageError(f"--approve is ask, all or none, not {approve!r}")
    if output is not None:
        prepare(output)
    given = [*(arguments or []), *(inputs or [])]
    asking = _Asking(approve, sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty())
    with prints_kept_apart() as apart:
        team = _team(workspace or context.obj)
        agent, skill = _find(team, name, given)
        values = arguments_of(skill, given)
        assignment = _assignment(team, agent, skill, values)
        status, outcome = asyncio.run(_call(team, agent, skill, assignment, asking))
        body = _body(agent.card.name, skill.name, status, outcome, output)
        if as_json:
            apart.out.write(json_text(body) + "\n")
        else:
            from stretto.cli.rendering import rendered

            apart.out.write(rendered(body))
        apart.out.flush()
    if body["message"] and not as_json:
        typer.echo(f"stretto: {clean(str(body['message']))}", err=True)
    raise typer.Exit(EXIT[status])


def _team(workspace: Path | None) -> "Orchestrator":
    from stretto.bootstrap import Orchestrator, specialists

    here = here_or(workspace)
    return orchestrator(here, None) if here is not None else Orchestrator(specialists())


def _find(team: "Orchestrator", name: str, given: list[str]) -> "tuple[Agent, Skill]":
    """Give the agent and skill of a name; of several skills the first that knows the arguments."""
    from stretto.core.plan.names import Names

    by_skill = {skill.name: (agent, skill) for agent in team.registry for skill in agent.card.skills}
    agent = team.registry.get(name)
    if agent is None:
        if name in by_skill:
            return by_skill[name]
        head, _, wanted = name.partition(".")
        if (meant := team.registry.get(head)) is not None:
            own = {one.name.removeprefix(f"{head}."): one.name for one in meant.card.skills}
            near = Names(lambda: list(own)).nearest(wanted)
            mend = f"Did you mean {own[near]!r}?" if near else f"It has {', '.join(own.values())}."
            raise UsageError(f"{head} has no skill {name!r}. {mend}")
        known = [*(one.card.name for one in team.registry), *by_skill]
        raise UsageError(f"there is no agent or skill {name!r}. {Names(lambda: known).mend(name)}")
    named = {one.partition("=")[0] for one in given if one.partition("=")[0].isidentifier() and "=" in one}
    fitting = [one for one in agent.card.skills if named <= set(one.inputs.get("properties", {}))]
    return agent, (fitting or agent.card.skills)[0]


def _assignment(team: "Orchestrator", agent: "Agent", skill: "Skill", values: dict[str, object]) -> "Assignment":
    from stretto.core.canonical import canonical, short
    from stretto.ports import Assignment

    limits = agent.card.limits
    return Assignment(
        run="",
        task=skill.name,
        attempt=1,
        skill=skill.name,
        objective=skill.description,
        arguments=values,
        key=f"{skill.name}:{short(canonical(values).decode(), 16)}",
        limits=replace(limits, timeout=limits.timeout or team.settings.timeout),
    )


@dataclass(frozen=True, slots=True)
class _Asking:
    """How approval is given: asked for, or decided beforehand; and whether somebody can be asked."""

    approve: str
    terminal: bool


async def _shown(agent: "Agent", assignment: "Assignment") -> str:
    """Give what a person should see before deciding."""
    try:
        return (await agent.preview(assignment)).diff or json_text(assignment.arguments)
    except Exception as error:  # a preview is the agent's own code
        raise UsageError(f"{assignment.skill}: what it would do cannot be shown: {error}") from None


def _allows(team: "Orchestrator", asking: "_Asking") -> "Callable[[Call], Awaitable[bool]]":
    """Give what decides on the inner calls of a skill: those that ask first are asked about."""
    import asyncio

    from stretto.ports import InputNeeded

    asks = {skill.name for agent in team.registry for skill in agent.card.skills if _asks(skill)}

    async def allows(call: "Call") -> bool:
        asks_first = call.effect == "irreversible" or call.approval == "ask" or call.what in asks
        if asking.approve == "all" or not asks_first:
            return True
        if asking.approve == "ask" and not asking.terminal:
            raise InputNeeded(f"{call.what} needs approval; call it on a terminal, or with --approve all")
        typer.echo(f"{call.what} needs your approval:\n{indented(json_text(call.arguments))}", err=True)
        return asking.approve == "ask" and await asyncio.to_thread(typer.confirm, "do it?", err=True)

    return allows


async def _call(
    team: "Orchestrator", agent: "Agent", skill: "Skill", assignment: "Assignment", asking: "_Asking"
) -> "tuple[str, Outcome | None]":
    """Give what became of the call, and its outcome if it was made."""
    from stretto.calls import LooseCaller
    from stretto.core.domain import Completed, Failed, InputRequired

    assignment.toolbox = calls = LooseCaller(_allows(team, asking))
    if _asks(skill) and asking.approve != "all":
        typer.echo(f"{skill.name} needs your approval:\n{indented(await _shown(agent, assignment))}", err=True)
        if asking.approve == "none" or (asking.terminal and not typer.confirm("do it?", err=True)):
            return "denied", None
        if not asking.terminal:
            return "waiting", None
    while True:
        outcome = await agent.run(assignment)
        outcome = replace(outcome, cost=outcome.cost + calls.spent)
        match outcome:
            case Completed():
                return "completed", outcome
            case InputRequired(question=question) if asking.terminal:
                assignment.answers = (*assignment.answers, typer.prompt(one_line(question), err=True))
            case InputRequired():
                return "input_required", outcome
            case Failed():
                return "failed", outcome
            case _:
                return "unknown", outcome


def _body(agent: str, skill: str, status: str, outcome: "Outcome | None", folder: Path | None) -> dict[str, object]:
    """Give what is printed, as JSON; artifacts are written on the way."""
    import msgspec

    from stretto.cli.output import save_artifacts
    from stretto.core.domain import Completed, Failed, InputRequired

    done = outcome if isinstance(outcome, Completed) else None
    artifacts = done.artifacts if done else ()
    paths = save_artifacts([(skill, one) for one in artifacts], folder) if folder is not None else {}
    message = {
        "denied": "denied; nothing was done",
        "waiting": "it waits for approval; call it on a terminal, or with --approve all",
    }.get(status, "")
    if outcome is not None and not isinstance(outcome, Completed):
        message = outcome.question if isinstance(outcome, InputRequired) else outcome.message
    if artifacts and folder is None:
        message = f"made and not kept: {', '.join(one.name for one in artifacts)}; keep with --output FOLDER"
    return {
        "agent": agent,
        "skill": skill,
        "status": status,
        "output": done.output if done else None,
        "citations": [msgspec.to_builtins(one) for one in done.citations] if done else [],
        "artifacts": [
            {"name": one.name, "media": one.media, "path": paths.get((skill, one.name))} for one in artifacts
        ],
        "cost": str(outcome.cost) if outcome is not None else "$0",
        "failure": outcome.failure.value if isinstance(outcome, Failed) else None,
        "message": message,
    }


def _asks(skill: "Skill") -> bool:
    return skill.approval == "ask" or skill.effect == "irreversible"
