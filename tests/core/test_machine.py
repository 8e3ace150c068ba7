"""The loop as a machine: commands, crashes and clock jumps in any order, against an outside that keeps count.

The outside is honest: it does what it is asked, tells when asked about a key, and sometimes its reply is lost. It must
never be asked for one keyed deed twice, except where a person has said so.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from stretto.core.commands import AnswerRequest, Cancel, ChangeLimits, Command, LookedUp, Recover, ReportOutcome
from stretto.core.decide import decide
from stretto.core.domain import Budget, Completed, Failed, FailureClass, Outcome, Piece, TaskStatus, Unknown
from stretto.core.effects import Effect, LookUp, RunTask, Wait
from stretto.core.evolve import evolve
from stretto.core.state import RunState
from tests.core.world import World, catalogues, due, plain, plans, through_json

SAFE = ("none", "idempotent")
NOTHING_HAPPENED = (FailureClass.TRANSIENT, FailureClass.RATE_LIMITED, FailureClass.UNAVAILABLE)


@dataclass
class Outside(World):
    """A world that keeps count of deeds by key, and lets nothing be done twice unseen."""

    deeds: Counter[str] = field(default_factory=Counter)
    pardoned: set[str] = field(default_factory=set)  # keys that a person wants done again

    def do(self, effect: RunTask) -> Outcome:
        """Perform an attempt for real: the deed is counted, whatever becomes of the reply."""
        one = self.state.tasks[effect.task]
        key, declared = str(one.key), self.state.roster.effect(one.task, effect.agent).value
        kind = self.draw(st.sampled_from(["done", "done", "done", "lost", "nothing", "broken"]))
        if kind == "nothing":
            failure = self.draw(st.sampled_from(NOTHING_HAPPENED))
            return Failed(failure=failure, message="nothing happened")
        if kind == "broken" and declared in SAFE:
            return Failed(failure=self.draw(st.sampled_from([FailureClass.ERROR, FailureClass.TIMED_OUT])), message="x")
        if declared not in SAFE:
            assert not self.deeds[key] or key in self.pardoned, f"{effect.task} does {key} twice"
            self.pardoned.discard(key)
        self.deeds[key] += 1
        return Unknown(message="the reply was lost") if kind == "lost" else Completed(output=effect.task)

    def answers(self, effect: Effect) -> list[Command]:
        match effect:
            case RunTask():
                if calls := self._calls_of(Piece(work="run", task=effect.task, number=effect.attempt)):
                    return calls
                return [ReportOutcome(task=effect.task, attempt=effect.attempt, outcome=self.do(effect))]
            case LookUp():
                happened = self.deeds[str(self.state.tasks[effect.task].key)]
                outcome = Completed(output=effect.task) if happened else None
                return [LookedUp(task=effect.task, attempt=effect.attempt, outcome=outcome)]
            case _:
                return super().answers(effect)


class Loop(RuleBasedStateMachine):
    """What may happen to a run, in any order."""

    world: Outside

    @initialize(data=st.data())
    def begins(self, data: st.DataObject) -> None:
        self.world = Outside(data.draw)
        budget = Budget(steps=data.draw(st.none() | st.integers(3, 30)))
        self.world.submit(
            data.draw(plans(most=5)), data.draw(catalogues), budget, data.draw(st.none() | st.floats(5, 500))
        )

    @property
    def state(self) -> RunState:
        return self.world.state

    def going(self) -> bool:
        return bool(self.world.under_way)

    @precondition(going)
    @rule(data=st.data())
    def something_under_way_ends(self, data: st.DataObject) -> None:
        self.world.draw = data.draw
        under_way = self.world.under_way
        effect = under_way[data.draw(st.sampled_from(sorted(under_way)))]
        for command in self.world.answers(effect):
            self._pardon(command)
            self.world.say(command)

    @precondition(going)
    @rule(data=st.data())
    def a_deed_is_done_and_nobody_hears_of_it(self, data: st.DataObject) -> None:
        """The process dies between the deed and the commit of its report."""
        self.world.draw = data.draw
        deeds = [one for one in self.world.under_way.values() if isinstance(one, RunTask)]
        if deeds:
            self.world.do(data.draw(st.sampled_from(sorted(deeds, key=lambda one: one.key))))
        self._dies()

    @rule(data=st.data())
    def the_process_dies(self, data: st.DataObject) -> None:
        self.world.draw = data.draw
        self._dies()

    @rule(data=st.data(), seconds=st.sampled_from([0.5, 30.0, 3600.0, 86400.0 * 3]))
    def time_passes(self, data: st.DataObject, seconds: float) -> None:
        """The clock jumps; every timer that is due by then may fire, in any order."""
        self.world.draw = data.draw
        self.world.now += seconds
        waits = [one for one in self.world.under_way.values() if isinstance(one, Wait) and one.until <= self.world.now]
        for effect in data.draw(st.permutations(waits)):
            if effect.key in self.world.under_way:
                for command in self.world.answers(effect):
                    self.world.say(command)

    @precondition(lambda self: len(self.world.commands) > 3)
    @rule(data=st.data())
    def a_reply_is_doubled(self, data: st.DataObject) -> None:
        said = data.draw(st.sampled_from(self.world.commands))
        if not isinstance(said, Recover | ChangeLimits | Cancel):
            assert decide(self.state, replace(said, at=self.world.now)) == [], f"{said} counts twice"

    @precondition(lambda self: not self.state.status.final)
    @rule(data=st.data(), steps=st.integers(20, 60))
    def the_budget_is_raised(self, data: st.DataObject, steps: int) -> None:
        self.world.draw = data.draw
        self.world.say(ChangeLimits(budget=Budget(steps=steps)))

    @precondition(lambda self: len(self.world.events) > 40)
    @rule(data=st.data())
    def somebody_cancels(self, data: st.DataObject) -> None:
        self.world.draw = data.draw
        self.world.say(Cancel(actor="person:p"))

    @invariant()
    def the_journal_tells_the_state(self) -> None:
        if hasattr(self, "world"):
            assert plain(reduce(evolve, through_json(self.world.events), RunState())) == plain(self.state)

    @invariant()
    def what_is_under_way_is_what_is_due(self) -> None:
        if hasattr(self, "world"):
            assert self.world.under_way == due(self.state)

    @invariant()
    def nothing_is_stuck(self) -> None:
        if hasattr(self, "world") and self.state.run and not self.state.status.final:
            assert self.world.under_way, "nothing is under way, and the run has not ended"

    def teardown(self) -> None:
        """Whatever happened: driven on, the run ends, and nothing that was finished is lost."""
        if not hasattr(self, "world"):
            return
        done = {id_ for id_, one in self.state.tasks.items() if one.status is TaskStatus.COMPLETED}
        for _ in range(600):
            if self.state.status.final:
                break
            effect = min(self.world.under_way.values(), key=lambda one: (isinstance(one, Wait), one.key))
            for command in self.world.answers(effect):
                self._pardon(command)
                self.world.say(command)
        assert self.state.status.final
        assert done <= {id_ for id_, one in self.state.tasks.items() if one.status is TaskStatus.COMPLETED}

    def _dies(self) -> None:
        self.world.state = reduce(evolve, through_json(self.world.events), RunState())
        self.world.under_way = due(self.world.state)
        self.world.say(Recover())

    def _pardon(self, command: Command) -> None:
        if isinstance(command, AnswerRequest) and command.decision == "retry":
            request = self.state.requests[command.request]
            self.world.pardoned.add(str(self.state.tasks[request.task].key))


TestLoop: Callable[..., Any] = Loop.TestCase
TestLoop.settings = settings(  # type: ignore[attr-defined]
    max_examples=100,
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
