"""Functions in processes of their own: whatever they do, an outcome comes of it, and nothing is left behind."""

import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from stretto import Orchestrator, plan, task
from stretto.agents.function import FunctionAgent
from stretto.bootstrap import open_workspace
from stretto.core.domain import Completed, Failed, FailureClass, InputRequired, Outcome, Unknown
from stretto.core.errors import BadAgent
from stretto.declare import agent
from stretto.ports import Assignment


def load(file: Path) -> Any:
    spec = importlib.util.spec_from_file_location("stretto_tests_workshop", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


workshop = load(Path(__file__).parent / "workshop.py")


async def outcome_of(function: Callable[..., Any], **arguments: Any) -> Outcome:
    worker = FunctionAgent([function])
    return await worker.run(
        Assignment(
            run="r",
            task="t",
            attempt=1,
            skill=function.__name__,
            objective="",
            arguments=arguments,
            key="k",
            limits=worker.card.limits,
        )
    )


def eventually(holds: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_result_artifacts_citations_and_costs_come_back() -> None:
    assert await outcome_of(workshop.add, a=2, b=3) == Completed(output=5)
    assert await outcome_of(workshop.add_later, a=2) == Completed(output=3)
    found = await outcome_of(workshop.whoami)
    assert isinstance(found, Completed)
    assert found.output == "r/t/k"
    assert found.artifacts[0].content == "hello"
    assert found.citations[0].line == 1
    assert str(found.cost) == "$0.5, 3 tokens"


async def test_failures_keep_their_class_and_their_cost() -> None:
    assert await outcome_of(workshop.ask) == InputRequired(question="which one?")
    limited = await outcome_of(workshop.fail_in_a_class)
    assert isinstance(limited, Failed)
    assert (limited.failure, limited.retry_after) == (FailureClass.RATE_LIMITED, 3)
    spent = await outcome_of(workshop.fail_having_spent)
    assert isinstance(spent, Failed)
    assert (spent.failure, str(spent.cost)) == (FailureClass.ERROR, "$0.25")


@pytest.mark.parametrize(
    ("function", "failure", "says"),
    [
        ("print_a_gigabyte", "invalid_output", "it printed more than 1024 KB"),
        ("print_two_kilobytes", "invalid_output", "it printed more than 1 KB"),
        ("give_too_much", "invalid_output", "its result is larger than 67108864 bytes"),
        ("give_nonsense", "invalid_output", "does not fit the declared type"),
        ("leave", "error", "its process ended with exit code 3 and no result. I am off"),
        ("leave_politely", "error", "SystemExit: bye"),
        ("kill_itself", "error", "its process ended with signal SIGKILL"),
        ("crash", "error", "its process ended with signal SIGSEGV"),
        ("read_input", "error", "EOFError"),
        ("close_everything", "error", "and no result"),
        ("write_garbage", "error", "no outcome that can be read"),
        ("fork_and_leave", "error", "exit code 9"),
        ("eat", "error", "it needed more than 200 MB of memory"),
    ],
)
async def test_whatever_it_does_is_a_failure_that_says_why(function: str, failure: str, says: str) -> None:
    found = await asyncio.wait_for(outcome_of(getattr(workshop, function)), 30)
    assert isinstance(found, Failed)
    assert found.failure == failure
    assert says in found.message


async def test_the_memory_limit_does_not_count_python_itself() -> None:
    assert await outcome_of(workshop.eat_little) == Completed(output=1 << 20)


async def test_a_large_result_comes_back_whole() -> None:
    found = await outcome_of(workshop.give_a_megabyte)
    assert isinstance(found, Completed)
    assert len(found.output) == 1 << 20


async def test_an_action_whose_process_died_is_in_doubt() -> None:
    found = await outcome_of(workshop.order_and_die)
    assert isinstance(found, Unknown)
    assert "SIGKILL" in found.message


async def test_what_it_started_is_ended_with_it() -> None:
    found = await outcome_of(workshop.leave_a_child_behind)
    assert isinstance(found, Completed)
    eventually(lambda: not alive(found.output))


async def test_a_brood_of_processes_ends_with_the_call(tmp_path: Path) -> None:
    call = asyncio.ensure_future(outcome_of(workshop.breed, folder=str(tmp_path)))
    async with asyncio.timeout(30):
        while len(list(tmp_path.iterdir())) < 61:
            await asyncio.sleep(0.02)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    eventually(lambda: not any(alive(int(file.name)) for file in tmp_path.iterdir()))


async def test_a_timeout_kills_it_even_in_a_library_that_hangs(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    team = Orchestrator(agents=[workshop.hang], timeout=2, retries={FailureClass.TIMED_OUT: 0})
    run = await team.run("hang", plan=plan(task("t", workshop.hang, file=str(file))))
    assert run.status == "failed"
    assert run.gaps[0].why == "no answer within 2 s"
    assert not file.exists() or not alive(int(file.read_text())), "on a busy machine it may not have come to write"


async def test_many_calls_leave_no_process_no_file_and_no_zombie() -> None:
    await outcome_of(workshop.add, a=1)
    me, fds = psutil.Process(), Path("/proc/self/fd")
    before, others = len(list(fds.iterdir())), me.children()
    gate = asyncio.Semaphore(8)

    async def one(number: int) -> Outcome:
        async with gate:
            return await outcome_of(
                (workshop.add, workshop.kill_itself)[number % 2], **({"a": 1} if number % 2 == 0 else {})
            )

    found = await asyncio.gather(*(one(number) for number in range(24)))
    assert sum(isinstance(each, Completed) for each in found) == 12
    eventually(lambda: len(list(fds.iterdir())) <= before)
    assert me.children() == others


async def test_a_cancelled_call_is_killed_and_reaped(tmp_path: Path) -> None:
    file, others = tmp_path / "pid", psutil.Process().children()
    call = asyncio.ensure_future(outcome_of(workshop.hang, file=str(file)))
    async with asyncio.timeout(20):
        while not file.exists() or not file.read_text():
            await asyncio.sleep(0.02)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert psutil.Process().children() == others


def test_the_worker_ends_with_its_parent_even_while_it_hangs(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import asyncio, re, os, sys\n"
        "from stretto import Orchestrator, agent, plan, task\n"
        "@agent(isolated=True, effect='none')\n"
        "def hang(file: str) -> None:\n"
        "    open(file, 'w').write(str(os.getpid()))\n"
        "    re.match(r'(a+)+$', 'a' * 40 + 'b')\n"
        "if __name__ == '__main__':\n"
        "    asyncio.run(Orchestrator([hang]).run('x', plan=plan(task('t', hang, file=sys.argv[1]))))\n"
    )
    file = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, str(script), str(file)])
    try:
        eventually(lambda: file.exists() and file.read_text() != "")
        worker = int(file.read_text())
        assert alive(worker)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    eventually(lambda: not alive(worker))


def test_a_script_without_a_guard_is_told_so_and_does_not_start_itself_again(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import asyncio\n"
        "from stretto import Orchestrator, agent, plan, task\n"
        "@agent(isolated=True, effect='none', attempts=1)\n"
        "def one() -> int:\n"
        "    return 1\n"
        "run = asyncio.run(Orchestrator([one]).run('x', plan=plan(task('t', one))))\n"
        "print(run.status, run.gaps[0].why)\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.startswith("failed its process ended with exit code 70")
    assert "put that under if __name__ == '__main__'" in done.stdout


async def test_a_workspace_file_with_neighbours_can_be_isolated_and_no_file_here_stands_in_for_a_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "workspace.yaml").write_text("name: x\nagents: [agents/work.py]\n")
    (tmp_path / "agents" / "neighbour.py").write_text("FACTOR = 3\n")
    (tmp_path / "agents" / "work.py").write_text(
        "import neighbour\nfrom stretto import pure\n"
        "@pure(isolated=True)\ndef triple(a: int) -> int:\n    return a * neighbour.FACTOR\n"
    )
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')\n")
    monkeypatch.chdir(tmp_path)
    team = open_workspace(tmp_path, store=tmp_path / "runs.db")
    run = await team.run("triple", plan=plan(task("t", "work.triple", a=2)))
    assert (run.status, run.answer) == ("finished", 6)


def test_what_another_process_cannot_find_is_refused() -> None:
    @agent(isolated=True)
    def inner() -> int:
        return 1

    with pytest.raises(BadAgent, match="define it at the top of a module that is a file"):
        FunctionAgent([inner])
    assert os.environ.get("STRETTO_ISOLATED_LOADING") is None
