"""How a plan comes about: what is said about one that is no longer being made changes nothing."""

from dataclasses import replace

import pytest

from stretto.core.commands import AddTask, ClarifyGoal, ClosePlan, Command, FailPlan, InterpretGoal, SubmitGoal
from stretto.core.domain import Catalogue, InputSpec, Interpretation, Task
from stretto.core.events import GoalInterpreted, PersonAsked, TaskAdded
from tests.core.story import Story, agent

TEAM = Catalogue(agents=(agent(),))
TASK = Task(id="t", skill="work")
MEANT = Interpretation(planner="model", restated="the goal in other words")

WORDS: list[Command] = [
    InterpretGoal(revision=1, interpretation=MEANT),
    AddTask(revision=1, task=Task(id="late", skill="work")),
    ClosePlan(revision=1),
    FailPlan(revision=1, reason="no more"),
    ClarifyGoal(revision=1, round=0, question="which one?"),
]


def test_a_run_is_begun_once() -> None:
    run = Story(TEAM, TASK)
    assert not run.say(SubmitGoal(run="another", goal="another", catalogue=Catalogue()))
    assert (run.state.run, run.state.goal) == ("run", "a goal")


@pytest.mark.parametrize("word", WORDS, ids=lambda word: type(word).__name__)
def test_nothing_said_about_a_plan_that_is_closed_counts(word: Command) -> None:
    run = Story(TEAM, TASK)
    assert not run.say(word)


@pytest.mark.parametrize("word", WORDS, ids=lambda word: type(word).__name__)
def test_nothing_said_about_another_revision_of_the_plan_counts(word: Command) -> None:
    run = Story(TEAM, TASK, closed=False)
    assert not run.say(replace(word, revision=2))  # type: ignore[call-arg]


def test_a_task_is_added_once() -> None:
    run = Story(TEAM, TASK, closed=False)
    assert not run.say(AddTask(revision=1, task=TASK))
    assert len(run.said(TaskAdded)) == 1


def test_what_the_goal_is_taken_to_mean_is_noted_whenever_something_about_it_is_new() -> None:
    run = Story(TEAM, closed=False)
    words = [
        InterpretGoal(revision=1, interpretation=MEANT),
        InterpretGoal(revision=1, interpretation=MEANT, specs={"file": InputSpec()}),
        InterpretGoal(revision=1, interpretation=MEANT, specs={"file": InputSpec()}, inputs={"file": 1}),
        InterpretGoal(revision=1, interpretation=MEANT, specs={"file": InputSpec()}, inputs={"file": 2}),
    ]
    for number, word in enumerate(words):
        for _ in range(2):
            run.say(word)
        assert len(run.said(GoalInterpreted)) == number + 1
    assert run.state.inputs == {"file": 2}


def test_while_a_person_is_asked_what_the_goal_means_nobody_is_asked_again_and_the_answer_is_kept() -> None:
    run = Story(TEAM, closed=False)
    word = ClarifyGoal(revision=1, round=0, question="which one?", choices=("this", "that"))
    assert [type(one) for one in run.say(word)] == [PersonAsked]
    assert not run.say(word)
    run.answer("answer", "this")
    assert run.state.clarified == (("which one?", "this"),)
    assert not run.say(word), "it was asked in the round before"
