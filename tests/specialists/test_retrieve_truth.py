"""Retrieval against the bench's seeded corpus, and the two skills in whole runs, their citations reviewed."""

import asyncio
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from stretto import plan, ref, task
from stretto.bootstrap import Orchestrator, specialist


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_retrieval", Path(__file__).parents[2] / "bench/retrieval.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_answers_are_found_in_a_seeded_corpus(bench: ModuleType) -> None:
    scores = list(bench.measure(77, 60, 30))
    found = [score for score in scores if score.rank is not None and score.rank <= 5]
    assert len(found) >= 0.8 * len(scores)
    assert sum(score.right_line for score in found) >= 0.9 * len(found)


def test_a_search_and_a_reading_pass_the_evidence_review(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Rules\n\nThe gate closes at nine.\n")
    steps = plan(
        task("find", "retrieve.search", question="when does the gate close", sources=[str(tmp_path)]),
        task("none", "retrieve.search", question="unicorn", sources=[str(tmp_path)]),
        task("read", "retrieve.read", file=str(tmp_path / "a.md")),
        deliver=[ref("find"), ref("none"), ref("read")],
    )
    run = asyncio.run(Orchestrator(agents=[specialist("retrieve")]).run("look it up", plan=steps))
    assert run.status == "finished", run.gaps
    found, nothing, document = run.answer
    assert found["passages"][0]["quotes"][0] == {"line": 3, "text": "The gate closes at nine."}
    assert nothing["passages"] == []
    assert document["title"] == "Rules"


def test_a_missing_source_fails_with_what_to_do(tmp_path: Path) -> None:
    steps = plan(task("find", "retrieve.search", question="x", sources=[str(tmp_path / "no")]), deliver=ref("find"))
    run = asyncio.run(Orchestrator(agents=[specialist("retrieve")]).run("look it up", plan=steps))
    assert run.status == "failed"
    assert "check the path" in run.gaps[0].why
