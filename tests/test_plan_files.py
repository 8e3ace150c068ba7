"""Plans in files of any kind: with prose around, fenced, one a line, or broken off."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.cards import joined, read_cards
from stretto.core.domain import Catalogue
from stretto.core.errors import UsageError
from stretto.core.plan.diagnostics import errors
from stretto.core.plan.intake import take_in
from stretto.core.plan.shape import read_plan
from stretto.core.plan.writing import write_plan
from stretto.documents import parse_document, yaml_text
from stretto.extraction import fences, pieces
from stretto.plan_files import Judged, judge

TOOLS = {
    "nodes": [
        {"id": "Reader", "desc": "Reads a photo.", "input-type": ["image"], "output-type": ["Text"]},
        {"id": "Speaker", "desc": "Speaks a text.", "input-type": ["text"], "output-type": ["audio"]},
        {"id": "Weather", "desc": "Says the weather.", "parameters": [{"name": "city", "type": "string"}]},
    ]
}
PLAN = {
    "id": "7",
    "user_request": "Read a.jpg aloud",
    "task_nodes": [{"task": "Reader", "arguments": ["a.jpg"]}, {"task": "Speaker", "arguments": ["<node-0>"]}],
    "task_links": [{"source": "Reader", "target": "Speaker"}],
}
NATIVE = {"name": "ours", "tasks": {"read": {"skill": "Reader"}, "say": {"skill": "Speaker", "after": ["read"]}}}


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    path = tmp_path / "tools.json"
    path.write_text(json.dumps(TOOLS))
    return read_cards(path)


def judged(text: str, path: Path, catalogue: Catalogue) -> list[Judged]:
    """Write a text to a file and judge the plans in it."""
    path.write_text(text)
    return list(judge(path, lambda _: catalogue))


def codes(one: Judged) -> list[str]:
    """Give the codes that were told of a plan."""
    return [said.code for said in one.intake.found]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("plan.json", json.dumps(PLAN, indent=2)),
        ("plan.jsonl", json.dumps(PLAN)),
        ("plan.yaml", yaml_text(PLAN)),
        ("plan.md", f"# A plan\n\n```json\n{json.dumps(PLAN)}\n```\nDone.\n"),
        ("plan.md", f"```yaml\n{yaml_text(PLAN)}```\n"),
        ("plan.txt", f"Sure! Here is the plan: {json.dumps(PLAN)} Hope [that] helps {{you}}."),
        ("plan.json", f"```json\n{json.dumps(PLAN)}"),
        ("plan.json", json.dumps([PLAN])),
        ("plan.jsonl", json.dumps({"id": "7", "result": PLAN})),
    ],
)
def test_a_plan_is_found_in_files_of_any_kind(name: str, text: str, tmp_path: Path, catalogue: Catalogue) -> None:
    [one] = judged(text, tmp_path / name, catalogue)
    assert (one.id, one.intake.status) == ("7", "ok")
    assert [task.skill for task in one.intake.plan.tasks] == ["Reader", "Speaker"]


def test_plans_of_our_own_form_are_judged_as_well(tmp_path: Path, catalogue: Catalogue) -> None:
    [one] = judged(yaml_text(NATIVE), tmp_path / "plan.yaml", catalogue)
    assert (one.id, one.intake.status) == ("ours", "ok")


def test_every_line_is_a_plan_of_its_own_and_a_bad_one_spoils_no_other(tmp_path: Path, catalogue: Catalogue) -> None:
    nameless = {key: value for key, value in PLAN.items() if key != "id"}
    text = "\n".join([json.dumps(PLAN), "no plan", "", json.dumps(nameless), '{"task_nodes": [{"task"'])
    first, second, third, fourth = judged(text, tmp_path / "plans.jsonl", catalogue)
    assert [one.intake.status for one in (first, second, third, fourth)] == ["ok", "refused", "ok", "refused"]
    assert (first.id, third.id) == ("7", "plans:4")
    assert second.intake.found[0].where.endswith("plans.jsonl:2:1")
    assert "unreadable" in codes(fourth)


def test_a_plan_a_line_is_read_from_a_file_of_any_name(tmp_path: Path, catalogue: Catalogue) -> None:
    held = judged("\n".join([json.dumps(PLAN)] * 300), tmp_path / "plans.json", catalogue)
    assert [one.intake.status for one in held] == ["ok"] * 300


def test_findings_name_file_line_and_column(tmp_path: Path, catalogue: Catalogue) -> None:
    wrong = json.dumps({**PLAN, "task_nodes": [{"task": "Sculptor", "arguments": []}]})
    [_, one] = judged(f"{json.dumps(PLAN)}\n{wrong}\n", tmp_path / "plans.jsonl", catalogue)
    found = {said.code: said.where for said in one.intake.found}
    column = wrong.index('"task":') + 1
    assert found["unknown-skill"] == f"{tmp_path / 'plans.jsonl'}:2:{column} (task_nodes[0].task)"
    [one] = judged(f"Well,\nhere:\n  {wrong}", tmp_path / "plan.txt", catalogue)
    found = {said.code: said.where for said in one.intake.found}
    assert found["unknown-skill"] == f"{tmp_path / 'plan.txt'}:3:{column + 2} (task_nodes[0].task)"


def test_a_plan_that_lacks_only_its_end_is_mended_and_one_that_lost_something_refused(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    text = json.dumps(PLAN)
    [whole] = judged(text[:-1], tmp_path / "plan.txt", catalogue)
    assert (whole.intake.status, codes(whole)) == ("repaired", ["unreadable"])
    [lost] = judged(text[: text.index('"task_links"')], tmp_path / "plan.txt", catalogue)
    assert lost.intake.status == "refused"
    [within] = judged(text[: text.index('"Speaker"')], tmp_path / "plan.txt", catalogue)
    assert "breaks off in task_nodes[1]" in errors(within.intake.found)[0].message


@given(st.integers(0, len(json.dumps(PLAN)) - 1))
def test_a_plan_cut_anywhere_is_told_and_never_raises(cut: int) -> None:
    text = json.dumps(PLAN)[:cut]
    for piece in pieces(text):
        assert piece.broken is not None
        assert take_in(piece.value, Catalogue()).status == "refused"


@given(st.text(alphabet='{}[]",:\\ab1 \n`', max_size=60))
def test_looking_for_json_in_any_text_never_raises_and_finds_what_is_there(text: str) -> None:
    list(fences(text))
    for piece in pieces(text):
        if piece.broken is None:
            assert json.loads(text[piece.start : piece.end]) == piece.value
    assert any(piece.value == PLAN for piece in pieces(f"{text.replace('[', '').replace('{', '')} {json.dumps(PLAN)}"))


def test_deep_nesting_and_many_brackets_end_soon() -> None:
    assert list(pieces("[" * 100_000)) == []
    assert list(pieces("{" * 100_000)) == []


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,8}", fullmatch=True),
        st.fixed_dictionaries(
            {"skill": st.sampled_from(["a", "b c", "yes", "1", "null", "x: y"])},
            optional={
                "objective": st.text(max_size=20),
                "inputs": st.dictionaries(
                    st.sampled_from(["x", "y z"]), st.sampled_from([1, 1.5, "1", None, ["a"], {"b": True}])
                ),
                "limits": st.just({"timeout": 3.0, "attempts": 2, "deadline": 60}),
                "for_each": st.just({"items": [1, 2], "max": 3, "parallel": 2}),
                "join": st.sampled_from(
                    [{"of": ["x", "y"], "take": 1}, {"of": ["x"], "take": "first", "rest": "keep"}]
                ),
                "repeat": st.sampled_from(
                    [{"max": 3}, {"max": 2, "until": "round > 0", "pause": 1.5, "otherwise": "keep"}]
                ),
                "wait": st.sampled_from([3, "2h"]),
                "effect": st.just("idempotent"),
                "labels": st.just(["pii"]),
                "approval": st.just("ask"),
            },
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_plan_written_down_reads_as_the_same_plan(tasks: dict[str, Any]) -> None:
    plan, _ = read_plan({"name": "p", "tasks": tasks, "deliver": {"ref": f"{next(iter(tasks))}.output"}})
    again, _ = read_plan(parse_document(yaml_text(write_plan(plan)), "plan").value)
    assert again == plan


def test_tools_with_named_parameters_take_arguments_by_name_or_in_their_order(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    for arguments in (["Rome"], [{"name": "city", "value": "Rome"}]):
        document = {"task_nodes": [{"task": "Weather", "arguments": arguments}], "task_links": []}
        [one] = judged(json.dumps(document), tmp_path / "plan.json", catalogue)
        assert one.intake.plan.tasks[0].inputs == {"city": "Rome"}
        assert one.intake.status == "ok"


def test_the_cards_that_the_command_line_prints_are_read_back(tmp_path: Path) -> None:
    import msgspec

    from stretto.bootstrap import Orchestrator, specialists

    catalogue = Orchestrator(specialists()).catalogue
    path = tmp_path / "cards.json"
    path.write_bytes(msgspec.json.encode(catalogue.agents))
    assert read_cards(path).agents == catalogue.agents


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "break off"),
        ("{}", "no list of agent cards"),
        ('{"nodes": [{"desc": "x"}]}', ":1:12: a tool is a mapping with an `id`"),
        ('{"nodes": [{"id": "a", "input-type": [1]}]}', ":1:24: the types are no list of names"),
        ('{"nodes": [{"id": "a", "parameters": [{}]}]}', "a parameter is a mapping"),
        ('{"nodes": [{"id": "a"}, {"id": "a"}]}', "two are called 'a'"),
        ('[{"skills": []}]', ":1:2: not an agent card"),
    ],
)
def test_what_is_wrong_with_tools_is_said_with_its_place(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "tools.json"
    path.write_text(text)
    with pytest.raises(UsageError) as raised:
        read_cards(path)
    assert message in str(raised.value)


def test_catalogues_are_put_together_and_the_first_of_a_name_holds(catalogue: Catalogue) -> None:
    assert joined([catalogue, catalogue]) == catalogue
