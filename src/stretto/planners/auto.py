"""Picks the planner: the plan that was handed over, an answer that needs no agent, a playbook, a model, or the rules.

The lightest that does the job: a goal that one agent answers is planned by the rules, without asking a model. Where
models fail the rules plan, then a person is asked where the run's rules say so, and then the goal is refused with what
is wrong.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from stretto.core.commands import AddTask, ClarifyGoal, ClosePlan, FailPlan, InterpretGoal
from stretto.core.decide.revising import carried
from stretto.core.domain import Catalogue, InputSpec, Interpretation, Json, Plan
from stretto.core.hindrances import Hindrance, around, hindrances
from stretto.core.plan.diagnostics import Diagnostic
from stretto.core.plan.shape import DEFAULT_SIZE, Size
from stretto.core.routing import roster
from stretto.core.state import RunState
from stretto.models.prompt import Model, Models
from stretto.planners import direct
from stretto.planners.proposal import Proposal, Refusal
from stretto.planners.stream import ACTOR, LOST
from stretto.planners.triage import triaged
from stretto.ports import Caller, PlanPart

if TYPE_CHECKING:
    from stretto.planners.model.planner import Failure

UNPLANNED = "No sound plan came of this goal"
"""How the question begins by which a person is asked to put a goal differently."""
_ASKED = 2


class AutoPlanner:
    """See `stretto.ports.Planner`. `models` may plan, where there are any for it."""

    def __init__(self, models: Models | None = None, *, size: Size = DEFAULT_SIZE) -> None:
        self._models, self._size = models, size

    async def plan(self, state: RunState, caller: Caller) -> AsyncIterator[PlanPart]:
        if state.streamed and state.draft is None:
            yield FailPlan(actor=ACTOR, revision=state.revision, reason=LOST)
        elif state.given is not None and state.draft is None:
            given = Interpretation(planner="given", restated=state.goal, reasons=("the plan was handed over",))
            meant = triaged(given, state.given, state.catalogue)
            for one in _parts(state, Proposal(interpretation=meant, plan=state.given)):
                yield one
        elif models := self._planning(state):
            async for part in self._by_models(models, state, caller):
                yield part
        else:
            for one in _parts(state, self._without_models(state)):
                yield one

    def _planning(self, state: RunState) -> tuple[Model, ...]:
        """Give the models that plan a run. Where their plan broke off and never was whole, they had their turns."""
        allowed = self._models is not None and state.catalogue.rules.planner in ("auto", "model")
        had_their_turns = state.draft is not None and state.plan_open
        return self._models.of("planner") if self._models is not None and allowed and not had_their_turns else ()

    def _without_models(self, state: RunState) -> Proposal:
        if state.catalogue.rules.planner == "model" and not (state.draft is not None and state.plan_open):
            meant = Interpretation(planner="model", restated=state.goal)
            missing = "a model for the role `planner`; `stretto models` tells which there are"
            return Proposal(
                interpretation=meant,
                refusal=Refusal(reason="only a model may plan, and there is none", missing=(missing,)),
            )
        return anew(state) if state.draft is not None else _proposed(state, state.catalogue)

    async def _by_models(self, models: tuple[Model, ...], state: RunState, caller: Caller) -> AsyncIterator[PlanPart]:
        if state.draft is None and (light := _light(state)) is not None:
            for one in _parts(state, light):
                yield one
            return
        from stretto.planners.model.planner import Writing  # only runs that a model plans pay for it

        left = around(state.catalogue, hindrances(state)) if state.draft is not None else state.catalogue
        writing = Writing(models, state, caller, catalogue=left, size=self._size)
        async for part in writing.parts():
            yield part
        if writing.outcome is not None:
            for one in _given_up(state, writing.outcome, writing.interpretation):
                yield one


def _given_up(state: RunState, failure: "Failure", meant: Interpretation) -> Iterator[PlanPart]:
    """Give what is done where the models found no plan: the rules plan, a person is asked, or the goal is refused.

    What is adopted cannot be taken back: what is unfinished of it is planned anew, as a revision, by the rules.
    """
    proposal = None
    if state.catalogue.rules.planner == "auto":
        proposal = anew(state) if state.draft is not None else _proposed(state, state.catalogue)
    if proposal is not None and proposal.plan is not None and failure.adopted:
        yield InterpretGoal(actor=_actor(meant), revision=state.revision, interpretation=meant)
        yield FailPlan(
            actor=_actor(meant), revision=state.revision, reason=failure.reason, diagnostics=failure.found, anew=True
        )
    elif proposal is not None and proposal.refusal is None and not failure.adopted:
        found = proposal.interpretation
        reasons = (*found.reasons, *meant.reasons, f"the model's plan was given up: {failure.reason}")
        yield from _parts(state, replace(proposal, interpretation=replace(found, reasons=reasons)))
    else:
        if proposal is not None:
            meant = replace(meant, reasons=(*meant.reasons, f"the rules find no plan: {proposal.refusal}"))
        refused = Proposal(interpretation=meant, refusal=failure.refusal or Refusal(reason=failure.reason))
        yield from _parts(state, refused, failure.found)


def _parts(state: RunState, proposal: Proposal, found: tuple[Diagnostic, ...] = ()) -> Iterator[PlanPart]:
    """Give a proposal as the parts of a plan; `found` is what was wrong with what was refused."""
    revision, actor, plan = state.revision, _actor(proposal.interpretation), proposal.plan
    question, choices = (
        (proposal.question.text, proposal.question.choices) if proposal.question is not None else ("", ())
    )
    if plan is None and not question and _may_ask(state):
        question = f"{UNPLANNED}: {proposal.refusal}. How else can it be put, or what may be left out?"
    if question:
        yield ClarifyGoal(
            actor=actor, revision=revision, round=len(state.clarified), question=question, choices=choices
        )
        return
    yield InterpretGoal(
        actor=actor,
        revision=revision,
        interpretation=proposal.interpretation,
        inputs=proposal.inputs,
        specs=proposal.specs,
    )
    if plan is None:
        yield FailPlan(actor=actor, revision=revision, reason=str(proposal.refusal), diagnostics=found)
        return
    for task in plan.tasks:
        yield AddTask(actor=actor, revision=revision, task=task)
    yield ClosePlan(actor=actor, revision=revision, deliver=plan.deliver)


def _actor(meant: Interpretation) -> str:
    return f"planner:{meant.planner}"


def _may_ask(state: RunState) -> bool:
    """Whether a person is asked to put a goal differently that nobody could plan, and has not been too often."""
    asked = sum(question.startswith(UNPLANNED) for question, _ in state.clarified)
    return state.catalogue.rules.unplanned == "ask" and asked < _ASKED


def _light(state: RunState) -> Proposal | None:
    """Give a plan that needs no model: an answer from the catalogue, a playbook, or one agent, with nothing assumed."""
    if state.catalogue.rules.planner == "model":
        return direct.propose(state.goal, state.catalogue)
    found = _proposed(state, state.catalogue)
    meant = found.interpretation
    if meant.planner in ("direct", "playbook"):
        return found
    return found if found.plan is not None and meant.mode == "agent" and not meant.assumptions else None


def anew(state: RunState) -> Proposal:
    """Propose another plan for a run: around what failed for good, and with what is at hand.

    A skill that nobody is left for is never proposed again; where others are left, they are named.
    """
    found = hindrances(state)
    left = around(state.catalogue, found)
    proposal = _proposed(state, left)
    if proposal.plan is not None and not _can_do(proposal.plan, left):
        from stretto.planners import rules

        proposal = rules.propose(state.goal, state.inputs, state.specs, left, state.clarified)
    if proposal.plan is None:
        return proposal
    if not _can_do(proposal.plan, left):
        lost = ", ".join(dict.fromkeys(one.skill for one in found))
        refusal = Refusal(reason=f"there is no way around {lost}", missing=(f"another skill than {lost}",))
        return replace(proposal, plan=None, refusal=refusal)
    return replace(proposal, plan=_named(state, proposal.plan, found, left))


def _proposed(state: RunState, catalogue: Catalogue) -> Proposal:
    return propose(state.goal, state.inputs, state.specs, catalogue, state.clarified)


def _can_do(plan: Plan, left: Catalogue) -> bool:
    agents = roster(left)
    return all(agents.candidates(task) for task in plan.tasks)


def _named(state: RunState, plan: Plan, found: tuple[Hindrance, ...], left: Catalogue) -> Plan:
    """Name an agent for tasks whose skill some agents failed at; what stays as it stands is left alone."""
    hindered, agents = {one.skill for one in found}, roster(left)
    stays = carried(state, plan.tasks, state.inputs, state.at, refresh=True).names
    tasks = (
        replace(task, agent=agents.candidates(task)[0]) if task.skill in hindered and task.id not in stays else task
        for task in plan.tasks
    )
    return replace(plan, tasks=tuple(tasks))


def propose(
    goal: str,
    inputs: dict[str, Json],
    specs: dict[str, InputSpec],
    catalogue: Catalogue,
    answers: Iterable[tuple[str, str]] = (),
) -> Proposal:
    """Propose how to pursue a goal without any model; the same goal gives the same proposal.

    The run's rules may leave it to the playbooks or to the typed skills alone.
    """
    # Their words take a fifth of a second to load: only goals without a plan pay for it.
    from stretto.planners import playbook, rules

    known, choice = tuple(answers), catalogue.rules.planner
    found = direct.propose(goal, catalogue)
    if found is None and choice != "rules":
        found = playbook.propose(goal, inputs, catalogue, known)
    if found is None and choice == "playbook":
        names = ", ".join(book.name for book in catalogue.playbooks) or "none"
        refusal = Refusal(reason="the goal meets no playbook, and nothing else may plan", missing=(f"one of {names}",))
        found = Proposal(interpretation=Interpretation(planner="playbook", restated=goal), refusal=refusal)
    if found is None:
        found = rules.propose(goal, inputs, specs, catalogue, known)
    if found.plan is None:
        return found
    return replace(found, interpretation=triaged(found.interpretation, found.plan, catalogue))
