"""A team as an agent: an orchestrator that pursues a task of another run as a run of its own."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from stretto.core.domain import (
    FREE,
    AgentCard,
    Artifact,
    Budget,
    Completed,
    Cost,
    Failed,
    FailureClass,
    InputRequired,
    Json,
    Outcome,
    Plan,
    Preview,
    RunStatus,
    Schema,
    SideEffect,
    Skill,
    TaskStatus,
)
from stretto.core.errors import BadAgent, OwnedElsewhere, StrettoError
from stretto.core.policy import Policy
from stretto.core.routing import GRAVITY
from stretto.core.state import RunState, team_run
from stretto.ports import Assignment, Engine, Historian, Journal, Office, Order, People, Starter

PURSUE = "pursue"
DEEPEST = 8
"""Teams within teams, at most: a team that hires itself would go on for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One thing a team can do: a plan of its own by name, or (`plan` is None) a goal that it plans itself."""

    plan: str | None = None
    goal: str = ""


class TeamAgent:
    """An agent whose work is a run. See `stretto.ports.Agent`.

    The run is named after the task, so an attempt that is made again goes on with it, and does what failed in it once
    more: nothing in it happens twice. In a fork, what the team did for the run that was forked is not done again.
    What it asks people is asked in the run above. Its budget is part of that run's: the most it may cost is
    reserved there before it begins, and it ends with the time of that run and task. When the run above is cancelled,
    the team's has the same grace.
    """

    def __init__(
        self,
        card: AgentCard,
        ways: Mapping[str, Way],
        *,
        budget: Budget,
        office: Office,
        accept_partial: bool = False,
        starter: Starter | None = None,
    ) -> None:
        self.card, self._ways, self._budget, self._office = card, dict(ways), budget, office
        self._accept_partial, self._starter = accept_partial, starter

    def hired(
        self,
        journal: Journal,
        people: People,
        policies: tuple[Policy, ...],
        engine: Engine,
        historians: tuple[Historian, ...] = (),
    ) -> "TeamAgent":
        """Give this team at work for a run, whose journal, people, policies, engine and historians its runs have."""
        return TeamAgent(
            self.card,
            self._ways,
            budget=self._budget,
            office=self._office,
            accept_partial=self._accept_partial,
            starter=self._office.starter(journal, people, policies, engine, historians),
        )

    async def run(self, assignment: Assignment) -> Outcome:
        way = self._ways.get(assignment.skill)
        if way is None or self._starter is None:
            message = f"the team {self.card.name!r} has no skill {assignment.skill!r} any more"
            return Failed(failure=FailureClass.UNAVAILABLE, message=message)
        run = team_run(assignment.run, assignment.task, assignment.turn)
        if run.count(".") > DEEPEST:
            message = f"teams within teams go {DEEPEST} deep at most; this would be {run}"
            return Failed(failure=FailureClass.REFUSED, message=message)
        goal, inputs = _asked(way, assignment)
        order = Order(
            run=run,
            parent=assignment.run,
            goal=goal,
            plan=way.plan,
            inputs=inputs,
            labels=assignment.labels,
            budget=self._budget,
            share=assignment.share,
            deadline=assignment.until,
            lineage=tuple(team_run(one, assignment.task, assignment.turn) for one in assignment.lineage),
            again=assignment.attempt > 1,
            word=assignment.word,
            stopping=assignment.stopping,
        )
        try:
            state = await self._starter.pursue(order)
        except OwnedElsewhere as error:
            return Failed(failure=FailureClass.UNAVAILABLE, message=str(error), retry_after=1.0)
        except StrettoError as error:
            return Failed(failure=FailureClass.REFUSED, message=str(error))
        return self._outcome(state, state.spent.beyond(assignment.charged))

    async def preview(self, assignment: Assignment) -> Preview:
        """Show nothing: the team's own run shows each change before it is made."""
        return Preview()

    async def look_up(self, assignment: Assignment) -> Outcome | None:
        """Say that it may simply be done again: the team's run goes on where it stands."""
        return None

    def _outcome(self, state: RunState, spent: Cost) -> Outcome:
        """Say what came of the team's run; `spent` is what it has cost since the attempt before."""
        delivery = state.delivery
        if delivery is None:
            if state.paused is not None:
                question = f"the team's run {state.run} is paused ({state.paused}); answer anything to go on with it"
                return InputRequired(question=question, cost=spent)
            asked = min(state.requests.values(), key=lambda one: (one.asked, one.id), default=None)
            if asked is None:
                message = f"the run {state.run} stopped before its end"
                return Failed(failure=FailureClass.TRANSIENT, message=message, cost=spent)
            return InputRequired(
                question=asked.question, cost=spent, request=replace(asked, via=asked.via or state.run)
            )
        missing = delivery.gaps
        whole = state.status is RunStatus.FINISHED
        if whole or (self._accept_partial and state.status is RunStatus.PARTIAL and delivery.answer is not None):
            return Completed(
                output=delivery.answer,
                artifacts=tuple(_files(state)),
                citations=delivery.citations,
                cost=spent,
                gaps=missing,
            )
        first = f": {missing[0].what}: {missing[0].why}" if missing else ""
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        message = f"the run {state.run} is {state.status.value}{first}{more}"
        return Failed(failure=_class_of(state), message=message, cost=spent)


def team_card(
    name: str,
    cards: Iterable[AgentCard],
    plans: Mapping[str, Plan],
    *,
    description: str = "",
    budget: Budget,
) -> tuple[AgentCard, dict[str, Way]]:
    """Give the card of a team, and what each of its skills stands for.

    There is a skill for each plan, which takes the plan's inputs, and one (`NAME.pursue`) for any other goal. What
    none of its members may see the team may not see either; what their results are labelled with, its results are.
    Doing a team's task again only goes on with its run, so it is idempotent, or without effect like its members.
    What it costs at most is its budget; without a limit of cost it has a bound only if all its members are free.
    """
    members = list(cards)
    if not members:
        raise BadAgent(f"the team {name!r} has no agents; give its orchestrator some")
    skills = [skill for card in members for skill in card.skills]
    gravest = max((skill.effect for skill in skills), key=GRAVITY.index)
    effect = SideEffect.NONE if gravest is SideEffect.NONE else SideEffect.IDEMPOTENT
    labels = tuple(sorted({label for skill in skills for label in skill.labels}))
    ways = {f"{name}.{one}": Way(plan=one) for one in plans} | {f"{name}.{PURSUE}": Way()}
    offered = [
        Skill(
            name=f"{name}.{one}",
            description=plan.name if plan.name != one else "",
            inputs=_inputs(plan),
            effect=effect,
            labels=labels,
        )
        for one, plan in plans.items()
    ]
    offered.append(
        Skill(
            name=f"{name}.{PURSUE}",
            description=f"Pursue a goal with the team {name}",
            inputs=_GOAL,
            effect=effect,
            labels=labels,
        )
    )
    seen = [card.perimeter for card in members]
    card = AgentCard(
        name=name,
        kind="team",
        description=description or f"The team {name}: {', '.join(one.name for one in members)}",
        skills=tuple(offered),
        perimeter=None if None in seen else tuple(sorted({label for one in seen for label in one or ()})),
        cost=Cost(money=budget.money or Decimal(0), tokens=budget.tokens or 0),
        bounded=budget.limits_cost or all(one.bounded and one.cost == FREE for one in members),
    )
    return card, ways


_GOAL: Schema = {
    "type": "object",
    "properties": {"goal": {"type": "string"}, "inputs": {"type": "object"}},
    "required": ["goal"],
    "additionalProperties": False,
}
_KINDS: dict[str, Schema] = {
    "value": {},
    "file": {"type": "string"},
    "folder": {"type": "string"},
    "files": {"type": "array", "items": {"type": "string"}},
}


def _inputs(plan: Plan) -> Schema:
    required = [name for name, spec in plan.inputs.items() if spec.required and spec.default is None]
    return {
        "type": "object",
        "properties": {name: _KINDS[spec.kind] for name, spec in plan.inputs.items()},
        "required": required,
        "additionalProperties": False,
    }


def _asked(way: Way, assignment: Assignment) -> tuple[str, dict[str, Json]]:
    given = assignment.arguments
    if way.plan is not None:
        return assignment.objective or assignment.skill, dict(given)
    return str(given["goal"]), dict(given.get("inputs") or {})


def _class_of(state: RunState) -> FailureClass:
    """Give the class of the first failure; what only fell with it has none of its own."""
    for position in range(len(state.ids)):
        one = state.tasks[state.ids[position]]
        if one.status is TaskStatus.FAILED and one.failure is not None:
            return one.failure
    return FailureClass.REFUSED


def _files(state: RunState) -> Iterator[Artifact]:
    for position in range(len(state.ids)):
        one = state.tasks[state.ids[position]]
        if one.status is TaskStatus.COMPLETED and one.result is not None:
            yield from one.result.artifacts
