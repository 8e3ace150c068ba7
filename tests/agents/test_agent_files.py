"""Agents from Markdown files: what a file says, what a workspace says over it, and what is wrong where."""

import json
from pathlib import Path
from typing import Any

import pytest

from stretto import Orchestrator
from stretto.agent_files import read_agent_file
from stretto.bootstrap import open_workspace
from stretto.core.errors import BadWorkspace
from stretto.testing.models import Answer, ModelServer, Rule, ToolUse, When
from tests.cli.program import look

FRONT = """---
# what it is
name: writer
description: Writes an answer.
inputs: {question: string, facts: [string]}
output: {title: string, points: [string]}
tools: [order]
limits: {turns: 5, tokens: 20k, cost: $0.05, timeout: 2m}
temperature: 0.2
---
You answer {question}.
"""

NEIGHBOUR = '''
from stretto import pure

@pure
def order(number: int) -> str:
    """Look an order up."""
    return f"order {number} is on its way"

@pure
def unnamed(number: int) -> str:
    """No tool of anybody."""
    return "never"
'''


def workspace(folder: Path, agents: str, *, front: str = FRONT, more: str = "") -> Path:
    (folder / "agents").mkdir()
    (folder / "agents" / "writer.md").write_text(front)
    (folder / "agents" / "writer.py").write_text(NEIGHBOUR)
    (folder / "workspace.yaml").write_text(f"name: shop\nagents: {agents}\n{more}")
    return folder


def test_a_file_says_everything_of_an_agent(tmp_path: Path) -> None:
    team = open_workspace(workspace(tmp_path, "[agents/writer.md]"))
    (card,) = (agent.card for agent in team.registry)
    (skill,) = card.skills
    assert (card.name, card.kind, card.description, card.tools) == ("writer", "model", "Writes an answer.", ("order",))
    assert (skill.name, skill.description, skill.effect) == ("writer", "Writes an answer.", "none")
    assert skill.inputs["properties"]["facts"] == {"type": "array", "items": {"type": "string"}}
    assert skill.inputs["required"] == ["question", "facts"]
    assert skill.output["required"] == ["title", "points"]
    assert (card.limits.timeout, card.cost.tokens, str(card.cost.money)) == (120.0, 20_000, "0.05")


def test_the_file_that_the_page_shows_is_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "agents.md").read_text(encoding="utf-8")
    file = tmp_path / "clerk.md"
    file.write_text(page.partition("```markdown\n")[2].partition("```")[0])
    spec = read_agent_file(file)
    assert (spec.name, spec.models, spec.tools) == ("clerk", ("cheap",), ("find_order", "retrieve.search"))
    assert (spec.allowance.turns, spec.allowance.tokens, spec.card["limits"].timeout) == (6, 30_000, 120.0)


def test_several_skills_share_what_stands_at_the_top(tmp_path: Path) -> None:
    file = tmp_path / "desk.md"
    file.write_text(
        "---\ninputs: {text: string}\nevidence: true\nlabels: [pii]\nskills:\n  - draft\n"
        "  - {name: sign, description: Signs., inputs: {text: string, who: {type: string, default: ann}}, "
        "effect: reversible, evidence: false}\n---\nYou write {text}."
    )
    draft, sign = read_agent_file(file).skills
    assert (draft.name, draft.evidence, draft.labels) == ("desk.draft", True, ("pii",))
    assert (sign.name, sign.evidence, sign.effect, sign.description) == ("desk.sign", False, "reversible", "Signs.")
    assert sign.inputs["required"] == ["text"]


@pytest.mark.parametrize(
    ("output", "schema"),
    [
        ("string", {"type": "string"}),
        ("[integer]", {"type": "array", "items": {"type": "integer"}}),
        ("{type: string, minLength: 3}", {"type": "string", "minLength": 3}),
        ("{enum: [a, b]}", {"enum": ["a", "b"]}),
        (
            "{type: object, properties: {a: {type: string}}}",
            {"type": "object", "properties": {"a": {"type": "string"}}},
        ),
        ("{type: string, nullable: true}", {"type": "string", "nullable": True}),
        ("{items: [string]}", ["items"]),
        ("{type: string, name: string}", ["type", "name"]),
        ("{title: string, items: {name: string}}", ["title", "items"]),
        ("{enum: string, properties: [string]}", ["enum", "properties"]),
        ("{const: {type: string, default: x}, n: number}", ["const", "n"]),
    ],
)
def test_a_schema_is_told_from_fields_with_their_types(output: str, schema: Any, tmp_path: Path) -> None:
    file = tmp_path / "writer.md"
    file.write_text(f"---\noutput: {output}\n---\nWrite.")
    found = read_agent_file(file).skills[0].output
    assert (list(found["properties"]) if isinstance(schema, list) else found) == schema


def test_a_file_without_front_matter_is_a_prompt(tmp_path: Path) -> None:
    file = tmp_path / "poet.md"
    file.write_text("# You are a poet.\n\nYou rhyme.")
    spec = read_agent_file(file)
    assert (spec.name, spec.description, spec.skills[0].name) == ("poet", "You are a poet.", "poet")
    assert spec.prompt == "# You are a poet.\n\nYou rhyme."


def test_the_workspace_has_the_last_word(tmp_path: Path) -> None:
    entry = "[{file: agents/writer.md, name: scribe, model: fast, rate: 30/min, backups: [calculate]}, calculate]"
    models = "models: {fast: {model: small, url: 'http://127.0.0.1:9/v1', window: 5000}}"
    team = open_workspace(workspace(tmp_path, entry, more=models))
    card = team.registry.get("scribe").card  # type: ignore[union-attr]
    assert (card.skills[0].name, card.backups, card.rate.requests, card.window) == ("scribe", ("calculate",), 30, 5000)


def test_a_changed_prompt_model_or_tool_is_another_version(tmp_path: Path) -> None:
    def version(front: str = FRONT, tool: str = NEIGHBOUR, model: str = "one") -> str:
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        models = f"models: {{m: {{model: {model}, url: 'http://127.0.0.1:9/v1'}}, default: m}}"
        workspace(folder, "[agents/writer.md]", front=front, more=models)
        (folder / "agents" / "writer.py").write_text(tool)
        return open_workspace(folder).registry.get("writer").card.version  # type: ignore[union-attr]

    first = version()
    assert version() == first
    changed = {version(FRONT + "Well."), version(tool=NEIGHBOUR.replace("way", "road")), version(model="two")}
    assert len(changed | {first}) == 4


@pytest.mark.parametrize(
    ("before", "after", "place", "problem"),
    [
        ("points: [string]", "points: {type: strng}", "6:", "there is no type 'strng'. Did you mean 'string'?"),
        ("name: writer", "nam: writer", "3:1", "an agent has no field 'nam'. Did you mean 'name'?"),
        ("tools: [order]", "tools: [ordr]", "7:", "there is no skill or function 'ordr'. Did you mean 'order'?"),
        ("question: string", "question: text", "5:", "there is no type 'text'"),
        ("turns: 5", "turns: many", "8:", "turns is a whole number above 0, not 'many'"),
        ("cost: $0.05", "cost: dear", "8:", "is no budget"),
        ("temperature: 0.2", "temperature: hot", "9:", "temperature is a number from 0 to 2, not 'hot'"),
        ("{question}.", "{questions}.", "11:12", "the prompt names {questions}, which 'writer' does not take."),
        ("{question}.", "{{question}}.", "11:12", "doubled braces are braces; write {question} for the input"),
        ("name: writer", "name: [", "", "not YAML"),
        ("0.2\n---\n", "0.2\n", "1:1", "the front matter does not end"),
        ("You answer {question}.\n", "", "11:1", "it has no prompt"),
        ("name: writer", "name: writer\nmodel: nothing", "4:", "no model is called 'nothing'"),
        ("name: writer", "name: writer\nbackups: [bob]", "4:", "there is no agent 'bob'"),
        ("name: writer", "name: writer\nladder: {transient: [jump]}", "4:", "jump"),
        ("name: writer", "name: writer\neffect: harmless", "4:", "there is no side effect 'harmless'"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_place(
    before: str, after: str, place: str, problem: str, tmp_path: Path
) -> None:
    assert before in FRONT
    folder = workspace(tmp_path, "[agents/writer.md]", front=FRONT.replace(before, after))
    with pytest.raises(BadWorkspace) as caught:
        open_workspace(folder)
    assert f"{folder / 'agents' / 'writer.md'}:{place}" in str(caught.value)
    assert problem in str(caught.value)


def test_an_entry_that_names_no_file_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(BadWorkspace, match=r"workspace\.yaml:2:.*there is no file .*reader\.md"):
        open_workspace(workspace(tmp_path, "[agents/reader.md]"))


def test_an_orchestrator_takes_the_path_of_a_file(tmp_path: Path) -> None:
    workspace(tmp_path, "[]")
    team = Orchestrator([str(tmp_path / "agents" / "writer.md"), tmp_path / "agents" / "poet.md"][:1])
    assert [agent.card.name for agent in team.registry] == ["writer"]


def test_one_skill_runs_alone_and_asks_before_what_cannot_be_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def run(*more: str) -> tuple[int, Any]:
        words = ["agents", "run", "writer", "question=Where is 7?", "facts=[]", "--json", *more]
        code = look(*words, cwd=folder).code
        return code, json.loads(capfd.readouterr().out)

    monkeypatch.setenv("SCRIPTED_KEY", "sk-scripted")
    script = [
        Rule(when=When(turn=0), say=Answer(calls=(ToolUse(name="order", arguments={"number": 7}),))),
        Rule(say=Answer(json={"title": "On its way", "points": []})),
    ]
    with ModelServer(script) as server:
        models = f"models: {{worker: m, m: {{model: small, url: '{server.url}', key_env: SCRIPTED_KEY}}}}"
        dangerous = NEIGHBOUR.replace("pure", "irreversible")
        folder = workspace(tmp_path, "[agents/writer.md]", more=models)
        code, done = run()
        assert (code, done["output"]) == (0, {"title": "On its way", "points": []})
        (folder / "agents" / "writer.py").write_text(dangerous)
        code, waits = run()
        assert code == 4
        assert "order needs approval" in waits["message"]
        assert run("--approve", "all")[0] == 0
        assert len(server.requests) == 5
