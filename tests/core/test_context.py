"""What a task gets to see: values that are there, and a plain word about those that are not."""

import pytest

from stretto.core.context import Missing, labels, value_of, visible
from stretto.core.domain import Catalogue, ForEach, Join, Plan, Repeat, Rung, Task
from tests.core.story import Story, agent

TEAM = Catalogue(agents=(agent(),))


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        ("item", "item 'item': there is no item here"),
        ("previous", "previous 'previous': this is no round of a repetition"),
        ("round", "round 'round': this is no round of a repetition"),
        ("joined", "joined 'joined': the task joins no others"),
        ("inputs.file", "inputs 'file': the run was not given this input"),
        ("context.notes", "context 'notes': nothing has written this entry"),
        ("a.output", "task 'a': task 'a' has no accepted result"),
    ],
)
def test_a_reference_to_what_is_not_there_says_what_is_missing_and_takes_its_default(reference: str, why: str) -> None:
    story = Story(TEAM, Task(id="a", skill="work"))
    for seen_from in (None, story.one("a")):
        with pytest.raises(Missing) as told:
            value_of(story.state, {"ref": reference}, seen_from)
        assert str(told.value) == why
        assert value_of(story.state, {"ref": reference, "default": 7}, seen_from) == 7


def test_a_round_sees_its_number_and_all_but_the_first_the_round_before() -> None:
    story = Story(TEAM, Task(id="a", skill="work", repeat=Repeat(max=2)))
    story.judge("a", rounds=0)
    with pytest.raises(Missing, match="this is the first round"):
        value_of(story.state, {"ref": "previous"}, story.one("a[0]"))
    story.do("a[0]", output="draft")
    both = value_of(story.state, [{"ref": "round"}, {"ref": "previous"}], story.one("a[1]"))
    assert both == [1, "draft"]


def test_a_condition_sees_what_was_brought_and_nothing_of_what_was_left_out() -> None:
    leave_out = {"*": (Rung(do="skip"),)}
    last = Task(id="c", skill="work", after=("a", "b"))
    story = Story(TEAM, Task(id="a", skill="work"), Task(id="b", skill="work", ladder=leave_out), last)
    story.do("a", output=3)
    story.begin("b")
    story.fail("b")
    assert story.one("c").ready
    seen = visible(story.state, story.one("c"))
    assert (seen["a"], seen["tasks"]) == ({"output": 3}, {"a": {"output": 3}})


def test_a_join_that_has_enough_carries_the_labels_of_those_that_are_there() -> None:
    """A plan that is handed over is adopted task by task, and may begin before the last is."""
    first = Task(id="a", skill="work", labels=("secret",))
    both = (first, Task(id="c", skill="work", join=Join(of=("a", "late"), take=1)))
    story = Story(TEAM, *both, closed=False, plan=Plan(tasks=(*both, Task(id="late", skill="work"))))
    story.do("a", "c")
    assert "late" not in story.state.tasks
    assert story.one("c").labels == {"secret"}
    assert labels(story.state, story.one("c")) == {"secret"}


def test_an_item_stands_for_itself_within_a_fan_out_alone() -> None:
    story = Story(TEAM, Task(id="a", skill="work", inputs={"x": {"ref": "item"}}, for_each=ForEach(items=[1, 2])))
    story.judge("a", items=(1, 2))
    assert [value_of(story.state, {"ref": "item"}, story.one(id_)) for id_ in ("a[0]", "a[1]")] == [1, 2]
