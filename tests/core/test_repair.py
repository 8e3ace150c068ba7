"""Repair: by evidence only, the same every time, once, and never of what is sound."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stretto.core.domain import AgentCard, Budget, Catalogue, ForEach, Plan, SideEffect, Skill, Task
from stretto.core.plan.check import check
from stretto.core.plan.diagnostics import errors
from stretto.core.plan.repair import Repair, repair

from .tools import KITCHEN, TOOLS, graph, taken, told


def mended(*tasks: Task, catalogue: Catalogue = KITCHEN, keep: frozenset[str] = frozenset()) -> Repair:
    """Check and repair a plan of these tasks."""
    plan = Plan(tasks=tasks)
    return repair(plan, check(plan, catalogue), catalogue, keep=keep)


def ref(task: str) -> dict[str, str]:
    """Refer to a result."""
    return {"ref": f"{task}.output"}


READ = Task(id="read", skill="Photo Reader", inputs={"image": "a.jpg"})


def test_a_reference_to_itself_leads_to_the_task_that_it_declares_to_wait_for() -> None:
    result = mended(READ, Task(id="say", skill="Text-to-Audio", inputs={"text": ref("say")}, after=("read",)))
    assert result.plan.tasks[1].inputs == {"text": ref("read")}
    assert [(one.code, one.path) for one in result.changes] == [("self-reference", "tasks.say.inputs.text")]
    assert errors(check(result.plan, KITCHEN)) == []


def test_a_reference_to_no_task_leads_to_one_a_slip_of_the_pen_away() -> None:
    result = mended(READ, Task(id="say", skill="Text-to-Audio", inputs={"text": ref("raed")}))
    assert result.plan.tasks[1].inputs == {"text": ref("read")}


def test_a_name_that_differs_by_the_agents_name_alone_is_that_skill_where_only_one_is_so() -> None:
    def catalogue(*names: str) -> Catalogue:
        skills = (Skill(name=name, effect=SideEffect.NONE) for name in names)
        return Catalogue(agents=tuple(AgentCard(name=one.name, skills=(one,)) for one in skills))

    task = Task(id="a", skill="analyse")
    assert mended(task, catalogue=catalogue("logs.analyse", "x.other")).plan.tasks[0].skill == "logs.analyse"
    assert mended(task, catalogue=catalogue("logs.analyse", "data.analyse")).changes == ()
    bare = mended(replace(task, skill="crew.find"), catalogue=catalogue("find", "other"))
    assert bare.plan.tasks[0].skill == "find"


def test_numbers_are_never_slips_of_the_pen() -> None:
    tasks = Task(id="t1", skill="Painter", inputs={"text": "a b c"}), Task(id="t2", skill="Photo Reader")
    result = mended(tasks[0], replace(tasks[1], inputs={"image": ref("t3")}))
    assert result.changes == ()


def test_references_that_are_all_off_by_one_are_moved_back_together() -> None:
    intake = taken(
        graph(
            ("Photo Reader", ["a.jpg"]),
            ("Translation", ["<node-1>"]),
            ("Text Shortener", ["<node-2>"]),
            ("Comparison", ["<node-2>", "<node-3>"]),
            links=[
                ("Photo Reader", "Translation"),
                ("Translation", "Text Shortener"),
                ("Translation", "Comparison"),
                ("Text Shortener", "Comparison"),
            ],
        )
    )
    assert intake.status == "repaired"
    assert intake.plan.tasks[3].inputs == {"arguments": [ref("node-1"), ref("node-2")]}


def test_its_own_result_is_dropped_where_the_skill_is_given_enough_without_it() -> None:
    intake = taken(graph(("Photo Reader", ["a.jpg"]), ("Translation", ["<node-0>", "<node-1>"])))
    assert intake.plan.tasks[1].inputs == {"arguments": [ref("node-0")]}


def test_its_own_result_is_not_dropped_where_an_argument_would_be_missing() -> None:
    intake = taken(graph(("Translation", ["some words here"]), ("Retoucher", ["<node-0>", "<node-1>"])))
    assert intake.status == "refused"


def test_the_only_value_of_the_missing_type_takes_the_place_of_its_own_result() -> None:
    intake = taken(
        graph(
            ("Painter", ["a red house by the sea"]),
            ("Photo Reader", ["<node-0>"]),
            ("Comparison", ["<node-1>", "<node-2>"]),
        )
    )
    assert intake.status == "repaired"
    assert intake.plan.tasks[2].inputs == {"arguments": [ref("node-1"), "a red house by the sea"]}


def test_of_two_that_may_be_meant_none_is_taken() -> None:
    readers = Task(id="a", skill="Photo Reader"), Task(id="b", skill="Photo Reader")
    result = mended(*readers, Task(id="say", skill="Text-to-Audio", inputs={"text": ref("say")}, after=("a", "b")))
    assert result.changes == ()
    assert [one.code for one in errors(result.found)] == ["self-reference"]


def test_types_tell_which_of_two_is_meant() -> None:
    tasks = Task(id="a", skill="Photo Reader"), Task(id="b", skill="Painter")
    result = mended(*tasks, Task(id="say", skill="Text-to-Audio", inputs={"text": ref("say")}, after=("a", "b")))
    assert result.plan.tasks[2].inputs == {"text": ref("a")}


def test_nothing_is_known_of_the_type_of_a_fan_out_so_it_may_be_meant_as_well() -> None:
    read = Task(id="a", skill="Photo Reader")
    paint = Task(id="b", skill="Painter", inputs={"text": {"ref": "item"}}, for_each=ForEach(items=["x", "y"]))
    say = Task(id="say", skill="Text-to-Audio", inputs={"text": ref("say")}, after=("a", "b"))
    assert mended(read, paint, say).changes == ()


def test_one_value_at_hand_does_not_tell_which_of_two_references_stands_for_it() -> None:
    twice = Task(id="put", skill="Translation", inputs={"a": ref("put"), "b": ref("put")}, after=("read",))
    assert mended(READ, twice).changes == ()
    assert mended(READ, replace(twice, inputs={"a": ref("put")})).plan.tasks[1].inputs == {"a": ref("read")}


def test_a_circle_is_opened_at_the_reference_that_the_declared_order_contradicts() -> None:
    result = mended(
        Task(id="paint", skill="Painter", inputs={"text": "a b c"}),
        Task(id="short", skill="Text Shortener", inputs={"text": ref("look")}),
        Task(id="look", skill="Photo Reader", inputs={"image": ref("short")}, after=("paint",)),
    )
    assert result.plan.tasks[2].inputs == {"image": ref("paint")}
    assert errors(check(result.plan, KITCHEN)) == []


def test_a_circle_that_one_bare_order_closes_loses_that_order() -> None:
    result = mended(
        Task(id="a", skill="Photo Reader", inputs={"image": "a.jpg"}, after=("b",)),
        Task(id="b", skill="Translation", inputs={"text": ref("a")}),
    )
    assert result.plan.tasks[0].after == ()


def test_a_circle_of_references_alone_is_left_to_be_asked() -> None:
    result = mended(
        Task(id="a", skill="Translation", inputs={"text": ref("b")}),
        Task(id="b", skill="Translation", inputs={"text": ref("a")}),
    )
    assert result.changes == ()


def test_references_off_by_more_than_one_are_moved_together_where_the_order_tells_how_far() -> None:
    first = Task(id="t0", skill="Photo Reader", inputs={"image": "a.jpg"})
    second = Task(id="t1", skill="Translation", inputs={"text": "some words here"})
    compare = Task(id="t2", skill="Comparison", inputs={"one": ref("t2"), "two": ref("t3")}, after=("t0", "t1"))
    assert mended(first, second, compare).plan.tasks[2].inputs == {"one": ref("t0"), "two": ref("t1")}
    assert mended(first, second, replace(compare, after=("t1", "t0"))).changes == (), "not by one distance"
    assert mended(first, second, compare, READ).changes == (), "not all of the tasks are numbered"


def test_references_moved_one_back_are_right_where_they_bring_just_what_the_skill_takes() -> None:
    intake = taken(
        graph(
            ("Photo Reader", ["a.jpg"]),
            ("Translation", ["<node-0>"]),
            ("Comparison", ["<node-1>", "<node-2>"]),
        )
    )
    assert intake.status == "repaired"
    assert intake.plan.tasks[2].inputs == {"arguments": [ref("node-0"), ref("node-1")]}
    assert {one.code for one in intake.changes} == {"self-reference"}


def test_a_reference_that_cannot_be_read_counts_as_no_value_and_stays() -> None:
    short = Task(id="short", skill="Text Shortener", inputs={"text": ref("read")})
    torn = {"ref": "read.result"}
    given = {"torn": torn, "own": ref("same"), "one": ref("read")}
    enough = mended(READ, short, Task(id="same", skill="Comparison", inputs={**given, "two": ref("short")}))
    assert enough.plan.tasks[2].inputs == {"torn": torn, "one": ref("read"), "two": ref("short")}
    assert [one.code for one in errors(enough.found) if not one.repaired] == ["bad-reference"]
    assert mended(READ, Task(id="same", skill="Comparison", inputs=given)).changes == ()


def test_only_names_of_tasks_among_the_arguments_are_slips_of_the_pen() -> None:
    each = Task(
        id="each",
        skill="Translation",
        for_each=ForEach(items=ref("raed")),
        inputs={"text": {"ref": "item"}, "language": {"ref": "inputs.raed"}},
    )
    assert mended(READ, each).changes == ()


def test_an_argument_is_called_by_the_one_name_it_can_mean_and_others_stay() -> None:
    takes = {"type": "object", "properties": {"word": {}, "times": {}}, "additionalProperties": False}
    catalogue = Catalogue(agents=(AgentCard(name="a", skills=(Skill(name="say", inputs=takes),)),))
    result = mended(Task(id="t", skill="say", inputs={"loudness": 1, "wrod": "x"}), catalogue=catalogue)
    assert result.plan.tasks[0].inputs == {"loudness": 1, "word": "x"}
    told = {one.path: one.repaired for one in errors(result.found)}
    assert told == {"tasks.t.inputs.loudness": False, "tasks.t.inputs.wrod": True}


def test_the_agent_that_a_plan_names_must_have_the_skill_that_is_meant() -> None:
    misnamed = Task(id="t", skill="photo_reader", inputs={"image": "a.jpg"})
    assert mended(replace(misnamed, agent="Photo Reader")).plan.tasks[0].skill == "Photo Reader"
    assert mended(replace(misnamed, agent="Translation")).changes == ()


def test_in_a_very_large_plan_nothing_is_guessed_from_what_comes_before_a_task() -> None:
    say = Task(id="say", skill="Translation", inputs={"text": ref("read"), "own": ref("say")})
    others = [replace(READ, id=f"read-{number}") for number in range(499)]
    assert mended(READ, say).plan.tasks[1].inputs == {"text": ref("read")}
    assert mended(READ, say, *others).changes == ()


def test_a_task_no_longer_waits_for_itself() -> None:
    assert mended(replace(READ, after=("read",))).plan.tasks[0].after == ()


@pytest.mark.parametrize(
    ("name", "skill"),
    [
        ("photo_reader", "Photo Reader"),
        ("Photo Raeder", "Photo Reader"),
        ("Text Translator", "Translation"),
        ("Text-to-Speech", "Text-to-Audio"),
        ("Text Shortening", "Text Shortener"),
        ("Optical Character Recognition", "Photo Reader"),
    ],
)
def test_a_skill_is_used_that_the_name_means_beyond_doubt(name: str, skill: str) -> None:
    takes = "a.jpg" if skill == "Photo Reader" else "some words here"
    result = mended(Task(id="t", skill=name, inputs={"x": takes}))
    assert result.plan.tasks[0].skill == skill
    assert [one.code for one in result.changes] == ["unknown-skill"]


@pytest.mark.parametrize(
    "name", ["Audio-to-Text", "Photo Writer", "Sculptor", "Save File", "Text-to-Text", "Reader", ""]
)
def test_a_name_that_only_looks_alike_means_nothing(name: str) -> None:
    assert mended(Task(id="t", skill=name, inputs={"x": "some words here"})).changes == ()


def test_what_the_result_is_used_for_tells_which_of_two_skills_is_meant() -> None:
    cards = tuple(card for card in KITCHEN.agents if card.name != "Frame Grabber")
    tasks = (
        Task(id="cut", skill="Video Extractor", inputs={"video": "a.mp4"}),
        Task(id="read", skill="Photo Reader", inputs={"image": ref("cut")}),
    )
    assert mended(*tasks, catalogue=Catalogue(agents=cards)).plan.tasks[0].skill == "Video-to-Image"
    assert mended(tasks[0], catalogue=Catalogue(agents=cards)).changes == ()


def test_a_name_never_leads_to_a_skill_with_a_side_effect() -> None:
    skill = Skill(name="delete_host", effect=SideEffect.IRREVERSIBLE)
    catalogue = Catalogue(agents=(AgentCard(name="a", skills=(skill,)),))
    assert mended(Task(id="t", skill="delete_hosts"), catalogue=catalogue).changes == ()


def test_what_a_task_with_a_side_effect_does_is_never_guessed() -> None:
    acts = AgentCard(name="a", skills=(Skill(name="publish", effect=SideEffect.REVERSIBLE),))
    catalogue = Catalogue(agents=(*KITCHEN.agents, acts))
    publish = Task(id="out", skill="publish", inputs={"text": ref("out")}, after=("read",))
    assert mended(READ, publish, catalogue=catalogue).plan.tasks == (READ, publish)


def test_two_tasks_of_one_id_are_both_kept_and_left_to_be_asked_about() -> None:
    say = Task(id="read", skill="Text-to-Speech", inputs={"text": ref("read")})
    assert mended(READ, say).plan.tasks == (READ, say)


def test_a_plan_without_tasks_and_one_beyond_its_budget_are_not_called_mended() -> None:
    assert mended().changes == ()
    plan = Plan(tasks=(READ, Task(id="say", skill="Text-to-Speech", inputs={"text": ref("read")})))
    budget = Budget(steps=1)
    result = repair(plan, check(plan, KITCHEN, budget=budget), KITCHEN, budget=budget)
    assert {one.code: one.repaired for one in errors(result.found)} == {"over-budget": False, "unknown-skill": True}


def test_an_argument_is_given_under_the_name_a_slip_of_the_pen_away() -> None:
    inputs = {"type": "object", "properties": {"city": {"type": "string"}}, "additionalProperties": False}
    catalogue = Catalogue(agents=(AgentCard(name="a", skills=(Skill(name="weather", inputs=inputs),)),))
    result = mended(Task(id="t", skill="weather", inputs={"ctiy": "Rome"}), catalogue=catalogue)
    assert result.plan.tasks[0].inputs == {"city": "Rome"}


def test_arguments_by_position_get_the_names_that_the_skill_has_for_them() -> None:
    inputs = {"type": "object", "properties": {"city": {"type": "string"}, "day": {}}, "additionalProperties": False}
    catalogue = Catalogue(agents=(AgentCard(name="a", skills=(Skill(name="get_weather", inputs=inputs),)),))
    result = mended(Task(id="t", skill="get-weather", inputs={"arguments": ["Rome", "today"]}), catalogue=catalogue)
    assert result.plan.tasks[0].inputs == {"city": "Rome", "day": "today"}


def test_tasks_to_keep_are_left_alone() -> None:
    say = Task(id="say", skill="Text-to-Audio", inputs={"text": ref("say")}, after=("read",))
    assert mended(READ, say, keep=frozenset({"say"})).plan.tasks == (READ, say)


def test_every_mended_finding_says_what_was_done_and_why() -> None:
    intake = taken(graph(("Photo Reader", ["a.jpg"]), ("Text Translator", ["<node-1>"])))
    assert told(intake) == {"cycle": True, "self-reference": True, "unknown-skill": True}
    assert all("now" in one.mend and ": " in one.mend for one in intake.found if one.repaired)


NAMES = st.sampled_from([*TOOLS, "photo reader", "Text Translator", "Sculptor"])
ARGUMENTS = st.lists(
    st.one_of(
        st.integers(0, 6).map(lambda k: f"<node-{k}>"),
        st.sampled_from(["a.jpg", "a.mp4", "fr", "some words here", "output of step 1"]),
        st.builds(lambda k: {"name": "x", "value": f"<node-{k}>"}, st.integers(0, 6)),
    ),
    max_size=3,
)
GRAPHS = st.builds(
    lambda nodes, links: graph(*nodes, links=links),
    st.lists(st.tuples(NAMES, ARGUMENTS), min_size=1, max_size=6),
    st.lists(st.tuples(NAMES, NAMES), max_size=6),
)


@given(GRAPHS)
@settings(max_examples=150)
def test_repair_says_the_truth_about_any_graph(document: dict[str, object]) -> None:
    intake = taken(document)
    wrong = errors(check(intake.plan, KITCHEN))
    if intake.status != "refused":
        assert wrong == []
    again = repair(intake.plan, check(intake.plan, KITCHEN), KITCHEN)
    assert again.plan == intake.plan, "what is mended is not mended again"
    assert again.changes == ()
    assert taken(document) == intake, "the same plan is mended the same way"
    if intake.status == "ok":
        assert intake.changes == ()
