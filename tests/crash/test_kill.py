"""Real processes, really killed: nothing is lost, nothing that is finished runs again, nothing happens twice."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from stretto.core.audit import broken_link
from stretto.core.events import TaskCompleted
from stretto.journals.sqlite import SqliteJournal
from tests import forked

RUN = "20260101-crashtest0"
POINTS = (
    [("before", number) for number in range(1, 11)]
    + [("after", number) for number in range(1, 15)]
    + [("during", number) for number in range(1, 10)]
)


def command(folder: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "tests.crash.job", str(folder / "runs.db"), str(folder / "world"), *more]


def job(folder: Path, *more: str) -> forked.CompletedProcess[str]:
    return forked.run(command(folder, *more), cwd=forked.ROOT)


def actions(folder: Path) -> list[dict[str, str]]:
    world = folder / "world"
    return [json.loads(line) for line in world.read_text().splitlines()] if world.exists() else []


def finished_tasks(folder: Path) -> set[str]:
    async def look() -> set[str]:
        journal = SqliteJournal(folder / "runs.db")
        done = {one.event.task for one in await journal.read(RUN) if isinstance(one.event, TaskCompleted)}
        assert broken_link(await journal.envelopes(RUN)) is None
        await journal.close()
        return done

    return asyncio.run(look())


def essence(run: dict[str, Any]) -> object:
    """Give what must not depend on crashes: all but times and the number of attempts."""
    tasks = [(one["id"], one["status"], one["agent"]) for one in run["tasks"]]
    return run["status"], run["answer"], run["gaps"], sorted(tasks), run["plan"]["deliver"]


@pytest.fixture(scope="module")
def uncrashed(tmp_path_factory: pytest.TempPathFactory) -> object:
    """Give what comes of it undisturbed, from a cold start: with another hash seed than the forked processes have."""
    folder = tmp_path_factory.mktemp("uncrashed")
    done = subprocess.run(command(folder), cwd=forked.ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return essence(json.loads(done.stdout))


@pytest.mark.parametrize(("when", "number"), POINTS)
def test_killed_and_resumed_it_ends_as_if_nothing_had_happened(
    tmp_path: Path, uncrashed: object, when: str, number: int
) -> None:
    killed = job(tmp_path, "--kill-at", str(number), "--when", when)
    assert killed.returncode == -9, "it should have died here"
    if when == "before" and number == 1:
        assert job(tmp_path, "--resume").returncode != 0  # nothing was ever submitted
        return
    finished = finished_tasks(tmp_path)
    done_before = Counter(one["name"] for one in actions(tmp_path) if one["kind"] == "think")

    resumed = job(tmp_path, "--resume")

    assert resumed.returncode == 0, resumed.stderr
    assert essence(json.loads(resumed.stdout)) == uncrashed
    paid = Counter(one["key"] for one in actions(tmp_path) if one["kind"] == "pay")
    assert sorted(one["name"] for one in actions(tmp_path) if one["kind"] == "pay") == [
        "ann",
        "bob",
        "bob",
        "eve",
        "hall",
    ]
    assert set(paid.values()) == {1}
    for number_, name in enumerate("abc"):
        if f"ideas[{number_}]" in finished:
            again = Counter(one["name"] for one in actions(tmp_path) if one["kind"] == "think")[name]
            assert again == done_before[name], f"{name} was finished and ran again"
    assert finished_tasks(tmp_path) >= finished


def test_killed_again_and_again_it_still_ends(tmp_path: Path, uncrashed: object) -> None:
    # Three commits a life: one to doubt, one to clear the doubt, one with something done.
    assert job(tmp_path, "--kill-at", "3").returncode == -9
    for _ in range(40):
        step = job(tmp_path, "--resume", "--kill-at", "3")
        if step.returncode == 0:
            break
        assert step.returncode == -9, step.stderr
    else:
        raise AssertionError("it never ends")
    assert essence(json.loads(step.stdout)) == uncrashed
    assert Counter(one["name"] for one in actions(tmp_path) if one["kind"] == "pay") == {
        "ann": 1,
        "bob": 2,
        "eve": 1,
        "hall": 1,
    }


def test_two_processes_that_want_one_run_get_one_owner(tmp_path: Path, uncrashed: object) -> None:
    assert job(tmp_path, "--kill-at", "3").returncode == -9
    both = [forked.Popen(command(tmp_path, "--resume"), cwd=forked.ROOT) for _ in range(3)]
    outs = [one.communicate(timeout=60) for one in both]
    codes = [one.returncode for one in both]
    assert 0 in codes, [err[-600:] for _, err in outs]
    for code, (out, err) in zip(codes, outs, strict=True):
        if code == 0:
            assert essence(json.loads(out)) == uncrashed
        else:
            assert "is being driven by process" in err
    assert Counter(one["name"] for one in actions(tmp_path) if one["kind"] == "pay") == {
        "ann": 1,
        "bob": 2,
        "eve": 1,
        "hall": 1,
    }
