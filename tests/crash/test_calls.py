"""Real processes, really killed between inner calls: what has finished is not made again, and nothing is paid twice."""

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from stretto.core.audit import broken_link
from stretto.core.events import CallBegun, CallEnded
from stretto.journals.sqlite import SqliteJournal
from tests import forked

RUN = "20260101-callstest0"
ANSWER = [["bill", "BILL"], "paid ann", "noted paid ann"]
LAST = 14
"""The append that ends the run, when nothing dies."""
POINTS = (
    [("before", number) for number in range(2, LAST + 1)]
    + [("after", number) for number in range(1, LAST, 3)]
    + [("during", number) for number in range(1, 5)]
)


def job(folder: Path, *more: str) -> forked.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.crash.calls_job", str(folder / "runs.db"), str(folder / "world"), *more]
    return forked.run(command, cwd=forked.ROOT)


def deeds(folder: Path) -> Counter[tuple[str, str]]:
    world = folder / "world"
    lines = [json.loads(line) for line in world.read_text().splitlines()] if world.exists() else []
    return Counter((one["kind"], one["name"]) for one in lines)


def finished(folder: Path) -> set[str]:
    """Give the calls that the journal has the end of; each began before, with one key."""

    async def read() -> set[str]:
        journal = SqliteJournal(folder / "runs.db")
        events = [one.event for one in await journal.read(RUN)]
        assert broken_link(await journal.envelopes(RUN)) is None
        await journal.close()
        begun = {one.call: one for one in events if isinstance(one, CallBegun)}
        assert len({one.action for one in begun.values()}) == len(begun)
        return {begun[one.call].key for one in events if isinstance(one, CallEnded)}

    return asyncio.run(read())


def test_undisturbed_each_call_is_made_once(tmp_path: Path) -> None:
    done = job(tmp_path)
    assert json.loads(done.stdout)["answer"] == ANSWER, done.stderr
    assert set(deeds(tmp_path).values()) == {1}


@pytest.mark.parametrize(("when", "number"), POINTS)
def test_killed_and_resumed_what_had_finished_was_made_once(tmp_path: Path, when: str, number: int) -> None:
    killed = job(tmp_path, "--kill-at", str(number), "--when", when)
    assert killed.returncode == -9, "it should have died here"
    had_ended, before = finished(tmp_path), deeds(tmp_path)

    resumed = job(tmp_path, "--resume")

    assert resumed.returncode == 0, resumed.stderr
    run = json.loads(resumed.stdout)
    assert (run["status"], run["answer"], run["gaps"]) == ("finished", ANSWER, [])
    after = deeds(tmp_path)
    assert after["pay", "ann"] == 1
    names = {"bill": ("read", "bill"), "name": ("read", "ann"), "pay": ("pay", "ann"), "note": ("note", "paid ann")}
    for key in had_ended:
        assert after[names[key]] == before[names[key]] == 1, f"{key} had finished and was made again"
    assert set(after) == set(names.values())
    assert finished(tmp_path) == set(names)
