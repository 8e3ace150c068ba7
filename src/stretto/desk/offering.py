"""What a workspace has on offer to begin a run with: its plans and playbooks."""

from dataclasses import dataclass
from typing import Literal

from stretto.core.domain import Plan
from stretto.core.errors import BadWorkspace, UsageError
from stretto.desk.team import Team
from stretto.playbooks import read_playbooks
from stretto.workspace import Workspace

_SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A plan or playbook. `default` is the one that the workspace names; `plan` is None where it cannot be used, with
    the reason in `why`.
    """

    name: str
    kind: Literal["plan", "playbook"]
    plan: Plan | None = None
    why: str = ""
    description: str = ""
    default: bool = False


def offers_of(team: Team) -> tuple[Offer, ...]:
    """Give the workspace's own plan first, then its other plans, then its playbooks, each by name."""
    workspace = team.workspace
    if workspace is None:
        return ()
    return (*_plans(team, workspace), *_playbooks(workspace))


def _plans(team: Team, workspace: Workspace) -> list[Offer]:
    folder = workspace.folder / "plans"
    names = sorted({one.stem for one in folder.iterdir() if one.suffix in _SUFFIXES}) if folder.is_dir() else []
    chosen = None
    if workspace.plan is not None:
        try:
            chosen = workspace.plan_file().resolve()
        except BadWorkspace:
            chosen = None
    offers = []
    for name in names:
        try:
            file = workspace.plan_file(name).resolve()
            offers.append(Offer(name=name, kind="plan", plan=team.read_plan(name), default=file == chosen))
        except UsageError as error:
            offers.append(Offer(name=name, kind="plan", why=str(error)))
    if workspace.plan is not None and not any(one.default for one in offers):
        try:
            offers.append(Offer(name=workspace.plan, kind="plan", plan=team.read_plan(None), default=True))
        except UsageError as error:
            offers.append(Offer(name=workspace.plan, kind="plan", why=str(error), default=True))
    return sorted(offers, key=lambda one: (not one.default, one.name))


def _playbooks(workspace: Workspace) -> list[Offer]:
    try:
        found = read_playbooks(workspace.folder)
    except BadWorkspace as error:
        return [Offer(name="playbooks", kind="playbook", why=str(error))]
    return [Offer(name=one.name, kind="playbook", plan=one.plan, description=one.description) for one in found]
