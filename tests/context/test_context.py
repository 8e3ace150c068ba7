"""The shared context: versioned, scoped, checked against its schema, and never read stale without a word."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stretto import Orchestrator, pure
from stretto.bootstrap import open_workspace
from stretto.cli import app
from stretto.core.errors import BadPlan, BadWorkspace
from stretto.core.events import ReadStale
from stretto.core.plan.shape import read_plan
from stretto.views import Run
from stretto.workspace import require


def plan(**tasks: dict[str, object]) -> dict[str, object]:
    return {"tasks": tasks}


async def test_an_entry_is_read_in_its_newest_version_and_says_who_wrote_it_from_what() -> None:
    @pure
    def first() -> str:
        return "one"

    @pure
    def second(before: str) -> str:
        return before + " two"

    @pure
    def read(text: str) -> str:
        return text.upper()

    team = Orchestrator([first, second, read])
    run = await team.run(
        "write twice",
        plan=plan(
            a={"skill": "first", "writes": "notes"},
            b={"skill": "second", "inputs": {"before": {"ref": "context.notes"}}, "after": ["a"], "writes": "notes"},
            c={"skill": "read", "inputs": {"text": {"ref": "context.notes"}}, "after": ["b"]},
        ),
    )
    assert run.answer == "ONE TWO"
    versions = run.state.context["notes"]
    assert [(one.version, one.task, one.attempt) for one in versions] == [(1, "a", 1), (2, "b", 1)]
    assert versions[1].reads == {"notes": 1}
    assert versions[0].at <= versions[1].at


@pytest.mark.parametrize("harmless", [True, False])
async def test_a_result_from_a_superseded_version_is_redone_or_at_least_told(harmless: bool) -> None:
    reading, written = asyncio.Event(), asyncio.Event()
    texts: list[str] = []

    @pure
    async def first() -> str:
        return "old"

    @pure
    async def second() -> str:
        await reading.wait()
        return "new"

    async def slow(text: str) -> str:
        texts.append(text)
        reading.set()
        if len(texts) == 1:
            await asyncio.wait_for(written.wait(), 5)
        return text

    seen: list[object] = []

    def listen(state: object, events: object) -> None:
        seen.extend(events)  # type: ignore[arg-type]
        if len(getattr(state, "context", {}).get("notes", ())) == 2:
            written.set()

    team = Orchestrator([first, second, pure(slow) if harmless else slow], listeners=[listen])
    run = await team.run(
        "race",
        plan=plan(
            a={"skill": "first", "writes": "notes"},
            b={"skill": "second", "after": ["a"], "writes": "notes"},
            c={"skill": "slow", "inputs": {"text": {"ref": "context.notes"}}, "after": ["a"]},
        ),
    )
    assert [one.code for one in run.state.diagnostics if one.severity == "warning"] == ["racing-read"]
    stale = [one for one in seen if isinstance(one, ReadStale)]
    assert [(one.task, one.entries, one.redone) for one in stale] == [("c", {"notes": (1, 2)}, harmless)]
    assert texts == (["old", "new"] if harmless else ["old"])
    assert run.state.tasks["c"].stale == ({} if harmless else {"notes": (1, 2)})
    assert run.status == "finished"


async def test_nothing_leaks_from_one_run_into_the_next() -> None:
    @pure
    def write(text: str) -> str:
        return text

    team = Orchestrator([write])
    first = await team.run("one", plan=plan(a={"skill": "write", "inputs": {"text": "x"}, "writes": "notes"}))
    assert first.state.context["notes"][0].task == "a"
    with pytest.raises(BadPlan, match="nothing writes context 'notes'"):
        await team.run("two", plan=plan(b={"skill": "write", "inputs": {"text": {"ref": "context.notes"}}}))


def workspace(folder: Path, context: str, agent: str = "def count() -> int:\n    return 3\n") -> Path:
    (folder / "agent.py").write_text(f"from stretto import pure\n\n@pure\n{agent}")
    (folder / "workspace.yaml").write_text(f"name: w\nagents: [agent.py]\n{context}")
    return folder


async def run_in(folder: Path, task: dict[str, object]) -> Run:
    return await open_workspace(folder, store=folder / "runs.db").run("count", plan=plan(a=task))


async def test_what_is_written_fits_the_schema_that_the_workspace_declares(tmp_path: Path) -> None:
    folder = workspace(tmp_path, "context:\n  total: {type: integer, minimum: 10}\n")
    run = await run_in(folder, {"skill": "agent.count", "writes": "total"})
    assert run.status == "failed"
    assert "as context entry 'total'" in run.gaps[0].why
    assert "less than the minimum of 10" in run.gaps[0].why


async def test_each_item_of_a_fan_out_fits_the_elements_of_its_entry(tmp_path: Path) -> None:
    folder = workspace(
        tmp_path,
        "context:\n  totals: {type: array, items: {$ref: '#/$defs/few'}, $defs: {few: {maximum: 2}}}\n",
        "def count(to: int) -> int:\n    return to\n",
    )
    each = {"skill": "agent.count", "inputs": {"to": {"ref": "item"}}, "writes": "totals"}
    assert (await run_in(folder, {**each, "for_each": [1, 2]})).status == "finished"
    run = await run_in(folder, {**each, "for_each": [1, 3]})
    assert run.status == "partial"
    assert any("as context entry 'totals': 3 is greater than the maximum of 2" in gap.why for gap in run.gaps)


async def test_what_can_never_be_what_the_entry_is_declared_to_be_is_told_by_the_check(tmp_path: Path) -> None:
    team = open_workspace(workspace(tmp_path, "context:\n  total: integer\n"))
    one = {"skill": "agent.count", "writes": "total"}
    for task, told in ((one, []), ({**one, "for_each": [1]}, ["tasks.a.writes"])):
        found = team.check(require(*read_plan(plan(a=task))))
        assert [said.path for said in found if said.code == "type-mismatch"] == told


async def test_an_entry_that_nobody_declared_cannot_be_written(tmp_path: Path) -> None:
    folder = workspace(tmp_path, "context:\n  total: integer\n")
    with pytest.raises(BadPlan, match="the workspace declares no context entry 'sum'; it has"):
        await run_in(folder, {"skill": "agent.count", "writes": "sum"})


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ("context: [a]\n", r"workspace.yaml:3:1: `context` is a mapping"),
        ("context:\n  a: {type: whole}\n", r"workspace.yaml:4:3: this is no JSON Schema"),
        ("context:\n  a: 3\n", r"workspace.yaml:4:3: the schema of 'a' is a mapping"),
    ],
)
def test_a_broken_context_is_told_with_its_place(tmp_path: Path, context: str, message: str) -> None:
    with pytest.raises(BadWorkspace, match=message):
        open_workspace(workspace(tmp_path, context))


def test_the_command_line_shows_versions_with_their_provenance_and_one_entry_whole(tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(
        "from stretto import pure\n\n@pure\ndef start() -> list[int]:\n    return list(range(1000))\n\n"
        "@pure\ndef more(before: list[int]) -> list[int]:\n    return before + [1000]\n"
    )
    (tmp_path / "workspace.yaml").write_text(
        "name: w\ngoal: count\nagents: [agent.py]\nplan: plan.yaml\n"
        "context:\n  numbers: {type: array, description: what was counted}\n"
    )
    (tmp_path / "plan.yaml").write_text(
        "tasks:\n  a: {skill: agent.start, writes: numbers}\n"
        "  b: {skill: agent.more, inputs: {before: {ref: context.numbers}}, after: [a], writes: numbers}\n"
    )
    place = ["-w", str(tmp_path)]
    program = CliRunner()
    run = asyncio.run(open_workspace(tmp_path).run("count"))
    assert run.status == "finished"
    shown = program.invoke(app, ["show", "last", "--context", *place])
    assert shown.exit_code == 0
    lines = shown.output.splitlines()
    assert lines[0] == "numbers@1  (superseded)  3,891 bytes"
    assert lines[1].startswith("  written by a (agent, attempt 1) at 20")
    assert lines[2] == "  read by b"
    assert lines[4].startswith("numbers@2  3,896 bytes")
    assert lines[6] == "  from a, numbers@1"
    whole = json.loads(program.invoke(app, ["show", "last", "--entry", "numbers@1", *place]).output)
    assert whole == list(range(1000))
    assert len(json.loads(program.invoke(app, ["show", "last", "--entry", "numbers", *place]).output)) == 1001
    entries = json.loads(program.invoke(app, ["show", "last", "--json", *place]).output)["context"]
    assert [(one["key"], one["version"], one["task"], one["read_by"]) for one in entries] == [
        ("numbers", 1, "a", ["b"]),
        ("numbers", 2, "b", []),
    ]
    missing = program.invoke(app, ["show", "last", "--entry", "numbers@3", *place])
    assert "has the versions 1 to 2, not '3'" in str(missing.exception)
