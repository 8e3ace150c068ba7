"""`worker` as a process: it drives what nobody drives, gives it back when stopped, and takes over from the dead."""

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from stretto.bootstrap import open_store
from stretto.core.events import AttemptStarted
from tests import forked
from tests.cli.program import Place, eventually

Make = Callable[[str], Place]

ECHO = "tasks: {a: {skill: job.echo, inputs: {text: hello}}}\ndeliver: {ref: a.output}\n"
STAND = """
tasks:
  first: {skill: job.echo, inputs: {text: first}}
  stand: {skill: job.stand, inputs: {file: WORLD}, after: [first]}
deliver: {ref: stand.output}
"""
WRITE = """
tasks:
  think: {skill: job.echo, inputs: {text: deed}}
  write: {skill: job.write, inputs: {file: WORLD, text: {ref: think.output}}}
deliver: {ref: write.output}
"""
SECONDS = 30.0


def abandoned(place: Place) -> str:
    """Give a run whose process was killed in the middle of it."""
    process = place.start("run")
    run = str(eventually(lambda: standing(place)))
    process.kill()
    process.wait(SECONDS)
    return run


def standing(place: Place) -> str:
    """Give the newest run once its second task has begun, else nothing."""
    if place.look("show", "last").code:
        return ""
    shown = place.show()
    return shown["run_id"] if any(one["id"] == "stand" and one["started"] for one in shown["tasks"]) else ""


def status(place: Place, run: str) -> str:
    return str(place.show(run)["status"])


def owner(place: Place, run: str) -> str | None:
    async def ask() -> str | None:
        async with open_store(place.folder / ".stretto" / "runs.db") as journal:
            return await journal.owner(run)

    return asyncio.run(ask())


def ends(process: forked.Popen) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=SECONDS)
    return process.returncode, out, err


def test_once_it_drives_what_was_left_in_the_middle_and_says_what_it_did(make: Make) -> None:
    place = make(STAND)
    run = abandoned(place)
    place.world.touch()

    done = place.stretto("worker", "--once")

    assert done.code == 0, done.err
    assert [line.split("  ")[0] for line in done.out.splitlines()] == [run, run]
    assert "taken up, 1 of 2 tasks done" in done.out
    assert "finished, 2 of 2 tasks done" in done.out
    assert done.err == "stretto: runs: 1 ended\n"
    assert status(place, run) == "finished"
    delivered = json.loads((place.folder / "output" / run / "delivery.json").read_text())
    assert delivered["answer"] == "stood"


def test_once_with_nothing_due_it_says_so_and_exits_0(make: Make) -> None:
    done = make(ECHO).stretto("worker", "--once")
    assert (done.code, done.out, done.err) == (0, "", "stretto: nothing was due\n")


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_stopped_it_gives_its_runs_back_and_exits_0(make: Make, name: signal.Signals) -> None:
    place = make(STAND)
    run = abandoned(place)
    worker = place.start("worker")
    eventually(lambda: owner(place, run))

    worker.send_signal(name)
    code, out, err = ends(worker)

    assert code == 0, err
    assert f"{run}  given back, 1 of 2 tasks done" in out
    assert owner(place, run) is None
    assert status(place, run) == "running"
    place.world.touch()
    assert place.stretto("worker", "--once").code == 0
    assert status(place, run) == "finished"


def test_killed_another_worker_takes_its_runs_over_at_once(make: Make) -> None:
    place = make(STAND)
    run = abandoned(place)
    first = place.start("worker")
    eventually(lambda: str(first.pid) in (owner(place, run) or ""))
    second = place.start("worker")
    os.kill(first.pid, signal.SIGKILL)
    first.wait(SECONDS)

    eventually(lambda: str(second.pid) in (owner(place, run) or ""), seconds=10)
    place.world.touch()
    eventually(lambda: status(place, run) == "finished")
    second.terminate()
    assert ends(second)[0] == 0


def test_what_is_approved_elsewhere_goes_on_by_itself(make: Make) -> None:
    place = make(WRITE)
    assert place.stretto("run").code == 4
    worker = place.start("worker")
    assert place.look("approve", "last").code == 0
    eventually(lambda: status(place, "last") == "finished")
    worker.terminate()
    code, out, _ = ends(worker)
    assert (code, "finished, 2 of 2 tasks done" in out) == (0, True)
    assert len(place.world.read_text().splitlines()) == 1


def test_a_run_that_waits_sleeps_until_its_deadline_and_is_woken_for_it(make: Make) -> None:
    place = make(WRITE)
    worker = place.start("worker")
    left = place.stretto("run", "--deadline", "2s")
    assert left.code == 4
    assert "sleeps until" in left.out
    assert "sleeps until" in place.look("show", "last").out
    (listed,) = place.look("runs", "--json").json
    assert listed["wake"] == place.show()["wake"] is not None

    eventually(lambda: status(place, "last") == "partial", seconds=15)
    assert place.look("runs", "--json").json[0]["wake"] is None
    worker.terminate()
    assert ends(worker)[0] == 0


def test_two_workers_drive_each_of_twenty_runs_once(make: Make) -> None:
    place = make(WRITE)
    runs = begun(place, 20)

    workers = [place.start("worker", "--once", "--runs", "3") for _ in range(2)]
    told = [ends(one) for one in workers]

    assert [code for code, _, _ in told] == [0, 0], told
    ended = Counter(line.split("  ")[0] for _, out, _ in told for line in out.splitlines() if "finished" in line)
    assert ended == dict.fromkeys(runs, 1)
    for run in runs:
        assert attempts(place, run) == ["think", "write"]


def begun(place: Place, number: int) -> list[str]:
    """Give runs that were approved after their process had ended."""
    from stretto.bootstrap import leave_word, open_workspace
    from stretto.core.commands import AnswerRequest

    async def begin() -> list[str]:
        team = open_workspace(place.folder)
        names = [f"run-{n:02}" for n in range(number)]
        for name in names:
            run = await team.run("go", run_id=name)
            (request,) = run.state.requests
            async with team.journal() as journal:
                await leave_word(journal, name, AnswerRequest(actor="person:p", request=request, decision="approve"))
        return names

    return asyncio.run(begin())


def attempts(place: Place, run: str) -> list[str]:
    async def read() -> list[str]:
        async with open_store(place.folder / ".stretto" / "runs.db") as journal:
            return [one.event.task for one in await journal.read(run) if isinstance(one.event, AttemptStarted)]

    return asyncio.run(read())


def test_a_run_of_another_workspace_is_left_alone(make: Make, tmp_path: Path) -> None:
    place, other = make(STAND), make(STAND)
    run = abandoned(place)
    store = str(place.folder / ".stretto" / "runs.db")
    done = other.stretto("worker", "--once", "--store", store)
    assert done.code == 0
    assert done.out == f"{run}  left alone: it belongs to the workspace {place.folder}\n"
    assert status(place, run) == "running"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--runs", "0"], "--runs"),
        (["--places", "-1"], "--places"),
        (["--places", "many"], "--places"),
        (["-w", "nowhere"], "there is no folder"),
        (["--store", "workspace.yaml"], "is a file of something else"),
    ],
)
def test_bad_options_are_named_and_nothing_is_driven(make: Make, words: list[str], said: str) -> None:
    done = make(ECHO).look("worker", "--once", *words)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err
