"""Where a run is cut for a fork: never within one decision, whose facts have one moment."""

from stretto.core.domain import Delivery, RunStatus
from stretto.core.events import DeadlinePassed, Event, RunEnded, TaskSkipped, TasksReopened
from stretto.core.forking import before_task, before_the_end, whole


def skipped(task: str, at: float) -> Event:
    return TaskSkipped(task=task, reason="", because="", wanted=True, at=at)


def ended(at: float) -> Event:
    return RunEnded(status=RunStatus.FINISHED, delivery=Delivery(), at=at)


def test_a_cut_never_parts_the_facts_of_one_decision() -> None:
    events = [skipped("a", 1.0), skipped("b", 2.0), skipped("c", 2.0), skipped("d", 3.0)]
    assert [whole(events, at) for at in range(5)] == [0, 1, 3, 3, 4]
    assert before_task(events, "c") == 1
    assert before_task(events, "d") == 3
    assert before_task(events, "nobody") is None


def test_a_run_that_goes_on_is_forked_after_all_that_happened() -> None:
    assert before_the_end([]) == 0
    assert before_the_end([skipped("a", 1.0), skipped("b", 2.0)]) == 2


def test_a_run_that_ended_is_forked_before_the_decision_that_ended_it() -> None:
    assert before_the_end([skipped("a", 1.0), skipped("b", 2.0), ended(2.0)]) == 1


def test_a_run_out_of_time_is_forked_before_its_deadline_passed() -> None:
    late = [skipped("a", 1.0), DeadlinePassed(deadline=2.0, at=2.0), skipped("b", 2.0), ended(3.0)]
    assert before_the_end(late) == 1


def test_an_end_before_tasks_were_done_once_more_is_no_end() -> None:
    again = TasksReopened(revision=2, task="a", tasks=("a",), by="ann", at=3.0)
    late: list[Event] = [DeadlinePassed(deadline=2.0, at=2.0), again, skipped("b", 4.0), ended(5.0)]
    assert before_the_end(late) == 3
