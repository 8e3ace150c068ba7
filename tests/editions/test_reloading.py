"""A workspace changes while it is served: what is sound serves new runs, old ones end on what they began with."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from stretto.bootstrap import new_run_id, open_workspace
from stretto.bootstrap.reloading import IDLE_EDITIONS, Reloading
from stretto.core.commands import SubmitGoal
from stretto.core.errors import BadWorkspace
from stretto.core.events import EditionChanged
from stretto.editions import Editions, definition_of, keeping
from stretto.engines.people import Nobody
from stretto.orchestrator import Conductor, load
from stretto.ports import RunQuery
from stretto.views import Run
from tests.editions.place import Site, Told, settled, touched

OLD, NEW = ["old", "old", "data"], ["new", "new", "data"]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site")


async def submitted(reloading: Reloading) -> str:
    """Begin a run with the current edition, and leave it before anything of it is done."""
    team, run = reloading.current, new_run_id()
    async with team.journal() as journal:
        conductor = Conductor(team.house(journal, Nobody()), judging=False)
        first = SubmitGoal(
            run=run,
            goal="go",
            catalogue=team.catalogue,
            plan=team.read_plan(None),
            workspace=str(reloading.folder),
            edition=reloading.edition,
        )
        await conductor.begin(run, [first])
        await conductor.leave()
    return run


async def seen(reloading: Reloading, run: str) -> Run:
    async with reloading.current.journal() as journal:
        return Run(state=await load(journal, run))


async def until(reloading: Reloading, run: str, task: str) -> None:
    """Wait until a task of a run has begun."""
    while not (found := (await seen(reloading, run)).state.tasks.get(task)) or found.status.value != "running":
        await asyncio.sleep(0.01)


@asynccontextmanager
async def working(reloading: Reloading) -> AsyncIterator[None]:
    async with reloading.worker() as worker:
        work = asyncio.create_task(worker.work())
        try:
            yield
        finally:
            work.cancel()
            await asyncio.wait({work})


async def done(reloading: Reloading) -> None:
    async with reloading.worker() as worker:
        await worker.work(once=True)


# ---- adopting


async def test_a_run_in_the_middle_ends_on_the_old_code_and_a_new_one_has_the_new(site: Site) -> None:
    told = Told()
    reloading = Reloading(site.folder, tell=told)
    first = reloading.edition
    old = await submitted(reloading)
    async with working(reloading):
        await until(reloading, old, "stand")
        site.word("new")
        assert await settled(reloading) == told.reloads[-1]
        new = await submitted(reloading)
        site.gate.touch()
        while not all([(await seen(reloading, run)).state.status.final for run in (old, new)]):
            await asyncio.sleep(0.02)

    before, after = await seen(reloading, old), await seen(reloading, new)
    assert (before.answer, before.state.edition) == (OLD, first)
    assert (after.answer, after.state.edition) == (NEW, reloading.edition)
    assert first != reloading.edition
    (adopted,) = told.reloads
    assert [(one.name, one.how) for one in adopted.changes or ()] == [("agents/words.py", "changed")]


async def test_after_a_restart_an_open_run_ends_on_the_edition_it_began_with(site: Site) -> None:
    reloading = Reloading(site.folder)
    run = await submitted(reloading)
    site.word("new")
    site.write("plan.yaml", "tasks: {other: {skill: job.here}}\n")
    site.gate.touch()

    again = Reloading(site.folder)
    await done(again)

    found = await seen(again, run)
    assert (found.answer, found.state.edition) == (OLD, reloading.edition)
    assert found.state.edition_note == ""


async def test_where_its_edition_is_gone_a_run_goes_on_with_the_current_one_and_says_so(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    reloading = Reloading(site.folder)
    run = await submitted(reloading)
    site.word("new")
    monkeypatch.setattr(keeping, "MOST_EDITIONS", 1)
    site.gate.touch()
    again = Reloading(site.folder)
    await done(again)

    found = await seen(again, run)
    assert (found.answer, found.state.edition) == (NEW, again.edition)
    assert found.as_json()["edition_note"] == "the one that it began with is not at hand"
    async with again.current.journal() as journal:
        (changed,) = [one.event for one in await journal.read(run) if isinstance(one.event, EditionChanged)]
    assert (changed.before, changed.edition) == (reloading.edition, again.edition)


async def test_a_run_that_noted_no_edition_goes_on_with_the_current_one(site: Site) -> None:
    site.gate.touch()
    team = open_workspace(site.folder)
    async with team.journal() as journal:
        conductor = Conductor(team.house(journal, Nobody()), judging=False)
        plan = team.read_plan(None)
        first = SubmitGoal(run="r", goal="go", catalogue=team.catalogue, plan=plan, workspace=str(site.folder))
        await conductor.begin("r", [first])
        await conductor.leave()
    reloading = Reloading(site.folder)
    await done(reloading)
    assert (await seen(reloading, "r")).answer == OLD


async def test_a_team_ends_on_the_edition_of_the_workspace_that_names_it(site: Site, tmp_path: Path) -> None:
    chief = tmp_path / "chief"
    chief.mkdir()
    (chief / "workspace.yaml").write_text("agents: [{team: ../site, name: crew}]\nplan: plan.yaml\n")
    (chief / "plan.yaml").write_text("tasks: {all: {skill: crew.plan}}\ndeliver: {ref: all.output}\n")
    reloading = Reloading(chief)
    run = await submitted(reloading)
    site.word("new")
    site.gate.touch()
    assert await settled(reloading) is not None
    await done(reloading)
    found = await seen(reloading, run)
    assert (found.status, found.answer) == ("finished", OLD)
    async with reloading.current.journal() as journal:
        (below,) = await journal.runs(RunQuery(begins=f"{run}."))
        state = await load(journal, below.run)
    assert (state.workspace, state.edition) == (str(site.folder), found.state.edition)


# ---- refusing


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("workspace.yaml", "agents: [agents/job.py]\nplam: plan.yaml\n", "workspace.yaml:2:1"),
        ("workspace.yaml", "agents: [\n", "workspace.yaml:2:1"),
        ("agents/words.py", "WORD = (\n", "agents/words.py:1"),
        ("agents/job.py", "raise SystemExit(3)\n", "ends the program"),
        ("plan.yaml", "tasks:\n  a: {skill: job.nothing}\n", "plan.yaml:2:"),
        ("plans/other.yaml", "tasks:\n  a: {skill: job.here, inputs: {no: 1}}\n", "plans/other.yaml:2:"),
        ("playbooks/one.yaml", "intents: [do it]\ntasks:\n  a: {skill: nobody.here}\n", "playbooks/one.yaml:3:"),
        ("stretto.toml", "paralel = 3\n", "stretto.toml: settings: paralel"),
    ],
)
async def test_a_broken_one_is_refused_with_its_place_and_the_last_good_one_stays(
    site: Site, name: str, text: str, place: str
) -> None:
    told = Told()
    reloading = Reloading(site.folder, tell=told)
    good, whole = reloading.edition, (site.folder / name).read_text() if (site.folder / name).exists() else None
    site.write(name, text)
    found = await settled(reloading)

    assert found is not None
    assert (found.kind, reloading.edition) == ("refused", good)
    assert place in found.said
    assert ".stretto" not in found.said
    assert str(site.folder) in found.said
    assert Editions(site.folder).history(1)[0].said == found.said
    assert await settled(reloading) is None  # and is said once

    if whole is None:
        (site.folder / name).unlink()
    else:
        site.write(name, whole)
    back = await settled(reloading)
    assert back is not None
    assert (back.kind, back.edition) == ("adopted", good)


async def test_begun_on_a_broken_folder_it_serves_the_last_good_edition(site: Site) -> None:
    good = Reloading(site.folder).edition
    site.write("workspace.yaml", "nonsense: true\n")
    told = Told()
    reloading = Reloading(site.folder, tell=told)
    assert reloading.edition == good
    assert "nonsense" in told.reloads[0].said
    site.gate.touch()
    run = await submitted(reloading)
    await done(reloading)
    assert (await seen(reloading, run)).answer == OLD


def test_begun_on_a_broken_folder_without_a_good_edition_it_says_what_is_wrong(site: Site, tmp_path: Path) -> None:
    site.write("workspace.yaml", "nonsense: true\n")
    with pytest.raises(BadWorkspace, match=r"workspace\.yaml:1:1: a workspace has no field 'nonsense'"):
        Reloading(site.folder)
    with pytest.raises(BadWorkspace, match="there is no folder"):
        Reloading(tmp_path / "nowhere")


# ---- looking


async def test_a_change_counts_once_it_has_settled(site: Site) -> None:
    reloading = Reloading(site.folder)
    first = reloading.edition
    for number in range(3):
        site.word(f"word {number}")
        assert await reloading.look() is None
        assert reloading.edition == first
    assert await reloading.look() is not None


async def test_a_file_that_was_only_touched_changes_nothing(site: Site) -> None:
    told = Told()
    reloading = Reloading(site.folder, tell=told)
    touched(site.folder / "workspace.yaml")
    site.write("data/note.txt", "other")
    assert await settled(reloading) is None
    assert told.reloads == []


async def test_an_agent_is_added_and_retired_by_configuration(site: Site) -> None:
    reloading = Reloading(site.folder)
    site.write("agents/more.py", "def hello() -> str:\n    'Say hello.'\n    return 'hello'\n")
    site.write("workspace.yaml", "agents: [agents/job.py, agents/more.py]\n")
    assert await settled(reloading) is not None
    assert [one.card.name for one in reloading.current.registry] == ["job", "more"]
    site.write("workspace.yaml", "agents: [agents/more.py]\n")
    (site.folder / "plan.yaml").unlink()
    assert await settled(reloading) is not None
    assert [one.card.name for one in reloading.current.registry] == ["more"]


async def test_old_editions_are_closed_when_nobody_needs_them(site: Site) -> None:
    reloading = Reloading(site.folder)
    for number in range(IDLE_EDITIONS + 4):
        site.word(f"word {number}")
        assert await settled(reloading) is not None
    trees = str(Editions(site.folder).home)
    loaded = [one for one in sys.modules.values() if str(getattr(one, "__file__", "")).startswith(trees)]
    assert len(loaded) == IDLE_EDITIONS + 1


async def test_the_watch_finds_a_change_by_itself_and_lives_on_after_an_error(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stretto.bootstrap.reloading.LOOK_SECONDS", 0.01)
    told = Told()
    reloading = Reloading(site.folder, tell=told)
    watching = asyncio.create_task(reloading.watch())
    monkeypatch.setattr("stretto.editions.definition.MOST_FILES", 1)
    site.word("new")
    while not told.reloads:
        await asyncio.sleep(0.01)
    assert "files define it" in told.reloads[0].said
    monkeypatch.setattr("stretto.editions.definition.MOST_FILES", 100)
    while len(told.reloads) < 2:
        await asyncio.sleep(0.01)
    watching.cancel()
    assert told.reloads[1].kind == "adopted"


async def test_two_that_watch_one_folder_agree(site: Site) -> None:
    one, other = Reloading(site.folder), Reloading(site.folder)
    site.word("new")
    assert await settled(one) is not None
    assert await settled(other) is not None
    assert one.edition == other.edition
    assert [entry.outcome for entry in Editions(site.folder).history()] == ["adopted", "adopted"]


async def test_with_a_store_elsewhere_nothing_is_written_into_the_workspace(site: Site, tmp_path: Path) -> None:
    before = sorted(site.folder.rglob("*"))
    site.gate.touch()
    reloading = Reloading(site.folder, tmp_path / "stores" / "runs.db")
    run = await submitted(reloading)
    await done(reloading)
    assert (await seen(reloading, run)).answer == OLD
    assert sorted(site.folder.rglob("*")) == before


async def test_a_team_run_by_hand_in_another_edition_is_noted(site: Site) -> None:
    site.gate.touch()
    reloading = Reloading(site.folder)
    run = await submitted(reloading)
    site.word("new")
    edition = Editions(site.folder).keep(definition_of(site.folder).read())
    found = await open_workspace(site.folder, edition=edition).resume(run)
    assert (found.answer, found.state.edition) == (NEW, edition)


async def test_the_snippet_of_the_page_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "reload.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.S)
    space: dict[str, Any] = {}
    exec(code, space)  # noqa: S102
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "workspace.yaml").write_text("agents: [calculate]\n")
    await space["serve"](tmp_path / "site")
    assert capsys.readouterr().out == ""
