"""Real processes, really killed while they take back what they did: each thing is taken back once, the last first."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from stretto.core.audit import broken_link
from stretto.journals.sqlite import SqliteJournal
from tests import forked

RUN = "20260101-undotest00"
DONE = ["flight", "a", "b", "a", "deposit"]
UNDONE = ["deposit!", "a!", "b!", "a!", "flight!"]
FIRST, LAST = 8, 14
"""The appends of the undoing: the first plans it, the last but one brings the last of it, the last ends the run."""
POINTS = (
    [("before", number) for number in range(FIRST, LAST + 1)]
    + [("after", number) for number in range(FIRST, LAST)]
    + [("during", 1), ("during", len(UNDONE))]
)


def job(folder: Path, *more: str) -> forked.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.crash.undo_job", str(folder / "runs.db"), str(folder / "world"), *more]
    return forked.run(command, cwd=forked.ROOT)


def actions(folder: Path, kind: str) -> list[str]:
    lines = [json.loads(line) for line in (folder / "world").read_text().splitlines()]
    return [one["name"] for one in lines if one["kind"] == kind]


def essence(run: dict[str, Any]) -> object:
    tasks = [(one["id"], one["status"], one["undone"], one["undoes"]) for one in run["tasks"]]
    return run["status"], run["answer"], run["gaps"], tasks


@pytest.fixture(scope="module")
def uncrashed(tmp_path_factory: pytest.TempPathFactory) -> object:
    folder = tmp_path_factory.mktemp("uncrashed")
    done = job(folder)
    assert done.returncode == 0, done.stderr
    assert actions(folder, "do") == DONE
    assert actions(folder, "undo") == UNDONE
    return essence(json.loads(done.stdout))


@pytest.mark.parametrize(("when", "number"), POINTS)
async def test_killed_while_undoing_each_thing_is_undone_once(
    tmp_path: Path, uncrashed: object, when: str, number: int
) -> None:
    killed = job(tmp_path, "--kill-at", str(number), "--when", when)
    assert killed.returncode == -9, "it should have died here"
    resumed = job(tmp_path, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert essence(json.loads(resumed.stdout)) == uncrashed
    assert actions(tmp_path, "do") == DONE
    assert actions(tmp_path, "undo") == UNDONE
    journal = SqliteJournal(tmp_path / "runs.db")
    assert broken_link(await journal.envelopes(RUN)) is None
    await journal.close()
