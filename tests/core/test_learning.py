"""What runs teach about durations: means by agent and skill, of attempts that brought a result."""

from hypothesis import given
from hypothesis import strategies as st

from stretto.core.domain import AgentCard, Delivery, FailureClass, RunStatus, Skill, Task, Verdict
from stretto.core.events import (
    AttemptCompleted,
    AttemptFailed,
    AttemptStarted,
    AttemptSuspended,
    Event,
    RunEnded,
    TaskAdded,
)
from stretto.core.learning import MOST_WEIGHT, Learned, Lessons, expected, learned, merged

ALLOWED = Verdict(decision="allow", rule="test")


def started(task: str, at: float, agent: str = "a", attempt: int = 1) -> Event:
    return AttemptStarted(at=at, task=task, attempt=attempt, agent=agent, key="k", arguments="", verdict=ALLOWED)


def done(task: str, at: float, attempt: int = 1) -> Event:
    return AttemptCompleted(at=at, task=task, attempt=attempt)


def added(id_: str, skill: str = "x") -> Event:
    return TaskAdded(task=Task(id=id_, skill=skill))


def test_attempts_that_brought_something_count_and_others_teach_nothing() -> None:
    events = [
        added("t"), added("u"), added("many", "y"),
        started("t", 1.0), started("u", 1.0), started("many[0]", 1.0), started("many[1]", 1.0),
        AttemptFailed(at=90.0, task="t", attempt=1, failure=FailureClass.TRANSIENT, message=""),
        AttemptSuspended(at=99.0, task="u", attempt=1, unknown=False, message="which?"),
        done("many[0]", 2.0), done("many[1]", 4.0),
        started("t", 100.0, attempt=2), done("t", 103.0, 2), started("u", 200.0, "b", 2), done("u", 201.0, 2),
    ]  # fmt: skip
    assert learned(events) == {
        "a/y": Learned(count=2, seconds=2.0),
        "a/x": Learned(count=1, seconds=3.0),
        "b/x": Learned(count=1, seconds=1.0),
    }


def test_what_went_on_while_a_process_was_gone_is_not_counted_and_a_run_teaches_once() -> None:
    lessons = Lessons()
    for event in (added("t"), started("t", 1.0)):
        lessons.take(event)
    lessons.interrupted()
    lessons.take(done("t", 5000.0))
    assert lessons.learned() == {}
    for event in (started("t", 1.0), done("t", 2.0), RunEnded(status=RunStatus.FINISHED, delivery=Delivery())):
        lessons.take(event)
    assert lessons.learned() == {}


counts = st.builds(Learned, count=st.integers(1, 10**6), seconds=st.floats(0, 1e6))


@given(counts, counts)
def test_what_two_runs_say_lies_between_them_and_weighs_no_more_than_the_bound(one: Learned, other: Learned) -> None:
    both = one.merged(other)
    low, high = sorted([one.seconds, other.seconds])
    assert low - 1e-6 <= both.seconds <= high + 1e-6
    assert 1 < both.count <= MOST_WEIGHT


def test_recent_runs_keep_their_say_however_many_there_were() -> None:
    known = {"a/x": Learned(count=1, seconds=100.0)}
    for _ in range(1000):
        known = merged(known, {"a/x": Learned(count=1, seconds=100.0)})
    for _ in range(200):
        known = merged(known, {"a/x": Learned(count=1, seconds=1.0)})
    assert known["a/x"].seconds < 4.0


def test_only_agents_that_are_there_are_expected_to_take_long() -> None:
    known = {"a/x": Learned(count=1, seconds=1.0), "b/x": Learned(count=1, seconds=2.0)}
    cards = [AgentCard(name="a", skills=(Skill(name="x"), Skill(name="y")))]
    assert expected(known, cards) == {"a/x": 1.0}
