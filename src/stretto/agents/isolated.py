"""Functions in a process of their own, with limits on time, memory and output; it dies with whoever started it."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import msgspec

from stretto.agents.calling import sound
from stretto.core.domain import Completed, Cost, Failed, FailureClass, InputRequired, Outcome, Unknown
from stretto.core.errors import BadAgent
from stretto.declare import declared
from stretto.ports import Assignment, Stopping

DEFAULT_MEMORY_MB = 1024
DEFAULT_OUTPUT_KB = 1024
LARGEST_RESULT = 64 * 1024 * 1024
HEADER = 8
"""An answer begins with its length, as so many bytes: a grandchild may keep the pipe open."""

LOADING = "STRETTO_ISOLATED_LOADING"
"""Set while a fresh process loads the script of its function: then no agent may be run."""

_OUTCOMES: dict[str, type[Outcome]] = {kind.__name__: kind for kind in (Completed, Failed, InputRequired, Unknown)}


def locate(function: Callable[..., Any]) -> dict[str, str]:
    """Say where another process finds a function; raises BadAgent when it cannot."""
    name = getattr(function, "__qualname__", "")
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    file = getattr(module, "__file__", None)
    if "<locals>" in name or "<lambda>" in name or not name or file is None or hasattr(function, "__self__"):
        raise BadAgent(f"{name or function!r} cannot be isolated: define it at the top of a module that is a file")
    return {"module": getattr(module, "__name__", ""), "file": str(Path(file).resolve()), "name": name}


class _Lost(Exception):
    """No result came; the message says why."""

    def __init__(self, message: str, failure: FailureClass = FailureClass.ERROR) -> None:
        super().__init__(message)
        self.failure = failure


async def call_isolated(function: Callable[..., Any], assignment: Assignment) -> Outcome:
    """Call a function in a fresh process. It is killed when cancelled, silent for good or too loud."""
    limits = assignment.limits
    order = {
        "where": locate(function),
        "path": [entry for entry in sys.path if entry],
        "memory": (limits.memory_mb or DEFAULT_MEMORY_MB) * 1024 * 1024,
        "assignment": _plain(assignment),
    }
    try:
        most = (limits.output_kb or DEFAULT_OUTPUT_KB) * 1024
        outcome = await _ordered(json.dumps(order).encode() + b"\n", most, assignment.stopping)
    except _Lost as lost:
        cost = assignment.spent = _reserved(assignment)
        if declared(function).effect.repeatable:
            outcome = Failed(failure=lost.failure, message=str(lost), cost=cost)
        else:
            outcome = Unknown(message=str(lost), cost=cost)
    except asyncio.CancelledError:
        assignment.spent = _reserved(assignment)
        raise
    return sound(outcome)


def _reserved(assignment: Assignment) -> Cost:
    """Give what an attempt counts as having cost whose process did not say: all that it might."""
    most = assignment.ceiling
    return Cost(money=most.money or Decimal(0), tokens=most.tokens or 0)


def _plain(assignment: Assignment) -> dict[str, Any]:
    """Give an assignment as JSON carries it; whether to stop is told by a signal."""
    names = (one.name for one in fields(assignment) if one.name not in ("stopping", "toolbox"))
    return {name: msgspec.to_builtins(getattr(assignment, name)) for name in names}


async def _ordered(order: bytes, most_output: int, stopping: Stopping) -> Outcome:
    """Have an order done by a fresh process; raises _Lost when no result comes of it."""
    with contextlib.ExitStack() as pipes:
        order_in, order_out = _pipe(pipes)
        answer_in, answer_out = _pipe(pipes)
        noise_in, noise_out = _pipe(pipes)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # a file of the folder we are in must not stand in for a library
            "-m",
            "stretto.agents.worker",
            str(answer_out.fileno()),
            stdin=order_in,
            stdout=noise_out,
            stderr=noise_out,
            pass_fds=(answer_out.fileno(),),
            start_new_session=True,
        )
        for theirs in (order_in, answer_out, noise_out):
            theirs.close()
        telling = _task(_tell_to_stop(process, stopping))
        try:
            return await _converse(process, order, order_out, answer_in, noise_in, most_output)
        finally:
            telling.cancel()
            _kill_all_of(process.pid)
            await asyncio.shield(process.wait())


async def _tell_to_stop(process: asyncio.subprocess.Process, stopping: Stopping) -> None:
    """Send SIGTERM when the run is being stopped: a function that ends in time has its result kept."""
    await stopping.wait()
    with contextlib.suppress(ProcessLookupError):
        process.terminate()


async def _converse(
    process: asyncio.subprocess.Process,
    order: bytes,
    order_out: IO[bytes],
    answer_in: IO[bytes],
    noise_in: IO[bytes],
    most_output: int,
) -> Outcome:
    loop = asyncio.get_running_loop()
    writer, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, order_out)
    answers, noises = asyncio.StreamReader(limit=1 << 20), asyncio.StreamReader()
    reading = [
        (await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(answers), answer_in))[0],
        (await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(noises), noise_in))[0],
    ]
    printed = bytearray()
    answer = _task(_read_answer(answers))
    noise = _task(_listen(noises, printed, most_output))
    end = _task(process.wait())
    try:
        writer.write(order)  # and it stays open: its end tells the process that nobody waits any more
        while not answer.done():
            await asyncio.wait({one for one in (answer, noise, end) if not one.done()}, return_when="FIRST_COMPLETED")
            if noise.done() and noise.result():
                message = f"it printed more than {most_output // 1024} KB and was stopped"
                raise _Lost(message, FailureClass.INVALID_OUTPUT)
            if end.done():
                _kill_all_of(process.pid)  # whatever it left behind holds the pipes open
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.wait({answer, noise}), 5)
                break
        raw = answer.result() if answer.done() else b""
        if raw is None:
            raise _Lost(f"its result is larger than {LARGEST_RESULT} bytes", FailureClass.INVALID_OUTPUT)
        if raw:
            return _outcome(raw)
        raise _Lost(_death(await process.wait(), bytes(printed)))
    finally:
        for task in (answer, noise, end):
            task.cancel()
        await asyncio.gather(answer, noise, end, return_exceptions=True)
        if not writer.is_closing():
            writer.abort()
        for transport in reading:
            transport.close()
        await asyncio.sleep(0)  # the transports close their files


def _pipe(pipes: contextlib.ExitStack) -> tuple[IO[bytes], IO[bytes]]:
    """Give the reading and the writing end of a pipe; both are closed with the stack."""
    receive, send = os.pipe()
    return (
        pipes.enter_context(os.fdopen(receive, "rb", buffering=0)),
        pipes.enter_context(os.fdopen(send, "wb", buffering=0)),
    )


def _task(work: "Coroutine[Any, Any, Any]") -> "asyncio.Task[Any]":
    return asyncio.get_running_loop().create_task(work)


def _kill_all_of(pid: int) -> None:
    """Kill a process and everything it has started in its session's group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


async def _read_answer(reader: asyncio.StreamReader) -> bytes | None:
    """Give the answer, nothing when there was none, None when it is too large."""
    try:
        size = int.from_bytes(await reader.readexactly(HEADER), "big")
        if size > LARGEST_RESULT:
            return None
        return await reader.readexactly(size)
    except asyncio.IncompleteReadError:
        return b""


async def _listen(reader: asyncio.StreamReader, tail: bytearray, most: int) -> bool:
    """Read what it prints and keep the end; gives whether it is too much."""
    size = 0
    while part := await reader.read(1 << 16):
        size += len(part)
        if size > most:
            return True
        tail += part
        del tail[:-4096]
    return False


def _outcome(raw: bytes) -> Outcome:
    try:
        body = json.loads(raw)
        kind = _OUTCOMES[body.pop("type")]
        outcome: Outcome = msgspec.convert(body, type=kind)
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        raise _Lost(f"its process gave no outcome that can be read: {error}") from None
    return outcome


def _death(code: int, printed: bytes) -> str:
    last = printed.decode(errors="replace").strip().splitlines()[-1:] or [""]
    why = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return f"its process ended with {why} and no result. {last[0][:300]}".strip()
