"""When a run has something to do again, held against everything that its state calls for."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stretto.core.commands import SubmitGoal
from stretto.core.decide import step
from stretto.core.domain import Budget, Catalogue
from stretto.core.effects import AskPerson, Effect, MakePlan, Wait
from stretto.core.state import RunState
from stretto.core.wake import wake
from tests.core.world import World, catalogues, due, plans

STEPS = 60
ahead = st.none() | st.floats(1, 200)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_a_run_wakes_for_the_first_thing_that_is_due_without_anybody_s_word(data: st.DataObject) -> None:
    world = World(data.draw)
    world.submit(data.draw(plans()), data.draw(catalogues), Budget(), data.draw(ahead))
    for _ in range(STEPS):
        effects = [one for one in due(world.state).values() if not waits_for_somebody(world, one)]
        moments = [one.until if isinstance(one, Wait) else world.state.at for one in effects]
        work = any(not isinstance(one, Wait) for one in effects)
        assert wake(world.state) == (world.state.at if work else min(moments, default=None))
        if not world.under_way:
            break
        effect = world.draw(st.sampled_from(sorted(world.under_way.values(), key=lambda one: one.key)))
        for command in world.answers(effect):
            world.say(command)


def test_what_was_never_begun_never_wakes() -> None:
    assert wake(RunState()) is None


def test_a_team_s_work_is_woken_by_the_run_above_and_never_by_itself() -> None:
    begun = SubmitGoal(run="above.task", goal="goal", catalogue=Catalogue(), deadline=9.0)
    assert wake(step(RunState(), begun)[1]) is not None
    assert wake(step(RunState(), replace(begun, parent="above"))[1]) is None


def waits_for_somebody(world: World, effect: Effect) -> bool:
    """Whether a person has to say something, or whoever writes the plan."""
    return isinstance(effect, AskPerson) or (isinstance(effect, MakePlan) and world.streamed)
