"""Opening a workspace: its orchestrator, with the agents and teams that it names."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from stretto.bootstrap.choices import as_budget
from stretto.bootstrap.equipping import Hired
from stretto.bootstrap.facade import Orchestrator
from stretto.bootstrap.hiring import carded, hired
from stretto.bootstrap.models import roster_of
from stretto.core.errors import BadWorkspace
from stretto.models.definition import ModelsGiven
from stretto.ports import Listener
from stretto.settings import Settings, read_settings
from stretto.workspace import AgentSource, read_workspace


def open_workspace(
    folder: Path,
    *,
    store: Path | None = None,
    listeners: Sequence[Listener] = (),
    within: tuple[Path, ...] = (),
    models: ModelsGiven | None = None,
) -> Orchestrator:
    """Give the orchestrator of a workspace; raises BadWorkspace with file, line and column.

    `within` are the workspaces that have it as a team; `models` go before those that it names, in its teams as well.
    """
    workspace = read_workspace(folder)
    settings = read_settings(workspace.folder)
    above = (*within, workspace.folder)
    roster = roster_of(workspace, settings, models)
    agents = [agent for source in workspace.agents for agent in _agents(source, settings, above, models)]
    return Orchestrator(
        agents,
        store=store or workspace.store,
        workspace=workspace,
        settings=settings,
        listeners=listeners,
        models=roster,
    )


def _agents(
    source: AgentSource, settings: Settings, above: tuple[Path, ...], models: ModelsGiven | None
) -> list[Hired]:
    if source.team is None or source.name is None:
        return hired(source, settings)
    if source.team in above:
        raise BadWorkspace(f"{source.where}: the team in {source.team} would be a team of itself")
    team = open_workspace(source.team, within=above, models=models)
    if "budget" in source.options:
        team.budget = as_budget(str(source.options["budget"]))
    agent = team.as_agent(source.name, partial=cast(Any, source.options.get("partial", "refuse")))
    return [carded(agent, source)]
