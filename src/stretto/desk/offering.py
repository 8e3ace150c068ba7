"""What a workspace has on offer to whoever begins a run: plans, playbooks, people by name."""

from pathlib import Path
from typing import Any

from stretto.desk.team import Team

_ENDINGS = (".yaml", ".yml", ".json")


def offered(team: Team) -> dict[str, Any]:
    """Give the name of the workspace, what it is for, its own goal, plans and playbooks, and the people it knows."""
    workspace = team.workspace
    return {
        "name": workspace.name if workspace else "",
        "description": workspace.description if workspace else "",
        "goal": workspace.goal if workspace else "",
        "plan": _name(workspace.plan) if workspace and workspace.plan else None,
        "plans": _plans(workspace.folder) if workspace else [],
        "playbooks": [
            {"name": one.name, "description": one.description, "intents": list(one.intents)}
            for one in team.catalogue.playbooks
        ],
        "people": sorted(workspace.people) if workspace else [],
    }


def _plans(folder: Path) -> list[str]:
    home = folder / "plans"
    return sorted({one.stem for one in home.iterdir() if one.suffix in _ENDINGS}) if home.is_dir() else []


def _name(plan: str) -> str:
    file = Path(plan)
    return file.stem if file.suffix in _ENDINGS else plan
