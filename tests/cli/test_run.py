"""`run` and `resume`: exit codes, JSON, options, interruption, recovery."""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from stretto.bootstrap import open_workspace
from tests.cli.program import Place, eventually

Make = Callable[[str], Place]

ECHO = "tasks: {a: {skill: job.echo, inputs: {text: hello}}}\ndeliver: {ref: a.output}\n"
HALF = """
tasks:
  good: {skill: job.echo, inputs: {text: fine}}
  bad: {skill: job.fail, inputs: {text: no luck}}
deliver: {good: {ref: good.output}, bad: {ref: bad.output}}
"""
FAIL = "tasks: {bad: {skill: job.fail, inputs: {text: no luck}}}\ndeliver: {ref: bad.output}\n"
WRITE = """
tasks:
  think: {skill: job.echo, inputs: {text: deed}}
  write: {skill: job.write, inputs: {file: WORLD, text: {ref: think.output}}}
deliver: {ref: write.output}
"""
STAND = """
tasks:
  first: {skill: job.echo, inputs: {text: first}}
  stand: {skill: job.stand, inputs: {file: WORLD}, after: [first]}
deliver: {ref: stand.output}
"""
RUN_FIELDS = {"run_id", "status", "answer", "artifacts", "tasks", "gaps", "cost", "plan"}
TASK_FIELDS = {"id", "skill", "agent", "status", "attempts", "started", "ended"}
LIST_FIELDS = {"run_id", "goal", "status", "started", "ended", "cost", "gaps"}


@pytest.mark.parametrize(
    ("plan", "options", "code", "status"),
    [
        (ECHO, [], 0, "finished"),
        (HALF, [], 3, "partial"),
        (FAIL, [], 1, "failed"),
        (WRITE, [], 4, "waiting"),
        (WRITE, ["--approve", "all"], 0, "finished"),
        (WRITE, ["--approve", "none"], 3, "partial"),
    ],
)
def test_the_exit_code_and_the_json_say_how_it_ended(
    make: Make, plan: str, options: list[str], code: int, status: str
) -> None:
    place = make(plan)

    ran = place.stretto("run", "--json", *options)

    assert (ran.code, ran.json["status"]) == (code, status), ran.err
    assert ran.json.keys() >= RUN_FIELDS
    assert all(one.keys() >= TASK_FIELDS for one in ran.json["tasks"])
    assert ran.json["plan"]["tasks"]
    assert bool(ran.json["gaps"]) is (status in ("partial", "failed"))
    shown = place.show(ran.json["run_id"])
    assert {key: ran.json[key] for key in RUN_FIELDS - {"artifacts"}} == {
        key: shown[key] for key in RUN_FIELDS - {"artifacts"}
    }
    (listed,) = place.look("runs", "--json").json
    assert listed.keys() >= LIST_FIELDS
    assert (listed["run_id"], listed["status"]) == (ran.json["run_id"], status)
    assert place.look("watch", "last", "--no-wait").code == code
    assert place.world.exists() is ("all" in options)


def test_a_goal_in_any_language_is_kept_and_shown_as_it_was_written(make: Make) -> None:
    place = make(ECHO)
    goal = "حلّل السجلات 🔍 и исправь\u3000日本語 👩‍👩‍👧"

    ran = place.stretto("run", goal)

    assert ran.code == 0, ran.err
    shown = goal.replace("\u3000", " ")
    assert f"goal   {shown}\n" in ran.err
    assert place.show()["goal"] == goal
    assert shown in place.look("runs").out
    assert shown in place.look("show", "last").out


def test_inputs_plan_budget_deadline_output_and_store_are_heeded(make: Make, tmp_path: Path) -> None:
    place = make(ECHO)
    (place.folder / "plans").mkdir()
    (place.folder / "plans" / "other.yaml").write_text(
        "inputs: {files: {kind: files}, word: {default: none}}\n"
        "tasks:\n"
        "  word: {skill: job.echo, inputs: {text: {ref: inputs.word}}}\n"
        "  files: {skill: job.echo, for_each: {ref: inputs.files}, inputs: {text: {ref: item}}}\n"
        "  spend: {skill: job.spend}\n"
        "deliver: {word: {ref: word.output}, files: {ref: files.output}, spend: {ref: spend.output}}\n"
    )
    for name in "ab":
        (tmp_path / name).write_text(name)
    store, output = tmp_path / "deep" / "runs.db", tmp_path / "out"

    ran = place.stretto(
        *("run", "Another goal", "--plan", "other", "--input", str(tmp_path / "a"), "--input", "../b"),
        *("--input", "word=x=y", "--budget", "$1, 9 steps", "--deadline", "5m"),
        *("--output", str(output), "--store", str(store), "--json"),
    )

    assert ran.code == 0, ran.err
    files = [str(tmp_path / "a"), str(place.folder / "../b")]
    assert ran.json["answer"] == {"word": "x=y", "files": files, "spend": "spent"}
    assert ran.json["cost"] == {"money": 0.25, "tokens": 10, "steps": 4}
    assert ran.json["output"] == str(output)
    assert json.loads((output / "delivery.json").read_text())["run_id"] == ran.json["run_id"]
    assert not (place.folder / ".stretto").exists()
    assert ran.json["run_id"] in place.look("runs", "--store", str(store)).out
    again = place.stretto("resume", "last", "--store", str(store), "--output", str(tmp_path / "again"))
    assert again.code == 0
    assert (tmp_path / "again" / "delivery.json").exists()


def test_what_the_budget_or_the_deadline_cannot_hold_is_told(make: Make) -> None:
    place = make("tasks: {a: {skill: job.spend}}\n")
    refused = place.stretto("run", "--budget", "$0.10")
    assert refused.code == 2
    assert "[over-budget]" in refused.err
    place.plan("tasks: {good: {skill: job.echo, inputs: {text: x}}, long: {skill: job.stand, inputs: {file: WORLD}}}\n")
    late = place.stretto("run", "--deadline", "1s", "--json")
    assert late.code == 3
    assert "deadline" in late.json["gaps"][0]["why"]


def test_artifacts_land_in_the_output_folder_under_plain_names(make: Make) -> None:
    place = make(WRITE)
    ran = place.stretto("run", "--approve", "all", "--json")
    (artifact,) = ran.json["artifacts"]
    assert (artifact["name"], artifact["task"]) == ("note.txt", "write")
    assert Path(artifact["path"]) == place.folder / "output" / ran.json["run_id"] / "note.txt"
    assert Path(artifact["path"]).read_text() == "deed"


def test_ctrl_c_and_a_termination_keep_the_run_and_say_how_to_go_on(make: Make) -> None:
    place = make(STAND)
    for sign, words in ((signal.SIGINT, ("run",)), (signal.SIGTERM, ("resume", "last"))):
        process = place.start(*words, "--json")
        eventually(lambda: f"process {process.pid} " in str(place.owner()))  # noqa: B023
        process.send_signal(sign)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out) == (130, "")
        assert "interrupted; the run is kept. Go on: stretto resume " in err
    place.world.touch()
    went_on = place.stretto("resume", "last", "--json")
    assert (went_on.code, went_on.json["answer"]) == (0, "stood")
    first = next(one for one in went_on.json["tasks"] if one["id"] == "first")
    assert first["attempts"] == 1, "what is finished does not run again"


def test_a_run_that_a_living_process_drives_is_not_taken_over_and_one_of_a_dead_process_is(make: Make) -> None:
    place = make(STAND)
    process = place.start("run")
    eventually(lambda: "stand" in running(place))

    refused = place.stretto("resume", "last")
    assert refused.code == 1
    assert f"is being driven by process {process.pid} on " in refused.err
    assert "Traceback" not in refused.err

    process.kill()
    process.communicate(timeout=20)
    place.world.touch()
    went_on = place.stretto("resume", "last", "--json")
    assert (went_on.code, went_on.json["answer"]) == (0, "stood"), went_on.err
    assert place.stretto("resume", "last", "--json").json["answer"] == "stood", "an ended run is given as it is"


@pytest.mark.parametrize(
    ("word", "code", "status", "answer"),
    [
        (["done"], 0, "finished", None),
        (["die", "done", "--result", '"as seen"'], 0, "finished", "as seen"),
        (["fail"], 1, "failed", None),
    ],
)
def test_after_a_crash_in_the_middle_of_an_action_a_person_says_whether_it_happened(
    make: Make, word: list[str], code: int, status: str, answer: str | None
) -> None:
    place = make("tasks: {die: {skill: job.write_and_die, inputs: {file: WORLD}}}\n")
    assert place.stretto("run", "--approve", "all").code == -signal.SIGKILL

    doubtful = place.stretto("resume", "last")
    assert doubtful.code == 4
    assert "stretto answer" in doubtful.out
    assert "done|retry|fail" in doubtful.out
    assert "answer done, retry or fail" in place.look("answer", "last", "perhaps").err
    assert place.look("answer", "last", *word).code == 0

    ended = place.stretto("resume", "last", "--json")
    assert (ended.code, ended.json["status"], ended.json["answer"]) == (code, status, answer), ended.err
    assert place.world.read_text() == "done\n"


def test_what_belongs_to_another_answer_or_is_no_json_is_refused(make: Make) -> None:
    place = make(ECHO)
    assert "belongs to the answer `done`" in place.look("answer", "last", "retry", "--result", "1").err
    assert "--result: not JSON" in place.look("answer", "last", "done", "--result", "{").err
    assert "put it in quotes" in place.look("answer", "last", "a", "b", "c").err


def test_a_run_is_cancelled_from_elsewhere(make: Make) -> None:
    place = make(STAND)
    process = place.start("run", "--json")
    eventually(lambda: "stand" in running(place))
    assert place.look("cancel", "last", "--reason", "not needed").code == 0
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert json.loads(out)["status"] == "cancelled"
    assert place.look("cancel", "last").out.endswith("is cancelled\n")
    assert place.look("watch", "last").code == 130


def test_a_waiting_run_that_nobody_drives_is_cancelled_at_once(make: Make) -> None:
    place = make(WRITE)
    assert place.stretto("run").code == 4
    assert "is cancelled" in place.look("cancel", "last").out
    assert place.show()["status"] == "cancelled"
    assert place.stretto("resume", "last", "--approve", "all").code == 130
    assert not place.world.exists()


def test_watch_follows_a_run_of_another_process_to_its_end(make: Make) -> None:
    place = make(STAND)
    process = place.start("run")
    eventually(lambda: "stand" in running(place))
    watching = place.start("watch", "last")
    place.world.touch()
    _, seen = watching.communicate(timeout=20)
    assert watching.returncode == 0
    assert "stand" in seen
    assert "run finished" in seen
    process.communicate(timeout=20)


def test_a_run_from_python_is_not_resumed_without_its_agents(make: Make, tmp_path: Path) -> None:
    import asyncio

    from stretto import Orchestrator, plan, pure, task

    @pure
    async def one() -> int:
        return 1

    team = Orchestrator([one], store=tmp_path / "runs.db")
    asyncio.run(team.run("x", plan=plan(task("t", one))))
    place = make(ECHO)
    refused = place.look("resume", "last", "--store", str(tmp_path / "runs.db"))
    assert refused.code == 2
    assert "started from Python; go on with Orchestrator.resume()" in refused.err


def test_a_reader_that_leaves_early_and_closed_streams_harm_nothing(make: Make) -> None:
    place = make(ECHO)
    process = place.start("run", "--json")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(30) == 0
    assert process.stderr is not None
    process.stderr.close()
    for fd in range(3):
        closed = place.cold("run", capture_output=False, preexec_fn=lambda fd=fd: os.close(fd), **SILENT)
        assert closed.code == 0
    assert [one["status"] for one in place.look("runs", "--json").json] == ["finished"] * 4


SILENT = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def running(place: Place) -> set[str]:
    """Give the tasks that are under way."""
    done = place.look("show", "last", "--json")
    return {one["id"] for one in done.json["tasks"] if one["status"] == "running"} if done.code == 0 else set()


def test_a_workspace_opened_in_python_is_the_one_of_the_command_line(make: Make) -> None:
    place = make(ECHO)
    assert open_workspace(place.folder).workspace is not None
    assert place.stretto("run", "--json").json["answer"] == "hello"


def test_retries_of_a_workspace_are_heeded_and_an_unknown_class_is_told(make: Make) -> None:
    place = make(FAIL)
    file = place.folder / "workspace.yaml"
    text = file.read_text()
    file.write_text(text + "rules: {retries: {error: 0, timed_out: 2}}\n")
    assert place.stretto("run").code == 1
    file.write_text(text + "rules: {retries: {often: 3}}\n")
    refused = place.look("run")
    assert refused.code == 2
    assert "there is no class of failure 'often'; known: transient, " in refused.err
