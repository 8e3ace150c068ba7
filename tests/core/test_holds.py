"""Rates, breakers, pauses and stalls: their laws over random worlds, and their rules with a clock of our own."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.codec import Codec
from stretto.core.breaker import pause_of
from stretto.core.canonical import canonical
from stretto.core.commands import (
    AddTask,
    ClosePlan,
    Command,
    Continue,
    FireTimer,
    HearOf,
    Judged,
    Pause,
    Recover,
    ReportOutcome,
    ReportReview,
    SubmitGoal,
)
from stretto.core.decide import step
from stretto.core.domain import (
    AgentCard,
    Breaker,
    Budget,
    Catalogue,
    Completed,
    Cost,
    Failed,
    FailureClass,
    ForEach,
    Hold,
    NoticeKind,
    Outcome,
    Plan,
    Provider,
    Rate,
    Review,
    Rules,
    RunStatus,
    SideEffect,
    Skill,
    Start,
    Task,
    Verdict,
)
from stretto.core.effects import Effect, Judge, MakePlan, Notify, RunTask, Wait
from stretto.core.events import (
    AgentHeld,
    AttemptStarted,
    BreakerClosed,
    BreakerOpened,
    Event,
    Heard,
    HoldEnded,
    NoticeTried,
    PersonAsked,
    RunContinued,
    RunEnded,
    RunPaused,
)
from stretto.core.evolve import evolve
from stretto.core.holds import keys_of, rate_of
from stretto.core.rates import SPAN, Window, counted, free_at, settled
from stretto.core.reconcile import reconcile
from stretto.core.state import RunState
from tests.core.test_laws import EXAMPLES, begun, budgets, deadlines, driven
from tests.core.world import World, catalogues, due, plans

# ---- laws


def states_of(events: list[Event]) -> Iterator[tuple[RunState, Event]]:
    """Give each fact with the state before it."""
    state = RunState()
    for event in events:
        yield state, event
        state = evolve(state, event)


@EXAMPLES
@given(st.data())
def test_no_attempt_starts_beyond_a_rate_in_any_sixty_seconds(data: st.DataObject) -> None:
    world = begun(data)
    driven(world)
    starts: defaultdict[str, list[float]] = defaultdict(list)
    for state, event in states_of(world.events):
        if isinstance(event, AttemptStarted):
            for key in keys_of(state.roster.agents[event.agent]):
                most = rate_of(state, key).requests
                starts[key].append(event.at)
                if most is not None:
                    assert len([at for at in starts[key] if at + SPAN > event.at]) <= most


@EXAMPLES
@given(st.data())
def test_nothing_starts_at_a_held_agent_but_one_probe(data: st.DataObject) -> None:
    world = begun(data)
    driven(world)
    for state, event in states_of(world.events):
        if isinstance(event, AttemptStarted):
            for key in keys_of(state.roster.agents[event.agent]):
                hold = state.holds.get(key)
                assert hold is None or (hold.probing and not hold.probe)
        if isinstance(event, BreakerClosed):
            assert event.agent in state.tallies
        if isinstance(event, HoldEnded):
            hold = state.holds[event.agent]
            assert hold.until is not None
            assert hold.until <= event.at


@EXAMPLES
@given(st.data())
def test_a_provider_is_asked_no_more_at_once_than_it_takes(data: st.DataObject) -> None:
    world = begun(data)
    driven(world)
    for state, _ in states_of(world.events):
        for name, provider in state.catalogue.providers.items():
            running = [one for one in state.tasks.values() if one.status.value == "running" and one.agent is not None]
            drawn = [one for one in running if state.roster.agents[str(one.agent)].provider == name]
            assert len(drawn) == state.drawn.get(name, 0)
            assert provider.concurrency is None or len(drawn) <= provider.concurrency


@EXAMPLES
@given(st.data())
def test_nothing_starts_and_no_timer_runs_while_a_run_is_paused(data: st.DataObject) -> None:
    world = begun(data)
    driven(world)
    for state, event in states_of(world.events):
        if state.paused is not None and not state.status.final:
            assert not isinstance(event, AttemptStarted)
            assert state.standing is RunStatus.WAITING
            effects = reconcile(state)
            assert not any(isinstance(one, Judge | MakePlan) for one in effects)
            assert {one.timer for one in effects if isinstance(one, Wait)} <= {"deadline"}


@EXAMPLES
@given(st.data())
def test_changes_and_reconcile_agree_whatever_others_say(data: st.DataObject) -> None:
    world = begun(data)
    for _ in range(150):
        assert world.under_way == due(world.state)
        if not world.under_way:
            return
        if data.draw(st.integers(0, 4)) == 0:
            world.say(world.meddling())
            assert world.under_way == due(world.state)
        if world.under_way:
            effect = data.draw(st.sampled_from(sorted(world.under_way.values(), key=lambda one: one.key)))
            for command in world.answers(effect):
                world.say(command)
                assert world.under_way == due(world.state)


@EXAMPLES
@given(st.data())
def test_what_others_learned_is_heard_once(data: st.DataObject) -> None:
    world = begun(data)
    said = [world.meddling() for _ in range(4)]
    for command in said:
        world.say(command)
        assert step(world.state, replace(command, at=world.now))[0] == []


@EXAMPLES
@given(st.data())
def test_every_alert_is_sent_until_it_is_heard_or_given_up_and_no_end_waits_for_it(data: st.DataObject) -> None:
    world = World(data.draw)
    catalogue = replace(data.draw(catalogues), notify=get_args(NoticeKind))
    world.submit(data.draw(plans()), catalogue, data.draw(budgets), data.draw(deadlines))
    driven(world)
    for _ in range(100):
        assert world.under_way == due(world.state)
        waiting = [one for one in world.under_way.values() if isinstance(one, Notify)]
        if not waiting:
            break
        for command in world.answers(data.draw(st.sampled_from(waiting))):
            world.say(command)
    assert not world.state.notices
    tries: defaultdict[str, list[NoticeTried]] = defaultdict(list)
    for event in world.events:
        if isinstance(event, NoticeTried):
            tries[event.notice].append(event)
    for said in tries.values():
        assert [one.attempt for one in said] == list(range(1, len(said) + 1))
        assert len(said) <= 3
        assert [one.until is None for one in said] == [False] * (len(said) - 1) + [True]
    alerted = [one for one in world.events if isinstance(one, RunEnded | RunPaused | PersonAsked | BreakerOpened)]
    assert len(tries) >= len([one for one in alerted if not getattr(one, "run", "") and getattr(one, "times", 1) == 1])


# ---- rates


@given(
    st.lists(st.tuples(st.floats(0, 30), st.integers(0, 5)), max_size=60),
    st.builds(Rate, requests=st.none() | st.integers(1, 6), tokens=st.none() | st.integers(1, 12)),
)
def test_free_at_is_the_first_moment_that_keeps_the_rate(steps: list[tuple[float, int]], rate: Rate) -> None:
    window, at, log = Window(), 0.0, []
    for number, (pause, tokens) in enumerate(steps):
        at += pause
        free = free_at(window, rate, at, tokens)
        assert free >= at
        for moment in (at, free):
            live = [start for start in log if start.at + SPAN > moment]
            room = (rate.requests is None or len(live) < rate.requests) and (
                rate.tokens is None or not sum(one.tokens for one in live)
                or sum(one.tokens for one in live) + tokens <= rate.tokens
            )  # fmt: skip
            assert room == (moment >= free)
        at = free
        start = Start(at=at, tokens=tokens, attempt=str(number))
        log.append(start)
        window = counted(window, start)


def test_tokens_are_counted_as_declared_and_then_as_used() -> None:
    rate = Rate(tokens=100)
    window = counted(Window(), Start(at=0.0, tokens=80, attempt="a"))
    assert free_at(window, rate, 1.0, 50) == 60.0
    window = settled(window, "a", 30)
    assert free_at(window, rate, 1.0, 50) == 1.0
    assert settled(window, "nobody", 5) is window


def test_an_attempt_of_more_tokens_than_a_minute_allows_waits_for_an_empty_window() -> None:
    window = counted(Window(), Start(at=5.0, tokens=1, attempt="a"))
    assert free_at(window, Rate(tokens=10), 6.0, 50) == 65.0
    assert free_at(window, Rate(tokens=10), 65.0, 50) == 65.0


def test_each_pause_of_a_breaker_is_twice_the_one_before_up_to_the_longest() -> None:
    breaker = Breaker(pause=30, longest=100)
    assert [pause_of(breaker, times) for times in (1, 2, 3, 5000)] == [30, 60, 100, 100]


# ---- a run with a clock of our own


class Job:
    """A run whose outside is written down: what each agent says to each attempt, in order of starting."""

    def __init__(self, *agents: AgentCard, tasks: int = 6, budget: Budget | None = None, **more: Any) -> None:
        self.now, self.state = 1000.0, RunState()
        self.events: list[Event] = []
        self.started: list[tuple[float, str, str]] = []
        rules = more.pop("rules", Rules())
        catalogue = Catalogue(agents=agents, rules=rules, providers=more.pop("providers", {}))
        plan = Plan(tasks=tuple(Task(id=f"t{number:04}", skill="do", **more) for number in range(tasks)))
        self.say(SubmitGoal(run="run", goal="go", catalogue=catalogue, plan=plan, budget=budget or Budget()))
        for task in plan.tasks:
            self.say(AddTask(revision=1, task=task))
        self.say(ClosePlan(revision=1))

    def say(self, command: Command) -> None:
        events, self.state = step(self.state, replace(command, at=self.now))
        self.events += events

    def due(self, kind: type[Effect]) -> list[Any]:
        return [one for one in reconcile(self.state) if isinstance(one, kind)]

    def start(self) -> list[RunTask]:
        """Judge everything that may start, and give what is under way."""
        while True:
            waiting = self.due(Judge)
            for one in waiting:
                verdict = Verdict(decision="allow", rule="test")
                before = len(self.due(RunTask))
                self.say(Judged(task=one.task, attempt=one.attempt, agent=one.agent, verdict=verdict, arguments={}))
                if len(self.due(RunTask)) > before:
                    self.started.append((self.now, one.agent, one.task))
            if not waiting:
                return self.due(RunTask)

    def end(self, one: RunTask, outcome: Outcome) -> None:
        self.say(ReportOutcome(task=one.task, attempt=one.attempt, outcome=outcome))
        if isinstance(outcome, Completed):
            self.say(ReportReview(task=one.task, attempt=one.attempt, review=Review(accepted=True, reviewer="r")))

    def pass_time(self) -> None:
        """Go to the next timer and fire it."""
        timer = min(self.due(Wait), key=lambda one: one.until)
        self.now = max(self.now, timer.until)
        self.say(FireTimer(timer=timer.timer))

    def said(self, kind: type[Event]) -> list[Any]:
        return [one for one in self.events if isinstance(one, kind)]


def agent_card(name: str = "a", **more: Any) -> AgentCard:
    return AgentCard(name=name, skills=(Skill(name="do", effect=SideEffect.NONE),), **more)


DOWN = Failed(failure=FailureClass.UNAVAILABLE, message="nobody there")
FINE = Completed(output="fine")


def test_a_breaker_opens_after_so_many_failures_and_a_probe_closes_it() -> None:
    job = Job(agent_card(concurrency=1, breaker=Breaker(failures=3, window=5, pause=30)), tasks=5)
    for _ in range(3):
        (one,) = job.start()
        job.end(one, DOWN)
    opened = job.said(BreakerOpened)[0]
    assert (opened.agent, opened.until, opened.times) == ("a", 1030.0, 1)
    assert opened.why == "3 of its last 5 attempts failed, the last: unavailable"
    assert job.start() == []
    while not job.said(HoldEnded):
        job.pass_time()
    (probe,) = job.start()
    assert job.now == 1030.0
    job.end(probe, DOWN)
    assert job.said(BreakerOpened)[1].until == 1090.0
    while len(job.said(HoldEnded)) < 2:
        job.pass_time()
    (probe,) = job.start()
    job.end(probe, FINE)
    assert [one.agent for one in job.said(BreakerClosed)] == ["a"]
    assert not job.state.holds
    assert not job.state.tallies


def test_exactly_one_probe_goes_through_however_many_tasks_wait() -> None:
    job = Job(agent_card(breaker=Breaker(failures=2, window=4, pause=10)), tasks=8)
    for one in job.start()[:2]:
        job.end(one, DOWN)
    for one in job.due(RunTask):
        job.end(one, DOWN)  # those that were under way change nothing
    assert len(job.said(BreakerOpened)) == 1
    while not job.said(HoldEnded):
        job.pass_time()
    assert len(job.start()) == 1


def test_what_failures_say_of_a_task_alone_opens_no_breaker() -> None:
    job = Job(agent_card(breaker=Breaker(failures=2, window=4)), tasks=6)
    for one in job.start():
        job.end(one, Failed(failure=FailureClass.REFUSED, message="not this"))
    assert not job.said(BreakerOpened)


def test_errors_of_a_plain_function_that_stands_alone_are_bugs_and_hold_nobody_unless_a_breaker_is_asked_for() -> None:
    bug = Failed(failure=FailureClass.ERROR, message="ValueError")
    for cards, rules, opens in (
        ([agent_card()], Rules(), False),
        ([agent_card(), agent_card("b")], Rules(), True),
        ([agent_card(breaker=Breaker())], Rules(), True),
        ([agent_card(provider="cloud")], Rules(), True),
        ([agent_card(kind="mcp")], Rules(), True),
        ([agent_card()], Rules(breaker=Breaker(failures=4)), True),
    ):
        job = Job(*cards, tasks=9, rules=rules)
        for one in job.start():
            job.end(one, bug)
        assert bool(job.said(BreakerOpened)) is opens


def test_tasks_go_to_another_agent_while_the_first_is_held_and_burn_no_attempt() -> None:
    job = Job(agent_card("a", breaker=Breaker(failures=2, window=2), concurrency=2), agent_card("b"), tasks=6)
    by_agent = {one.task: one.agent for one in job.start()}
    assert list(by_agent.values()).count("a") == 2
    for one in job.due(RunTask):
        job.end(one, DOWN if one.agent == "a" else FINE)
    assert set(job.state.holds) == {"a"}
    while not (again := job.start()):
        job.pass_time()
    assert {one.agent for one in again} == {"b"}


def test_a_breaker_can_be_switched_off() -> None:
    job = Job(agent_card(breaker=Breaker(failures=0)), tasks=20)
    for one in job.start():
        job.end(one, DOWN)
    assert not job.said(BreakerOpened)


def test_a_provider_that_fails_takes_all_its_agents_along() -> None:
    cards = [agent_card(name, provider="cloud", concurrency=1) for name in "ab"]
    job = Job(*cards, agent_card("c"), tasks=3, providers={"cloud": Provider(breaker=Breaker(failures=2, window=2))})
    for one in job.start():
        job.end(one, DOWN if one.agent in "ab" else FINE)
    assert set(job.state.holds) == {"provider:cloud"}
    while not (again := job.start()):
        job.pass_time()
    assert {one.agent for one in again} == {"c"}


def test_an_agent_that_names_its_pause_is_held_for_all_tasks() -> None:
    job = Job(agent_card(concurrency=1), tasks=4)
    (one,) = job.start()
    job.end(one, Failed(failure=FailureClass.RATE_LIMITED, message="429", retry_after=20))
    assert job.said(AgentHeld)[0].until == 1020.0
    assert job.start() == []
    while not (again := job.start()):
        job.pass_time()
    assert job.now == 1020.0
    assert again


def test_a_rate_starts_what_it_allows_and_the_rest_a_minute_later() -> None:
    job = Job(agent_card(rate=Rate(requests=3)), tasks=7)
    while job.state.open_tasks:
        for one in job.start():
            job.end(one, FINE)
        if job.state.open_tasks:
            job.pass_time()
    assert [at for at, *_ in job.started] == [1000.0] * 3 + [1060.0] * 3 + [1120.0]


def test_a_rate_of_tokens_goes_by_what_attempts_declare_and_then_by_what_they_took() -> None:
    job = Job(agent_card(rate=Rate(tokens=100), cost=Cost(tokens=60)), tasks=3)
    (one,) = job.start()
    job.end(one, Completed(output=1, cost=Cost(tokens=40)))
    assert job.start() == []  # it is held as long as was reserved for the first
    job.pass_time()
    assert len(job.start()) == 1


def test_a_run_hears_of_a_breaker_and_of_a_rate_that_others_used() -> None:
    job = Job(agent_card(rate=Rate(requests=2)), tasks=2)
    job.say(HearOf(agent="a", upto=1, starts=(Start(at=990.0, attempt="other/t/1"),), run="other"))
    assert len(job.start()) == 1
    assert job.due(Wait)[0].until == 1050.0
    job.say(HearOf(agent="a", upto=3, hold=Hold(until=1200.0, why="it fails"), tripped=2, run="other"))
    assert job.state.holds["a"].until == 1200.0
    assert job.said(BreakerOpened)[0].run == "other"
    job.say(HearOf(agent="a", upto=4, healed=True, run="other"))
    assert not job.state.holds
    assert len(job.said(Heard)) == 3


def test_a_breaker_that_is_switched_off_here_is_not_opened_by_others() -> None:
    job = Job(agent_card(breaker=Breaker(failures=0)), tasks=2)
    job.say(HearOf(agent="a", upto=1, hold=Hold(until=1200.0, why="it fails"), tripped=1, run="other"))
    assert not job.state.holds
    job.say(HearOf(agent="a", upto=2, hold=Hold(until=1200.0, why="it asked"), run="other"))
    assert set(job.state.holds) == {"a"}


# ---- pauses and stalls


def test_a_paused_run_ends_what_is_under_way_and_starts_nothing_until_it_is_told_to_go_on() -> None:
    job = Job(agent_card(concurrency=1), tasks=3)
    (one,) = job.start()
    job.say(Pause(actor="person:ann", reason="lunch"))
    job.say(Pause(actor="person:bob"))
    assert len(job.said(RunPaused)) == 1
    job.end(one, FINE)
    assert job.state.completed == 1
    assert reconcile(job.state) == []
    assert (job.state.standing, job.state.paused) == (RunStatus.WAITING, "lunch")
    job.say(Recover())
    verdict = Verdict(decision="allow", rule="test")
    job.say(Judged(task="t0001", attempt=1, agent="a", verdict=verdict, arguments={}))  # judged before the pause
    assert reconcile(job.state) == []
    job.say(Continue(actor="person:ann"))
    assert len(job.start()) == 1
    job.say(Continue(actor="person:ann"))
    assert len(job.said(RunContinued)) == 1


def spend(job: Job, outcomes: list[Outcome]) -> None:
    """Let one attempt after the other end so, as long as the run goes on."""
    for outcome in outcomes:
        while not (under_way := job.start()):
            if job.state.paused is not None or not job.state.open_tasks:
                return
            job.pass_time()
        job.end(under_way[0], outcome)


def costly(output: object, tokens: int = 10) -> Completed:
    return Completed(output=output, cost=Cost(money=Decimal(tokens) / 100, tokens=tokens))


def test_a_run_that_burns_its_budget_without_learning_anything_pauses() -> None:
    job = Job(agent_card(concurrency=1), tasks=20, budget=Budget(tokens=100))
    spend(job, [costly("the same")] * 20)
    assert job.state.paused == "60 of 100 tokens went by without anything new"
    assert job.said(RunPaused)[0].alarm
    job.say(Continue())
    spend(job, [costly("the same")] * 3 + [costly(number) for number in range(17)])
    assert job.state.paused is None


def test_without_a_budget_fifty_attempts_that_cost_something_are_enough() -> None:
    job = Job(agent_card(concurrency=1), tasks=200)
    spend(job, [costly("the same")] * 200)
    assert job.state.completed == 51
    assert str(job.state.paused).startswith("50 attempts in a row cost $5")


def test_a_budget_of_something_else_does_not_say_what_is_too_much() -> None:
    job = Job(agent_card(concurrency=1), tasks=200, budget=Budget(tokens=100, steps=500))
    spend(job, [Completed(output="the same", cost=Cost(money=Decimal("0.1")))] * 200)
    assert str(job.state.paused).startswith("50 attempts in a row cost $5")


@pytest.mark.parametrize("budget", [Budget(), Budget(tokens=20_000)])
def test_a_thousand_items_with_equal_arguments_and_different_results_run_through(budget: Budget) -> None:
    job = Job(agent_card(concurrency=1), tasks=1000, budget=budget)
    spend(job, [costly(number) for number in range(1000)])
    assert job.state.completed == 1000


def test_equal_results_that_cost_nothing_run_through() -> None:
    job = Job(agent_card(concurrency=1), tasks=1000, budget=Budget(tokens=10, money=Decimal(1)))
    spend(job, [FINE] * 1000)
    assert job.state.completed == 1000


def test_failures_and_rejections_that_cost_something_count_as_nothing_new() -> None:
    card = agent_card(concurrency=1, breaker=Breaker(failures=0))
    job = Job(card, tasks=20, budget=Budget(money=Decimal(1)))
    failed = Failed(failure=FailureClass.REFUSED, message="no", cost=Cost(money=Decimal("0.2")))
    spend(job, [costly(1), failed, failed, failed, costly(2)])
    assert job.state.paused == "$0.6 of $1 went by without anything new"


def test_a_run_of_which_too_many_attempts_fail_pauses() -> None:
    rules = Rules(most_failures=5, breaker=Breaker(failures=0))
    job = Job(agent_card(concurrency=1), tasks=30, rules=rules)
    refused = Failed(failure=FailureClass.REFUSED, message="no")
    spend(job, [refused, FINE] * 4 + [refused] * 10)
    assert job.state.paused == "5 of the last 9 attempts failed"


def test_the_items_of_a_fan_out_are_looked_at_one_by_one() -> None:
    job = Job(agent_card(concurrency=1), tasks=1, for_each=ForEach(items=list(range(100))))
    (one,) = job.due(Judge)
    job.say(Judged(task=one.task, attempt=1, agent="a", items=tuple(range(100))))
    spend(job, [costly("the same")] * 100)
    assert job.state.paused is not None


def test_a_run_that_was_begun_before_there_were_rates_and_breakers_can_be_read() -> None:
    catalogue = {"agents": [{"name": "a", "skills": [{"name": "do"}]}], "rules": {"parallel": 3}}
    payload = canonical({"run": "r", "goal": "g", "inputs": {}, "catalogue": catalogue})
    event = Codec().decode("RunSubmitted", 1, payload, 1.0, lambda mark, shared: b"")
    state = evolve(RunState(), event)
    assert state.catalogue.rules.breaker == Breaker()
    assert not state.roster.agents["a"].rate
