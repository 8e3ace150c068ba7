"""`Orchestrator`: what users hold. How each thing is done stands in the other modules."""

import math
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Literal, cast

from stretto.agents.team import TeamAgent
from stretto.bootstrap.choices import Approve, who_answers
from stretto.bootstrap.crew import AnyPlan, Crew
from stretto.bootstrap.proposing import proposed
from stretto.bootstrap.stores import actor
from stretto.bootstrap.streaming import AnyStream, adopting, adopting_again
from stretto.bootstrap.teams import team_of
from stretto.bootstrap.tracing import traced, who_traces
from stretto.bootstrap.words import GONE, cancel, fork, grant, leave_word
from stretto.chronicle import chronicle
from stretto.core.commands import ChangeEdition, Command, Continue, Pause, RateRun, Recover, Replan, RetryTask
from stretto.core.domain import Budget, Json, PlannerChoice
from stretto.core.errors import UsageError
from stretto.core.state import RunState
from stretto.edits import edit_of
from stretto.engines.local import LocalEngine
from stretto.engines.people import Nobody
from stretto.engines.places import Places
from stretto.lookup import find_run, parent_of
from stretto.orchestrator import Conductor, load
from stretto.planners.proposal import Proposal
from stretto.ports import Engine, Journal, People, Planner
from stretto.streams import PlanStream, is_stream
from stretto.travel import as_it_was, moment_of
from stretto.views import Run
from stretto.words import GRACE
from stretto.workers import RUNS, Houses, Tell, Worker


class Orchestrator(Crew):
    """Pursues goals with a team of agents.

    `agents` are functions or agents; `budget` is like "$2, 50 steps"; `store` is a file that keeps every run
    (without one, runs live in memory); `parallel` bounds the attempts under way at once; `timeout` is the
    seconds one attempt may take when nothing else says so; `ladder` says by class of failure what to try next,
    where no task, skill or agent says it. `providers` are what several agents draw on, by name; `breaker` ("off" for
    none) holds for agents and providers without one of their own; `most_failures` and `stall` say when a run pauses by
    itself; `notify` are channels of alerts as in a workspace, or notifiers; `unbounded` what becomes of agents whose
    cost has no bound under a budget; `judge="required"` puts a result before a person whose criteria no model could
    be asked about. `ask` says who is asked when a person has
    to decide: `[{"who": "ann", "within": "2h"}, "deny"]`, or such chains by kind of request; `people` are those whom
    chains may name, anybody when it is empty. `models` are those that plan, work, review, write and summarise: one for
    all, like "openai:gpt-5-mini", or by role as in a workspace; `planner` says who plans goals, and `unplanned` what
    becomes of one that nobody could plan ("ask" puts it to a person). Raises BadAgent for what cannot be an agent,
    UsageError for the rest.
    """

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
        planner: PlannerChoice | None = None,
    ) -> Run:
        """Pursue a goal and give what came of it.

        Without a plan, and without one that the workspace names, it is planned from the workspace's playbooks, by a
        model where there is one for it, and from the agents' typed skills (`planner` says by which alone); where that
        cannot be done, the run fails and its gap says what is missing.
        `inputs` are what the plan asks for, by name, or files and values for a goal; `deadline` is a length of
        time like "10m", or a moment.
        A plan may as well be a stream: something that gives tasks (or mappings) one by one, a file of JSON Lines, or
        `-` for such lines on standard input. Its tasks start while the rest is being written, as far as that harms
        nobody; what is wrong with it then shows in the run, whose finished results stay.
        With `wait` it returns only at the end of the run, else also when nothing can move without a person (the
        status is then `waiting`), or before a moment more than a minute away (`wake`). Raises BadPlan or UsageError
        before anything is stored or run.
        """
        asked = who_answers(approve, people)
        streamed = is_stream(plan)
        first = self.order(
            goal,
            actor=actor(),
            plan=None if streamed else cast(AnyPlan | None, plan),
            inputs=inputs,
            budget=budget,
            deadline=deadline,
            run_id=run_id,
            planner=planner,
            streamed=streamed,
        )
        first = replace(first, traceparent=who_traces())
        adopts = adopting(self, plan, inputs, budget=first.budget, until=first.deadline, known={}) if streamed else None
        return await self._drive(first.run, [first], asked, wait, adopts)

    async def plan(
        self,
        goal: str,
        *,
        inputs: dict[str, Json] | Sequence[str] | None = None,
        answers: Sequence[tuple[str, str]] = (),
        planner: PlannerChoice | None = None,
    ) -> Proposal:
        """Say how a goal would be pursued, by models where they plan, and run nothing.

        `answers` are (question, answer). What models took for it is in the proposal. Raises UsageError.
        """
        catalogue = self.planned_by(planner)
        return await proposed(self, goal, inputs=inputs, answers=answers, catalogue=catalogue, budget=self.budget)

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
        first: list[Command] = [Recover(), Continue(actor=actor())]
        if budget is not None or deadline is not None:
            first.append(self.limits(actor=actor(), budget=budget, deadline=deadline))
        asked = who_answers(approve, people)
        async with self.journal() as journal:
            run = await find_run(journal, run_id)
            if parent := await parent_of(journal, run):
                raise UsageError(f"run {run} is a team's work for run {parent}; resume that one")
            state = await load(journal, run)
        if self.edition and state.edition and self.edition != state.edition:
            first.append(ChangeEdition(actor=actor(), edition=self.edition, reason=GONE))
        planner = adopting_again(self, state, plan, inputs) if plan is not None else None
        return await self._drive(run, first, asked, wait, planner)

    async def pause(self, run_id: str, reason: str = "") -> Run:
        """Have a run begin nothing new, whoever drives it; what is under way ends and is kept. `resume` goes on.

        Gives the run as far as it is known here: its owner reads the word within a second. Raises UnknownRun.
        """
        async with self.journal() as journal:
            run = await find_run(journal, run_id)
            return Run(state=await leave_word(journal, run, Pause(actor=actor(), reason=reason)))

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
                actor=actor(), revision=state.revision, task=task, agent=agent, feedback=feedback, again=again
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
            return edit_of(state, chosen, values=values, remove=remove, inputs=inputs, actor=actor())

        return await self._granted(run_id, wish, **more)

    async def replan(self, run_id: str, words: str = "", **more: Any) -> Run:
        """Have the unfinished part of a run planned anew, with more words to its goal, and go on with it."""

        def wish(state: RunState) -> Command:
            return Replan(actor=actor(), revision=state.revision, words=words.strip())

        return await self._granted(run_id, wish, **more)

    async def rate(self, run_id: str, score: int, words: str = "") -> Run:
        """Say how content you are with what a run delivered, from 1 (not at all) to 5; your newest word counts.

        Raises UsageError for a run that has not ended, and for other scores.
        """

        def wish(state: RunState) -> Command:
            return RateRun(actor=actor(), score=score, words=words)

        async with self.journal() as journal:
            return Run(state=await grant(journal, run_id, wish))

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

    @asynccontextmanager
    async def worker(
        self,
        *,
        runs: int = RUNS,
        places: int | None = None,
        tell: Tell = lambda report: None,
        houses: Callable[[Journal, Engine], Houses] | None = None,
    ) -> AsyncIterator[Worker]:
        """Open the store for a worker, which drives the runs of this workspace that nobody drives.

        `runs` bounds the runs that it drives at once, `places` the agent calls under way over all of them (where it
        says nothing, as many as one run may have). `houses` choose where each run is driven, with the journal and the
        engine below; else all are driven by this team. Raises UsageError for less than one of either.
        """
        async with traced(self.settings) as historians, self.journal() as journal:
            shared = Places(self.rules.parallel if places is None else places)
            below = LocalEngine(shared, patience=math.inf)
            house = self.house(journal, Nobody(), below=below, historians=historians)
            homes = houses(journal, below) if houses is not None else None
            engine = LocalEngine(shared, clock=house.clock)
            yield Worker(house, engine, houses=homes, workspace=self.place, runs=runs, tell=tell)

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
        return team_of(self, name, plans=plans, description=description, partial=partial)

    async def _granted(self, run_id: str, wish: Callable[[RunState], Command], **more: Any) -> Run:
        async with self.journal() as journal:
            state = await grant(journal, run_id, wish)
            if await journal.owner(state.run) is not None or await parent_of(journal, state.run):
                return Run(state=state)
        return await self.resume(state.run, **more)

    async def _drive(
        self, run: str, first: Sequence[Command], people: People, wait: bool, planner: Planner | None = None
    ) -> Run:
        async with traced(self.settings) as historians, self.journal() as journal:
            house = self.house(journal, people, historians=historians)
            conductor = Conductor(house if planner is None else replace(house, planner=planner))
            state = await LocalEngine(clock=house.clock).drive(run, conductor, first=first, wait=wait)
        return Run(state=state)
