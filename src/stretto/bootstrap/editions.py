"""Workspaces opened in an edition: what stands in the folder, kept and checked whole, or what a run began with."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from stretto.bootstrap.choices import notifiers
from stretto.bootstrap.facade import Orchestrator
from stretto.bootstrap.opening import open_workspace
from stretto.bootstrap.stores import actor
from stretto.core.errors import BadWorkspace, StoreError, UsageError
from stretto.editions import Editions, Tree, definition_of
from stretto.editions.definition import edition_of
from stretto.models.definition import ModelsGiven
from stretto.playbooks import read_playbooks
from stretto.ports import Listener
from stretto.workspace import PLANS


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How a workspace's editions are opened: with which store, listeners and models."""

    store: Path | None = None
    listeners: Sequence[Listener] = ()
    models: ModelsGiven | None = None

    def kept(self, tree: Tree) -> Orchestrator:
        """Open an edition from its tree; raises UsageError with the places in the workspace's own files."""
        return self._opened(tree.folder, tree.edition, tree)

    def standing(self, folder: Path, edition: str = "") -> Orchestrator:
        """Open what stands in a folder, in place; raises UsageError."""
        return self._opened(folder, edition, None)

    def _opened(self, folder: Path, edition: str, tree: Tree | None) -> Orchestrator:
        try:
            return open_workspace(
                folder, store=self.store, listeners=self.listeners, models=self.models, tree=tree, edition=edition
            )
        except UsageError as error:
            raise (BadWorkspace(tree.told(str(error))) if tree is not None else error) from None
        except SystemExit as error:
            place = folder if tree is None else tree.real(folder)
            raise BadWorkspace(
                f"an agents' file of {place} ends the program while it is loaded: exit {error}"
            ) from None


def opened_here(folder: Path, opening: Opening) -> Orchestrator:
    """Open what stands in a folder, in place, with its edition kept for the runs that begin with it.

    Where editions cannot be kept there, or it is being changed, its runs note none. Raises UsageError.
    """
    contents = _standing(folder)
    if not contents:
        return opening.standing(folder)
    team = opening.standing(folder, edition_of(contents))
    try:
        if _standing(folder) == contents:
            editions = Editions(folder, opening.store)
            editions.note(editions.keep(contents), "kept", who=actor())
            return team
    except StoreError:
        pass
    return opening.standing(folder)


def opened_for(edition: str, folder: Path, opening: Opening) -> Orchestrator:
    """Open a workspace in the edition that a run began with, or where that is not kept (any more) as it stands.

    What stands in the folder is opened in place when it is that edition, or when the run noted none.
    """
    if not edition or edition_of(_standing(folder)) == edition:
        return opening.standing(folder, edition)
    tree = Editions(folder, opening.store).tree(edition)
    return opening.kept(tree) if tree is not None else opened_here(folder, opening)


def defects(team: Orchestrator) -> Iterator[str]:
    """Give what is wrong with the plans, playbooks and channels of a workspace that could be opened."""
    workspace = team.workspace
    if workspace is None:
        return
    found = sorted(one for one in (workspace.files / PLANS).glob("*") if one.suffix in (".yaml", ".yml", ".json"))
    named = [workspace.plan_file()] if workspace.plan else []
    for path in dict.fromkeys((*named, *found)):
        try:
            team.read_plan(path)
        except UsageError as error:
            yield str(error).removeprefix("the plan cannot run:\n")
    try:
        read_playbooks(workspace.files, team.size, team.check)
    except UsageError as error:
        yield str(error)
    try:
        notifiers(team.notify)
    except UsageError as error:
        yield str(error)


def whole(team: Orchestrator, tree: Tree | None = None) -> Orchestrator:
    """Give a team whose whole workspace is sound; raises BadWorkspace with every defect and its place."""
    try:
        found = list(defects(team))
    except UsageError as error:
        found = [str(error)]
    if found:
        text = "\n".join(found)
        raise BadWorkspace(text if tree is None else tree.told(text))
    return team


def forget(tree: Tree) -> None:
    """Let go of the modules that were loaded from a tree: nobody uses it any more."""
    inside = f"{tree.root}/"
    for name in [one for one, module in list(sys.modules.items()) if _file_of(module).startswith(inside)]:
        sys.modules.pop(name, None)


def _standing(folder: Path) -> dict[str, bytes]:
    """Give what defines a workspace as it stands; nothing where that is none, or too much to be kept."""
    try:
        return definition_of(folder).read() if folder.is_dir() else {}
    except (UsageError, OSError):
        return {}


def _file_of(module: object) -> str:
    return str(getattr(module, "__file__", None) or "")
