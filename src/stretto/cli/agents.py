"""`agents`: who is there, what they can do and what they may cost."""

import json
from pathlib import Path

import typer

from stretto.cli.options import JsonOption, WorkspaceOption


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("agents")(agents)


def agents(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """List the agents of a workspace, or without one those that ship with Stretto."""
    import msgspec

    from stretto.bootstrap import Orchestrator, open_workspace, specialists

    here = workspace if workspace is not None else (Path() if Path("workspace.yaml").exists() else None)
    team = open_workspace(here) if here is not None else Orchestrator(specialists())
    cards = [agent.card for agent in team.registry]
    if as_json:
        typer.echo(json.dumps([msgspec.to_builtins(card) for card in cards], ensure_ascii=False, indent=2))
        return
    for card in cards:
        typer.echo(f"{card.name}  ({card.kind}, version {card.version})  {card.description}")
        for skill in card.skills:
            takes = ", ".join(skill.inputs.get("properties", {})) or "nothing"
            asks = ", asks first" if skill.approval == "ask" or skill.effect == "irreversible" else ""
            typer.echo(f"  {skill.name:<24} takes {takes}; effect {skill.effect.value}{asks}")
            if skill.description:
                typer.echo(f"  {'':<24} {skill.description}")
