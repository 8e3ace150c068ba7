"""One run, several processes, some of them killed: one trace, and every span the same whoever told of it."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stretto.bootstrap import open_store
from stretto.core.timeline import Stretch, timeline
from tests.cli.program import PROGRAM
from tests.telemetry.collector import Collector, Seen

ROOT = Path(__file__).parents[2]
CRASHED, KILLED = "20260101-crashtest0", "20260101-killed"
SECONDS = 60


def environment(collector: Collector) -> dict[str, str]:
    source = os.environ.get("PYTHONPATH", str(ROOT / "src"))
    quick = {"OTEL_BSP_SCHEDULE_DELAY": "20", "OTEL_METRIC_EXPORT_INTERVAL": "50"}
    return {**os.environ, **quick, "PYTHONPATH": source, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint}


def attempts_of(store: Path, run: str) -> list[Stretch]:
    async def look() -> list[Stretch]:
        async with open_store(store) as journal:
            line = timeline([one.event for one in await journal.read(run)])
        return [one for one in line.stretches if one.kind == "attempt"]

    return asyncio.run(look())


def assert_one_whole_trace(collector: Collector, store: Path, *runs: str) -> Seen:
    """Hold what arrived against the journal: nothing is missing, nothing is there twice in two forms."""
    seen: dict[str, Seen] = {}
    for one in collector.spans:
        assert seen.setdefault(one.id, one) == one
    assert len({one.trace for one in collector.spans}) == 1
    roots = [one for one in seen.values() if not one.parent]
    assert [one.what for one in roots] == ["invoke_workflow"]
    assert {one.parent for one in seen.values()} - {""} <= seen.keys(), "a span hangs on one that never came"
    told = [
        (one.attributes["gen_ai.conversation.id"], one.attributes["stretto.task.id"], one.begin // 1000)
        for one in collector.of("invoke_agent")
    ]
    kept = [(run, one.task, round(one.begin * 1e6)) for run in runs for one in attempts_of(store, run)]
    assert sorted(told) == sorted(kept)
    return roots[0]


@pytest.mark.parametrize(("when", "number"), [("before", 5), ("after", 6), ("during", 4)])
def test_killed_at_a_commit_or_in_a_deed_it_is_one_trace(
    collector: Collector, tmp_path: Path, when: str, number: int
) -> None:
    store = tmp_path / "runs.db"
    job = [sys.executable, "-m", "tests.crash.job", str(store), str(tmp_path / "world")]
    lives = {"cwd": ROOT, "env": environment(collector), "capture_output": True, "timeout": SECONDS, "check": False}
    killed = subprocess.run([*job, "--kill-at", str(number), "--when", when], **lives)  # type: ignore[call-overload]
    assert killed.returncode == -9
    resumed = subprocess.run([*job, "--resume"], **lives)  # type: ignore[call-overload]
    assert resumed.returncode == 0, resumed.stderr
    root = assert_one_whole_trace(collector, store, CRASHED)
    assert root.attributes["stretto.run.status"] == "finished"
    assert {one.attributes["stretto.attempt.outcome"] for one in collector.of("invoke_agent")} >= {"completed"}


def test_what_was_told_before_the_kill_is_told_alike_after_it_with_the_team_below_its_order(
    collector: Collector, tmp_path: Path
) -> None:
    store, file = tmp_path / "runs.db", tmp_path / "go"
    job = [sys.executable, "-m", "tests.telemetry.job", str(store), str(file)]
    first = subprocess.Popen(job, cwd=ROOT, env=environment(collector))
    try:
        collector.wait_for(lambda one: len(one.of("invoke_agent")) == 2)
    finally:
        first.kill()
        first.wait(SECONDS)
    before = len(collector.spans)
    file.touch()
    again = subprocess.run(
        job, cwd=ROOT, env=environment(collector), capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert again.returncode == 0, again.stderr
    assert_one_whole_trace(collector, store, KILLED, f"{KILLED}.b")
    told_before = {one.id for one in collector.spans[:before]}
    assert told_before & {one.id for one in collector.spans[before:]}, "the second life cannot know what was heard"
    above, below = collector.of("invoke_workflow")
    (ordered,) = (one for one in collector.of("invoke_agent") if one.attributes["stretto.task.id"] == "b")
    assert below.parent == ordered.id
    assert above.begin < below.begin
    instances = {one.resource["service.instance.id"] for one in collector.spans}
    assert len(instances) == 2, "each process says which it is"


def test_the_example_support_waits_is_approved_and_goes_on_in_three_processes(
    collector: Collector, tmp_path: Path
) -> None:
    ignored = shutil.ignore_patterns(".stretto", "output", "__pycache__")
    place = shutil.copytree(ROOT / "examples" / "support", tmp_path / "support", ignore=ignored)

    def stretto(*words: str) -> int:
        done = subprocess.run(
            [*PROGRAM, *words], cwd=place, env=environment(collector), capture_output=True, text=True, timeout=SECONDS
        )
        assert "telemetry" not in done.stderr, done.stderr
        return done.returncode

    assert stretto("run", "--no-wait", "--input", "message=inbox/03-return.eml", "Answer it") == 4
    assert not collector.of("invoke_workflow")
    assert stretto("approve", "last") == 0
    assert [one.attributes["stretto.request.decision"] for one in collector.of("wait")] == ["approve"]
    assert stretto("resume", "last") == 0
    root = collector.of("invoke_workflow")[0]
    run = root.attributes["gen_ai.conversation.id"]
    assert_one_whole_trace(collector, place / ".stretto" / "runs.db", run)
    assert root.name == "invoke_workflow support"
    assert {one.resource["service.name"] for one in collector.spans} == {"stretto"}
    assert collector.metrics["gen_ai.workflow.duration"]


def test_telemetry_without_its_extra_says_how_to_install_it(collector: Collector, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, importlib.abc\n"
        "class Missing(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name.partition('.')[0] == 'opentelemetry':\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Missing())\n"
    )
    env = environment(collector)
    env["PYTHONPATH"] = f"{tmp_path}{os.pathsep}{env['PYTHONPATH']}"
    done = subprocess.run(
        [*PROGRAM, "run", "--input", "x=1", "Calculate 1 + 1"],
        cwd=tmp_path, env=env, capture_output=True, text=True, timeout=SECONDS,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "pip install 'stretto[otel]'" in done.stderr
    assert "Traceback" not in done.stderr
    off = subprocess.run(
        [*PROGRAM, "run", "Calculate 1 + 1"],
        cwd=tmp_path, env={**env, "OTEL_SDK_DISABLED": "true"}, capture_output=True, text=True, timeout=SECONDS,
    )  # fmt: skip
    assert "otel" not in off.stderr
