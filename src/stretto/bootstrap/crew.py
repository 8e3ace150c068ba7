"""Who works, by which rules, and where it is kept: what an orchestrator is before it pursues anything."""

import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from stretto.bootstrap.choices import (
    AnyChannel,
    as_budget,
    as_deadline,
    carried,
    chains_of,
    ladder_over,
    notifiers,
    require_known,
    rules_of,
)
from stretto.bootstrap.hiring import AnyAgent, agents_of
from stretto.bootstrap.houses import furnished
from stretto.bootstrap.models import roster_of
from stretto.bootstrap.stores import open_store
from stretto.conditions import condition_defects
from stretto.core.commands import ChangeLimits, SubmitGoal
from stretto.core.domain import Breaker, Budget, Catalogue, InputSpec, Json, Plan, PlannerChoice, Provider
from stretto.core.errors import UsageError
from stretto.core.limits import CHOICES_OF_RULES, listed_or, provider_of
from stretto.core.plan.check import check
from stretto.core.plan.diagnostics import Diagnostic
from stretto.core.plan.inputs import wanted, wanted_by_name
from stretto.core.plan.shape import Size
from stretto.core.plan.shape import read_plan as read_shape
from stretto.core.plan.writing import misfits
from stretto.core.policy import Policy
from stretto.core.routing import roster
from stretto.journals.memory import MemoryJournal
from stretto.lookup import new_run_id
from stretto.models.definition import ModelsGiven
from stretto.models.roster import ModelRoster
from stretto.orchestrator import House
from stretto.planners.auto import propose
from stretto.planners.proposal import Proposal
from stretto.playbooks import read_playbooks
from stretto.ports import Engine, Historian, Journal, Listener, People
from stretto.registry import Registry
from stretto.settings import Settings, read_settings
from stretto.workspace import Workspace, goal_inputs, read_plan_file, require, resolve_inputs

AnyPlan: TypeAlias = Plan | dict[str, Any] | str | Path


class Crew:
    """Agents, the rules that they work by, and the store that keeps their runs.

    The parameters are those of `Orchestrator`, which adds what is asked of runs.
    """

    def __init__(
        self,
        agents: Sequence[AnyAgent] = (),
        *,
        budget: str | Budget | None = None,
        store: str | Path | None = None,
        parallel: int | None = None,
        timeout: float | None = None,
        retries: dict[str, int] | None = None,
        ladder: dict[str, Any] | None = None,
        providers: dict[str, Provider | dict[str, Any]] | None = None,
        breaker: Breaker | dict[str, Any] | Literal["off"] | None = None,
        most_failures: int | Literal["off"] | None = None,
        stall: float | Literal["off"] | None = None,
        notify: Sequence[AnyChannel] = (),
        unbounded: Literal["alone", "refuse"] | None = None,
        judge: Literal["optional", "required"] | None = None,
        workspace: Workspace | None = None,
        settings: Settings | None = None,
        listeners: Sequence[Listener] = (),
        people: Iterable[str] = (),
        ask: Json = None,
        models: ModelsGiven | ModelRoster | None = None,
        planner: PlannerChoice | None = None,
        unplanned: Literal["refuse", "ask"] | None = None,
        edition: str = "",
    ) -> None:
        self.settings = settings or read_settings(workspace.files if workspace else None)
        self.workspace = workspace
        self.edition = edition  # of the workspace, which its runs note
        self.models = models if isinstance(models, ModelRoster) else roster_of(workspace, self.settings, models)
        self.registry = Registry(agents_of(agents, self.models))
        self.playbooks = read_playbooks(workspace.files, self.size) if workspace else ()
        self.rules = rules_of(
            self.settings,
            workspace,
            parallel=parallel,
            timeout=timeout,
            retries=retries,
            breaker=breaker,
            most_failures=most_failures,
            stall=stall,
            unbounded=unbounded,
            planner=planner,
            unplanned=unplanned,
            judge=judge,
        )
        self.rules = replace(self.rules, ladder=ladder_over(workspace, ladder, self.registry))
        self.providers = {
            **(workspace.providers if workspace else {}),
            **{name: provider_of(one) for name, one in (providers or {}).items()},
        }
        self.budget = as_budget(budget) if budget is not None else (workspace.budget if workspace else Budget())
        self.notify = (*(workspace.notify if workspace else ()), *notify)
        self.people = tuple(people) or tuple(workspace.people if workspace else ())
        self.ask = chains_of(ask) if ask is not None else workspace.ask if workspace else {}
        require_known(self.people, self.ask, self.registry)
        self._listeners = tuple(listeners)
        self._path = Path(store) if store is not None else None
        self._memory = MemoryJournal() if store is None else None

    @property
    def catalogue(self) -> Catalogue:
        """What a run keeps of agents and rules."""
        context = self.workspace.context if self.workspace else None
        return self.registry.catalogue(
            self.rules, self.playbooks, context, self.providers, carried(self.notify), self.people, self.ask
        )

    @property
    def size(self) -> Size:
        """How large a plan may be."""
        return Size(tasks=self.settings.plan_tasks, depth=self.settings.plan_depth)

    def propose(
        self,
        goal: str,
        *,
        inputs: dict[str, Json] | Sequence[str] | None = None,
        answers: Sequence[tuple[str, str]] = (),
        planner: PlannerChoice | None = None,
    ) -> Proposal:
        """Say how a goal would be pursued without any model, and run nothing; `answers` are (question, answer)."""
        values, specs = self.inputs_for(goal, None, inputs)
        return propose(goal, values, specs, self.planned_by(planner), answers)

    def planned_by(self, planner: PlannerChoice | None) -> Catalogue:
        """Give what a run keeps, with its goal planned by whom somebody wants; raises UsageError."""
        if planner is None:
            return self.catalogue
        if planner not in (known := CHOICES_OF_RULES["planner"]):
            raise UsageError(f"planner is {listed_or(known)}, not {planner!r}")
        return replace(self.catalogue, rules=replace(self.rules, planner=planner))

    def read_plan(self, plan: AnyPlan | None) -> Plan | None:
        """Give a plan as the core knows it, or None when the goal has to be planned.

        Raises BadPlan with the place of what is wrong.
        """
        if isinstance(plan, Plan):
            return plan
        if isinstance(plan, dict):
            return require(*read_shape(plan, self.size))
        if plan is None and (self.workspace is None or self.workspace.plan is None):
            return None
        path = self.workspace.plan_file(str(plan) if plan else None) if self.workspace else Path(str(plan))
        read, found, document = read_plan_file(path, size=self.size, largest=self.settings.plan_bytes)
        checked = self.check(read) if read.tasks else []
        found += document.placed(checked) if document is not None else checked
        named = require(read, found)
        return named if named.name else replace(named, name=path.stem)

    def check(self, plan: Plan, *, budget: Budget | None = None, seconds: float | None = None) -> list[Diagnostic]:
        """Give every defect of a plan, as far as it shows before anything runs."""
        if wrong := list(misfits(plan)):
            return wrong
        found = check(plan, self.catalogue, budget=budget or self.budget, seconds=seconds)
        return found + condition_defects(plan)

    def inputs_for(
        self, goal: str, plan: Plan | None, given: dict[str, Json] | Sequence[str] | None
    ) -> tuple[dict[str, Json], dict[str, InputSpec]]:
        """Give the inputs of a run and what is known of each; raises UsageError."""
        if isinstance(given, str) or not isinstance(given, Iterable | None):
            raise UsageError(f"inputs are values by name, or a list of NAME=VALUE and paths, not {given!r}")
        workspace = self.workspace
        defaults, folder = (workspace.inputs, workspace.folder) if workspace else ({}, None)
        if plan is None:
            wants = wanted_by_name((one.plan for one in self.playbooks), roster(self.catalogue))
            from stretto.planners.rules.goals import paths_in  # loads its words: see planners/auto.py

            return goal_inputs(given or (), defaults, folder, paths_in(goal), wants)
        wants = wanted(plan, roster(self.catalogue))
        return resolve_inputs(plan, given or (), defaults, folder, wants), plan.inputs

    def order(
        self,
        goal: str,
        *,
        actor: str,
        plan: AnyPlan | None = None,
        inputs: dict[str, Json] | Sequence[str] | None = None,
        budget: str | Budget | None = None,
        deadline: str | float | None = None,
        run_id: str | None = None,
        planner: PlannerChoice | None = None,
        streamed: bool = False,
    ) -> SubmitGoal:
        """Give the command that begins a run, checked; a `streamed` plan comes later, with its inputs.

        Raises BadPlan and UsageError.
        """
        if not goal.strip():
            raise UsageError("the goal is empty; say in a sentence what you want done")
        chosen = None if streamed else self.read_plan(plan)
        limit = as_budget(budget) if budget is not None else self.budget
        now = time.time()
        until = as_deadline(deadline, now)
        if chosen is not None:
            require(chosen, self.check(chosen, budget=limit, seconds=None if until is None else until - now))
        values, specs = ({}, {}) if streamed else self.inputs_for(goal, chosen, inputs)
        return SubmitGoal(
            actor=actor,
            run=run_id or new_run_id(),
            goal=goal,
            inputs=values,
            specs=specs,
            catalogue=self.planned_by(planner),
            plan=chosen,
            budget=limit,
            deadline=until,
            workspace=self.place,
            streamed=streamed,
            edition=self.edition,
        )

    def limits(self, *, actor: str, budget: str | Budget | None, deadline: str | float | None) -> ChangeLimits:
        """Give the command that changes the limits of a run, as far as they are given; raises UsageError."""
        return ChangeLimits(
            actor=actor,
            budget=as_budget(budget) if budget is not None else None,
            deadline=as_deadline(deadline, time.time()),
        )

    @property
    def place(self) -> str:
        """The workspace's folder, as runs name it; empty without one."""
        return str(self.workspace.folder) if self.workspace else ""

    @asynccontextmanager
    async def journal(self) -> AsyncIterator[Journal]:
        """Open the store for a while."""
        if self._memory is not None:
            yield self._memory
            return
        async with open_store(self._path or Path("runs.db")) as journal:
            yield journal

    def house(
        self,
        journal: Journal,
        people: People,
        above: tuple[Policy, ...] = (),
        below: Engine | None = None,
        historians: tuple[Historian, ...] = (),
    ) -> House:
        """Give everything that a run needs from outside the core.

        `above` are the policies of those it works for, `below` is what drives the runs of its teams: as long as the
        tasks they are for, which wait with them. `historians` are told of its runs and of those of its teams.
        """
        return furnished(
            journal,
            people,
            self.registry,
            models=self.models,
            size=self.size,
            above=above,
            below=below,
            listeners=self._listeners,
            historians=historians,
            notifiers=notifiers(self.notify),
        )
