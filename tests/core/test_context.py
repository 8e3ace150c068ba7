"""What a task gets to see: values that are there, and a plain word about those that are not."""

import pytest

from stretto.core.commands import InterpretGoal
from stretto.core.context import (
    Missing,
    criteria_of,
    labels,
    labels_of_piece,
    resolve,
    value_of,
    versions_read,
    visible,
)
from stretto.core.domain import (
    AgentCard,
    Catalogue,
    ForEach,
    InputSpec,
    Interpretation,
    Join,
    Json,
    Piece,
    Plan,
    Repeat,
    Rung,
    SideEffect,
    Skill,
    Task,
)
from tests.core.story import ANYTHING, ASK, Story, agent

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


def test_what_a_person_changed_before_approving_is_what_a_task_gets_whatever_was_written() -> None:
    reads = Task(id="t", skill="work", inputs={"x": {"ref": "context.k"}}, after=("w",))
    run = Story(TEAM, Task(id="w", skill="work", writes="k"), reads)
    run.do("w", output="draft")
    assert (resolve(run.state, run.one("t")), versions_read(run.state, run.one("t"))) == ({"x": "draft"}, {"k": 1})
    run.judge("t", verdict=ASK, arguments={"x": "draft"})
    run.answer("edit", {"x": "by hand"})
    assert (resolve(run.state, run.one("t")), versions_read(run.state, run.one("t"))) == ({"x": "by hand"}, {})


@pytest.mark.parametrize(
    ("planner", "deliver", "criteria"),
    [
        ("model", {"ref": "t.output"}, ("short", "kind")),
        ("model", {"title": {"ref": "t.output"}, "more": {"ref": "other.output"}}, ("short",)),
        ("model", {"ref": "other.output"}, ("short",)),
        ("rules", {"ref": "t.output"}, ("short",)),
    ],
)
def test_what_a_model_holds_for_done_is_a_criterion_of_what_alone_is_delivered(
    planner: str, deliver: Json, criteria: tuple[str, ...]
) -> None:
    run = Story(TEAM, Task(id="t", skill="work", criteria=("short",)), Task(id="other", skill="work"), closed=False)
    run.say(InterpretGoal(revision=1, interpretation=Interpretation(planner=planner, done=("kind", "short"))))
    run.close(deliver)
    assert criteria_of(run.state, run.one("t")) == criteria


def test_a_join_gets_what_came_first_and_no_more_than_it_takes() -> None:
    both = (Task(id="a", skill="work"), Task(id="b", skill="work"), Task(id="c", skill="work"))
    last = Task(id="j", skill="work", inputs={"all": {"ref": "joined"}}, join=Join(of=("a", "b", "c"), take=2))
    run = Story(TEAM, *both, last)
    run.do("c", output="third")
    run.do("a", output="first")
    assert resolve(run.state, run.one("j")) == {"all": ["third", "first"]}


def test_data_carries_the_labels_of_the_inputs_it_was_made_from_and_an_agent_those_of_its_skill() -> None:
    specs = {"file": InputSpec(labels=("phi",)), "note": InputSpec()}
    tasks = (
        Task(id="t", skill="work", inputs={"x": {"ref": "inputs.file"}}),
        Task(id="u", skill="work", inputs={"x": {"ref": "inputs.note"}, "y": {"ref": "inputs.later", "default": 1}}),
    )
    drafts = Skill(name="work", effect=SideEffect.NONE, inputs=ANYTHING, labels=("drafted",))
    marking = AgentCard(name="worker", skills=(drafts,))
    plan = Plan(tasks=tasks, inputs=specs)
    run = Story(Catalogue(agents=(marking,)), *tasks, plan=plan, closed=False, inputs={"file": 1, "note": 2})
    assert [labels(run.state, run.one(id_)) for id_ in ("t", "u")] == [{"phi"}, frozenset()]
    assert labels_of_piece(run.state, Piece(work="plan", number=1)) == {"phi"}
    before = Piece(work="run", task="t", number=1)
    assert labels_of_piece(run.state, before) == {"phi"}
    run.begin("t")
    assert labels_of_piece(run.state, before) == {"phi", "drafted"}
