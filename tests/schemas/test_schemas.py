"""The schemas agree with the readers: what a reader takes, its schema takes, and neither knows a field more."""

import copy
import json
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from stretto import agent_files
from stretto.agent_files import read_agent_file
from stretto.bootstrap import open_workspace
from stretto.channels import READERS
from stretto.core.errors import UsageError
from stretto.core.plan.diagnostics import errors
from stretto.core.plan.inclusion import FIELDS as INCLUSION
from stretto.core.plan.shape import PLAN_FIELDS, TASK_FIELDS, read_plan
from stretto.documents import Unreadable, parse_document, read_document
from stretto.playbooks import read_playbooks
from stretto.schemas import SCHEMAS
from stretto.schemas.parts import DIALECT
from stretto.settings import Settings, read_settings
from stretto.workspace import FIELDS, RULES, read_workspace
from tests.cases import SEARCHING
from tests.schemas import samples

ROOT = Path(__file__).parents[2]
HOMES = sorted(
    path.parent for home in ("examples", "src/stretto/starter") for path in (ROOT / home).rglob("workspace.yaml")
)
CODES = sorted((ROOT / "tests" / "plans" / "codes").glob("*.yaml"))


@cache
def validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(SCHEMAS[kind]())


def takes(kind: str, value: Any) -> bool:
    return bool(validator(kind).is_valid(value))


def why(kind: str, value: Any) -> list[str]:
    return [f"{one.json_path}: {one.message}" for one in validator(kind).iter_errors(value)]


def front(path: Path) -> Any:
    return parse_document(path.read_text().split("---")[1], str(path)).value


# ---- files that are there


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_is_a_schema_of_its_draft(kind: str) -> None:
    schema = SCHEMAS[kind]()
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == DIALECT
    assert schema["title"].startswith("Stretto ")
    json.dumps(schema, allow_nan=False)


@pytest.mark.parametrize("home", HOMES, ids=lambda path: path.name)
def test_every_workspace_that_ships_is_valid_with_all_its_files(home: Path) -> None:
    assert why("workspace", read_document(home / "workspace.yaml").value) == []
    for path in [*home.glob("plans/*.yaml"), *home.glob("plan.yaml")]:
        assert why("plan", read_document(path).value) == [], path
    for path in home.glob("playbooks/*.yaml"):
        assert why("playbook", read_document(path).value) == [], path
    for path in home.glob("agents/*.md"):
        assert why("agent", front(path)) == [], path
    if (home / "stretto.toml").exists():
        assert why("settings", tomllib.loads((home / "stretto.toml").read_text())) == []


@pytest.mark.parametrize("path", CODES, ids=lambda path: path.stem)
def test_a_plan_whose_shape_is_right_is_valid_whatever_else_is_wrong_with_it(path: Path) -> None:
    try:
        value = parse_document(path.read_text().replace("»", ""), str(path)).value
    except Unreadable:
        return
    if not errors(read_plan(value)[1]):
        assert why("plan", value) == []


def test_there_are_such_files() -> None:
    assert len(HOMES) >= 5
    assert len(CODES) > 30


# ---- samples with every field


@dataclass(frozen=True)
class Kind:
    """A kind of file: its sample, and whether its reader takes a value."""

    sample: Any
    reads: Callable[[Any], bool]


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Kind]:
    home = tmp_path_factory.mktemp("home")
    (home / "agents").mkdir()
    (home / "agents" / "job.py").write_text("def echo(text: str) -> str:\n    'Say it.'\n    return text\n")
    (home / "agents" / "writer.md").write_text("---\ndescription: Writes.\n---\nWrite.\n")
    (home / "team").mkdir()
    (home / "team" / "workspace.yaml").write_text("agents: [calculate]\n")
    (home / "playbooks").mkdir()
    (home / "playbooks" / "other.yaml").write_text(samples.OTHER)

    def taken(act: Callable[[], Any]) -> bool:
        try:
            act()
        except UsageError:
            return False
        return True

    def workspace(value: Any) -> bool:
        (home / "workspace.yaml").write_text(json.dumps(value))
        return taken(lambda: read_workspace(home)) and taken(lambda: _options(open_workspace, home, value))

    def playbook(value: Any) -> bool:
        (home / "playbooks" / "one.yaml").write_text(json.dumps(value))
        return taken(lambda: read_playbooks(home))

    def agent(value: Any) -> bool:
        (home / "agents" / "read.md").write_text(f"---\n{json.dumps(value)}\n---\nWrite.\n")
        return taken(lambda: read_agent_file(home / "agents" / "read.md"))

    def toml(value: Any) -> bool:
        (home / "stretto.toml").write_text("".join(_toml(value)))
        return taken(lambda: read_settings(home))

    def value_of(text: str) -> Any:
        return parse_document(text, "sample").value

    return {
        "workspace": Kind(value_of(samples.WORKSPACE), workspace),
        "plan": Kind(value_of(samples.PLAN), lambda value: not errors(read_plan(value)[1])),
        "playbook": Kind(value_of(samples.PLAYBOOK), playbook),
        "agent": Kind(value_of(samples.AGENT), agent),
        "settings": Kind(tomllib.loads(samples.SETTINGS), toml),
    }


def _options(opened: Callable[[Path], Any], home: Path, value: Any) -> None:
    """Open a workspace for the options of those agents alone that are hired by name."""
    own = [one for one in value["agents"] if isinstance(one, str) or "use" in one] if isinstance(value, dict) else []
    small = home / "small"
    small.mkdir(exist_ok=True)
    (small / "workspace.yaml").write_text(json.dumps({"agents": [one for one in own if not _is_file(one)]}))
    opened(small)


def _is_file(one: Any) -> bool:
    return isinstance(one, str) and one.endswith((".py", ".md"))


def _toml(value: dict[str, Any]) -> Iterator[str]:
    tables = {name: one for name, one in value.items() if isinstance(one, dict)}
    for name, one in value.items():
        if name not in tables:
            yield f"{name} = {json.dumps(one)}\n"
    for name, table in tables.items():
        yield f"[{name}]\n"
        yield from (f"{json.dumps(key)} = {json.dumps(one)}\n" for key, one in table.items())


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the way to each part of a value."""
    yield path
    for key, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(one, (*path, key))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Give a value with another part at a place."""
    if not path:
        return new
    whole = copy.deepcopy(value)
    at(whole, path[:-1])[path[-1]] = new
    return whole


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_sample_with_every_field_is_taken_by_both(kinds: dict[str, Kind], kind: str) -> None:
    assert kinds[kind].reads(kinds[kind].sample)
    assert why(kind, kinds[kind].sample) == []


def test_the_samples_have_every_field_there_is(kinds: dict[str, Kind]) -> None:
    workspace, plan, agent = (kinds[kind].sample for kind in ("workspace", "plan", "agent"))
    assert workspace.keys() == set(FIELDS)
    assert workspace["rules"].keys() == set(RULES)
    assert plan.keys() == set(PLAN_FIELDS)
    assert set().union(*plan["tasks"].values()) == set(TASK_FIELDS)
    assert kinds["playbook"].sample["tasks"]["check"].keys() == INCLUSION
    assert agent.keys() == set(agent_files.FIELDS)
    assert set().union(*(one for one in workspace["notify"] if isinstance(one, dict))) == {
        name for _, fields in READERS.values() for name in fields
    }
    assert kinds["settings"].sample.keys() == Settings.model_fields.keys()


@pytest.mark.parametrize("kind", SCHEMAS)
def test_every_field_is_described(kind: str) -> None:
    """A field that a reader has learned and nobody has described here would be taken as anything."""
    properties = SCHEMAS[kind]()["properties"]
    assert [name for name, one in properties.items() if not one.get("description")] == []


@pytest.mark.parametrize("kind", SCHEMAS)
def test_an_unknown_field_is_unknown_to_both_wherever_it_stands(kinds: dict[str, Kind], kind: str) -> None:
    found = kinds[kind]
    refused = 0
    for path in places(found.sample):
        if isinstance(at(found.sample, path), dict):
            value = changed(found.sample, path, {**at(found.sample, path), "zzz_unknown": "string"})
            assert takes(kind, value) or not found.reads(value), path
            assert found.reads(value) or not takes(kind, value) or path in MEANT, path
            refused += not takes(kind, value)
    assert refused >= 1


MEANT = {("models",), ("tasks", "first", "inputs"), ("tasks", "check", "with")}
"""Mappings whose names are people's own, where readers refuse the sample's for what it means."""

# Nothing that counts as nothing, such as 0, and no truth values, which Python counts as numbers: there readers are lax.
junk = st.one_of(
    st.integers(1, 3),
    st.integers(-3, -1),
    st.floats(0.1, 3),
    st.text("ab1h$", min_size=1, max_size=4),
    st.sampled_from(["off", "ask", "10m", "$1", "first", "all", "string", "none", "60/min", "retry", "deny"]),
    st.lists(st.sampled_from(["ann", "job", 1, "string"]), min_size=1, max_size=2),
    st.dictionaries(st.sampled_from(["who", "ref", "items", "max", "retry", "name"]), st.integers(1, 3), min_size=1),
)


@pytest.mark.parametrize("kind", ["workspace", "plan", "playbook", "agent"])  # settings are read laxly: "3" is 3
def test_what_a_reader_takes_its_schema_takes(kinds: dict[str, Kind], kind: str) -> None:
    found = kinds[kind]
    ways = list(places(found.sample))[1:]

    @settings(max_examples=1500 if SEARCHING else 120, deadline=None)
    @given(st.sampled_from(ways), junk)
    def law(path: tuple[Any, ...], new: Any) -> None:
        value = changed(found.sample, path, new)
        if not takes(kind, value):
            assert not found.reads(value), (path, new, why(kind, value))

    law()


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("workspace", "{}"),
        ("workspace", "agents:\nrules:\nbudget:\nask:\nmodels:\npeople: [ann, bob]\nbudget: 3"),
        ("workspace", "models: local"),
        ("workspace", "models: [openai:gpt-5, local]"),
        ("plan", "tasks: [{id: a, skill: x.y}]"),
        ("plan", "inputs: [a, b]\ntasks: {a: {skill: x.y, when: , budget: 3, ladder: {error: }}}"),
        ("agent", "null"),
        ("agent", "inputs: {type: object, properties: {a: {type: string}}}\noutput: {items: [string]}"),
        ("settings", "{}"),
    ],
)
def test_short_forms_are_taken(kind: str, text: str) -> None:
    text = text.replace("budget:\nask", "ask")
    assert why(kind, parse_document(text, "text").value) == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("workspace", "plam: x"),
        ("workspace", "agents: [{python: a.py, nme: x}]"),
        ("workspace", "agents: [{use: fetch, alow: [x]}]"),
        ("workspace", "rules: {parallel: 0}"),
        ("workspace", "rules: {judge: sometimes}"),
        ("workspace", "notify: [{webhook: https://example.org, mail: a@b.org}]"),
        ("workspace", "ladder: {transient: [{retry: 3, puase: 1}]}"),
        ("workspace", "ask: {aproval: ann}"),
        ("workspace", "models: {planner: {model: openai:gpt-5, pirce: 3}}"),
        ("workspace", "models: {planner: {url: http://localhost}}"),
        ("plan", "tasks: {}"),
        ("plan", "{}"),
        ("plan", "tasks: [{skill: x.y}]"),
        ("plan", "tasks: {a: {skil: x}}"),
        ("plan", "tasks: {a: {skill: x, risk: huge}}"),
        ("plan", "tasks: {a: {skill: x, repeat: {until: 'true'}}}"),
        ("plan", "intents: [x]\ntasks: {a: {skill: x.y}}"),
        ("playbook", "tasks: {a: {include: x, for_each: [1]}}"),
        ("agent", "descripton: x"),
        ("agent", "limits: {turn: 1}"),
        ("agent", "effect: boom"),
        ("settings", "{parallel: 0}"),
        ("settings", "{paralel: 1}"),
    ],
)
def test_slips_are_found_in_the_editor(kind: str, text: str) -> None:
    assert why(kind, parse_document(text, "text").value) != []
