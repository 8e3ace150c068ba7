"""The laws of inner calls, over plain plans whose work calls a lot: what is finished is not made again, no budget is
crossed, the books agree, and a replay tells the same. And the rules one by one, said as commands.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import reduce
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.core.calls import action_key, call_id, call_of, is_doubtful, weighed
from stretto.core.commands import (
    AddTask,
    AnswerRequest,
    BeginCall,
    Cancel,
    ClosePlan,
    Command,
    EditPlan,
    EndCall,
    FireTimer,
    InterpretGoal,
    Judged,
    Recover,
    ReportOutcome,
    RetryTask,
    SubmitGoal,
)
from stretto.core.decide import decide, step
from stretto.core.decide.revising import why_no_edit
from stretto.core.domain import (
    FREE,
    NO_BUDGET,
    AgentCard,
    Ask,
    Budget,
    Call,
    Called,
    Catalogue,
    Chain,
    Cost,
    Failed,
    FailureClass,
    InputRequired,
    Interpretation,
    Piece,
    Plan,
    Provider,
    Rules,
    SideEffect,
    Skill,
    Task,
    TaskStatus,
    Unknown,
    Usage,
    Verdict,
)
from stretto.core.effects import Wait
from stretto.core.events import CallBegun, CallEnded, CallLost, CallRefused, Event, PersonAsked
from stretto.core.evolve import evolve
from stretto.core.forking import later_deeds
from stretto.core.policy import DEFAULT, call_judgement, judge
from stretto.core.reconcile import changes, reconcile
from stretto.core.state import Meter, RunState
from tests.core.test_laws import EXAMPLES
from tests.core.world import World, due, plain, through_json

ALLOW = Verdict(decision="allow", rule="test", reason="because")
ASK = Verdict(decision="ask", rule="test", reason="it cannot be undone")
skill = Skill(name="do_none", effect=SideEffect.NONE)


def team(cost: Cost = FREE, *, bounded: bool = True) -> Catalogue:
    card = AgentCard(name="w", skills=(skill,), cost=cost, bounded=bounded)
    return Catalogue(agents=(card,), rules=Rules(parallel=8, stall=None))


@dataclass
class Calling(World):
    """A world whose agents make inner calls, and that keeps count of the deeds that must not be done twice."""

    deeds: Counter[str] = field(default_factory=Counter)
    pardoned: Counter[str] = field(default_factory=Counter)

    def say(self, command: Command) -> Sequence[Event]:
        if isinstance(command, AnswerRequest) and command.decision in ("retry", "done"):
            asked = self.state.requests.get(command.request)
            if asked is not None and asked.call:
                known = self.state.tasks[asked.task].calls[asked.call]
                self.pardoned[known.action] += 1  # the person has looked, or has done it
        events = super().say(command)
        for event in events:
            if isinstance(event, CallBegun) and not event.effect.repeatable:
                lost = self.deeds[event.action]
                assert not lost or self.pardoned[event.action] >= lost, f"{event.key} is done twice"
                if self.draw(st.booleans()):
                    self.deeds[event.action] += 1
        return events

    def _calls_of(self, of: Piece) -> list[Command]:
        said = super()._calls_of(of)
        if not said or not isinstance(said[0], BeginCall) or not is_doubtful(self.state, of, said[0].call):
            return said
        known = call_of(self.state, of, call_id(said[0].call))
        done = known is not None and self.deeds[known.action] > self.pardoned[known.action]
        if self.draw(st.booleans()):
            return [replace(said[0], never=False, found=None, doubt="it cannot be looked up")]
        return [replace(said[0], never=not done, found=Called(output="found") if done else None)]

    def _ended_call(self, of: Piece) -> list[Command]:
        """An honest outside: what it says to have happened has, and what it says to have failed has not."""
        said = super()._ended_call(of)
        for end in said:
            assert isinstance(end, EndCall)
            known = call_of(self.state, of, end.call)
            assert known is not None
            if known.effect.repeatable:
                continue
            if isinstance(end.outcome, Called):
                self.deeds[known.action] = self.pardoned[known.action] + 1
            elif isinstance(end.outcome, Failed | InputRequired):
                self.deeds[known.action] = self.pardoned[known.action]
        return said


def calling(data: st.DataObject) -> Calling:
    world = Calling(data.draw, steady=True, calling=("begin", "begin", "begin", "end", "end", "none"))
    tasks = (
        Task(id="a", skill="do_none", occurrence=1, budget=data.draw(st.sampled_from([None, Budget(tokens=20)]))),
        Task(id="b", skill="do_none", inputs={"x": {"ref": "a.output"}}, occurrence=2),
    )
    tokens = data.draw(st.sampled_from([8, 3, 0]))
    catalogue = team(Cost(money=Decimal(tokens), tokens=tokens), bounded=data.draw(st.integers(0, 3)) < 3)
    budget = data.draw(st.sampled_from([Budget(tokens=60), NO_BUDGET, Budget(tokens=40, money=Decimal(40))]))
    world.submit(Plan(tasks=tasks), catalogue, budget, None)
    return world


def moved(world: World, data: st.DataObject) -> bool:
    if data.draw(st.integers(0, 14)) == 0:
        world.say(Recover())
        return True
    if not world.under_way:
        return False
    effect = data.draw(st.sampled_from(sorted(world.under_way.values(), key=lambda one: one.key)))
    for command in world.answers(effect):
        world.say(command)
    return True


@EXAMPLES
@given(st.data())
def test_no_deed_is_done_twice_and_the_books_agree_with_the_calls(data: st.DataObject) -> None:
    world = calling(data)
    for _ in range(60):
        state = world.state
        tasks = list(state.tasks.values())
        open_own = [state.calls[name] for name in state.calling]
        assert state.reserved == sum((one.reserved for one in [*tasks, *open_own]), FREE)
        for one in tasks:
            open_ = {id_: call for id_, call in one.calls.items() if call.status == "open"}
            assert set(one.calling) == set(open_)
            assert one.promised == sum((call.reserved for call in open_.values()), FREE)
            assert one.status is TaskStatus.RUNNING or not open_
        assert world.under_way.keys() == due(state).keys()
        if not moved(world, data):
            break
    read = through_json(world.events)
    assert read == world.events
    assert plain(reduce(evolve, read, RunState())) == plain(world.state)


@EXAMPLES
@given(st.data())
def test_calls_never_cross_a_budget_of_run_or_task(data: st.DataObject) -> None:
    world = calling(data)
    world.honest = True
    for _ in range(60):
        state, most = world.state, world.state.budget
        assert most.tokens is None or state.spent.tokens + state.reserved.tokens <= most.tokens
        assert most.money is None or state.spent.money + state.reserved.money <= most.money
        for id_, account in state.accounts.items():
            own = state.tasks[id_].task.budget or NO_BUDGET
            assert own.tokens is None or account.spent.tokens + account.reserved.tokens <= own.tokens
        assert not any(one.overspent != FREE for one in state.tasks.values())
        assert state.overspent == FREE
        if not moved(world, data):
            return


@EXAMPLES
@given(st.data())
def test_whatever_calls_cost_is_counted_once_and_by_everything_it_was_for(data: st.DataObject) -> None:
    world = calling(data)
    for _ in range(60):
        state = world.state
        meters = state.meters
        roles = sum(meters.roles.values(), Meter())
        assert roles == sum(meters.models.values(), Meter()) + sum(meters.tools.values(), Meter())
        ends = [one.cost for one in world.events if type(one).__name__.startswith("Call") and hasattr(one, "cost")]
        assert roles.cost == sum(ends, FREE)
        work = sum((one.cost for one in state.tasks.values()), FREE)
        own = sum((call.cost for call in state.calls.values()), FREE)
        assert state.spent == work + own
        assert state.spent.tokens >= state.coordination.cost.tokens
        if not moved(world, data):
            return


@EXAMPLES
@given(st.data())
def test_a_word_about_a_call_said_twice_changes_nothing(data: st.DataObject) -> None:
    world = calling(data)
    for _ in range(40):
        before = len(world.commands)
        if not moved(world, data):
            return
        for command in world.commands[before:]:
            if isinstance(command, BeginCall | EndCall | AnswerRequest):
                assert decide(world.state, command) == []


# ---- rule by rule


class Loop:
    """A run with one task under way, to which things are said."""

    def __init__(self, catalogue: Catalogue | None = None, budget: Budget = NO_BUDGET) -> None:
        self.state, self.events = RunState(), list[Event]()
        plan = Plan(tasks=(Task(id="a", skill="do_none"),))
        self.say(SubmitGoal(run="run", goal="g", catalogue=catalogue or team(), plan=plan, budget=budget))
        self.say(InterpretGoal(revision=1, interpretation=Interpretation(planner="test")))
        self.say(AddTask(revision=1, task=plan.tasks[0]))
        self.say(ClosePlan(revision=1))
        self.start()

    def start(self) -> None:
        one = self.state.tasks["a"]
        self.say(Judged(task="a", attempt=one.attempt + 1, agent="w", verdict=ALLOW, arguments={}))

    def say(self, command: Command) -> list[Event]:
        before = self.state
        events, self.state = step(before, command)
        assert {one.key for one in reconcile(self.state)} >= {
            one.key for one in changes(before, self.state, events) if type(one).__name__ != "Withdraw"
        }
        self.events += events
        return list(events)

    @property
    def of(self) -> Piece:
        return Piece(work="run", task="a", number=self.state.tasks["a"].attempt)

    def begin(self, call: Call, verdict: Verdict = ALLOW, **more: Any) -> list[Event]:
        known = call_of(self.state, self.of, call_id(call))
        tries = known.tries if known is not None else 0
        return self.say(BeginCall(of=self.of, call=call, verdict=verdict, tries=tries, **more))

    def end(self, call: Call, outcome: Any) -> list[Event]:
        known = call_of(self.state, self.of, call_id(call))
        assert known is not None
        return self.say(EndCall(of=self.of, call=call_id(call), tries=known.tries, outcome=outcome))

    def answer(self, decision: str, value: Any = None, reason: str = "") -> list[Event]:
        (request,) = self.state.requests
        said = AnswerRequest(actor="person:ann", request=request, decision=decision, value=value, reason=reason)  # type: ignore[arg-type]
        return self.say(said)


SEND = Call(key="send", role="tool", what="send", arguments={"to": "ann"}, effect=SideEffect.IRREVERSIBLE)
READ = Call(key="read", role="tool", what="read", arguments={"n": 1})


def test_an_approval_is_of_one_call_with_its_arguments() -> None:
    loop = Loop()
    asked = next(one for one in loop.begin(SEND, ASK) if isinstance(one, PersonAsked)).request
    assert (asked.kind, asked.tool, asked.arguments) == ("approval", "send", {"to": "ann"})
    assert loop.state.tasks["a"].status is TaskStatus.WAITING
    loop.answer("approve")
    loop.start()
    (begun,) = loop.begin(SEND, ASK)
    assert isinstance(begun, CallBegun)
    assert begun.verdict.reason == "it cannot be undone; a person approved"
    other = replace(SEND, arguments={"to": "bob"})
    loop.end(SEND, Called(output="sent"))
    assert any(isinstance(one, PersonAsked) for one in loop.begin(other, ASK))


def test_a_denied_call_stays_denied_and_the_attempt_goes_on() -> None:
    loop = Loop()
    loop.begin(SEND, ASK)
    loop.answer("deny", reason="not now")
    loop.start()
    assert loop.state.tasks["a"].status is TaskStatus.RUNNING
    known = call_of(loop.state, loop.of, call_id(SEND))
    assert known is not None
    assert (known.denied, known.failure, known.message) == (True, FailureClass.DENIED, "denied by ann: not now")
    assert loop.begin(SEND, ASK) == []


def test_what_a_person_did_by_hand_is_what_the_call_brought() -> None:
    loop = Loop()
    loop.begin(SEND, ASK)
    loop.answer("done", value="by pigeon")
    loop.start()
    known = call_of(loop.state, loop.of, call_id(SEND))
    assert known is not None
    assert (known.status, known.output, known.by) == ("done", "by pigeon", "ann")


def test_an_open_call_of_a_dead_owner_is_in_doubt_unless_it_may_be_repeated() -> None:
    loop = Loop()
    loop.begin(SEND)
    loop.begin(READ)
    assert [type(one) for one in loop.say(Recover())] == [CallLost, CallLost]
    assert isinstance(loop.begin(READ)[0], CallBegun)
    assert not is_doubtful(loop.state, loop.of, READ)
    assert is_doubtful(loop.state, loop.of, SEND)
    asked = next(one for one in loop.begin(SEND, doubt="nobody heard") if isinstance(one, PersonAsked)).request
    assert asked.kind == "doubt"
    assert loop.state.tasks["a"].status is TaskStatus.UNKNOWN


@pytest.mark.parametrize(("word", "status"), [("done", "done"), ("retry", "due"), ("fail", "failed")])
def test_a_person_settles_a_doubt(word: str, status: str) -> None:
    loop = Loop()
    loop.begin(SEND)
    loop.say(Recover())
    loop.begin(SEND)
    loop.answer(word, value="seen")
    loop.start()
    known = call_of(loop.state, loop.of, call_id(SEND))
    assert known is not None
    assert known.status == status
    begun = loop.begin(SEND)
    assert bool(begun) == (word == "retry")


def test_a_lost_call_counts_as_having_cost_what_was_reserved_where_a_budget_limits_it() -> None:
    dear = replace(READ, reserve=Cost(tokens=4))
    for budget, cost in ((NO_BUDGET, 0), (Budget(tokens=20), 10)):
        loop = Loop(team(Cost(tokens=10)), budget)
        loop.begin(dear)
        loop.say(Recover())  # the call, and what is left of the attempt
        assert loop.state.spent.tokens == cost
        assert loop.state.reserved.tokens == (0 if cost else 10)


def test_a_call_takes_from_the_reservation_of_its_attempt() -> None:
    loop = Loop(team(Cost(tokens=10)), Budget(tokens=20))
    first = replace(READ, reserve=Cost(tokens=6))
    loop.begin(first)
    other = replace(READ, key="other", reserve=Cost(tokens=6))
    (refused,) = loop.begin(other)
    assert isinstance(refused, CallRefused)
    assert refused.failure is FailureClass.OVER_BUDGET
    assert "4 tokens is left of what was reserved for the attempt" in refused.message
    loop.end(first, Called(cost=Cost(tokens=3), usage=Usage(input=2, output=1)))
    assert (loop.state.spent.tokens, loop.state.reserved.tokens) == (3, 7)
    assert isinstance(loop.begin(other)[0], CallBegun)
    loop.end(other, Called(cost=Cost(tokens=9)))
    assert loop.state.tasks["a"].overspent.tokens == 2
    assert loop.state.reserved == FREE


def test_what_nobody_knows_the_price_of_takes_all_that_is_left() -> None:
    loop = Loop(team(Cost(money=Decimal(3))), Budget(money=Decimal(5)))
    (begun,) = loop.begin(replace(READ, bounded=False))
    assert isinstance(begun, CallBegun)
    assert begun.reserved.money == 3
    assert isinstance(loop.begin(replace(READ, key="next", bounded=False))[0], CallRefused)


def test_a_call_that_was_lost_and_is_heard_of_after_all_is_in_no_doubt() -> None:
    loop = Loop()
    loop.begin(SEND)
    loop.end(SEND, Unknown(message="the line broke"))
    (ended,) = loop.end(SEND, Called(output="sent"))
    assert isinstance(ended, CallEnded)
    assert loop.begin(SEND) == []


def test_a_call_has_one_key_for_the_outside_however_often_it_is_tried() -> None:
    loop = Loop()
    loop.begin(SEND)
    loop.end(SEND, Failed(failure=FailureClass.TRANSIENT, message="busy"))
    loop.begin(SEND)
    keys = {one.action for one in loop.events if isinstance(one, CallBegun)}
    assert keys == {action_key(loop.state, loop.of, SEND)}


def test_silence_never_approves_a_call_that_cannot_be_undone() -> None:
    chain = Chain(steps=(Ask(who="ann", within=5.0),), otherwise="approve")
    loop = Loop(replace(team(), ask={"approval": chain}))
    loop.begin(SEND, ASK)
    (wait,) = [one for one in reconcile(loop.state) if isinstance(one, Wait)]
    loop.say(FireTimer(timer=wait.timer, at=wait.until))
    known = loop.state.tasks["a"].calls[call_id(SEND)]
    assert (known.denied, known.approved) == (True, False)


def test_what_a_task_did_that_is_done_once_more_is_given() -> None:
    loop = Loop()
    loop.begin(SEND)
    loop.end(SEND, Called(output="sent"))
    failed = Failed(failure=FailureClass.REFUSED, message="no")
    loop.say(ReportOutcome(task="a", attempt=1, outcome=failed))
    assert loop.state.tasks["a"].status is TaskStatus.FAILED
    loop.say(RetryTask(actor="person:ann", revision=loop.state.revision, task="a"))
    loop.start()
    begun, ended = loop.begin(SEND)
    assert isinstance(begun, CallBegun)
    assert begun.verdict.rule == "kept"
    assert isinstance(ended, CallEnded)
    assert ended.output == "sent"


def test_a_fork_is_given_what_its_parent_did_later_and_asks_about_what_nobody_heard_of() -> None:
    loop = Loop()
    until = len(loop.events)
    loop.begin(SEND)
    loop.end(SEND, Called(output="sent"))
    other = replace(SEND, key="other")
    loop.begin(other)
    parent = reduce(evolve, loop.events[:until], RunState())
    deeds = later_deeds(parent, loop.events[until:])
    assert {one.output for one in deeds.kept.values()} == {"sent"}
    assert deeds.begun == (action_key(loop.state, loop.of, other),)


@pytest.mark.parametrize(
    ("outcome", "doubtful"),
    [
        (Failed(failure=FailureClass.TRANSIENT, message="busy"), False),
        (InputRequired(question="who is ann?"), False),
        (Failed(failure=FailureClass.TIMED_OUT, message="no answer"), True),
        (Unknown(message="the line broke"), True),
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_a_fork_asks_about_a_call_of_its_parent_unless_that_is_known_never_to_have_happened(
    outcome: Failed | InputRequired | Unknown, doubtful: bool, before: bool
) -> None:
    loop = Loop()
    until = len(loop.events)
    loop.begin(SEND)
    if before:
        until = len(loop.events)
    loop.end(SEND, outcome)
    parent = reduce(evolve, loop.events[:until], RunState())
    deeds = later_deeds(parent, loop.events[until:])
    assert deeds.kept == {}
    assert deeds.begun == ((action_key(loop.state, loop.of, SEND),) if doubtful else ())


def test_a_fork_asks_about_a_call_that_was_in_doubt_before_it() -> None:
    loop = Loop()
    loop.begin(SEND)
    loop.say(Recover())
    assert later_deeds(loop.state, []).begun == (action_key(loop.state, loop.of, SEND),)


def test_a_task_with_a_call_under_way_that_must_not_be_made_twice_cannot_be_edited_away() -> None:
    loop = Loop()
    loop.begin(READ)
    other = EditPlan(actor="person:ann", revision=1, tasks=(Task(id="b", skill="do_none", inputs={"n": 1}),))
    assert why_no_edit(loop.state, other) is None
    loop.begin(SEND)
    told = "'a' is at work, and its action may not be repeated; wait until it has ended"
    assert why_no_edit(loop.state, other) == told
    assert loop.say(other) == []
    loop.end(SEND, Unknown(message="the line broke"))
    assert why_no_edit(loop.state, other) == told, "nobody has been asked yet whether it happened"
    loop.end(SEND, Called(output="sent"))
    assert why_no_edit(loop.state, other) is None


def test_what_a_task_did_is_given_to_the_one_that_an_edit_puts_in_its_place() -> None:
    loop = Loop()
    loop.begin(SEND)
    loop.end(SEND, Called(output="sent"))
    loop.begin(READ)
    loop.end(READ, Called(output="page 1"))
    loop.say(EditPlan(actor="person:ann", revision=1, tasks=(Task(id="a", skill="do_none", when="true"),)))
    assert not loop.state.tasks["a"].calls, "it is another task"
    loop.start()
    begun, ended = loop.begin(SEND)
    assert isinstance(begun, CallBegun)
    assert begun.verdict.rule == "kept"
    assert isinstance(ended, CallEnded)
    assert ended.output == "sent"
    (anew,) = loop.begin(READ)
    assert isinstance(anew, CallBegun), "what changes nothing is just called anew"


def test_what_is_in_doubt_of_a_task_that_failed_is_asked_about_by_the_one_that_an_edit_puts_in_its_place() -> None:
    loop = Loop()
    loop.begin(SEND)
    loop.end(SEND, Unknown(message="the line broke"))
    loop.say(ReportOutcome(task="a", attempt=1, outcome=Failed(failure=FailureClass.REFUSED, message="no")))
    loop.say(EditPlan(actor="person:ann", revision=1, tasks=(Task(id="a", skill="do_none", when="true"),)))
    loop.start()
    assert is_doubtful(loop.state, loop.of, SEND)
    assert not is_doubtful(loop.state, loop.of, replace(SEND, key="other"))
    asked = next(one for one in loop.begin(SEND, doubt="nobody heard") if isinstance(one, PersonAsked)).request
    assert asked.kind == "doubt"


def test_only_one_who_holds_the_permissions_of_the_task_is_a_tool_for_it() -> None:
    mail = AgentCard(name="mail", skills=(Skill(name="mail.send", effect=SideEffect.IRREVERSIBLE),))
    boss = AgentCard(name="w", kind="model", skills=(skill,), tools=("mail.send",), permissions=("mail",))
    loop = Loop(Catalogue(agents=(boss, mail)))
    call = Call(key="k", role="tool", what="mail.send")
    assert weighed(loop.state, call).effect is SideEffect.IRREVERSIBLE
    judged = judge(loop.state, call_judgement(loop.state, loop.of, weighed(loop.state, call)), DEFAULT)
    assert (judged.decision, judged.rule) == ("ask", "approval")
    task = replace(loop.state.tasks["a"].task, permissions=("mail",))
    one = msgspec.structs.replace(loop.state.tasks["a"], task=task)
    state = msgspec.structs.replace(loop.state, tasks=loop.state.tasks.set("a", one))
    judged = judge(state, call_judgement(state, loop.of, call), DEFAULT)
    assert (judged.decision, judged.reason) == ("deny", "mail lacks mail")
    other = replace(call, what="unknown")
    assert judge(state, call_judgement(state, loop.of, other), DEFAULT).reason == "it is none of the tools of w"


def test_a_models_perimeter_is_that_of_its_provider() -> None:
    catalogue = replace(team(), providers={"far": Provider(perimeter=("public",))})
    loop = Loop(catalogue)
    task = replace(loop.state.tasks["a"].task, labels=("phi",))
    one = msgspec.structs.replace(loop.state.tasks["a"], task=task)
    state = msgspec.structs.replace(loop.state, tasks=loop.state.tasks.set("a", one))
    call = Call(key="k", role="worker", what="far:large")
    judged = judge(state, call_judgement(state, loop.of, call), DEFAULT)
    assert (judged.decision, judged.reason) == ("deny", "far:large may not see data labelled phi")
    near = replace(call, what="near:large")
    assert judge(state, call_judgement(state, loop.of, near), DEFAULT).decision == "allow"


@pytest.mark.parametrize(("call", "doubtful"), [(SEND, True), (READ, False), (None, False)])
def test_a_task_that_is_cut_off_is_in_doubt_where_a_call_was_under_way_that_must_not_be_made_twice(
    call: Call | None, doubtful: bool
) -> None:
    loop = Loop()
    if call is not None:
        loop.begin(call)
    loop.say(Cancel(actor="person:ann"))
    one = loop.state.tasks["a"]
    assert (one.status, one.in_doubt) == (TaskStatus.CANCELLED, doubtful)
    assert ("whether it happened is in doubt" in one.reason) is doubtful
