"""Opening a workspace: its orchestrator, with the agents and teams that it names."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from stretto.bootstrap.choices import as_budget
from stretto.bootstrap.equipping import Hired
from stretto.bootstrap.facade import Orchestrator
from stretto.bootstrap.hiring import carded, hired
from stretto.bootstrap.models import roster_of
from stretto.core.errors import BadWorkspace
from stretto.editions import Tree
from stretto.models.definition import ModelsGiven
from stretto.ports import Listener
from stretto.settings import Settings, read_settings
from stretto.workspace import AgentSource, Workspace, read_workspace


def open_workspace(
    folder: Path,
    *,
    store: Path | None = None,
    listeners: Sequence[Listener] = (),
    within: tuple[Path, ...] = (),
    models: ModelsGiven | None = None,
    tree: Tree | None = None,
    edition: str = "",
) -> Orchestrator:
    """Give the orchestrator of a workspace; raises BadWorkspace with file, line and column.

    `within` are the workspaces that have it as a team; `models` go before those that it names, in its teams as well.
    The folder may be that of a kept edition's `tree`: then data, store and outputs are still the workspace's own. Its
    runs note the `edition`.
    """
    workspace = _workspace(folder, tree)
    settings = read_settings(workspace.files)

    def team_of(source: AgentSource, team: Path) -> Orchestrator:
        if team in (above := (*within, workspace.files)):
            raise BadWorkspace(f"{source.where}: the team in {team} would be a team of itself")
        return open_workspace(team, within=above, models=models, tree=tree, edition=edition)

    roster = roster_of(workspace, settings, models)
    agents = [agent for source in workspace.agents for agent in _agents(source, settings, team_of)]
    return Orchestrator(
        agents,
        store=store or workspace.store,
        workspace=workspace,
        settings=settings,
        listeners=listeners,
        models=roster,
        edition=edition,
    )


def _workspace(folder: Path, tree: Tree | None) -> Workspace:
    if tree is None:
        return read_workspace(folder)
    workspace = read_workspace(folder, tree.laid)
    return replace(workspace, folder=tree.real(workspace.folder))


def _agents(
    source: AgentSource, settings: Settings, team_of: Callable[[AgentSource, Path], Orchestrator]
) -> list[Hired]:
    if source.team is None or source.name is None:
        return hired(source, settings)
    team = team_of(source, source.team)
    if "budget" in source.options:
        team.budget = as_budget(str(source.options["budget"]))
    agent = team.as_agent(source.name, partial=cast(Any, source.options.get("partial", "refuse")))
    return [carded(agent, source)]
