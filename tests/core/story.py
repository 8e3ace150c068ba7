"""A run told as a story: each test says what happens, and the clock moves only when it says so."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from stretto.core.commands import (
    AddTask,
    AnswerRequest,
    ClosePlan,
    Command,
    FireTimer,
    Judged,
    ReportOutcome,
    ReportReview,
    SubmitGoal,
)
from stretto.core.context import resolve
from stretto.core.decide import step
from stretto.core.domain import (
    AgentCard,
    Catalogue,
    Completed,
    Failed,
    FailureClass,
    Json,
    Outcome,
    Review,
    SideEffect,
    Skill,
    Task,
    Verdict,
)
from stretto.core.effects import Effect, Withdraw
from stretto.core.events import Event
from stretto.core.reconcile import changes, judgements
from stretto.core.state import RunState, TaskState
from tests.core.world import due

ALLOW = Verdict(decision="allow", rule="test")
ASK = Verdict(decision="ask", rule="test", reason="see to it")
ANYTHING = {"type": "object"}


def agent(name: str = "worker", skill: str = "work", effect: SideEffect = SideEffect.NONE, **card: Any) -> AgentCard:
    """Give an agent with one skill, which takes any arguments."""
    undo = card.pop("undo", None)
    return AgentCard(name=name, skills=(Skill(name=skill, effect=effect, inputs=ANYTHING, undo=undo),), **card)


def booker(**card: Any) -> AgentCard:
    """Give an agent that books and takes bookings back."""
    skills = (
        Skill(name="book", effect=SideEffect.REVERSIBLE, inputs=ANYTHING, undo="unbook"),
        Skill(name="unbook", effect=SideEffect.IDEMPOTENT, inputs=ANYTHING),
    )
    return AgentCard(name="booker", skills=skills, **card)


class Story:
    """A run that is told what happens; at each word what a running loop has under way is held against what is due."""

    def __init__(self, catalogue: Catalogue, *tasks: Task, closed: bool = True, **goal: Any) -> None:
        self.state, self.now = RunState(), 1000.0
        self.events: list[Event] = []
        self.under_way: dict[str, Effect] = {}
        self.say(SubmitGoal(run="run", goal="a goal", catalogue=catalogue, **goal))
        for task in tasks:
            self.say(AddTask(revision=1, task=task))
        if closed:
            self.close()

    def say(self, command: Command) -> Sequence[Event]:
        """Give the facts that follow from a command."""
        before = self.state
        events, self.state = step(before, replace(command, at=self.now))
        self.events += events
        for change in changes(before, self.state, events):
            if isinstance(change, Withdraw):
                del self.under_way[change.key]
            else:
                self.under_way[change.key] = change
        assert self.under_way == due(self.state)
        return events

    def close(self, deliver: Json = None) -> None:
        """Close the plan, which must be sound."""
        self.say(ClosePlan(revision=self.state.revision, deliver=deliver))
        assert self.state.refused is None, self.state.refused
        assert not self.state.plan_open

    def one(self, id_: str) -> TaskState:
        return self.state.tasks[id_]

    def due(self, kind: type[Effect]) -> list[Any]:
        return [effect for effect in self.under_way.values() if isinstance(effect, kind)]

    def said(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def judge(self, id_: str, **found: Any) -> Sequence[Event]:
        """Judge a task that is ready: it may start, unless the test says otherwise."""
        effect = next(effect for effect in judgements(self.state) if effect.task == id_)
        found = found or {"verdict": ALLOW, "arguments": resolve(self.state, self.one(id_))}
        return self.say(Judged(task=id_, attempt=effect.attempt, agent=effect.agent, **found))

    def begin(self, *ids: str) -> None:
        """Have attempts begin, after the pause before them."""
        for id_ in ids:
            if (until := self.one(id_).retry_at) is not None:
                self.fire(f"retry/{id_}", until)
            self.judge(id_)

    def end(self, id_: str, outcome: Outcome) -> Sequence[Event]:
        """Report how the attempt under way ended."""
        return self.say(ReportOutcome(task=id_, attempt=self.one(id_).attempt, outcome=outcome))

    def review(self, id_: str, *, accepted: bool = True) -> Sequence[Event]:
        review = Review(accepted=accepted, reviewer="r", findings=() if accepted else ("too short",))
        return self.say(ReportReview(task=id_, attempt=self.one(id_).attempt, review=review))

    def succeed(self, *ids: str, output: Json = "done") -> None:
        """Have attempts under way end well."""
        for id_ in ids:
            self.end(id_, Completed(output=output))
            self.review(id_)

    def do(self, *ids: str, output: Json = "done") -> None:
        """Have tasks begun and done, one after the other."""
        for id_ in ids:
            self.begin(id_)
            self.succeed(id_, output=output)

    def fail(self, id_: str, failure: FailureClass = FailureClass.ERROR) -> Sequence[Event]:
        return self.end(id_, Failed(failure=failure, message="it broke"))

    def answer(self, word: str, value: Json = None) -> Sequence[Event]:
        """Answer the only open request."""
        (request,) = self.state.requests
        return self.say(AnswerRequest(actor="person:ann", request=request, decision=word, value=value))  # type: ignore[arg-type]

    def fire(self, timer: str, until: float) -> Sequence[Event]:
        """Let time pass until a timer is due, and fire it."""
        self.now = max(self.now, until)
        return self.say(FireTimer(timer=timer))
