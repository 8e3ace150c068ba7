"""Whatever a function does becomes an outcome; one failing agent never takes the results of others along."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stretto import AgentFailure, Orchestrator, irreversible, plan, pure, task
from stretto.agents.function import FunctionAgent
from stretto.core.domain import (
    Artifact,
    Completed,
    Failed,
    FailureClass,
    InputRequired,
    Outcome,
    Unknown,
)
from stretto.declare import agent
from stretto.ports import Assignment, InputNeeded
from stretto.views import Run

NEVER: dict[str, int] = dict.fromkeys(FailureClass, 0)


async def run_beside_a_good_one(function: Callable[..., Any], retries: Any = NEVER, **limits: Any) -> Run:
    @pure
    def good() -> str:
        return "fine"

    team = Orchestrator([function, good], retries=retries, timeout=20)
    both = plan(task("bad", function, **limits), task("good", good))
    return await asyncio.wait_for(team.run("both", plan=both), 60)


async def outcome_of(function: Callable[..., Any], **more: Any) -> Outcome:
    given = Assignment(
        run="r", task="t", attempt=1, skill=function.__name__, objective="", arguments={}, key="k", **more
    )
    return await FunctionAgent([function]).run(given)


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def circle() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("error", "failure", "says"),
    [
        (ValueError("no"), "error", "ValueError: no"),
        (ValueError(), "error", "ValueError"),
        (ValueError("\ud800"), "error", "ValueError: ?"),
        (ValueError("x" * 5_000_000), "error", "…"),
        (Unspeakable(), "error", "Unspeakable: its message cannot be read"),
        (MemoryError(), "error", "MemoryError"),
        (RecursionError("deep"), "error", "RecursionError: deep"),
        (StopIteration(3), "error", "StopIteration: 3"),
        (SystemExit(3), "error", "SystemExit: 3"),
        (KeyboardInterrupt(), "error", "KeyboardInterrupt"),
        (GeneratorExit(), "error", "GeneratorExit"),
        (ExceptionGroup("many", [ValueError("a")]), "error", "ExceptionGroup: many"),
        (TimeoutError("slow"), "timed_out", "TimeoutError: slow"),
        (ConnectionError("gone"), "transient", "ConnectionError: gone"),
        (ConnectionResetError(), "transient", "ConnectionResetError"),
        (AgentFailure("no"), "refused", "no"),
        (AgentFailure(""), "refused", "it failed and says no more"),
        *((AgentFailure("so", each), each.value, "so") for each in FailureClass),
        (AgentFailure("x", "oops"), "invalid_output", "there is no class of failure 'oops'; known: transient"),  # type: ignore[arg-type]
        (
            AgentFailure("x", FailureClass.RATE_LIMITED, retry_after=float("inf")),
            "invalid_output",
            "it asks to be tried again after inf seconds",
        ),
    ],
    ids=lambda given: type(given).__name__ if isinstance(given, BaseException) else None,
)
@pytest.mark.parametrize("kind", ["plain", "coroutine"])
async def test_an_exception_is_a_failure_of_its_class(kind: str, error: BaseException, failure: str, says: str) -> None:
    @pure
    def bad() -> None:
        raise error

    @pure
    async def bad_later() -> None:
        await asyncio.sleep(0)
        raise error

    if kind == "coroutine" and isinstance(error, StopIteration | GeneratorExit):
        pytest.skip("Python itself does not let a coroutine raise it")
    run = await run_beside_a_good_one(bad if kind == "plain" else bad_later)
    assert run.status == "partial"
    assert run.answer == "fine"
    (gap,) = run.gaps
    assert says in gap.why
    assert len(gap.why) < 3000
    assert run.as_json()["tasks"][0]["failure"] == failure
    assert run.as_json()["tasks"][0]["attempts"] == 1


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (float("nan"), "NaN and infinities are not JSON values"),
        ({"a": [float("-inf")]}, "NaN and infinities are not JSON values"),
        ("\ud800", "surrogates not allowed"),
        ({"\ud800": 1}, "surrogates not allowed"),
        (b"\xff", "invalid utf-8"),
        (object(), "Unable to serialize unknown type"),
        (deep(5000), "depth exceeded"),
        (circle(), "Circular reference"),
        (10**5000, "limit"),
        (Completed(output=float("nan")), "NaN and infinities"),
        (Completed(artifacts=(Artifact(name="x", content=None),)), "name and content are text"),  # type: ignore[arg-type]
        (Failed(failure="nonsense", message="x"), "no class of failure 'nonsense'"),  # type: ignore[arg-type]
    ],
    ids=lambda given: type(given).__name__,
)
async def test_a_result_that_json_cannot_carry_is_invalid(value: Any, says: str) -> None:
    @pure
    def bad() -> Any:
        return value

    run = await run_beside_a_good_one(bad)
    assert (run.status, run.answer) == ("partial", "fine")
    assert says in run.gaps[0].why
    assert run.as_json()["tasks"][0]["failure"] == "invalid_output"


async def test_a_result_of_another_type_than_declared_is_invalid_and_tried_once_more_with_feedback() -> None:
    heard = []

    @pure
    def wrong(work: Assignment) -> int:
        heard.append(work.feedback)
        value: Any = "many"
        return value  # type: ignore[no-any-return]

    run = await run_beside_a_good_one(wrong, retries={})
    assert (run.status, len(heard)) == ("partial", 2)
    assert "should be a valid integer" in heard[1][0]


async def test_what_json_can_carry_is_carried() -> None:
    @pure
    def wide() -> Any:
        return {"set": {1}, "tuple": (1, "a"), 3: None, "nested": deep(100), "text": "ü😀\u202e\x1b[31m", "big": 2**70}

    @pure
    def megabyte() -> str:
        return "x" * (1 << 20)

    found = await outcome_of(wide)
    assert isinstance(found, Completed)
    assert found.output["set"] == [1]
    assert found.output["3"] is None
    assert found.output["big"] == 2**70
    assert (await run_beside_a_good_one(megabyte)).status == "finished"


async def test_an_artifact_of_bytes_is_kept_and_what_is_none_is_refused() -> None:
    @pure
    def picture(work: Assignment) -> None:
        content: Any = b"\x89PNG\xff"
        work.attach("a.png", content, "image/png")

    @pure
    def nameless(work: Assignment) -> None:
        work.attach(None, None)  # type: ignore[arg-type]

    @pure
    def surrogate(work: Assignment) -> None:
        work.attach("a", "\ud800")

    found = await outcome_of(picture)
    assert isinstance(found, Completed)
    assert (found.artifacts[0].encoding, found.artifacts[0].content) == ("base64", "iVBOR/8=")
    assert (await run_beside_a_good_one(nameless)).status == "partial"
    assert (await run_beside_a_good_one(surrogate)).status == "partial"


@pytest.mark.parametrize(
    "place", [(None, 1, ""), ("a\0b", 1, ""), ("f", 0, ""), ("f", -1, ""), ("f", 1, 5), ("f", "1", "")]
)
async def test_a_citation_that_is_none_is_refused(place: tuple[Any, Any, Any]) -> None:
    @pure
    def cite(work: Assignment) -> int:
        work.cite(*place)
        return 1

    run = await run_beside_a_good_one(cite)
    assert run.status == "partial"
    assert "a citation is a file, a line counted from 1 and a text" in run.gaps[0].why


@pytest.mark.parametrize("cost", [(float("nan"), 0), (float("inf"), 0), (-1, 0), (0, -1), (0, 10**40), (0, 1.5)])
async def test_a_cost_that_is_none_is_refused_and_not_counted(cost: tuple[Any, Any]) -> None:
    @pure
    def spend(work: Assignment) -> int:
        work.spend(*cost)
        return 1

    run = await run_beside_a_good_one(spend)
    assert run.status == "partial"
    assert "it reports a cost that is none" in run.gaps[0].why
    assert str(run.cost) == "$0"


async def test_a_lost_reply_of_what_may_not_be_done_twice_is_unknown_and_asked_about() -> None:
    calls = []

    @irreversible
    def order() -> None:
        calls.append(1)
        raise ConnectionResetError("the line is dead")

    @agent()
    async def says_nothing() -> None:
        calls.append(1)
        raise TimeoutError("no reply")

    @irreversible
    def never_connected() -> None:
        raise ConnectionRefusedError("closed")

    assert await outcome_of(order) == Unknown(message="ConnectionResetError: the line is dead")
    assert await outcome_of(says_nothing) == Unknown(message="TimeoutError: no reply")
    refused = await outcome_of(never_connected)
    assert isinstance(refused, Failed)
    assert refused.failure is FailureClass.TRANSIENT
    calls.clear()
    run = await run_beside_a_good_one(says_nothing, retries={})
    assert (run.status, len(calls)) == ("waiting", 1)
    assert run.requests[0]["kind"] == "doubt"


async def test_a_question_waits_for_a_person() -> None:
    @pure
    def ask(work: Assignment) -> str:
        return work.ask("which \ud800?")

    @pure
    async def ask_nothing() -> str:
        raise InputNeeded

    assert await outcome_of(ask) == InputRequired(question="which ??")
    assert await outcome_of(ask, answers=("this",)) == Completed(output="this")
    assert await outcome_of(ask_nothing) == InputRequired(question="what now?")
    assert (await run_beside_a_good_one(ask)).status == "waiting"


async def test_a_coroutine_that_cancels_itself_fails_alone() -> None:
    @pure
    async def quits() -> None:
        raise asyncio.CancelledError

    @pure
    async def cancels() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(10)

    for function in (quits, cancels):
        run = await run_beside_a_good_one(function)
        assert (run.status, run.answer) == ("partial", "fine")


@pure
def hang() -> None:
    while True:
        time.sleep(0.01)


@pure
async def hang_later() -> None:
    await asyncio.Event().wait()


@pure
async def hang_stubbornly() -> None:
    for _ in range(2):  # it does not heed the first cancelling
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            continue


@pytest.mark.parametrize("function", [hang, hang_later, hang_stubbornly], ids=lambda one: one.__name__)
async def test_a_hang_ends_by_its_timeout(function: Callable[..., Any]) -> None:
    run = await run_beside_a_good_one(function, timeout=0.2)
    assert (run.status, run.answer) == ("partial", "fine")
    assert run.gaps[0].why == "no answer within 0.2 s"
    assert run.as_json()["tasks"][0]["failure"] == "timed_out"


async def test_a_hang_of_what_may_not_be_done_twice_is_unknown() -> None:
    @agent(effect="reversible")
    async def change() -> None:
        await asyncio.sleep(30)

    run = await run_beside_a_good_one(change, timeout=0.2)
    assert run.status == "waiting"
    assert run.requests[0]["question"].startswith("no answer within 0.2 s; did it happen?")


def test_a_program_ends_at_once_though_a_function_of_it_hangs(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import asyncio, time\n"
        "from stretto import Orchestrator, plan, pure, task\n"
        "@pure(timeout=0.2, attempts=1)\n"
        "def hang() -> None:\n    time.sleep(300)\n"
        "run = asyncio.run(Orchestrator([hang]).run('x', plan=plan(task('t', hang))))\n"
        "print(run.status)\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=30, check=False)
    assert (done.stdout, done.returncode) == ("failed\n", 0)


async def test_a_failure_climbs_the_ladder_of_its_class() -> None:
    tried: list[int] = []

    @pure
    def flaky(work: Assignment) -> int:
        tried.append(work.attempt)
        if work.attempt < 3:
            raise AgentFailure("busy", FailureClass.UNAVAILABLE, retry_after=0)
        return work.attempt

    run = await run_beside_a_good_one(flaky, retries={})
    assert (run.status, tried) == ("finished", [1, 2, 3])
    assert run.as_json()["tasks"][0]["attempts"] == 3


async def test_an_argument_that_does_not_fit_is_refused_before_the_call() -> None:
    calls = []

    @pure
    def wants(count: int) -> int:
        calls.append(1)
        return count

    team = Orchestrator([wants])
    given = {"ref": "inputs.count"}
    run = await team.run("x", plan=plan(task("t", wants, count=given), inputs=["count"]), inputs={"count": "many"})
    assert (run.status, calls) == ("failed", [])
    assert "its arguments do not fit" in run.gaps[0].why
