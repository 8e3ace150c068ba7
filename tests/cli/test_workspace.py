"""`workspace` and a worker whose workspace changes under it, as processes."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import PROGRAM, Done, eventually, look, stretto
from tests.editions.place import Site

SECONDS = 30.0


@pytest.fixture
def site(tmp_path: Path) -> Site:
    found = Site(tmp_path / "site")
    with (found.folder / "workspace.yaml").open("a") as file:
        file.write("goal: Go.\n")
    return found


def call(site: Site, *words: str) -> Done:
    return look(*words, cwd=site.folder)


def begun(site: Site, *others: str) -> str:
    """Begin a run besides others, in a process that is killed in the middle of it; gives its id."""
    process = subprocess.Popen([*PROGRAM, "run"], cwd=site.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run = str(eventually(lambda: standing(site, others)))
    process.kill()
    process.wait(SECONDS)
    return run


def standing(site: Site, others: tuple[str, ...]) -> str:
    """Give the newest run once a task of it has begun, unless it is one of the others."""
    done = call(site, "show", "last", "--json")
    if done.code not in (0, 4) or done.json["run_id"] in others:
        return ""
    return str(done.json["run_id"]) if any(one["started"] for one in done.json["tasks"]) else ""


def shown(site: Site, run: str) -> Any:
    return call(site, "show", run, "--json").json


class Worker:
    """A worker as a process; what it says is read at its end."""

    def __init__(self, site: Site) -> None:
        self._log = site.folder.parent / f"worker-{id(self)}.log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [*PROGRAM, "worker"], cwd=site.folder, stdout=subprocess.DEVNULL, stderr=log
            )

    @property
    def said(self) -> str:
        return self._log.read_text()

    def until(self, text: str) -> None:
        eventually(lambda: text in self.said or self._process.poll() is not None, SECONDS)
        assert text in self.said

    def end(self, name: signal.Signals = signal.SIGTERM) -> int:
        self._process.send_signal(name)
        return self._process.wait(SECONDS)


def test_a_worker_takes_up_a_change_in_mid_run_refuses_a_broken_one_and_a_restart_ends_old_runs_on_old_code(
    site: Site,
) -> None:
    old = begun(site)
    worker = Worker(site)
    try:
        worker.until("drives what is due")
        site.word("new")
        worker.until("adopted for new runs: agents/words.py changed")
        site.write("plan.yaml", "tasks: {a: {skill: job.nothing}}\n")
        worker.until("the changed workspace is refused, and the last good one stays:")
        worker.until(f"{site.folder}/plan.yaml:1:")
    finally:
        assert worker.end(signal.SIGKILL) == -9
    assert call(site, "workspace", "rollback", site_edition(site, "adopted")).code == 0
    assert call(site, "workspace", "check").out == "ok: 1 agent, 0 playbooks\n"

    new = begun(site, old)
    workers = [Worker(site), Worker(site)]
    try:
        site.gate.touch()
        eventually(lambda: all(shown(site, run)["status"] == "finished" for run in (old, new)), SECONDS)
    finally:
        assert [worker.end() for worker in workers] == [0, 0]
    assert shown(site, old)["answer"] == ["old", "old", "data"]
    assert shown(site, new)["answer"] == ["new", "new", "data"]
    assert shown(site, old)["edition"] != shown(site, new)["edition"]


def site_edition(site: Site, outcome: str) -> str:
    return next(
        one["edition"] for one in call(site, "workspace", "history", "--json").json if one["outcome"] == outcome
    )


def test_resume_goes_on_with_the_edition_that_a_run_began_with(site: Site) -> None:
    run = begun(site)
    site.word("new")
    site.gate.touch()
    done = stretto("resume", run, "--json", cwd=site.folder)
    assert done.code == 0, done.err
    assert done.json["answer"] == ["old", "old", "data"]
    assert f"edition {done.json['edition'][:12]} of the workspace" in call(site, "show", run).out


def test_history_says_when_who_what_changed_and_why_one_was_refused(site: Site) -> None:
    assert "no edition is kept yet" in call(site, "workspace", "history").out
    assert call(site, "workspace", "history", "--json").json == []
    site.gate.touch()
    assert stretto("run", cwd=site.folder).code == 0
    site.word("new")
    assert stretto("run", cwd=site.folder).code == 0
    newest, first = call(site, "workspace", "history", "--json").json
    assert newest["before"] == first["edition"]
    assert newest["changes"] == [{"name": "agents/words.py", "how": "changed"}]
    assert first["who"].startswith("person:")
    assert "kept: agents/words.py changed" in call(site, "workspace", "history", "--limit", "1").out


def test_an_edition_is_shown_with_its_files_one_of_them_or_what_is_different_now(site: Site) -> None:
    site.gate.touch()
    assert stretto("run", cwd=site.folder).code == 0
    (edition,) = [one["edition"] for one in call(site, "workspace", "history", "--json").json]
    site.word("new")
    assert "agents/words.py  13 bytes" in call(site, "workspace", "show", edition[:6]).out
    assert call(site, "workspace", "show", edition, "--file", "agents/words.py").out == "WORD = 'old'\n"
    assert "-WORD = 'old'\n+WORD = 'new'" in call(site, "workspace", "show", edition, "--diff").out
    assert call(site, "workspace", "show", edition, "--json").json["files"][0] == {
        "name": "agents/job.py",
        "bytes": len((site.folder / "agents" / "job.py").read_bytes()),
    }


def test_rollback_puts_files_back_and_names_the_edition_that_stood_there(site: Site) -> None:
    site.gate.touch()
    assert stretto("run", cwd=site.folder).code == 0
    (edition,) = [one["edition"] for one in call(site, "workspace", "history", "--json").json]
    site.word("new")
    done = call(site, "workspace", "rollback", edition[:10])
    assert done.code == 0
    assert "agents/words.py changed" in done.out
    assert (site.folder / "agents" / "words.py").read_text() == "WORD = 'old'\n"
    back = done.out.split("stretto workspace rollback ")[1].strip()
    assert call(site, "workspace", "rollback", back).code == 0
    assert (site.folder / "agents" / "words.py").read_text() == "WORD = 'new'\n"


def test_check_names_every_defect_with_its_place(site: Site) -> None:
    site.write("plan.yaml", "tasks:\n  a: {skill: job.nothing}\n")
    site.write("plans/b.yaml", "tasks:\n  b: {skil: job.here}\n")
    site.write("playbooks/c.yaml", "intents: [do it]\ntasks:\n  c: {skill: nobody.here}\n")
    done = call(site, "workspace", "check")
    assert done.code == 2
    for place in ("plan.yaml:2:", "plans/b.yaml:2:", "playbooks/c.yaml:3:"):
        assert place in done.err
    assert call(site, "workspace", "check", "--json").json["status"] == "refused"
    assert not (site.folder / ".stretto").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "abc"], "no edition of"),
        (["rollback", ""], "no edition of"),
        (["rollback", "%"], "no edition of"),
        (["history", "-w", "nowhere"], "there is no folder"),
        (["check", "-w", "nowhere"], "there is no folder"),
        (["history", "--limit", "0"], "--limit"),
    ],
)
def test_bad_input_is_told_and_changes_nothing(site: Site, words: list[str], said: str) -> None:
    done = call(site, "workspace", *words)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_workspace_that_cannot_be_written_is_served_as_it_stands(site: Site, tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("rights are not kept like this there")
    blocked = tmp_path / "store.editions"
    blocked.write_text("a file stands where editions would be kept")
    site.gate.touch()
    done = stretto("run", "--store", str(tmp_path / "store.db"), "--json", cwd=site.folder)
    assert done.code == 0, done.err
    assert done.json["edition"] is None
    worker = stretto("worker", "--once", "--store", str(tmp_path / "store.db"), cwd=site.folder)
    assert worker.code == 0
    assert "changes of the workspace are not taken up" in worker.err
