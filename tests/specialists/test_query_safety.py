"""Attacks on the query specialist, its answers against plain Python, and its skills in whole runs."""

import asyncio
import importlib.util
import random
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stretto import plan, ref, task
from stretto.bootstrap import Orchestrator, specialist
from stretto.specialists.query import Options, RefusedStatement, run_query

PIECES = [
    *("SELECT", "FROM", "WITH", "UNION", "AS", "INSERT", "DELETE", "ATTACH", "PRAGMA"),
    *("a", "n", "x", "rowid", "count", "1", "'q'", '"', "'", ";", "--", "/*", "*/", "(", ")", ",", "*", "."),
]


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_query", Path(__file__).parents[2] / "bench/query.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_attack_is_refused_and_no_file_changes(bench: ModuleType) -> None:
    assert bench.attacked() == (len(bench.ATTACKS), 0)


def test_answers_are_those_of_plain_python(bench: ModuleType) -> None:
    scores = list(bench.check(4711, 36))
    assert all(right and lines for right, lines, _ in scores)


def test_a_million_cells_take_little_memory(bench: ModuleType) -> None:
    _, _, used = bench.large(100_000)
    assert used < 250


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(
        st.sampled_from(PIECES),
        max_size=12,
    )
)
def test_any_statement_is_answered_or_refused(tmp_path: Path, words: list[str]) -> None:
    file = tmp_path / "a.csv"
    file.write_text("n,x\n1,2\n")
    with suppress(RefusedStatement):
        found = run_query(" ".join(words), [str(file)], Options(seconds=5))
        assert len(found.lines) in (0, len(found.rows))
    assert file.read_text() == "n,x\n1,2\n"


def test_the_skills_pass_the_evidence_review(tmp_path: Path) -> None:
    file = tmp_path / "sales.csv"
    file.write_text("region,amount\nnorth,1.5\nsouth,2.25\n")
    files = [str(file)]
    steps = plan(
        task("rows", "query.query", sql="SELECT * FROM sales WHERE amount > 2", files=files),
        task("sum", "query.query", sql="SELECT sum(amount) FROM sales", files=files),
        task("tables", "query.tables", files=files),
        task("columns", "query.describe", files=files),
        deliver=[ref("rows"), ref("sum"), ref("tables"), ref("columns")],
    )
    run = asyncio.run(Orchestrator(agents=[specialist("query")]).run("how much", plan=steps))
    assert run.status == "finished", run.gaps
    found, total, tables, columns = run.answer
    assert (found["rows"], found["lines"]) == ([["south", 2.25]], [3])
    assert total["rows"] == [[3.75]]
    assert tables["tables"][0]["rows"] == 2
    assert columns["columns"][1]["max"] == 2.25
    cited = [(one.line, one.text) for one in run.citations if one.line]
    assert cited == [(3, "south,2.25")]


def test_parquet_is_read_within_the_limits_of_the_process(tmp_path: Path, bench: ModuleType) -> None:
    file = bench.store("parquet", bench.invented(random.Random(1), 50), tmp_path)
    steps = plan(task("rows", "query.query", sql="SELECT count(*) FROM data", files=[file]), deliver=ref("rows"))
    run = asyncio.run(Orchestrator(agents=[specialist("query")]).run("count", plan=steps))
    assert run.status == "finished", run.gaps
    assert run.answer["rows"] == [[50]]


def test_a_refused_statement_fails_with_what_would_do(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("n\n1\n")
    steps = plan(task("bad", "query.query", sql="DROP TABLE a", files=[str(tmp_path / "a.csv")]), deliver=ref("bad"))
    run = asyncio.run(Orchestrator(agents=[specialist("query")]).run("destroy", plan=steps))
    assert run.status == "failed"
    assert "data is read, never changed" in run.gaps[0].why
