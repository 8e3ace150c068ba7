"""The examples with models, each with a scripted one over real HTTP: content, support, and the market brief."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from stretto.bootstrap import open_workspace
from stretto.testing.models import ModelServer, Refusal, Rule, Script, When, read_script
from stretto.views import Run

EXAMPLES = Path(__file__).parents[2] / "examples"
GOAL = "Write a blog post about AI in healthcare"
UNWANTED = shutil.ignore_patterns(".stretto", "output", "__pycache__")


@contextmanager
def serving(name: str, place: Path, patch: pytest.MonkeyPatch) -> Iterator["Served"]:
    """Give a copy of an example and the model that its script plays, named in its workspace."""
    folder = shutil.copytree(EXAMPLES / name, place / name, ignore=UNWANTED)
    with ModelServer(read_script(folder / "models" / "scripted.yaml")) as server:
        patch.setenv("SCRIPTED_KEY", server.key)
        file = folder / "workspace.yaml"
        file.write_text(file.read_text().replace("http://127.0.0.1:8090/v1", server.url))
        yield Served(folder, server)


@pytest.fixture
def served(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator["Served"]:
    """Give the example of a name, served."""
    with serving(request.param, tmp_path, monkeypatch) as found:
        yield found


class Served:
    """A workspace, and the model server that its models are."""

    def __init__(self, folder: Path, server: ModelServer) -> None:
        self.folder, self.server = folder, server

    def run(self, goal: str, **more: Any) -> Run:
        async def bounded() -> Run:
            async with asyncio.timeout(60):
                return await open_workspace(self.folder, models="scripted").run(goal, **more)

        return asyncio.run(bounded())


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, ModelServer]:
    """Give the run of the content example, and the model server that it asked."""
    with pytest.MonkeyPatch.context() as patch, serving("content", tmp_path_factory.mktemp("post"), patch) as served:
        return served.run(GOAL), served.server


def test_a_post_is_researched_written_sent_back_once_edited_and_laid_out(post: tuple[Run, ModelServer]) -> None:
    run, server = post
    assert run.status == "finished", run.gaps
    assert run.gaps == ()
    assert server.unmatched == []
    page = next(one.content for one in run.artifacts if one.name == "post.md")
    assert "What programs do for patients" in page
    assert server.counts["first draft"] == server.counts["draft"] == 1


def test_what_sends_a_draft_back_is_in_the_prompt_of_the_next(post: tuple[Run, ModelServer]) -> None:
    (second,) = [one for one in post[1].requests if one.rule == "draft"]
    assert "words >= 120: there are 20" in second.user


def test_every_figure_of_the_post_is_cited_by_the_line_it_comes_from(post: tuple[Run, ModelServer]) -> None:
    run, _ = post
    for one in run.citations:
        if one.line:
            assert one.text.rstrip("…") in Path(one.file).read_text().splitlines()[one.line - 1]
    verdicts = run.state.tasks["hold"].result.output  # type: ignore[union-attr]
    assert (verdicts["supported"], verdicts["contradicted"], verdicts["unsupported"]) == (10, 0, 0)


def test_work_and_coordination_are_counted_as_the_server_counts_them(post: tuple[Run, ModelServer]) -> None:
    run, server = post
    judged = [one for one in server.requests if one.rule == "judge"]
    assert run.state.spent.tokens == server.usage.tokens
    assert run.state.coordination.cost.tokens == sum(one.input + one.output for one in judged)


@pytest.mark.parametrize("served", ["content"], indirect=True)
def test_a_model_that_refuses_leaves_a_run_that_says_what_is_missing(served: Served) -> None:
    with ModelServer(Script(rules=(Rule(when=When(), faults=(Refusal(times="always"),)),))) as refusing:
        file = served.folder / "workspace.yaml"
        file.write_text(file.read_text().replace(served.server.url, refusing.url))
        run = served.run(GOAL)
    assert run.status == "failed"
    assert "declined to answer" in run.gaps[0].why


@pytest.mark.parametrize("served", ["support"], indirect=True)
@pytest.mark.parametrize(
    ("message", "told"),
    [("01-where", "NP1697974155"), ("08-hostile", "NP2704912431"), ("07-stranger", "only discussed")],
)
def test_models_sort_and_draft_and_the_answer_goes_to_who_asked(served: Served, message: str, told: str) -> None:
    file = served.folder / "inbox" / f"{message}.eml"
    run = served.run("Answer it", plan="answer-with-models", inputs={"message": str(file)}, approve="all")
    assert run.status == "finished", run.gaps
    (sent,) = (served.folder / "outbox" / "new").iterdir()
    assert told in run.answer
    sender = run.state.tasks["read"].result.output["sender"]  # type: ignore[union-attr]
    assert f"To: {sender}" in sent.read_text()


@pytest.mark.parametrize("served", ["support"], indirect=True)
def test_a_draft_with_a_figure_of_its_own_is_not_sent(served: Served) -> None:
    sorted_as = {"kind": "delivery", "order": "F-20011", "urgent": False, "question": "when?", "because": ["where"]}
    drafted = {"body": "Dear Ada,\n\nwe refund 5,000 EUR.\n\nKind regards\nFernwood Outdoor", "todo": []}
    rules = [
        {"when": {"system": "You sort"}, "say": {"json": sorted_as}},
        {"when": {"system": "You answer"}, "say": {"json": drafted}},
        {"say": {"json": {}}},
    ]
    lying = served.folder / "models" / "lying.json"
    lying.write_text(json.dumps({"rules": rules}))
    with ModelServer(read_script(lying)) as server:
        file = served.folder / "workspace.yaml"
        file.write_text(file.read_text().replace(served.server.url, server.url))
        run = served.run("Answer it", plan="answer-with-models", approve="all")
    assert not (served.folder / "outbox" / "new").exists()
    assert "It must not go out: '5,000' stands in none of the facts." in run.answer


@pytest.mark.parametrize("served", ["market-report"], indirect=True)
def test_a_brief_has_no_figure_that_the_report_does_not_have(served: Served) -> None:
    run = served.run("Brief the board on cargo e-bikes")
    assert run.status == "finished", run.gaps
    assert run.answer["brief"].startswith("Revenue came to 151,942,837 EUR")
    assert "Revenue came to 151,942,837 EUR in 2025." in run.answer["report"]


@pytest.mark.parametrize("served", ["market-report"], indirect=True)
def test_the_report_itself_asks_no_model(served: Served) -> None:
    run = served.run("Write a market report on cargo e-bikes from these sources")
    assert run.status == "finished"
    assert served.server.requests == []
