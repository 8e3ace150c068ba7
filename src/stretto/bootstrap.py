"""The composition root: the only file that names concrete classes. `Orchestrator` is what users hold."""

import asyncio
import getpass
import importlib
import importlib.util
import inspect
import math
import sys
import time
import traceback
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, TypeAlias, cast, get_args

from stretto.agents.function import FunctionAgent
from stretto.agents.person import person
from stretto.agents.team import TeamAgent, team_card
from stretto.amounts import budget_of, deadline_of
from stretto.channels import KINDS, read_channel
from stretto.chronicle import chronicle
from stretto.conditions import CelConditions, condition_defects
from stretto.core.budget import within
from stretto.core.canonical import short
from stretto.core.commands import (
    AnswerRequest,
    Cancel,
    ChangeLimits,
    Command,
    Continue,
    Pause,
    Recover,
    Replan,
    RetryTask,
    SubmitGoal,
)
from stretto.core.decide import decide, step
from stretto.core.decide.control import why_no_retry
from stretto.core.decide.revising import finished, is_old
from stretto.core.domain import (
    AgentCard,
    Asks,
    Breaker,
    Budget,
    Catalogue,
    FailureClass,
    InputSpec,
    Json,
    Kept,
    Ladder,
    NoticeKind,
    Plan,
    Provider,
    Rules,
    RunStatus,
    TaskStatus,
)
from stretto.core.errors import BadAgent, BadWorkspace, OwnedElsewhere, UnknownRun, UsageError
from stretto.core.evolve import evolve
from stretto.core.forking import later_actions
from stretto.core.limits import OF_RULES, provider_of
from stretto.core.plan.asking import BadChain, place_of, read_asks, strangers
from stretto.core.plan.check import check
from stretto.core.plan.diagnostics import Diagnostic
from stretto.core.plan.inputs import wanted, wanted_by_name
from stretto.core.plan.ladders import agents_in
from stretto.core.plan.shape import Size
from stretto.core.plan.shape import read_plan as read_shape
from stretto.core.plan.writing import misfits
from stretto.core.policy import DEFAULT as DEFAULT_POLICIES
from stretto.core.policy import Policy
from stretto.core.routing import roster
from stretto.core.state import RunState, team_run
from stretto.declare import is_declared, ladder_of
from stretto.edits import edit_of, require_possible
from stretto.engines.clock import SystemClock
from stretto.engines.local import LocalEngine
from stretto.engines.people import Nobody, StandingWord
from stretto.engines.places import Places
from stretto.journals.memory import MemoryJournal
from stretto.journals.sqlite import SqliteJournal
from stretto.notifiers import dispatch, notifiers_of
from stretto.orchestrator import Conductor, House, load, summary
from stretto.planners.auto import AutoPlanner, propose
from stretto.planners.proposal import Proposal
from stretto.planners.stream import StreamPlanner
from stretto.playbooks import read_playbooks
from stretto.ports import Agent, Engine, Journal, Listener, Notifier, Order, People, Planner, RunSummary, Starter
from stretto.registry import Registry
from stretto.reviewers.grounding import GroundingReviewer
from stretto.reviewers.schema import SchemaReviewer
from stretto.settings import Settings, read_settings
from stretto.streams import STANDARD_INPUT, JsonLines, PlanStream, is_stream, parts
from stretto.synthesis.compose import Composer
from stretto.travel import as_it_was, fork_of, moment_of
from stretto.validation import JsonSchemas
from stretto.views import Run
from stretto.workers import RUNS, Tell, Worker
from stretto.workspace import (
    AgentSource,
    Workspace,
    goal_inputs,
    read_plan_file,
    read_workspace,
    require,
    resolve_inputs,
)

AnyAgent: TypeAlias = Agent | Callable[..., Any]
AnyPlan: TypeAlias = Plan | dict[str, Any] | str | Path
AnyStream: TypeAlias = PlanStream | str | Path
Approve: TypeAlias = Literal["ask", "all", "none"]

PATIENCE, PAUSE = 20, 0.05
"""How often, and after how many seconds, it is looked whether the owner of a run has read what was left for it."""

MOST_ALIKE = 1000
"""Runs looked through for the one whose id is given in part."""

GRACE = 10.0
"""Seconds that attempts under way have to end by themselves when a run is cancelled."""

_PERSON = "name, description, skills"

SPECIALISTS = {
    name: f"stretto.specialists.{name}.skills"
    for name in ("retrieve", "query", "logs", "calculate", "verify", "summarise", "fetch", "report")
}


class Orchestrator:
    """Pursues goals with a team of agents.

    `agents` are functions or agents; `budget` is like "$2, 50 steps"; `store` is a file that keeps every run
    (without one, runs live in memory); `parallel` bounds the attempts under way at once; `timeout` is the
    seconds one attempt may take when nothing else says so; `ladder` says by class of failure what to try next,
    where no task, skill or agent says it. `providers` are what several agents draw on, by name; `breaker` ("off" for
    none) holds for agents and providers without one of their own; `most_failures` and `stall` say when a run pauses by
    itself; `notify` are channels of alerts as in a workspace, or notifiers; `unbounded` what becomes of agents whose
    cost has no bound under a budget. `ask` says who is asked when a person has
    to decide: `[{"who": "ann", "within": "2h"}, "deny"]`, or such chains by kind of request; `people` are those whom
    chains may name, anybody when it is empty. Raises BadAgent for what cannot be an agent, UsageError for the rest.
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
        notify: Sequence[dict[str, Json] | str | Notifier] = (),
        unbounded: Literal["alone", "refuse"] | None = None,
        workspace: Workspace | None = None,
        settings: Settings | None = None,
        listeners: Sequence[Listener] = (),
        people: Iterable[str] = (),
        ask: Json = None,
    ) -> None:
        self.settings = settings or read_settings(workspace.folder if workspace else None)
        self.workspace = workspace
        self.registry = Registry(_agents(agents))
        self.playbooks = read_playbooks(workspace.folder, self.size) if workspace else ()
        self.rules = _rules(
            self.settings,
            workspace,
            parallel=parallel,
            timeout=timeout,
            retries=retries,
            breaker=breaker,
            most_failures=most_failures,
            stall=stall,
            unbounded=unbounded,
        )
        self.rules = replace(self.rules, ladder=_ladder(ladder, workspace, self.registry))
        self.providers = {
            **(workspace.providers if workspace else {}),
            **{name: provider_of(one) for name, one in (providers or {}).items()},
        }
        self.budget = _budget(budget) if budget is not None else (workspace.budget if workspace else Budget())
        self.notify = (*(workspace.notify if workspace else ()), *notify)
        self.people = tuple(people) or tuple(workspace.people if workspace else ())
        self.ask = _asks(ask) if ask is not None else workspace.ask if workspace else {}
        self._know_everybody()
        self._listeners = tuple(listeners)
        self._path = Path(store) if store is not None else None
        self._memory = MemoryJournal() if store is None else None

    async def run(
        self,
        goal: str,
        *,
        plan: AnyPlan | PlanStream | None = None,
        inputs: dict[str, Json] | Sequence[str] | None = None,
        budget: str | Budget | None = None,
        deadline: str | float | None = None,
        approve: Approve = "ask",
        people: People | None = None,
        wait: bool = False,
        run_id: str | None = None,
    ) -> Run:
        """Pursue a goal and give what came of it.

        Without a plan, and without one that the workspace names, it is planned from the workspace's playbooks and
        the agents' typed skills; where that cannot be done, the run fails and its gap says what is missing.
        `inputs` are what the plan asks for, by name, or files and values for a goal; `deadline` is a length of
        time like "10m", or a moment.
        A plan may as well be a stream: something that gives tasks (or mappings) one by one, a file of JSON Lines, or
        `-` for such lines on standard input. Its tasks start while the rest is being written, as far as that harms
        nobody; what is wrong with it then shows in the run, whose finished results stay.
        With `wait` it returns only at the end of the run, else also when nothing can move without a person (the
        status is then `waiting`), or before a moment more than a minute away (`wake`). Raises BadPlan or UsageError
        before anything is stored or run.
        """
        if not goal.strip():
            raise UsageError("the goal is empty; say in a sentence what you want done")
        asked = _people(approve, people)
        streamed = is_stream(plan)
        chosen = None if streamed else self.read_plan(cast(AnyPlan | None, plan))
        limit = _budget(budget) if budget is not None else self.budget
        now = time.time()
        until = _deadline(deadline, now)
        if chosen is not None:
            require(chosen, self.check(chosen, budget=limit, seconds=None if until is None else until - now))
        values, specs = ({}, {}) if streamed else self.inputs_for(goal, chosen, inputs)
        planner = self._streaming(plan, inputs, limit, until, {}) if streamed else None
        run = run_id or new_run_id()
        first = SubmitGoal(
            actor=_actor(),
            run=run,
            goal=goal,
            inputs=values,
            specs=specs,
            catalogue=self.catalogue,
            plan=chosen,
            budget=limit,
            deadline=until,
            workspace=str(self.workspace.folder) if self.workspace else "",
            streamed=streamed,
        )
        return await self._drive(run, [first], asked, wait, planner)

    async def resume(
        self,
        run_id: str,
        *,
        plan: AnyStream | None = None,
        inputs: dict[str, Json] | Sequence[str] | None = None,
        budget: str | Budget | None = None,
        deadline: str | float | None = None,
        approve: Approve = "ask",
        people: People | None = None,
        wait: bool = False,
    ) -> Run:
        """Go on with a run, also one that is paused; an ended one is given as it is.

        A run whose plan came as a stream that broke off takes the whole `plan` again, with its `inputs`; without it,
        what was adopted is done and the rest is named as missing. Raises UnknownRun and OwnedElsewhere.
        """
        first: list[Command] = [Recover(), Continue(actor=_actor())]
        if budget is not None or deadline is not None:
            first.append(
                ChangeLimits(
                    actor=_actor(),
                    budget=_budget(budget) if budget is not None else None,
                    deadline=_deadline(deadline, time.time()),
                )
            )
        asked = _people(approve, people)
        async with self.journal() as journal:
            run = await find_run(journal, run_id)
            if parent := await parent_of(journal, run):
                raise UsageError(f"run {run} is a team's work for run {parent}; resume that one")
            state = await load(journal, run) if plan is not None else RunState()
        planner = self._again(state, plan, inputs) if plan is not None else None
        return await self._drive(run, first, asked, wait, planner)

    async def pause(self, run_id: str, reason: str = "") -> Run:
        """Have a run begin nothing new, whoever drives it; what is under way ends and is kept. `resume` goes on.

        Gives the run as far as it is known here: its owner reads the word within a second. Raises UnknownRun.
        """
        async with self.journal() as journal:
            run = await find_run(journal, run_id)
            return Run(state=await leave_word(journal, run, Pause(actor=_actor(), reason=reason)))

    async def cancel(
        self, run_id: str, *, reason: str = "", grace: float = GRACE, now: bool = False, undo: bool = False
    ) -> Run:
        """Stop a run; what is finished stays, or with `undo` is taken back first where it can be.

        Attempts under way have `grace` seconds to end by themselves. With `now`, when it is being cancelled already,
        and when nobody drives it, it ends at once. Raises UnknownRun.
        """
        if grace < 0:
            raise UsageError(f"grace is a number of seconds, 0 or more, not {grace!r}")
        async with self.journal() as journal:
            return Run(state=await cancel(journal, run_id, reason=reason, grace=0.0 if now else grace, undo=undo))

    async def retry(
        self, run_id: str, task: str, *, agent: str | None = None, feedback: str = "", again: bool = False, **more: Any
    ) -> Run:
        """Do a task once more, with all that fell because of it, and go on with the run; `more` is as for `resume`.

        A completed task only `again`, and then what follows from it too. `agent` is to do it, `feedback` is what it
        should mind. Raises UsageError where that makes no sense.
        """

        def wish(state: RunState) -> Command:
            return RetryTask(
                actor=_actor(), revision=state.revision, task=task, agent=agent, feedback=feedback, again=again
            )

        return await self._granted(run_id, wish, **more)

    async def edit(
        self,
        run_id: str,
        plan: AnyPlan | None = None,
        *,
        values: dict[str, Json] | Sequence[str] = (),
        remove: Sequence[str] = (),
        inputs: dict[str, Json] | Sequence[str] = (),
        **more: Any,
    ) -> Run:
        """Put another plan in place and go on with the run; finished tasks that it leaves unchanged keep their results.

        Without a plan the one there is changes: `values` by TASK.inputs.NAME are set, tasks to `remove` are left out.
        `inputs` are those of the run. Raises BadPlan, and UsageError where that makes no sense.
        """
        chosen = self.read_plan(plan) if plan is not None else None

        def wish(state: RunState) -> Command:
            return edit_of(state, chosen, values=values, remove=remove, inputs=inputs, actor=_actor())

        return await self._granted(run_id, wish, **more)

    async def replan(self, run_id: str, words: str = "", **more: Any) -> Run:
        """Have the unfinished part of a run planned anew, with more words to its goal, and go on with it."""

        def wish(state: RunState) -> Command:
            return Replan(actor=_actor(), revision=state.revision, words=words.strip())

        return await self._granted(run_id, wish, **more)

    async def fork(
        self,
        run_id: str,
        at: str | int | None = None,
        *,
        plan: AnyPlan | None = None,
        inputs: dict[str, Json] | Sequence[str] = (),
        **more: Any,
    ) -> Run:
        """Begin another run where this one was at a point, and go on with it; `more` is as for `resume`.

        `at` is an event's number, a moment, or a task (just before it began); without it, before the run ended. What
        the parent did to the world is not done again. Raises UsageError for a point that the run never was at.
        """
        chosen = self.read_plan(plan) if plan is not None else None
        async with self.journal() as journal:
            run = await fork(journal, run_id, None if at is None else str(at), plan=chosen, inputs=inputs)
        return await self.resume(run, **more)

    async def show(self, run_id: str, at: str | int | None = None) -> Run:
        """Give a run as it is, or as it was at a point: an event's number, a moment, or just before a task began."""
        async with self.journal() as journal:
            recorded = await journal.read(await find_run(journal, run_id))
        events = [one.event for one in recorded]
        return Run(state=as_it_was(events, len(events) if at is None else moment_of(events, str(at))))

    async def events(self, run_id: str) -> list[dict[str, Any]]:
        """List what happened in a run: number, moment, actor, type, and a line of text."""
        async with self.journal() as journal:
            return chronicle(await journal.read(await find_run(journal, run_id)))

    async def _granted(self, run_id: str, wish: Callable[[RunState], Command], **more: Any) -> Run:
        async with self.journal() as journal:
            state = await grant(journal, run_id, wish)
            if await journal.owner(state.run) is not None or await parent_of(journal, state.run):
                return Run(state=state)
        return await self.resume(state.run, **more)

    def check(self, plan: Plan, *, budget: Budget | None = None, seconds: float | None = None) -> list[Diagnostic]:
        """Give every defect of a plan, as far as it shows before anything runs."""
        if wrong := list(misfits(plan)):
            return wrong
        found = check(plan, self.catalogue, budget=budget or self.budget, seconds=seconds)
        return found + condition_defects(plan)

    def _know_everybody(self) -> None:
        """Hold the chains of the team and of its skills against the people who are there; raises UsageError."""
        skills = {skill.name: skill.ask for agent in self.registry for skill in agent.card.skills}
        for whose, ask in {"the team": self.ask, **skills}.items():
            if unknown := strangers(ask, self.people):
                raise UsageError(
                    f"{whose} would ask {unknown[0]!r}, who is not among the people: {', '.join(self.people)}"
                )

    @property
    def catalogue(self) -> Catalogue:
        """What a run keeps of agents and rules."""
        context = self.workspace.context if self.workspace else None
        return self.registry.catalogue(
            self.rules, self.playbooks, context, self.providers, self._kinds, self.people, self.ask
        )

    @property
    def _kinds(self) -> tuple[NoticeKind, ...]:
        """The alerts that some channel carries; a notifier of one's own carries all."""
        written = [read_channel(one).on for one in self.notify if isinstance(one, dict | str)]
        carried = {kind for on in written for kind in on} if len(written) == len(self.notify) else set(KINDS)
        return tuple(kind for kind in KINDS if kind in carried)

    def _notifiers(self) -> tuple[Notifier, ...]:
        """Make the channels, with the secrets that the environment holds; raises UsageError where one is missing."""
        if not self.notify:
            return ()
        own = [one for one in self.notify if not isinstance(one, dict | str)]
        return (*notifiers_of([one for one in self.notify if isinstance(one, dict | str)]), *own)

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
    ) -> Proposal:
        """Say how a goal would be pursued, without running anything; `answers` are (question, answer)."""
        values, specs = self.inputs_for(goal, None, inputs)
        return propose(goal, values, specs, self.catalogue, answers)

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
        return require(read, found)

    @asynccontextmanager
    async def journal(self) -> AsyncIterator[Journal]:
        """Open the store for a while."""
        if self._memory is not None:
            yield self._memory
            return
        async with open_store(self._path or Path("runs.db")) as journal:
            yield journal

    @asynccontextmanager
    async def worker(
        self, *, runs: int = RUNS, places: int | None = None, tell: Tell = lambda report: None
    ) -> AsyncIterator[Worker]:
        """Open the store for a worker, which drives the runs of this workspace that nobody drives.

        `runs` bounds the runs that it drives at once, `places` the agent calls under way over all of them (where it
        says nothing, as many as one run may have). Raises UsageError for less than one of either.
        """
        async with self.journal() as journal:
            shared = Places(self.rules.parallel if places is None else places)
            house = self.house(journal, Nobody(), below=LocalEngine(shared, patience=math.inf))
            engine = LocalEngine(shared, clock=house.clock)
            workspace = str(self.workspace.folder) if self.workspace else ""
            yield Worker(house, engine, workspace=workspace, runs=runs, tell=tell)

    def _stream(self, plan: Any) -> PlanStream | JsonLines:
        if not isinstance(plan, str | Path):
            return cast(PlanStream, plan)
        if str(plan) == STANDARD_INPUT or self.workspace is None:
            return JsonLines(plan)
        return JsonLines(self.workspace.plan_file(str(plan)))

    def _streaming(
        self,
        plan: Any,
        inputs: dict[str, Json] | Sequence[str] | None,
        budget: Budget,
        until: float | None,
        known: Mapping[str, Json],
    ) -> Planner:
        """Give the planner that adopts what a stream brings; `known` are inputs that the run has already."""

        def check(plan: Plan) -> list[Diagnostic]:
            return self.check(plan, budget=budget, seconds=None if until is None else until - time.time())

        def values(specs: dict[str, InputSpec]) -> dict[str, Json]:
            if not inputs and specs.keys() <= known.keys():
                return {name: known[name] for name in specs}
            return self.inputs_for("", Plan(inputs=specs), inputs)[0]

        coming = parts(self._stream(plan), self.size)
        return StreamPlanner(coming, size=self.size, check=check, values=values, anew=AutoPlanner())

    def _again(self, state: RunState, plan: AnyStream, inputs: dict[str, Json] | Sequence[str] | None) -> Planner:
        """Give the planner for a stream that is handed over again; raises UsageError where nothing is left to plan."""
        if not state.streamed or not is_stream(plan):
            raise UsageError("a run keeps its plan and inputs; start another with `stretto run` for new ones")
        if not state.planning or state.draft is not None:
            told = f"was refused: {state.refused}" if state.refused else "is complete"
            raise UsageError(f"the plan of run {state.run} {told}; resume the run without one")
        return self._streaming(plan, inputs, state.budget, state.deadline, state.inputs)

    async def _drive(
        self, run: str, first: Sequence[Command], people: People, wait: bool, planner: Planner | None = None
    ) -> Run:
        async with self.journal() as journal:
            house = self.house(journal, people)
            conductor = Conductor(house if planner is None else replace(house, planner=planner))
            state = await LocalEngine(clock=house.clock).drive(run, conductor, first=first, wait=wait)
        return Run(state=state)

    def as_agent(
        self,
        name: str,
        *,
        plans: dict[str, AnyPlan] | None = None,
        description: str = "",
        partial: Literal["refuse", "accept"] = "refuse",
    ) -> TeamAgent:
        """Give this team as an agent of another: a task of theirs becomes a run of its own, within their budget.

        It has a skill `NAME.PLAN` for each of `plans` (by default the workspace's plan and playbooks), which takes the
        plan's inputs, and `NAME.pursue`, which takes a `goal` and `inputs`. This orchestrator's budget is the most a
        task may cost. A partial result fails the task, unless it is to be accepted with its gaps. Raises BadAgent.
        """
        if partial not in ("refuse", "accept"):
            raise UsageError(f"partial is 'refuse' or 'accept', not {partial!r}")
        read = {one: self.read_plan(plan) for one, plan in (plans or {}).items()} if plans else self._own_plans()
        known = {one: plan for one, plan in read.items() if plan is not None}
        cards = [agent.card for agent in self.registry]
        card, ways = team_card(name, cards, known, description=description, budget=self.budget)
        office = _Office(team=self, plans=known)
        return TeamAgent(card, ways, budget=self.budget, office=office, accept_partial=partial == "accept")

    def _own_plans(self) -> dict[str, Plan | None]:
        found: dict[str, Plan | None] = {one.name: one.plan for one in self.playbooks}
        if self.workspace is not None and self.workspace.plan is not None:
            found[self.workspace.plan_file().stem] = self.read_plan(None)
        return found

    def house(
        self, journal: Journal, people: People, above: tuple[Policy, ...] = (), below: Engine | None = None
    ) -> House:
        """Give everything that a run needs from outside the core.

        `above` are the policies of those it works for, `below` is what drives the runs of its teams: as long as the
        tasks they are for, which wait with them.
        """
        schemas = JsonSchemas()
        policies = above or DEFAULT_POLICIES
        engine = below or LocalEngine(patience=math.inf)
        agents = (
            one.hired(journal, people, policies, engine) if isinstance(one, TeamAgent) else one for one in self.registry
        )
        return House(
            journal=journal,
            registry=Registry(agents),
            policies=policies,
            planner=AutoPlanner(),
            reviewers=(SchemaReviewer(schemas), GroundingReviewer()),
            synthesiser=Composer(),
            conditions=CelConditions(),
            schemas=schemas,
            clock=SystemClock(),
            people=people,
            listeners=self._listeners,
            notifiers=self._notifiers(),
            dispatch=dispatch,
        )

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Office:
    """See `stretto.ports.Office`: where this team can be hired."""

    team: Orchestrator
    plans: dict[str, Plan]

    def starter(self, journal: Journal, people: People, policies: tuple[Policy, ...], engine: Engine) -> Starter:
        return _Starter(office=self, journal=journal, people=people, policies=policies, engine=engine)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Starter:
    """See `stretto.ports.Starter`: begins a team's run, or goes on with it where it stands."""

    office: _Office
    journal: Journal
    people: People
    policies: tuple[Policy, ...]
    engine: Engine

    async def pursue(self, order: Order) -> RunState:
        house = self.office.team.house(self.journal, self.people, self.policies, self.engine)
        stands = await load(self.journal, order.run)
        first = list(self._on(order, stands)) if stands.run else [await self._begun(order)]
        stopping = asyncio.create_task(self._stop_with(order), name=f"stretto-stop-{order.run}")
        try:
            return await self.engine.drive(order.run, Conductor(house), first=first, wait=False)
        except asyncio.CancelledError:
            await self._withdraw(order, house)
            raise
        finally:
            stopping.cancel()

    async def _begun(self, order: Order) -> SubmitGoal:
        team = self.office.team
        plan = self.office.plans[order.plan] if order.plan is not None else None
        values, specs = team.inputs_for(order.goal, plan, order.inputs)
        kept, begun = await self._done_before(order)
        labelled = {
            name: replace(spec, labels=tuple(sorted({*spec.labels, *order.labels}))) for name, spec in specs.items()
        }
        return SubmitGoal(
            actor=f"run:{order.parent}",
            run=order.run,
            parent=order.parent,
            goal=order.goal,
            inputs=values,
            specs=labelled,
            catalogue=team.catalogue,
            plan=replace(plan, inputs=labelled) if plan is not None else None,
            budget=within(order.budget, order.share),
            deadline=order.deadline,
            workspace=str(team.workspace.folder) if team.workspace else "",
            lineage=order.lineage,
            kept=kept,
            begun=begun,
        )

    async def _done_before(self, order: Order) -> tuple[dict[str, Kept], tuple[str, ...]]:
        """Give what the team did for the runs that the one above descends from, and the keys of what is in doubt."""
        kept: dict[str, Kept] = {}
        begun: dict[str, None] = {}
        for earlier in order.lineage:
            done, open_ = later_actions(RunState(), [one.event for one in await self.journal.read(earlier)])
            kept |= done
            begun |= dict.fromkeys(open_)
        return kept, tuple(key for key in begun if key not in kept)

    def _on(self, order: Order, stands: RunState) -> Iterator[Command]:
        yield Recover()
        if order.again and stands.status.final and stands.status is not RunStatus.FINISHED:
            yield from _once_more(stands, f"run:{order.parent}")
        used = Budget(
            money=stands.spent.money, tokens=stands.spent.tokens, steps=stands.steps, revisions=stands.revisions
        )
        budget = within(order.budget, order.share, used)
        if (budget, order.deadline) != (stands.budget, stands.deadline):
            yield ChangeLimits(actor=f"run:{order.parent}", budget=budget, deadline=order.deadline)
        if stands.paused is not None and order.again:
            yield Continue(actor=f"run:{order.parent}")
        if order.word is not None:
            word = order.word
            yield AnswerRequest(
                actor=f"person:{word.by}",
                request=word.request,
                decision=word.decision,  # type: ignore[arg-type]
                reason=word.reason,
                value=word.value,
            )

    async def _stop_with(self, order: Order) -> None:
        """Cancel the team's run when the run above is being cancelled, with the grace that is left there."""
        await order.stopping.wait()
        above = await load(self.journal, order.parent)
        if above.cancelling is not None:
            grace = max(above.cancelling - time.time(), 0.0)
            word = Cancel(actor=f"run:{order.parent}", reason="the run above is cancelled", grace=grace)
            await self.journal.post(order.run, word)

    async def _withdraw(self, order: Order, house: House) -> None:
        """Cancel the team's run when the task it was for is over; else it is gone on with later."""
        above = await load(self.journal, order.parent)
        wanted = [one for id_, one in above.tasks.items() if team_run(order.parent, id_, one.turn) == order.run]
        if above.status.final or any(one.status.final for one in wanted):
            conductor = Conductor(house, judging=False)
            await conductor.begin(order.run, [Cancel(actor=f"run:{order.parent}", reason="nobody waits for it")])
            await conductor.leave()


def _once_more(state: RunState, actor: str) -> Iterator[Command]:
    """Open again what failed in a run that has ended, one task after the other, as far as that can be."""
    for id_, one in list(state.tasks.items()):
        again = RetryTask(actor=actor, revision=state.revision, task=id_)
        fell = state.tasks[id_].status in (TaskStatus.FAILED, TaskStatus.CANCELLED)
        if fell and one.parent is None and why_no_retry(state, again) is None:
            _, state = step(state, again)
            yield again


def open_workspace(
    folder: Path, *, store: Path | None = None, listeners: Sequence[Listener] = (), within: tuple[Path, ...] = ()
) -> Orchestrator:
    """Give the orchestrator of a workspace; raises BadWorkspace with file, line and column.

    `within` are the workspaces that have it as a team.
    """
    workspace = read_workspace(folder)
    settings = read_settings(workspace.folder)
    above = (*within, workspace.folder)
    agents = [agent for source in workspace.agents for agent in _from_source(source, settings, above)]
    return Orchestrator(
        agents, store=store or workspace.store, workspace=workspace, settings=settings, listeners=listeners
    )


@asynccontextmanager
async def open_store(path: Path, *, must_exist: bool = False) -> AsyncIterator[Journal]:
    """Open a store; raises StoreError, and UsageError when it must exist and does not."""
    if must_exist:
        _must_exist(path)
    journal = SqliteJournal(path)
    try:
        yield journal
    finally:
        await journal.close()


def _must_exist(store: Path) -> None:
    if not store.exists():
        raise UsageError(f"there is no store {store} yet; a first run makes it, or name another with --store")


async def find_run(journal: Journal, begins: str) -> str:
    """Give the run whose id begins so; `last` is the newest. Raises UnknownRun."""
    wanted = "" if begins == "last" else begins.encode(errors="replace").decode()
    found: Sequence[RunSummary] = await journal.runs(begins=wanted, limit=MOST_ALIKE, teams="." in wanted)
    if found and (begins == "last" or len(found) == 1):
        return found[0].run
    if not found:
        raise UnknownRun(f"there is no run {begins!r} in this store; `stretto runs` lists them")
    if begins not in {one.run for one in found}:
        raise UnknownRun(f"more than one run begins with {begins!r}; give more of its id")
    return begins


async def parent_of(journal: Journal, run: str) -> str:
    """Give the run whose task this one is; empty for one that somebody began."""
    return (await load(journal, run)).parent if "." in run else ""


async def leave_word(journal: Journal, run: str, command: Command) -> RunState:
    """Leave a command for a run: its owner reads it, or it is carried out at once when nobody owns it.

    Gives the state afterwards as far as it is known here. Raises UsageError for an answer to a team's run: what it
    asks is answered in the run above.
    """
    if isinstance(command, AnswerRequest) and (parent := await parent_of(journal, run)):
        raise UsageError(f"run {run} is a team's work for run {parent}; answer there")
    await journal.post(run, command)
    conductor = Conductor(Orchestrator().house(journal, Nobody()), judging=False)
    for _ in range(PATIENCE):
        notes = await journal.inbox(run)
        if not notes:
            break  # the owner has taken it
        try:
            await conductor.begin(run, [note.command for note in notes])
            await conductor.clear(notes)
            await conductor.leave()
        except OwnedElsewhere:
            await asyncio.sleep(PAUSE)  # the owner looks into its inbox, unless it is about to end
    return await load(journal, run)


async def grant(journal: Journal, run_id: str, wish: Callable[[RunState], Command]) -> RunState:
    """Leave a run what somebody wants of it, and give its state; raises UsageError where that makes no sense."""
    run = await find_run(journal, run_id)
    state = await load(journal, run)
    command = wish(state)
    require_possible(state, command)
    return await leave_word(journal, run, command)


async def cancel(
    journal: Journal, run_id: str, *, reason: str = "", grace: float = GRACE, undo: bool = False
) -> RunState:
    """Cancel a run, with grace where somebody drives it and it is not being cancelled already; gives its state."""
    run = await find_run(journal, run_id)
    state = await load(journal, run)
    at_once = state.cancelling is not None or await journal.owner(run) is None
    word = Cancel(actor=_actor(), reason=reason, grace=0.0 if at_once else grace, undo=undo)
    return await leave_word(journal, run, word)


async def fork(
    journal: Journal,
    run_id: str,
    at: str | None = None,
    *,
    plan: Plan | None = None,
    inputs: dict[str, Json] | Sequence[str] = (),
) -> str:
    """Begin a run where another was at a point, with another plan or other inputs; gives its id. Nothing is performed.

    Results of live data that are no longer fresh are redone.
    """
    parent, run = await find_run(journal, run_id), new_run_id()
    facts = fork_of(await journal.read(parent), at, run, time.time())
    state = as_it_was([event for _, event in facts], len(facts))
    commands: list[Command] = [Recover()]
    if not state.plan_open or plan is not None:
        revised = edit_of(state, plan, inputs=inputs, refresh=True, actor=_actor())
        changed = plan is not None or revised.inputs or any(is_old(state, one, time.time()) for one in finished(state))
        if changed:
            recovered = reduce(evolve, decide(state, commands[0]), state)
            require_possible(recovered, revised)
            commands.append(revised)
    elif inputs:
        raise UsageError(f"run {parent}: its plan was not whole at that point; fork later, or hand over a plan")
    lease = await journal.claim(run)
    try:
        await journal.append(lease, 0, facts, summary(state))
    finally:
        await journal.release(lease)
    conductor = Conductor(Orchestrator().house(journal, Nobody()), judging=False)
    await conductor.begin(run, commands)
    await conductor.leave()
    return run


def new_run_id() -> str:
    """Give a new id: the day, and enough chance never to meet another."""
    return f"{datetime.now(UTC):%Y%m%d}-{uuid.uuid4().hex[:10]}"


def _actor() -> str:
    return f"person:{user()}"


def user() -> str:
    """Give the name of whoever runs this program."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"


def _agents(given: Sequence[AnyAgent]) -> list[Agent]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise BadAgent(f"agents are a list of functions and agents, not {given!r}; put it in brackets")
    return [_agent(one) for one in given]


def _agent(given: AnyAgent) -> Agent:
    if isinstance(getattr(given, "card", None), AgentCard):
        return cast(Agent, given)
    if callable(given) and not isinstance(given, type):
        return FunctionAgent([given])
    if isinstance(given, str) and given in SPECIALISTS:
        raise BadAgent(f"{given!r} is a name; the agent is `stretto.bootstrap.specialist({given!r})`")
    raise BadAgent(f"{given!r} is no agent; hand over functions, or `Agent([f, g], name=...)` made of some")


def _person(source: AgentSource) -> Agent:
    options = dict(source.options)
    name, skills = options.pop("name", ""), options.pop("skills", ())
    description = str(options.pop("description", "") or "")
    if options:
        raise BadWorkspace(f"{source.where}: person has no option {next(iter(options))!r}; it takes {_PERSON}")
    try:
        return person(name, skills, description)
    except BadAgent as error:
        raise BadWorkspace(f"{source.where}: {error}") from None


def _from_source(source: AgentSource, settings: Settings, above: tuple[Path, ...]) -> list[Agent]:
    if source.team is not None and source.name is not None:
        if source.team in above:
            raise BadWorkspace(f"{source.where}: the team in {source.team} would be a team of itself")
        team = open_workspace(source.team, within=above)
        if "budget" in source.options:
            team.budget = _budget(str(source.options["budget"]))
        hired = team.as_agent(source.name, partial=cast(Any, source.options.get("partial", "refuse")))
        return [_carded(hired, source)]
    if source.builtin == "person":
        return [_person(source)]
    if source.builtin is not None:
        ships = specialist(source.builtin, source.where, **{**_options(source.builtin, settings), **source.options})
        return [_carded(ships, source)]
    if source.python is None or source.name is None:
        return []
    functions = _functions(_load(source.python, source.where))
    if not functions:
        raise BadWorkspace(f"{source.where}: {source.python} defines no public function that could be a skill")
    return [_carded(FunctionAgent(functions, name=source.name), source)]


def _carded(agent: FunctionAgent | TeamAgent, source: AgentSource) -> Agent:
    """Put onto an agent's card what the workspace says of it."""
    backups = tuple(dict.fromkeys((*source.backups, *agent.card.backups)))
    agent.card = replace(agent.card, backups=backups, ladder=agent.card.ladder | source.ladder, **source.terms)
    return agent


def _options(name: str, settings: Settings) -> dict[str, Json]:
    """Give what the settings say of an agent that ships."""
    return {"allow": settings.fetch_allow} if name == "fetch" else {}


def specialist(name: str, where: str = "", **options: Json) -> FunctionAgent:
    """Give an agent that ships with Stretto, with its options: `specialist("fetch", allow=["example.org"])`.

    Raises BadWorkspace for an unknown agent, and for options that it does not take.
    """
    module = SPECIALISTS.get(name)
    if module is None:
        place = f"{where}: " if where else ""
        raise BadWorkspace(f"{place}no agent {name!r} ships with Stretto; it has {', '.join(SPECIALISTS)}")
    skills = importlib.import_module(module)
    description = (skills.__doc__ or "").split("\n")[0]
    return FunctionAgent(_configured(skills, name, where, options), name=name, description=description)


def specialists(settings: Settings | None = None) -> list[Agent]:
    """Give every agent that ships with Stretto, as the settings have it."""
    chosen = settings or read_settings(None)
    return [specialist(name, **_options(name, chosen)) for name in SPECIALISTS]


def _configured(module: ModuleType, name: str, where: str, options: dict[str, Json]) -> list[Callable[..., Any]]:
    """Give a specialist's functions: its `skills(**options)` where it has one, else those of the module."""
    place = f"{where}: " if where else ""
    factory = getattr(module, "skills", None)
    known = list(inspect.signature(factory).parameters) if factory is not None else []
    unknown = sorted(set(options) - set(known))
    if unknown:
        told = f"it takes {', '.join(known)}" if known else "it takes none"
        raise BadWorkspace(f"{place}{name} has no option {unknown[0]!r}; {told}")
    if factory is None:
        return _functions(module)
    try:
        found: list[Callable[..., Any]] = factory(**options)
    except BadWorkspace as error:
        raise BadWorkspace(f"{place}{error}") from None
    return found


def _load(file: Path, where: str) -> ModuleType:
    """Load a workspace's Python file under a name of its own; raises BadWorkspace with file and line."""
    name = f"stretto_workspace_{file.stem}_{short(str(file), 8)}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise BadWorkspace(f"{where}: {file} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    before = set(sys.modules)
    sys.path.insert(0, str(file.parent))
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        place = ":".join(str(part) for part in (error.filename or file, error.lineno, error.offset) if part)
        raise BadWorkspace(f"{place}: {error.msg}") from None
    except Exception as error:
        lines = [one.lineno for one in traceback.extract_tb(error.__traceback__) if one.filename == str(file)]
        place = f"{file}:{lines[-1]}" if lines else str(file)
        raise BadWorkspace(f"{place}: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(str(file.parent))
        # Its neighbours stay its own: another workspace may have files of the same names.
        for fresh in set(sys.modules) - before:
            if str(getattr(sys.modules[fresh], "__file__", "")).startswith(f"{file.parent}/"):
                del sys.modules[fresh]
    return module


def _functions(module: ModuleType) -> list[Callable[..., Any]]:
    """Give a module's own public functions; only the declared ones where any is declared."""
    own: list[Callable[..., Any]] = [
        one
        for name, one in vars(module).items()
        if inspect.isfunction(one) and one.__module__ == module.__name__ and not name.startswith("_")
    ]
    return [one for one in own if is_declared(one)] or own


def _rules(settings: Settings, workspace: Workspace | None, **given: Any) -> Rules:
    values: dict[str, Any] = {
        "parallel": settings.parallel,
        "timeout": settings.timeout,
        "fan_out": settings.fan_out,
        "retries": settings.retries,
        **(workspace.rules if workspace else {}),
        **{name: value for name, value in given.items() if value is not None},
    }
    if values.get("unbounded", "alone") not in ("alone", "refuse"):
        raise UsageError(f"unbounded is alone or refuse, not {values['unbounded']!r}")
    unknown = [name for name in values["retries"] if name not in set(FailureClass)]
    if unknown:
        raise UsageError(f"there is no class of failure {unknown[0]!r}; known: {', '.join(FailureClass)}")
    read = {name: reader(values[name]) for name, reader in OF_RULES.items() if name in values}
    return Rules(**{**values, "timeout": float(values["timeout"]), **read})


def _ladder(given: dict[str, Any] | None, workspace: Workspace | None, registry: Registry) -> Ladder:
    own = ladder_of(given, "ladder") if given is not None else {}
    for path, name in agents_in(own):
        if registry.get(name) is None:
            known = ", ".join(one.card.name for one in registry)
            raise UsageError(f"ladder.{path}: there is no agent {name!r}; known: {known}")
    return (workspace.ladder if workspace else {}) | own


def _asks(given: Json) -> Asks:
    try:
        return read_asks(given)
    except BadChain as error:
        raise UsageError(f"{place_of(error, 'ask')}: {error}") from None


def _budget(given: str | Budget) -> Budget:
    return budget_of(given) if isinstance(given, str) else given


def _deadline(given: str | float | None, now: float) -> float | None:
    return deadline_of(given, now) if isinstance(given, str) else given


def _people(approve: Approve, people: People | None) -> People:
    if approve not in get_args(Approve):
        raise UsageError(f"approve is {', '.join(get_args(Approve))}, not {approve!r}")
    if approve == "ask":
        return people or Nobody()
    return StandingWord("approve" if approve == "all" else "deny", user(), people or Nobody())
