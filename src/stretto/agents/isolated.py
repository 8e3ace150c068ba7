"""Functions in a process of their own, with limits on time, memory and output; it dies with whoever started it."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from stretto.core.domain import Completed, Failed, FailureClass, InputRequired, Outcome, Unknown
from stretto.core.errors import BadAgent
from stretto.ports import Assignment

DEFAULT_MEMORY_MB = 1024
DEFAULT_OUTPUT_KB = 1024
LARGEST_RESULT = 64 * 1024 * 1024
_OUTCOMES: dict[str, type[Outcome]] = {kind.__name__: kind for kind in (Completed, Failed, InputRequired, Unknown)}


def locate(function: Callable[..., Any]) -> dict[str, str]:
    """Say where another process finds a function; raises BadAgent when it cannot."""
    name = getattr(function, "__qualname__", "")
    module = sys.modules.get(getattr(function, "__module__", ""))
    file = getattr(module, "__file__", None)
    if "<locals>" in name or "<lambda>" in name or not name or file is None:
        raise BadAgent(f"{name or function!r} cannot be isolated: define it at the top of a module that is a file")
    return {"module": getattr(module, "__name__", ""), "file": str(Path(file).resolve()), "name": name}


async def call_isolated(function: Callable[..., Any], assignment: Assignment) -> Outcome:
    """Call a function in a fresh process. It is killed when cancelled, silent for good or too loud."""
    limits = assignment.limits
    order = {
        "where": locate(function),
        "path": [entry for entry in sys.path if entry],
        "memory": (limits.memory_mb or DEFAULT_MEMORY_MB) * 1024 * 1024,
        "assignment": msgspec.to_builtins(assignment),
    }
    receive, send = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "stretto.agents.worker",
            str(send),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            pass_fds=(send,),
            start_new_session=True,
        )
    except BaseException:
        os.close(receive)
        raise
    finally:
        os.close(send)
    try:
        return await _converse(process, order, receive, limits.output_kb or DEFAULT_OUTPUT_KB, assignment)
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        # The pipes are closed with the transport; waiting reaps the process.
        await asyncio.shield(_reap(process))


async def _converse(
    process: asyncio.subprocess.Process, order: dict[str, Any], receive: int, output_kb: int, assignment: Assignment
) -> Outcome:
    assert process.stdin is not None  # noqa: S101 - we asked for a pipe
    assert process.stdout is not None  # noqa: S101
    reader = asyncio.StreamReader(limit=LARGEST_RESULT)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(receive, "rb", buffering=0)
    )
    try:
        with contextlib.suppress(ConnectionError):
            process.stdin.write(json.dumps(order).encode() + b"\n")
            await process.stdin.drain()
        answer = asyncio.create_task(_read_answer(reader))
        noise = asyncio.create_task(_listen(process.stdout, output_kb * 1024))
        try:
            await asyncio.wait({answer, noise}, return_when=asyncio.FIRST_COMPLETED)
            if noise.done() and noise.result() is None:
                message = f"it printed more than {output_kb} KB and was stopped"
                return Failed(failure=FailureClass.INVALID_OUTPUT, message=message)
            raw = await answer
            if raw is None:
                message = f"its result is larger than {LARGEST_RESULT} bytes"
                return Failed(failure=FailureClass.INVALID_OUTPUT, message=message)
            if raw:
                return _outcome(raw)
            return _died(await process.wait(), await noise, assignment)
        finally:
            for task in (answer, noise):
                task.cancel()
            await asyncio.gather(answer, noise, return_exceptions=True)
    finally:
        transport.close()


async def _read_answer(reader: asyncio.StreamReader) -> bytes | None:
    parts, size = [], 0
    while part := await reader.read(1 << 16):
        parts.append(part)
        size += len(part)
        if size > LARGEST_RESULT:
            return None
    return b"".join(parts)


async def _listen(stream: asyncio.StreamReader, most: int) -> bytes | None:
    """Read what it prints and keep the end; None once it is too much."""
    tail, size = b"", 0
    while part := await stream.read(1 << 16):
        size += len(part)
        if size > most:
            return None
        tail = (tail + part)[-4096:]
    return tail


def _outcome(raw: bytes) -> Outcome:
    body = json.loads(raw)
    kind = _OUTCOMES[body.pop("type")]
    outcome: Outcome = msgspec.convert(body, type=kind)
    return outcome


def _died(code: int, printed: bytes | None, assignment: Assignment) -> Outcome:
    last = (printed or b"").decode(errors="replace").strip().splitlines()[-1:] or [""]
    why = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return Failed(
        failure=FailureClass.ERROR,
        message=f"its process ended with {why} and no result. {last[0][:300]}".strip(),
        cost=assignment.spent,
    )


async def _reap(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        await process.wait()
