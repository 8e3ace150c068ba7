"""The other side of an isolated call: reads one order, calls one function, writes one outcome.

Run as `python -m stretto.agents.worker FD`. Ends at once when its standard input does: then nobody waits.
"""

import asyncio
import contextlib
import ctypes
import importlib
import importlib.util
import inspect
import json
import os
import resource
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import IO, Any

import msgspec

from stretto.agents.calling import call
from stretto.agents.isolated import HEADER, LARGEST_RESULT, LOADING
from stretto.agents.signature import signature_of
from stretto.core.domain import Failed, FailureClass, Outcome
from stretto.outcomes import say
from stretto.ports import Assignment


def main() -> None:
    """Do the order on standard input."""
    orders = os.fdopen(os.dup(0), "rb")
    with Path(os.devnull).open("rb") as nothing:  # the function reads an empty input
        os.dup2(nothing.fileno(), 0)
    _die_with_parent()
    order = json.loads(orders.readline())
    threading.Thread(target=_end_with_parent, args=(orders,), daemon=True).start()
    answer = os.fdopen(int(sys.argv[1]), "wb")
    assignment = msgspec.convert(order["assignment"], type=Assignment)
    signal.signal(signal.SIGTERM, lambda *_: assignment.stopping.set())
    try:
        outcome = _do(order, assignment)
    except MemoryError:
        outcome = _out_of_memory(order)
    except BaseException as error:
        outcome = Failed(failure=FailureClass.ERROR, message=say(error))
    if isinstance(outcome, Failed) and outcome.message.startswith("MemoryError"):
        outcome = _out_of_memory(order)
    raw = json.dumps({"type": type(outcome).__name__, **msgspec.to_builtins(outcome)}).encode()
    answer.write(len(raw).to_bytes(HEADER, "big"))
    if len(raw) <= LARGEST_RESULT:
        answer.write(raw)
    answer.flush()
    os._exit(0)


def _do(order: dict[str, Any], assignment: Assignment) -> Outcome:
    sys.path[:] = order["path"]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "darwin":  # macOS knows the limit and ignores it
        most = _memory_in_use() + order["memory"]
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    function = _find(**order["where"])
    signature = signature_of(function)
    outcome = call(function, signature, assignment)
    return asyncio.run(_await(outcome)) if inspect.isawaitable(outcome) else outcome


async def _await(outcome: Awaitable[Outcome]) -> Outcome:
    return await outcome


def _find(module: str, file: str, name: str) -> Callable[..., Any]:
    try:
        found: Any = importlib.import_module(module) if module != "__main__" else None
    except ImportError:
        found = None
    if found is None or os.path.realpath(getattr(found, "__file__", None) or "") != file:
        spec = importlib.util.spec_from_file_location("stretto_isolated", file)
        if spec is None or spec.loader is None:
            raise ImportError(f"cannot load {file}")
        found = importlib.util.module_from_spec(spec)
        sys.modules["stretto_isolated"] = found
        sys.path.insert(0, str(Path(file).parent))
        os.environ[LOADING] = file
        spec.loader.exec_module(found)
        del os.environ[LOADING]
    for step in name.split("."):
        found = getattr(found, step)
    return found  # type: ignore[no-any-return]


def _memory_in_use() -> int:
    """Give the address space that Python and Stretto themselves take."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return 256 * 1024 * 1024
    return pages * resource.getpagesize()


def _out_of_memory(order: dict[str, Any]) -> Outcome:
    message = f"it needed more than {order['memory'] // 1024 // 1024} MB of memory"
    return Failed(failure=FailureClass.ERROR, message=message)


def _die_with_parent() -> None:
    """Have the kernel end this process with its parent, even while it hangs in a library. Linux only."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _end_with_parent(orders: IO[bytes]) -> None:
    """End this process, and what it started, when nobody waits any more."""
    while orders.read(4096):
        pass
    with contextlib.suppress(OSError):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


if __name__ == "__main__":
    main()
