"""Forked processes are processes of their own, and the server that forks them goes with the tests."""

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from stretto.journals.owner import Owner
from tests import forked
from tests.cli.program import eventually

SAY = """
import json, os, sys, threading
from stretto.journals.owner import this_process
print(json.dumps({
    "pid": os.getpid(), "parent": os.getppid(), "folder": os.getcwd(), "words": sys.argv, "path": sys.path[0],
    "read": sys.stdin.read(), "environment": dict(os.environ), "threads": threading.active_count(),
    "tasks": len(os.listdir("/proc/self/task")), "open": len(os.listdir("/proc/self/fd")) - 1,
    "owner": this_process().encode(), "loaded": "stretto.bootstrap.opening" in sys.modules, "name": __name__,
}))
"""


def test_a_process_has_its_own_of_everything_and_nothing_of_the_tests(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if name.startswith(forked.SETTLED)}
    command = [sys.executable, "-c", SAY, "a", "b"]
    with ThreadPoolExecutor(1) as pool, (tmp_path / "held").open("w"):
        pool.submit(threading.active_count).result()
        with forked.Popen(command, cwd=tmp_path, env={**kept, "ONLY": "this"}, stdin=forked.PIPE) as one:
            out, err = one.communicate("hello " * 50_000)
    assert (one.returncode, err) == (0, "")
    said = json.loads(out)
    assert said["pid"] == one.pid != os.getpid() != said["parent"]
    assert (said["folder"], said["words"], said["path"]) == (str(tmp_path), ["-c", "a", "b"], "")
    assert (said["read"], said["environment"]) == ("hello " * 50_000, {**kept, "ONLY": "this"})
    assert (said["threads"], said["tasks"], said["open"]) == (1, 1, 3)
    assert (said["name"], said["loaded"]) == ("__main__", True)
    assert Owner.decode(said["owner"]).surely_dead()


def test_a_living_process_is_known_by_its_pid_and_start_and_a_killed_one_is_gone() -> None:
    code = f"{SAY}\nsys.stdout.flush()\nimport time; time.sleep(60)"
    with forked.Popen([sys.executable, "-c", code]) as one:
        assert one.stdout is not None
        owner = Owner.decode(json.loads(one.stdout.readline())["owner"])
        assert owner.pid == one.pid
        assert not owner.surely_dead()
        assert one.poll() is None
        with pytest.raises(forked.TimeoutExpired):
            one.wait(0.01)
        one.kill()
        assert one.wait() == -9
        assert owner.surely_dead()


@pytest.mark.parametrize(
    ("code", "ends", "out", "err"),
    [
        ("print('fine')", 0, "fine\n", ""),
        ("import sys; sys.exit(3)", 3, "", ""),
        ("raise SystemExit('no')", 1, "", "no\n"),
        ("1 / 0", 1, "", "ZeroDivisionError: division by zero\n"),
        ("import os; os.write(2, b'gone'); os._exit(7)", 7, "", "gone"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -15, "", ""),
    ],
)
def test_how_it_ends_and_what_it_said_is_told(code: str, ends: int, out: str, err: str) -> None:
    done = forked.run([sys.executable, "-c", code])
    assert (done.returncode, done.stdout) == (ends, out)
    assert done.stderr.endswith(err)
    assert bool(done.stderr) is bool(err)


def test_modules_and_scripts_are_run_as_python_runs_them(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("NAME = 'beside'\n")
    script = tmp_path / "script.py"
    script.write_text("import sys, beside\nprint(__name__, sys.argv[1:], beside.NAME)\n")
    for command in ([sys.executable, script, "x"], [sys.executable, "-m", "script", "x"]):
        assert forked.run(command, cwd=tmp_path).stdout == "__main__ ['x'] beside\n"


def test_one_that_takes_too_long_is_killed() -> None:
    with pytest.raises(forked.TimeoutExpired):
        forked.run([sys.executable, "-c", "import time; time.sleep(60)"], timeout=0.05)


@pytest.mark.parametrize("name", ["PYTHONHASHSEED", "LC_ALL"])
def test_what_only_a_cold_start_heeds_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"does not heed {name}; start it with subprocess"):
        forked.run([sys.executable, "-c", ""], env={**os.environ, name: "1"})
    with pytest.raises(ValueError, match="is not this Python"):
        forked.run(["sleep", "1"])


@pytest.mark.parametrize("last", ["", "os.kill(os.getpid(), 9)"])
def test_the_server_ends_with_the_tests_even_if_they_are_killed(last: str) -> None:
    code = (
        "import os, sys; from tests import forked\n"
        "done = forked.run([sys.executable, '-c', 'import os; print(os.getppid())'])\n"
        f"print(done.stdout, end='', flush=True)\n{last}\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=forked.ROOT, capture_output=True, text=True, timeout=60)
    assert ended.returncode == (-9 if last else 0), ended.stderr
    server = int(ended.stdout)
    eventually(lambda: has_ended(server))


def has_ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
