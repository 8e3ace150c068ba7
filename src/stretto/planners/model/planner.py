"""Has a model write the plan: listens while it writes, mends by rule, asks again with what is wrong, then asks others.

What comes of it is told by `Writing.outcome`; what to do about a plan that did not come is not decided here.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TypeAlias

from stretto.conditions import condition_defects
from stretto.core.commands import AddTask, ClarifyGoal, ClosePlan, InterpretGoal
from stretto.core.domain import Catalogue, Interpretation, Plan, Task
from stretto.core.plan.check import check
from stretto.core.plan.diagnostics import Diagnostic, diagnose, errors
from stretto.core.plan.graph import graph_of
from stretto.core.plan.shape import DEFAULT_SIZE, Size
from stretto.core.state import RunState, TaskState
from stretto.models.asking import ask
from stretto.models.prompt import Model, Prompt, Reply
from stretto.planners.model.adopting import Adoption
from stretto.planners.model.answers import Answer, Ending, is_task
from stretto.planners.model.prompting import Standing, is_done, planning_prompt
from stretto.planners.model.scanning import Scanner
from stretto.planners.proposal import Refusal
from stretto.planners.triage import triaged
from stretto.ports import AgentFailure, Caller, PlanPart

ACTOR = "planner:model"
ROUNDS = 2
"""How often a model is asked again for what is wrong in its plan."""
CONTINUATIONS = 8
"""How often a plan is gone on with that is longer than one answer."""
QUESTIONS = 3
"""Questions that people are asked about one goal."""
_MOST_TOLD = 100
_KEY = re.compile(r"answer (\d+)\.(\d+), (\d+) tasks before(?:#\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why no plan came of it; `refused` when the model says that nothing can be done, `adopted` when tasks stand."""

    reason: str
    found: tuple[Diagnostic, ...] = ()
    refusal: Refusal | None = None
    adopted: bool = False


Outcome: TypeAlias = Failure | None


class Writing:
    """One plan, written by the models of a workspace. Take its `parts`; then `outcome` says whether a plan came of it.

    Of a plan that is made beside a running one nothing is handed out before the whole is sound.
    """

    def __init__(
        self,
        models: Sequence[Model],
        state: RunState,
        caller: Caller,
        *,
        catalogue: Catalogue | None = None,
        size: Size = DEFAULT_SIZE,
        rounds: int = ROUNDS,
    ) -> None:
        self._models, self._state, self._caller, self._rounds = tuple(models), state, caller, rounds
        self._catalogue = catalogue or state.catalogue
        self._revises = state.draft is not None
        planned = list(self._planned())
        self._adoption = Adoption(
            [one.task for one in planned if self._revises and is_done(state, one)],
            known=[] if self._revises else [one.task for one in planned],
            catalogue=self._catalogue,
            specs=state.specs,
            check=self._check,
            size=size,
            budget=state.budget,
        )
        self._scope = Answer(self._adoption)
        self._reasons: list[str] = []
        self._meant = Interpretation(planner="model", restated=state.goal)
        self._calls = self._tokens = 0
        self.outcome: Outcome = Failure(reason="nobody was asked")

    async def parts(self) -> AsyncIterator[PlanPart]:
        """Give the parts of the plan as they are adopted."""
        turns = [self._models] * (1 + self._rounds) + [self._models[n:] for n in range(1, len(self._models))]
        ending, continuations, number, ended = Ending(), 0, 0, self._scope
        while turns:
            number += 1
            self._adoption.recall(self._asked_before(number))
            models, before = turns.pop(0), len(self._adoption.adopted)
            standing = self._standing(ending)
            prompt = planning_prompt(self._state, self._catalogue, models, standing)
            try:
                async with aclosing(self._answered(models, prompt, number, standing)) as answered:
                    async for part in answered:
                        yield part
            except AgentFailure as failure:
                self.outcome = self._failed(f"no model could be asked: {failure}", standing.found)
                self._scope = ended
                turns.clear()
                break
            if (question := self._question()) is not None:
                yield question
                self.outcome = None
                return
            if self._refuses():
                return
            ended = self._scope
            ending = ended.end()
            for task in ending.tasks:
                for part in self._adopted(task):
                    yield part
            found = (*ending.found, *self._lacking(ending))
            if not found:
                self._adoption.recall()
                for part in self._closed(ending):
                    yield part
                self.outcome = None
                return
            ending = replace(ending, found=found)
            self.outcome = self._failed(_said(found), found)
            self._reasons.append(f"answer {number} left {_said(found)}")
            if self._scope.cut and len(self._adoption.adopted) > before and continuations < CONTINUATIONS:
                continuations += 1
                turns.insert(0, models)
        for part in self._leniently():
            yield part

    def _leniently(self) -> Iterator[PlanPart]:
        """Nobody is left to ask: what is only doubtful may stand."""
        self._adoption.strict = False
        ending = self._scope.end()
        if not ending.found and not list(self._lacking(ending)):
            for task in ending.tasks:
                yield from self._adopted(task)
            yield from self._closed(ending)
            self.outcome = None

    # ---- one answer

    async def _answered(
        self, models: Sequence[Model], prompt: Prompt, number: int, standing: Standing
    ) -> AsyncGenerator[PlanPart, None]:
        """Ask, and give the parts of the plan that the answer brings while it comes. Raises AgentFailure."""
        told = frozenset(task.id for task in standing.adopted)
        scanner = self._begin(told)
        key = f"answer {self._round}.{number}, {len(self._adoption.adopted)} tasks before"
        async with aclosing(_heard(models, prompt, self._caller, key)) as heard:
            async for one in heard:
                if isinstance(one, Reply):
                    self._calls += 1
                    self._tokens += one.usage.tokens
                    self._scope.cut |= one.finish == "length"
                    pieces = scanner.close()
                elif one:
                    pieces = scanner.feed(one)
                else:  # the answer broke off, and begins anew
                    scanner, pieces = self._begin(told), []
                for piece in pieces:
                    if is_task(piece) and not self._scope.has_tasks:
                        yield self._interpreted()
                    for task in self._scope.take(piece):
                        for part in self._adopted(task):
                            yield part

    def _asked_before(self, number: int) -> int | None:
        """Give how many tasks were adopted when an answer was asked for that is there already; None for a new one."""
        for call in self._state.calls.values():
            match = _KEY.fullmatch(call.key)
            if match is None or call.role != "planner" or call.status != "done":
                continue
            if (int(match[1]), int(match[2]), call.number) == (self._round, number, self._state.revision):
                return int(match[3])
        return None

    @property
    def _round(self) -> int:
        return len(self._state.clarified)

    def _begin(self, told: frozenset[str]) -> Scanner:
        self._scope = Answer(self._adoption, told)
        return Scanner()

    def _adopted(self, task: Task) -> Iterator[PlanPart]:
        if not self._revises:
            yield AddTask(actor=ACTOR, revision=self._state.revision, task=task)

    def _interpreted(self) -> InterpretGoal:
        """Give what the answer takes the goal for; in a run that goes on, what it keeps is kept by now."""
        header = self._scope.header
        self._keep(header.keep)
        self._meant = replace(
            self._meant,
            restated=header.restated or self._meant.restated,
            done=header.done or self._meant.done,
            assumptions=header.assumptions or self._meant.assumptions,
            reasons=header.reasons or self._meant.reasons,
        )
        return InterpretGoal(actor=ACTOR, revision=self._state.revision, interpretation=self._meant)

    def _keep(self, names: Sequence[str]) -> None:
        """Take over tasks of the running plan that are not done, each after what it refers to."""
        left = {one.task.id: one.task for one in self._planned() if not one.status.final} if self._revises else {}
        graph = graph_of([left[name] for name in dict.fromkeys(names) if name in left])
        for id_ in graph.order:
            if id_ not in self._adoption.adopted and self._adoption.adopts(graph.tasks[id_], alone=False) is not None:
                self._scope.knows(id_)

    # ---- what comes of it

    def _question(self) -> ClarifyGoal | None:
        header, state = self._scope.header, self._state
        if not header.question or self._scope.has_tasks or len(state.clarified) >= QUESTIONS:
            return None
        choices = tuple(dict.fromkeys(header.choices))
        told = f"{header.question} ({' / '.join(choices)})" if choices else header.question
        return ClarifyGoal(
            actor=ACTOR, revision=state.revision, round=len(state.clarified), question=told, choices=choices
        )

    def _refuses(self) -> bool:
        header = self._scope.header
        if not header.refuse or self._scope.has_tasks:
            return False
        refusal = Refusal(reason=header.refuse, missing=header.missing)
        self.outcome = replace(self._failed(str(refusal), ()), refusal=refusal)
        return True

    def _lacking(self, ending: Ending) -> Iterator[Diagnostic]:
        """Say what an answer lacks though nothing of it is wrong: an end, or any plan at all."""
        if ending.found:
            return
        if self._scope.cut:
            yield diagnose("unreadable", "tasks", "the answer broke off before its end", "Write what is missing.")
        elif self._scope.is_empty or not self._adoption.adopted:
            yield diagnose("empty-plan", "tasks", "there is no task in the answer", "Answer in the form above.")
        elif self._scope.header.question and not self._scope.has_tasks:
            yield diagnose("bad-value", "question", "no more questions are asked", "Assume, and say what.")

    def _closed(self, ending: Ending) -> Iterator[PlanPart]:
        """Close the plan: with what it means and cost by now, how it was mended, and what it delivers."""
        state, revision = self._state, self._state.revision
        plan = self._adoption.whole((), ending.deliver)
        self._interpreted()
        meant = replace(
            self._meant, reasons=(*self._meant.reasons, *self._reasons, self._effort()), repaired=self._told()
        )
        for task in plan.tasks if self._revises else ():
            yield AddTask(actor=ACTOR, revision=revision, task=task)
        yield InterpretGoal(actor=ACTOR, revision=revision, interpretation=triaged(meant, plan, state.catalogue))
        yield ClosePlan(actor=ACTOR, revision=revision, deliver=plan.deliver)

    def _failed(self, reason: str, found: Sequence[Diagnostic]) -> Failure:
        return Failure(reason=reason, found=tuple(found), adopted=bool(self._adoption.adopted) and not self._revises)

    @property
    def interpretation(self) -> Interpretation:
        """What was made of the goal so far, with how far it came."""
        return replace(
            self._meant, reasons=(*self._meant.reasons, *self._reasons, self._effort()), repaired=self._told()
        )

    def _effort(self) -> str:
        names = ", ".join(model.name for model in self._models)
        return f"planned by {names}: {self._calls} answer{'' if self._calls == 1 else 's'}, {self._tokens} tokens"

    def _told(self) -> tuple[str, ...]:
        return tuple(f"{one} [{one.code}]" for one in self._adoption.changes[:_MOST_TOLD])

    def _standing(self, ending: Ending) -> Standing:
        known = self._adoption.adopted.values() if not self._revises else self._fresh()
        return Standing(
            adopted=tuple(known),
            rejected=ending.rejected,
            found=ending.found,
            cut=self._scope.cut,
            no_questions=len(self._state.clarified) >= QUESTIONS,
        )

    def _fresh(self) -> Iterator[Task]:
        """Give the tasks of a new plan that the running one has not done."""
        done = {one.task.id for one in self._planned() if is_done(self._state, one)}
        return (task for id_, task in self._adoption.adopted.items() if id_ not in done)

    def _planned(self) -> Iterator[TaskState]:
        """Give the tasks of the running plan, in its order."""
        state = self._state
        every = (state.tasks[state.ids[position]] for position in range(len(state.ids)))
        return (one for one in every if one.parent is None and one.task.undoes is None)

    def _check(self, plan: Plan) -> list[Diagnostic]:
        return [*check(plan, self._catalogue, budget=self._state.budget), *condition_defects(plan)]


async def _heard(
    models: Sequence[Model], prompt: Prompt, caller: Caller, key: str
) -> AsyncGenerator[str | Reply, None]:
    """Ask, and give the text as it comes, then the reply; a text without a letter says that it begins anew."""
    pieces: asyncio.Queue[str | None] = asyncio.Queue()

    async def asked() -> Reply:
        try:
            return await ask(models, prompt, caller, key=key, role="planner", heard=pieces.put_nowait)
        finally:
            pieces.put_nowait(None)

    asking = asyncio.create_task(asked(), name="stretto-planner")
    try:
        while (piece := await pieces.get()) is not None:
            yield piece
        yield await asking
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


def _said(found: Sequence[Diagnostic]) -> str:
    wrong = errors(list(found))
    return f"{len(wrong)} defect{'' if len(wrong) == 1 else 's'}, the first: {wrong[0]}"
