"""The laws of budgets, over random plans, outsides and crashes."""

from hypothesis import given
from hypothesis import strategies as st

from stretto.core.budget import share
from stretto.core.commands import Recover
from stretto.core.domain import FREE, NO_BUDGET, TaskStatus
from stretto.core.events import AttemptStarted, DeadlinePassed, RetryScheduled
from stretto.core.evolve import evolve
from stretto.core.state import RunState
from tests.core.test_laws import EXAMPLES, begun, driven
from tests.core.world import World


def step(world: World, data: st.DataObject) -> bool:
    """Have the outside answer one piece of work, or the process die."""
    if not world.under_way:
        return False
    if data.draw(st.integers(0, 9)) == 0:
        world.say(Recover())
        return True
    effect = data.draw(st.sampled_from(sorted(world.under_way.values(), key=lambda one: one.key)))
    for command in world.answers(effect):
        world.say(command)
    return True


def honest(data: st.DataObject) -> World:
    world = begun(data)
    world.honest = True
    return world


@EXAMPLES
@given(st.data())
def test_no_budget_of_run_or_task_is_ever_crossed(data: st.DataObject) -> None:
    world = honest(data)
    for _ in range(200):
        state, budget = world.state, world.state.budget
        assert budget.steps is None or state.steps <= budget.steps
        assert budget.tokens is None or state.spent.tokens + state.reserved.tokens <= budget.tokens
        for id_, account in state.accounts.items():
            own = state.tasks[id_].task.budget or NO_BUDGET
            assert own.steps is None or account.steps <= own.steps
            assert own.tokens is None or account.spent.tokens + account.reserved.tokens <= own.tokens
            assert own.revisions is None or account.revisions <= own.revisions
        assert budget.revisions is None or state.revisions <= budget.revisions
        assert not any(one.overspent != FREE for one in state.tasks.values()), "who keeps to its bound is not accused"
        if not step(world, data):
            return


@EXAMPLES
@given(st.data())
def test_the_accounts_agree_with_the_attempts(data: st.DataObject) -> None:
    world = begun(data)
    for _ in range(200):
        state = world.state
        for id_, account in state.accounts.items():
            mine = [one for one in state.tasks.values() if one.task.id == id_]
            assert account.spent == sum((one.cost for one in mine), FREE)
            assert account.reserved == sum((one.reserved for one in mine), FREE)
            assert account.steps == sum(one.attempt for one in mine)
        own = sum((call.cost for call in state.calls.values()), FREE)
        assert state.spent == sum(state.spent_by.values(), own)
        assert state.spent == sum((one.cost for one in state.tasks.values()), own)
        if not step(world, data):
            return


@EXAMPLES
@given(st.data())
def test_what_has_no_bound_runs_alone_under_a_budget(data: st.DataObject) -> None:
    world = honest(data)
    for _ in range(200):
        state = world.state
        running = [one for one in state.tasks.values() if one.status is TaskStatus.RUNNING and one.children is None]
        loose = [one for one in running if not state.roster.agents[str(one.agent)].bounded]
        if state.budget.tokens is not None and loose:
            assert state.catalogue.rules.unbounded == "alone"
            if loose[0].task.budget is None or loose[0].task.budget.tokens is None:
                others = [one.reserved.tokens for one in running if one is not loose[0]]
                assert not any(others)
        if not step(world, data):
            return


@EXAMPLES
@given(st.data())
def test_nobody_may_spend_more_than_what_is_left(data: st.DataObject) -> None:
    world = honest(data)
    for _ in range(100):
        state = world.state
        left = state.budget.tokens
        for id_ in state.tasks:
            most = share(state, id_)
            if left is not None:
                assert most.tokens is not None
                assert 0 <= most.tokens <= left - state.spent.tokens
            if state.budget.steps is not None:
                assert most.steps is not None
                assert 0 <= most.steps <= state.budget.steps
        if not step(world, data):
            return


@EXAMPLES
@given(st.data())
def test_time_over_is_time_over_and_a_revision_costs_one(data: st.DataObject) -> None:
    world = begun(data)
    driven(world, meddle=False)
    state = RunState()
    for event in world.events:
        if isinstance(event, DeadlinePassed):
            assert event.at >= event.deadline == state.until
        if isinstance(event, AttemptStarted):
            one = state.tasks[event.task]
            if one.task.undoes is None:
                assert state.until is None or not state.deadline_passed
            if one.task.budget is not None and one.task.budget.seconds is not None:
                whole = state.tasks[one.parent] if one.parent else one
                assert whole.started is None or event.at < whole.started + one.task.budget.seconds
        before, state = state, evolve(state, event)
        if isinstance(event, RetryScheduled) and event.feedback and before.tasks[event.task].task.undoes is None:
            assert state.revisions == before.revisions + 1
