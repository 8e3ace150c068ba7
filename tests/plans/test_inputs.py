"""What a run is given: texts are read as what the plan wants there, values and files are looked over."""

from pathlib import Path

import pytest

from stretto import Orchestrator, plan, pure, ref, task
from stretto.bootstrap import open_workspace
from stretto.core.domain import InputSpec, Json
from stretto.core.errors import UsageError


@pure
async def add(number: int, share: float = 0, double: bool = False) -> float:
    """Add a number and a share."""
    return (number + share) * (2 if double else 1)


@pure
async def spell(words: list[str], title: str = "", options: dict[str, int] | None = None) -> list[Json]:
    """Spell words."""
    return [*words, title, options]


TEAM = Orchestrator([add, spell])
SUM = plan(
    task("a", add, number=ref("inputs.number"), share=ref("inputs.share"), double=ref("inputs.double")),
    inputs={"number": InputSpec(), "share": 0, "double": False},
    deliver=ref("a"),
)
WORDS = plan(
    task("a", spell, words=ref("inputs.words"), title=ref("inputs.title"), options=ref("inputs.options")),
    inputs={"words": InputSpec(), "title": "", "options": None},
    deliver=ref("a"),
)
EACH = plan(
    task("a", add, for_each=ref("inputs.numbers"), number=ref("item")), inputs=["numbers"], deliver=ref("a.output")
)
WORKSPACE = """
name: numbers
agents: [agents/numbers.py]
plan: {plan}
inputs: {{words: [one], number: 3}}
"""


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        (["number=3"], 3),
        (["number=3", "share=0.5", "double=true"], 7),
        (["number=-1", "share=1e1"], 9),
    ],
)
async def test_numbers_and_truth_values_are_read_where_a_skill_takes_them(given: list[str], answer: float) -> None:
    assert (await TEAM.run("Add", plan=SUM, inputs=given)).answer == answer


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        (["words=a"], ["a", "", None]),
        (["words=a", "words=b"], ["a", "b", "", None]),
        (['words=["a", "b"]'], ["a", "b", "", None]),
        (["words=a", "title=3"], ["a", "3", None]),
        (["words=a", "title=[1]"], ["a", "[1]", None]),
        (["words=[broken"], ["[broken", "", None]),
        (["words=a", 'options={"x": 1}'], ["a", "", {"x": 1}]),
    ],
)
async def test_lists_and_objects_are_json_and_texts_stay_texts(given: list[str], answer: list[Json]) -> None:
    assert (await TEAM.run("Spell", plan=WORDS, inputs=given)).answer == answer


@pytest.mark.parametrize("given", [["numbers=4"], ["numbers=[4]"]])
async def test_what_is_fanned_out_over_is_a_list_even_of_one(given: list[str]) -> None:
    assert (await TEAM.run("Add each", plan=EACH, inputs=given)).answer == [4]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["number=many"], "the input 'number' is a whole number, not 'many'"),
        (["number=1.5"], "the input 'number' is a whole number, not '1.5'"),
        (["number=null"], "the input 'number' is a whole number, not 'null'"),
        (["number=1", "number=2"], "the input 'number' is given 2 times, and it is a whole number"),
        (["number=1", "share=NaN"], "the input 'share' is a number, not 'NaN'"),
        (["number=1", "double=perhaps"], "the input 'double' is true or false, not 'perhaps'"),
        ({"numbr": 1}, "numbr names no input of the plan; it has number, share, double"),
        ({}, "the plan needs the input 'number' (value); give it with --input number=..."),
        (3, "inputs are values by name, or a list of NAME=VALUE and paths, not 3"),
        ("number=3", "inputs are values by name, or a list of NAME=VALUE and paths, not 'number=3'"),
    ],
)
async def test_what_does_not_fit_is_told_before_anything_runs(given: list[str] | dict[str, Json], says: str) -> None:
    with pytest.raises(UsageError) as told:
        await TEAM.run("Add", plan=SUM, inputs=given)
    assert says in str(told.value)


async def test_files_given_as_values_are_looked_up_too(tmp_path: Path) -> None:
    texts = plan(
        task("a", spell, words=ref("inputs.texts")), inputs={"texts": InputSpec(kind="files")}, deliver=ref("a")
    )
    (tmp_path / "one.txt").touch()
    run = await TEAM.run("Spell", plan=texts, inputs={"texts": str(tmp_path)})
    assert run.answer == [str(tmp_path / "one.txt"), "", None]
    with pytest.raises(UsageError, match=r"there is no .*nix\.txt"):
        await TEAM.run("Spell", plan=texts, inputs={"texts": ["nix.txt"]})


async def test_a_workspace_gives_its_inputs_as_they_are_written_and_to_python_too(tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents/numbers.py").write_text(
        "from stretto import agent\n\n\n@agent()\ndef tell(words: list[str], number: int) -> str:\n"
        '    """Tell."""\n    return f"{words} {number}"\n\n\ndef helper(x): ...\n'
    )
    (tmp_path / "plan.yaml").write_text(
        "inputs: [words, number]\n"
        "tasks: {a: {skill: numbers.tell, inputs: {words: {ref: inputs.words}, number: {ref: inputs.number}}}}\n"
        "deliver: {ref: a.output}\n"
    )
    (tmp_path / "workspace.yaml").write_text(WORKSPACE.format(plan="plan.yaml"))
    team = open_workspace(tmp_path, store=tmp_path / "runs.db")
    assert (await team.run("Tell")).answer == "['one'] 3"
    assert (await team.run("Tell", inputs={"number": 4})).answer == "['one'] 4"


@pytest.mark.parametrize(("goal", "given"), [("Add numbers", ["number=3", "share=0.5"]), ("Sum up", ["count=3.5"])])
async def test_a_goal_without_a_plan_is_given_numbers_too(tmp_path: Path, goal: str, given: list[str]) -> None:
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "agents.py").write_text(
        "def add(number: int, share: float = 0) -> float:\n"
        '    """Add numbers."""\n    return number + share\n\n\n'
        'def sum_up(amount: float) -> float:\n    """Sum up."""\n    return amount\n'
    )
    (tmp_path / "playbooks/sum.yaml").write_text(
        "intents: [sum up]\ninputs: [count]\n"
        "tasks: {a: {skill: agents.sum_up, inputs: {amount: {ref: inputs.count}}}}\ndeliver: {ref: a.output}\n"
    )
    (tmp_path / "workspace.yaml").write_text("name: numbers\nagents: [agents.py]\n")
    run = await open_workspace(tmp_path, store=tmp_path / "runs.db").run(goal, inputs=given)
    assert (run.answer, run.gaps) == (3.5, ())
