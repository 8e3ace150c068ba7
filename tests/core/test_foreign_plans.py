"""Task graphs of other systems: every kind of defect is found under its code, and what is sound is left alone."""

import json
from typing import Any

import pytest

from stretto.core.domain import Budget
from stretto.core.plan.check import check
from stretto.core.plan.diagnostics import errors
from stretto.core.plan.intake import take_in

from .tools import KITCHEN, graph, taken, told

SOUND = graph(("Photo Reader", ["a.jpg"]), ("Translation", ["<node-0>", "fr"]), ("Text-to-Audio", ["<node-1>"]))


def test_a_sound_graph_is_taken_as_it_is() -> None:
    intake = taken(SOUND)
    assert intake.status == "ok"
    assert intake.found == []
    assert intake.changes == ()
    reader, translation, audio = intake.plan.tasks
    assert (reader.id, reader.skill, reader.inputs) == ("node-0", "Photo Reader", {"arguments": ["a.jpg"]})
    assert translation.inputs == {"arguments": [{"ref": "node-0.output"}, "fr"]}
    assert audio.after == ("node-1",)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (graph(("Photo Reader", ["a.jpg"]), ("Sculptor", ["<node-0>"])), "unknown-skill"),
        (graph(("Comparison", ["one two three", "<node-0>"])), "self-reference"),
        (graph(("Comparison", ["one two three", "<node-0>"])), "cycle"),
        (graph(("Translation", ["<node-1>"]), ("Text Shortener", ["<node-0>"]), links=[]), "cycle"),
        (graph(("Translation", ["a b c"]), ("Painter", ["<node-0>"]), links=[("Painter", "Painter")]), "cycle"),
        (graph(("Translation", ["<node-9>"])), "dangling-reference"),
        (graph(("Translation", ["a b c"]), links=[("Sieve", "Translation")]), "dangling-reference"),
        (graph(("Translation", ["a b c"]), links=[("Translation", "The End")]), "dangling-reference"),
        (graph(("Translation", ["a b c"]), ("Painter", ["<node-0>"]), ("Painter", ["<node-0>"])), "ambiguous-link"),
        (graph(("Painter", ["a b c"]), ("Photo Reader", None)), "bad-value"),
        (graph(("Painter", ["a b c"]), ("Photo Reader", {"image": "a.jpg"})), "bad-value"),
    ],
)
def test_every_kind_of_defect_is_found_under_its_code(document: dict[str, Any], code: str) -> None:
    assert code in told(taken(document))


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (graph(("Painter", ["a b c"]), ("Translation", ["<node-0>"])), "type-mismatch"),
        (graph(("Painter", ["a b c"]), ("Translation", ["d e f"])), "type-mismatch"),
        (graph(("Photo Reader", ["a.jpg"]), ("Translation", ["<node-0>"]), links=[]), "undeclared-link"),
        (graph(("Photo Reader", ["a.jpg"]), ("Translation", ["output of step 5"])), "placeholder"),
        (
            graph(("Photo Reader", ["a.jpg"]), ("Painter", ["<node-0>"]), links=[("Painter", "Photo Reader")]),
            "contradicting-link",
        ),
    ],
)
def test_doubts_about_links_and_types_are_warnings_and_keep_nothing_from_running(
    document: dict[str, Any], code: str
) -> None:
    intake = taken(document)
    assert code in told(intake, "warning")
    assert intake.status == "ok"
    assert errors(check(intake.plan, KITCHEN)) == []


def test_links_that_contradict_the_arguments_only_together_are_a_warning_too() -> None:
    nodes = ("Photo Reader", ["a.jpg"]), ("Translation", ["<node-0>"]), ("Text Shortener", ["a b c"])
    intake = taken(graph(*nodes, links=[("Translation", "Text Shortener"), ("Text Shortener", "Photo Reader")]))
    assert intake.status == "ok"
    assert [one.path for one in intake.found if one.code == "contradicting-link"] == ["task_links[1]"]


@pytest.mark.parametrize(
    "text", ["$[Photo Reader.output]", "output_of_step_1", "[Output of Step 1]", "%{Photo_Reader.output}%", "<Node-0>"]
)
def test_a_text_that_names_the_one_task_a_link_leads_from_is_its_result(text: str) -> None:
    intake = taken(graph(("Photo Reader", ["a.jpg"]), ("Translation", [text])))
    assert intake.plan.tasks[1].inputs == {"arguments": [{"ref": "node-0.output"}]}
    assert intake.status == "ok"


def test_a_result_told_of_within_a_text_is_given_beside_the_text() -> None:
    intake = taken(graph(("Photo Reader", ["a.jpg"]), ("Painter", ["a house with <node-0> on it"])))
    assert intake.plan.tasks[1].inputs == {
        "arguments": ["a house with <node-0> on it"],
        "node-0": {"ref": "node-0.output"},
    }


def test_named_arguments_keep_their_names() -> None:
    arguments = [{"name": "text", "value": "<node-0>"}, {"name": "language", "value": "fr"}]
    intake = taken(graph(("Photo Reader", ["a.jpg"]), ("Translation", arguments)))
    assert intake.plan.tasks[1].inputs == {"text": {"ref": "node-0.output"}, "language": "fr"}


def test_arguments_of_one_name_are_all_kept() -> None:
    arguments = [{"name": "text", "value": value} for value in ("a", "b", "c")]
    intake = taken(graph(("Comparison", arguments)))
    assert intake.plan.tasks[0].inputs == {"text": "a", "text_2": "b", "text_3": "c"}


def test_a_part_of_a_result_stays_a_part_and_output_is_the_whole() -> None:
    intake = taken(graph(("Photo Reader", ["a.jpg"]), ("Comparison", ["<node-0>.lines[0]", "<node-0>.output"])))
    assert intake.plan.tasks[1].inputs == {"arguments": [{"ref": "node-0.output.lines[0]"}, {"ref": "node-0.output"}]}


def test_a_mapping_that_only_looks_like_a_reference_of_ours_stays_a_value() -> None:
    intake = taken(graph(("Translation", [{"ref": "inputs.secret"}])))
    assert intake.plan.tasks[0].inputs == {"arguments": [{"literal": {"ref": "inputs.secret"}}]}


def test_link_names_with_other_punctuation_or_numbers_are_understood_and_told() -> None:
    by_name = taken({**SOUND, "task_links": [{"source": "Photo_Reader", "target": "translation"}]})
    by_number = taken({**SOUND, "task_links": [{"source": "Step 1", "target": "Step 2"}]})
    for intake in (by_name, by_number):
        assert told(intake) == {"dangling-reference": True}
        assert intake.plan.tasks[1].after == ("node-0",)


def test_numbers_in_links_that_lead_backward_are_left_to_be_asked() -> None:
    intake = taken({**SOUND, "task_links": [{"source": "Step 3", "target": "Step 1"}]})
    assert intake.status == "refused"


def test_an_ambiguous_link_is_settled_by_the_arguments_or_else_orders_all_that_may_be_meant() -> None:
    nodes = ("Photo Reader", ["a.jpg"]), ("Photo Reader", ["b.jpg"])
    settled = taken(graph(*nodes, ("Translation", ["<node-1>"]), links=[("Photo Reader", "Translation")]))
    assert settled.plan.tasks[2].after == ("node-1",)
    every = taken(graph(*nodes, ("Translation", ["a b c"]), links=[("Photo Reader", "Translation")]))
    assert every.plan.tasks[2].after == ("node-0", "node-1")
    assert told(settled) == told(every) == {"ambiguous-link": True}


def test_a_tool_with_a_number_in_a_link_is_that_one_of_several() -> None:
    nodes = ("Photo Reader", ["a.jpg"]), ("Photo Reader", ["b.jpg"]), ("Translation", ["a b c"])
    intake = taken(graph(*nodes, links=[("Photo Reader-2", "Translation")]))
    assert intake.plan.tasks[2].after == ("node-1",)


def test_arguments_that_are_missing_are_what_links_bring_if_its_type_fits() -> None:
    brought = taken(graph(("Photo Reader", ["a.jpg"]), ("Translation", None)))
    assert brought.plan.tasks[1].inputs == {"arguments": [{"ref": "node-0.output"}]}
    assert told(brought) == {"bad-value": True}
    misfit = taken(graph(("Painter", ["a b c"]), ("Translation", None)))
    assert misfit.status == "refused"


def test_a_graph_without_any_arguments_passes_results_along_its_links() -> None:
    document = {
        "task_nodes": [{"task": "Photo Reader"}, {"task": "Translation"}],
        "task_links": SOUND["task_links"][:1],
    }
    intake = taken(document)
    assert intake.status == "ok"
    assert intake.plan.tasks[1].inputs == {"arguments": [{"ref": "node-0.output"}]}


def test_other_names_wrappers_and_packed_lists_are_the_same_form() -> None:
    packed = {"tool_nodes": json.dumps(SOUND["task_nodes"]), "tool_links": json.dumps(SOUND["task_links"])}
    for document in (packed, {"result": SOUND}, {"id": "7", "plan": json.dumps(SOUND)}):
        assert taken(document).plan == taken(SOUND).plan


def test_findings_are_placed_in_the_document_that_was_read() -> None:
    document = {
        "result": graph(("Photo Reader", ["a.jpg"]), ("Sculptor", ["x", {"name": "size", "value": "<node-8>"}]))
    }
    places = {one.code: one.path for one in taken(document).found}
    assert places["unknown-skill"] == "result.task_nodes[1].task"
    assert places["dangling-reference"] == "result.task_nodes[1].arguments[1]"


def test_a_finding_within_an_argument_or_of_the_whole_plan_has_its_place_too() -> None:
    document = graph(("Photo Reader", ["a.jpg"]), ("Translation", ["x", ["y", "<node-8>"]]))
    intake = take_in(document, KITCHEN, budget=Budget(steps=1))
    places = {one.code: one.path for one in intake.found}
    assert places["dangling-reference"] == "task_nodes[1].arguments[1][1]"
    assert places["over-budget"] == "tasks"


DEEP = "[" * 60 + "]" * 60


@pytest.mark.parametrize(
    ("document", "code", "path"),
    [
        ({"task_nodes": [{"task": "Painter", "arguments": json.loads(DEEP)}]}, "too-large", ""),
        ({"task_nodes": [{"task": "Painter", "arguments": DEEP}]}, "too-large", ""),
        ({"task_nodes": f'[{{"task": "Painter", "arguments": {DEEP}}}]'}, "too-large", ""),
        ({"task_nodes": [{"task": "Painter"}], "task_links": DEEP}, "too-large", ""),
        (
            {"plan": '{"task_nodes": [{"task": "Painter", "arguments": [1, NaN]}]}'},
            "bad-value",
            "plan.task_nodes[0].arguments[1]",
        ),
    ],
)
def test_packed_or_not_a_graph_is_held_to_the_limits_of_a_plan(document: Any, code: str, path: str) -> None:
    intake = taken(document)
    assert intake.status == "refused"
    assert [(one.code, one.path) for one in intake.found] == [(code, path)]


@pytest.mark.parametrize(
    "document",
    [
        None, 7, [], {}, {"task_nodes": None}, {"task_nodes": []}, {"task_nodes": [None, 3, {}]},
        {"task_nodes": [{"task": ["x"]}], "task_links": 5},
        {"task_nodes": [{"task": "Painter", "arguments": {}}], "task_links": [None, [], {}, ["a"], {"source": 4}]},
        {"task_nodes": [{"task": "Painter", "arguments": [None, {}, [], {"name": None}, {"name": "", "value": []}]}]},
    ],
)  # fmt: skip
def test_whatever_stands_in_the_place_of_a_plan_is_told_and_never_raises(document: Any) -> None:
    intake = taken(document)
    if intake.status != "refused":
        assert intake.plan.tasks
    else:
        assert errors(intake.found)


def test_many_nodes_of_one_name_and_many_links_take_no_long_time() -> None:
    nodes = [("Photo Reader", ["a.jpg"])] * 3000
    intake = taken(graph(*nodes, links=[("Photo Reader", "Photo Reader")] * 3000))
    assert "ambiguous-link" in told(intake)


def test_a_name_that_leaves_open_which_means_the_one_that_is_there() -> None:
    assert taken(graph(("Sculptor / Painter", ["a boat"]))).plan.tasks[0].skill == "Painter"
    unclear = taken(graph(("Painter / Translation", ["a boat"]))).plan.tasks[0].skill
    assert unclear not in ("Painter", "Translation")
    for name in ("P" * 5000, "!?"):
        assert "unknown-skill" in told(taken(graph((name, ["a boat"]))))
