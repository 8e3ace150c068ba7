"""What runs amount to in figures: a fold over the events of a run that has ended, into measures that add up.

An intervention is what a person does to a run while it goes on, or to have it go on: an approval, a denial, an answer
(also those given beforehand with `--approve`), a task taken over, a retry, an edit, a new plan asked for, other
limits, a pause and its end, a cancellation, and a fork. A rating is none, and neither is the work of a person whom the
plan names as the agent of a task: that is part of the plan. What a chain says when nobody answered is nobody's.

A fork is measured from where it was forked, for what it was copied from is measured with its parent.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from stretto.core.canonical import short
from stretto.core.decide.people import is_for_people
from stretto.core.decide.starting import DONE_BEFORE
from stretto.core.domain import FREE, AgentCard, Cost, FailureClass, RunStatus
from stretto.core.events import (
    AttemptCompleted,
    AttemptDoubted,
    AttemptFailed,
    AttemptForgotten,
    AttemptLost,
    AttemptStarted,
    AttemptSuspended,
    Event,
    LimitsChanged,
    PersonAnswered,
    PlanRevised,
    ReadStale,
    ResultRejected,
    ResultReviewed,
    RevisionBegun,
    RunCancelled,
    RunCancelling,
    RunContinued,
    RunForked,
    RungClimbed,
    RunPaused,
    TaskCompleted,
    TasksReopened,
)
from stretto.core.evolve import evolve
from stretto.core.ladder import ELSEWHERE
from stretto.core.measures import AgentSkill, Contribution, Measures, RunMeasures, Workflow
from stretto.core.sketch import Sketch
from stretto.core.state import RunState, child_id
from stretto.core.timeline import TimelineFold, renamed
from stretto.core.trust import finds_wrong


def measured(events: Iterable[Event]) -> RunMeasures | None:
    """Fold the events of a run; None for one that has not ended, or that there is not."""
    fold = _Fold()
    for event in events:
        fold.take(event)
    return fold.measures()


@dataclass(slots=True)
class _Tally:
    """Counts that are still growing."""

    counts: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    handoffs: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    cost: Cost = FREE

    def measures(self, run: dict[str, int]) -> Measures:
        return Measures(
            **run,
            **self.counts,
            failures=dict(self.failures),
            handoffs=Sketch.of(self.handoffs),
            seconds=Sketch.of(self.seconds),
            money=self.cost.money,
            tokens=self.cost.tokens,
        )


@dataclass(slots=True)
class _Attempt:
    """An attempt whose result nobody has judged yet; `began` is None once its length is known, or of no account."""

    who: AgentSkill
    began: float | None


@dataclass(slots=True)
class _Fold:
    """What is known after some events."""

    state: RunState = field(default_factory=RunState)
    line: TimelineFold = field(default_factory=TimelineFold)
    whole: _Tally = field(default_factory=_Tally)
    agents: defaultdict[AgentSkill, _Tally] = field(default_factory=lambda: defaultdict(_Tally))
    versions: dict[str, str] = field(default_factory=dict)
    aided: bool = False
    attempts: dict[str, _Attempt] = field(default_factory=dict)
    had: dict[str, dict[AgentSkill, bool]] = field(default_factory=dict)  # who was given a task; whether it was moved
    failed: dict[str, AgentSkill] = field(default_factory=dict)  # who failed last at a task that is still open
    made: dict[str, AgentSkill | None] = field(default_factory=dict)  # whose accepted result stands; None: no agent's

    def take(self, event: Event) -> None:
        """Fold one more event."""
        before, known = self.state, len(self.line.handoffs)
        self.state = evolve(before, event)
        self.line.take(event)
        match event:
            case AttemptStarted():
                self._started(event, [one.seconds for one in self.line.handoffs[known:]])
            case AttemptCompleted():
                self._timed(event.task, event.at)
            case AttemptFailed():
                self._timed(event.task, event.at)
                self._failed(event.task, event.failure.value)
            case AttemptSuspended() if event.unknown:
                self._failed(event.task, FailureClass.UNKNOWN.value)
            case AttemptSuspended() | AttemptDoubted():
                self._untimed(event.task)
            case AttemptForgotten() | AttemptLost() | ReadStale(redone=True):
                self.attempts.pop(event.task, None)
            case ResultReviewed():
                self._reviewed(event)
            case ResultRejected():
                self._failed(event.task, FailureClass.INVALID_OUTPUT.value)
            case RungClimbed():
                if event.do in ELSEWHERE:
                    self._moved(event.task, self._at_skill(event.task, event.by))
            case TaskCompleted():
                self._accepted(event)
            case PersonAnswered():
                self._answered(event, before)
            case TasksReopened():
                self.aided |= is_person(event.by)
                self._reopened(event, before)
            case PlanRevised():
                self.aided |= is_person(event.by)
                self._revised(event, before)
            case RevisionBegun() | RunPaused() | RunContinued() | RunCancelled() | RunCancelling():
                self.aided |= is_person(event.by)
            case LimitsChanged():
                self.aided = True
            case RunForked():
                self._forked(event.at)
            case _:
                pass
        if self.state.spent is not before.spent:
            self._paid(event, before)

    def measures(self) -> RunMeasures | None:
        """Give what it all amounts to."""
        state = self.state
        if state.ended is None:
            return None
        finished = state.status is RunStatus.FINISHED
        run = {
            "runs": 1,
            "finished": int(finished),
            "unaided": int(finished and not self.aided),
            "ratings": len(state.ratings),
            "stars": sum(one.score for one in state.ratings.values()),
        }
        team = bool(state.parent)
        return RunMeasures(
            run=state.run,
            workflow=Workflow(workspace=state.workspace, name=workflow_of(state)),
            ended=state.ended,
            whole=Measures() if team else self.whole.measures(run),
            agents=tuple(Contribution(who, one.measures({} if team else run)) for who, one in self.agents.items()),
        )

    def _both(self, who: AgentSkill | None) -> list[_Tally]:
        """Give what counts for the run, and for an agent where there is one."""
        return [self.whole] if who is None else [self.whole, self.agents[who]]

    def _at_skill(self, id_: str, agent: str) -> AgentSkill:
        if agent not in self.versions:
            self.versions[agent] = version_of(self.state.roster.agents[agent])
        skill = self.state.roster.skill(self.state.tasks[id_].task, agent).name
        return AgentSkill(agent=agent, version=self.versions[agent], skill=skill)

    def _started(self, event: AttemptStarted, handoffs: list[float]) -> None:
        who, failed = self._at_skill(event.task, event.agent), self.failed.pop(event.task, None)
        if failed is not None and failed.agent != who.agent:
            self._moved(event.task, failed)
        self._given(event.task, who)
        self.attempts[event.task] = _Attempt(who, event.at)
        for tally in self._both(who):
            tally.counts["attempts"] += 1
            tally.handoffs += handoffs

    def _given(self, id_: str, who: AgentSkill) -> None:
        had = self.had.setdefault(id_, {})
        if not had:
            self.whole.counts["tasks"] += 1
        if who not in had:
            had[who] = False
            self.agents[who].counts["tasks"] += 1

    def _moved(self, id_: str, who: AgentSkill) -> None:
        """Count a task that an agent could not keep, once for the run and once for the agent."""
        self._given(id_, who)
        had = self.had[id_]
        if not any(had.values()):
            self.whole.counts["moved"] += 1
        if not had[who]:
            had[who] = True
            self.agents[who].counts["moved"] += 1

    def _timed(self, id_: str, at: float) -> None:
        """Take down how long an attempt took."""
        one = self.attempts.get(id_)
        if one is not None and one.began is not None:
            for tally in self._both(one.who):
                tally.seconds.append(at - one.began)
            one.began = None

    def _untimed(self, id_: str) -> None:
        """Forget how long an attempt took: what waited for others tells nothing of it."""
        if id_ in self.attempts:
            self.attempts[id_].began = None

    def _failed(self, id_: str, failure: str) -> None:
        one = self.attempts.pop(id_, None)
        if one is not None:
            self.failed[id_] = one.who
            for tally in self._both(one.who):
                tally.failures[failure] += 1

    def _reviewed(self, event: ResultReviewed) -> None:
        """Count the claims that were looked up: those of a result are its agent's, those of a judge are not."""
        one = self.attempts.get(event.task)
        for review in event.reviews:
            own = one.who if one is not None and not review.by else None
            for tally in self._both(own) if review.checked else ():
                tally.counts["checked"] += review.checked
                tally.counts["unsupported"] += review.unsupported

    def _accepted(self, event: TaskCompleted) -> None:
        done, one = self.state.tasks[event.task], self.attempts.pop(event.task, None)
        self.failed.pop(event.task, None)
        who = one.who if one is not None else None
        for tally in self._both(who) if who is not None else ():
            tally.counts["successes"] += 1
        whole, undoing = done.children is not None, done.task.undoes is not None
        if whole or undoing or event.reviewer == DONE_BEFORE:
            return
        self.made[event.task] = who
        for tally in self._both(who):
            tally.counts["accepted"] += 1

    def _answered(self, event: PersonAnswered, before: RunState) -> None:
        request, one = before.requests[event.request], before.tasks.get(event.task)
        if request.kind == "question" and one is not None and is_for_people(before, one):
            return  # the agent is at its task
        self.aided |= is_person(event.by)
        if request.kind == "review" and event.decision in ("done", "skip", "fail"):
            self._failed(event.task, FailureClass.INVALID_OUTPUT.value)
        elif event.decision == "done":
            self.attempts.pop(event.task, None)

    def _reopened(self, event: TasksReopened, before: RunState) -> None:
        children = before.tasks[event.task].children or 0
        results = [event.task, *(child_id(event.task, number) for number in range(children))]
        for id_ in results if finds_wrong(event) else ():
            if id_ in self.made:
                for tally in self._both(self.made.pop(id_)):
                    tally.counts["wrong"] += 1
        last = before.tasks[event.task].agent
        if event.agent is not None and last not in (None, event.agent):
            self._moved(event.task, self._at_skill(event.task, str(last)))

    def _revised(self, event: PlanRevised, before: RunState) -> None:
        """Go on with what stays under its new name, and with what is still to be done under the name it has."""
        names, planned = renamed(event, before.tasks), {task.id for task in event.tasks}
        self.attempts = {names[id_]: one for id_, one in self.attempts.items() if id_ in names}
        self.made = {names[id_]: one for id_, one in self.made.items() if id_ in names}
        again = {id_: id_ for id_ in before.tasks if id_ in planned and id_ not in names} | names
        self.had = {again[id_]: one for id_, one in self.had.items() if id_ in again}
        self.failed = {again[id_]: one for id_, one in self.failed.items() if id_ in again}

    def _forked(self, at: float) -> None:
        """Begin anew: what was before is another run's, but for the attempts under way, which the fork does itself."""
        self.aided = True
        self.whole, self.agents = _Tally(), defaultdict(_Tally)
        self.had.clear()
        going = {id_: one for id_, one in self.attempts.items() if not self.state.tasks[id_].status.final}
        self.attempts = {id_: _Attempt(one.who, None if one.began is None else at) for id_, one in going.items()}
        for id_, one in self.attempts.items():
            self._given(id_, one.who)
            for tally in self._both(one.who):
                tally.counts["attempts"] += 1

    def _paid(self, event: Event, before: RunState) -> None:
        """Count what an event cost: all of it for the run, for an agent what its attempts cost."""
        self.whole.cost += self.state.spent - before.spent
        if self.state.spent_by is before.spent_by:
            return
        id_ = _task_of(event)
        agent = str(before.tasks[id_].agent)
        cost = self.state.spent_by[agent] - before.spent_by.get(agent, FREE)
        self.agents[self._at_skill(id_, agent)].cost += cost


def is_person(by: str) -> bool:
    """Whether somebody, and not the system, said so; `by` is an actor, with or without `person:`."""
    return by != "system" and not by.startswith("system:")


def version_of(card: AgentCard) -> str:
    """Give the version of an agent, or where its card says none a hash of the card."""
    return card.version or short(msgspec.to_builtins(card))


def workflow_of(state: RunState) -> str:
    """Name what a run was an instance of: its plan, its playbook, or how else it was planned."""
    if state.given is not None:
        return state.given.name or "plan without a name"
    if state.streamed:
        return "streamed plan"
    meant = state.interpretation
    return meant.playbook if meant is not None and meant.playbook else "planned goal"


def _task_of(event: Any) -> str:
    """Give the task that an event about an attempt, or about one of its inner calls, is about."""
    return str(getattr(event, "of", event).task)
