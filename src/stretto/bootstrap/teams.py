"""A crew as an agent of another: a task of theirs becomes a run of its own."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from stretto.agents.team import TeamAgent, team_card
from stretto.bootstrap.crew import AnyPlan, Crew
from stretto.core.budget import within
from stretto.core.commands import AnswerRequest, Cancel, ChangeLimits, Command, Continue, Recover, RetryTask, SubmitGoal
from stretto.core.decide import step
from stretto.core.decide.control import why_no_retry
from stretto.core.domain import Budget, Kept, Plan, RunStatus, TaskStatus
from stretto.core.errors import UsageError
from stretto.core.forking import Deeds, later_deeds
from stretto.core.policy import Policy
from stretto.core.state import RunState, team_run
from stretto.orchestrator import Conductor, House, load
from stretto.ports import Engine, Historian, Journal, Order, People, Starter


def team_of(
    crew: Crew,
    name: str,
    *,
    plans: dict[str, AnyPlan] | None,
    description: str,
    partial: Literal["refuse", "accept"],
) -> TeamAgent:
    """Give a crew as an agent; see `Orchestrator.as_agent`."""
    if partial not in ("refuse", "accept"):
        raise UsageError(f"partial is 'refuse' or 'accept', not {partial!r}")
    read = {one: crew.read_plan(plan) for one, plan in plans.items()} if plans else _own_plans(crew)
    known = {one: plan for one, plan in read.items() if plan is not None}
    cards = [agent.card for agent in crew.registry]
    card, ways = team_card(name, cards, known, description=description, budget=crew.budget)
    office = _Office(crew=crew, plans=known)
    return TeamAgent(card, ways, budget=crew.budget, office=office, accept_partial=partial == "accept")


def _own_plans(crew: Crew) -> dict[str, Plan | None]:
    found: dict[str, Plan | None] = {one.name: one.plan for one in crew.playbooks}
    if crew.workspace is not None and crew.workspace.plan is not None:
        found[crew.workspace.plan_file().stem] = crew.read_plan(None)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Office:
    """See `stretto.ports.Office`: where this team can be hired."""

    crew: Crew
    plans: dict[str, Plan]

    def starter(
        self,
        journal: Journal,
        people: People,
        policies: tuple[Policy, ...],
        engine: Engine,
        historians: tuple[Historian, ...] = (),
    ) -> Starter:
        return _Starter(
            office=self, journal=journal, people=people, policies=policies, engine=engine, historians=historians
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Starter:
    """See `stretto.ports.Starter`: begins a team's run, or goes on with it where it stands."""

    office: _Office
    journal: Journal
    people: People
    policies: tuple[Policy, ...]
    engine: Engine
    historians: tuple[Historian, ...]

    async def pursue(self, order: Order) -> RunState:
        house = self.office.crew.house(self.journal, self.people, self.policies, self.engine, self.historians)
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
        crew = self.office.crew
        plan = self.office.plans[order.plan] if order.plan is not None else None
        values, specs = crew.inputs_for(order.goal, plan, order.inputs)
        deeds = await self._done_before(order)
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
            catalogue=crew.catalogue,
            plan=replace(plan, inputs=labelled) if plan is not None else None,
            budget=within(order.budget, order.share),
            deadline=order.deadline,
            workspace=str(crew.workspace.folder) if crew.workspace else "",
            lineage=order.lineage,
            kept=deeds.kept,
            begun=deeds.begun,
            undone=deeds.undone,
            edition=crew.edition,
        )

    async def _done_before(self, order: Order) -> Deeds:
        """Give what the team did for the runs that the one above descends from."""
        kept: dict[str, Kept] = {}
        begun: dict[str, None] = {}
        undone: dict[str, None] = {}
        for earlier in order.lineage:
            deeds = later_deeds(RunState(), [one.event for one in await self.journal.read(earlier)])
            kept |= deeds.kept
            begun |= dict.fromkeys(deeds.begun)
            undone |= dict.fromkeys(deeds.undone)
        standing = {key: one for key, one in kept.items() if key not in undone}
        return Deeds(kept=standing, begun=tuple(key for key in begun if key not in standing), undone=tuple(undone))

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
