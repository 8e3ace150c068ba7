"""What the desk needs of an orchestrator, to begin runs with."""

from collections.abc import Sequence
from typing import Any, Protocol

from stretto.core.commands import ChangeLimits, SubmitGoal
from stretto.core.domain import Budget, Catalogue, Json, Plan, PlannerChoice
from stretto.core.plan.diagnostics import Diagnostic
from stretto.planners.proposal import Proposal
from stretto.registry import Registry
from stretto.workspace import Workspace


class Team(Protocol):
    """Agents, rules and plans that new runs begin with."""

    workspace: Workspace | None
    registry: Registry

    @property
    def catalogue(self) -> Catalogue: ...

    @property
    def place(self) -> str:
        """The workspace's folder, as runs name it; empty without one."""
        ...

    def order(
        self,
        goal: str,
        *,
        actor: str,
        plan: Plan | dict[str, Any] | str | None = None,
        inputs: dict[str, Json] | Sequence[str] | None = None,
        budget: str | Budget | None = None,
        deadline: str | float | None = None,
        run_id: str | None = None,
        planner: PlannerChoice | None = None,
    ) -> SubmitGoal:
        """Give the command that begins a run, checked. Raises BadPlan and UsageError."""
        ...

    def limits(self, *, actor: str, budget: str | Budget | None, deadline: str | float | None) -> ChangeLimits:
        """Give the command that changes the limits of a run, as far as they are given. Raises UsageError."""
        ...

    async def plan(
        self,
        goal: str,
        *,
        inputs: dict[str, Json] | Sequence[str] | None = None,
        answers: Sequence[tuple[str, str]] = (),
        planner: PlannerChoice | None = None,
    ) -> Proposal:
        """Say how a goal would be pursued, and run nothing. Raises UsageError."""
        ...

    def check(self, plan: Plan) -> list[Diagnostic]:
        """Give every defect of a plan, as far as it shows before anything runs."""
        ...

    def read_plan(self, plan: Plan | dict[str, Any] | str | None) -> Plan | None:
        """Give a plan as the core knows it. Raises BadPlan."""
        ...
