"""What every engine must do, as tests: subclass `EngineContract`, say how to make one, and let pytest find it."""

import asyncio
from collections.abc import Sequence

from stretto.core.commands import (
    AddTask,
    AnswerRequest,
    Cancel,
    ClosePlan,
    Command,
    Deliver,
    FireTimer,
    Judged,
    ReportOutcome,
    ReportReview,
    SubmitGoal,
)
from stretto.core.decide import step
from stretto.core.domain import (
    AgentCard,
    Catalogue,
    Completed,
    Delivery,
    Review,
    Rules,
    SideEffect,
    Skill,
    Task,
    Verdict,
)
from stretto.core.effects import AskPerson, Change, Effect, Judge, MakePlan, ReviewResult, RunTask, Synthesise, Wait
from stretto.core.errors import LostOwnership
from stretto.core.events import Event
from stretto.core.reconcile import changes, reconcile
from stretto.core.state import RunState
from stretto.ports import Emit, Engine, Note

SECONDS = 20.0


class EngineContract:
    """Subclass it as `TestMyEngine` and implement `make`."""

    def make(self) -> Engine:
        """Give an engine."""
        raise NotImplementedError

    def test_it_drives_a_run_to_its_end(self) -> None:
        script = Script([Task(id="a", skill="do"), Task(id="b", skill="do", after=("a",))])
        state = self.drive(script)
        assert state.status.value == "finished"
        assert script.ran == ["a", "b"]
        assert script.left

    def test_what_does_not_wait_for_each_other_runs_side_by_side(self) -> None:
        script = Script([Task(id=f"t{n}", skill="do") for n in range(5)])
        script.meet = 5
        assert self.drive(script).status.value == "finished"

    def test_one_slow_task_holds_up_only_what_waits_for_it(self) -> None:
        script = Script([Task(id="slow", skill="do"), Task(id="a", skill="do"), Task(id="b", skill="do", after=("a",))])
        script.slow_until = ("slow", "b")
        assert self.drive(script).status.value == "finished"
        assert script.ended == ["a", "b", "slow"]

    def test_without_waiting_it_comes_back_when_only_a_person_can_help(self) -> None:
        script = Script([Task(id="ask", skill="do"), Task(id="a", skill="do")])
        script.asks = {"ask"}
        state = self.drive(script, wait=False)
        assert not state.status.final
        assert [request.task for request in state.requests.values()] == ["ask"]
        assert "a" in script.ended

    def test_a_command_left_in_the_inbox_reaches_a_run_that_waits(self) -> None:
        script = Script([Task(id="ask", skill="do")])
        script.asks = {"ask"}
        script.answer_asks = True
        assert self.drive(script).status.value == "finished"
        assert script.cleared == 1

    def test_withdrawn_work_is_stopped(self) -> None:
        script = Script([Task(id="a", skill="do")])
        script.hang = True
        script.cancel_when_running = True
        assert self.drive(script).status.value == "cancelled"
        assert script.stopped == ["a"]

    def test_losing_the_run_ends_the_drive_and_stops_its_work(self) -> None:
        script = Script([Task(id="a", skill="do")])
        script.hang = True
        script.lose_when_running = True
        try:
            self.drive(script)
        except LostOwnership:
            assert script.stopped == ["a"]
            assert script.left
            return
        raise AssertionError("it should have raised LostOwnership")

    def drive(self, script: "Script", *, wait: bool = True) -> RunState:
        """Drive a script, within a bound."""

        async def bounded() -> RunState:
            async with asyncio.timeout(SECONDS):
                return await self.make().drive("run", script, wait=wait)

        return asyncio.run(bounded())


class Script:
    """A shell over the real core whose outside is a script. See `stretto.ports.Performer`."""

    def __init__(self, tasks: list[Task]) -> None:
        self.tasks = tasks
        self.state = RunState()
        self.ran: list[str] = []
        self.ended: list[str] = []
        self.stopped: list[str] = []
        self.asks: set[str] = set()
        self.answer_asks = self.hang = self.cancel_when_running = self.lose_when_running = self.left = False
        self.meet = 0
        self.slow_until: tuple[str, str] = ("", "")
        self.cleared = 0
        self._done = {task.id: asyncio.Event() for task in tasks}
        self._all_here = asyncio.Event()

    async def begin(self, run: str, first: Sequence[Command] = ()) -> tuple[RunState, Sequence[Effect]]:
        skill = Skill(name="do", effect=SideEffect.NONE)
        catalogue = Catalogue(agents=(AgentCard(name="agent", skills=(skill,)),), rules=Rules(parallel=8))
        await self.advance([SubmitGoal(run=run, goal="goal", catalogue=catalogue), *first])
        return self.state, reconcile(self.state)

    async def advance(self, commands: Sequence[Command]) -> tuple[RunState, Sequence[Change]]:
        before, events = self.state, list[Event]()
        for command in commands:
            said, self.state = step(self.state, command)
            events += said
        return self.state, changes(before, self.state, events)

    def is_call(self, effect: Effect) -> bool:
        return isinstance(effect, RunTask)

    async def perform(self, effect: Effect, emit: Emit) -> Command | None:
        match effect:
            case MakePlan():
                for task in self.tasks:
                    await emit(AddTask(revision=effect.revision, task=task))
                await emit(ClosePlan(revision=effect.revision))
            case Judge():
                decision = "ask" if effect.task in self.asks else "allow"
                verdict = Verdict(decision=decision, rule="script")  # type: ignore[arg-type]
                return Judged(
                    task=effect.task, attempt=effect.attempt, agent=effect.agent, verdict=verdict, arguments={}
                )
            case RunTask():
                await self._work(effect.task)
                return ReportOutcome(task=effect.task, attempt=effect.attempt, outcome=Completed(output=1))
            case ReviewResult():
                review = Review(accepted=True, reviewer="script")
                return ReportReview(task=effect.task, attempt=effect.attempt, review=review)
            case Synthesise():
                return Deliver(delivery=Delivery(answer=1))
            case Wait():
                return FireTimer(timer=effect.timer)
            case AskPerson():
                return None
        return None

    async def _work(self, id_: str) -> None:
        self.ran.append(id_)
        if len(self.ran) == self.meet:
            self._all_here.set()
        try:
            if self.meet:
                await self._all_here.wait()
            if id_ == self.slow_until[0]:
                await self._done[self.slow_until[1]].wait()
            if self.hang:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.stopped.append(id_)
            raise
        self.ended.append(id_)
        self._done[id_].set()

    async def collect(self) -> Sequence[Note]:
        if self.lose_when_running and self.ran:
            raise LostOwnership("taken over")
        if self.cancel_when_running and self.ran:
            return [Note(id=1, command=Cancel(actor="person:p"))]
        if self.answer_asks and self.state.requests and not self.cleared:
            request = next(iter(self.state.requests))
            return [Note(id=1, command=AnswerRequest(actor="person:p", request=request, decision="approve"))]
        return []

    async def clear(self, notes: Sequence[Note]) -> None:
        self.cleared += len(notes)

    async def keep(self) -> None:
        return None

    async def leave(self) -> None:
        self.left = True
