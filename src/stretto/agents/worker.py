"""The other side of an isolated call: reads one order, calls one function, writes one outcome.

Run as `python -m stretto.agents.worker FD`. Ends at once when its standard input does: then nobody waits.
"""

import asyncio
import importlib
import importlib.util
import inspect
import json
import os
import resource
import sys
import threading
from collections.abc import Callable
from typing import Any

import msgspec

from stretto.agents.calling import call, call_async
from stretto.agents.signature import signature_of
from stretto.core.domain import Failed, FailureClass, Outcome
from stretto.ports import Assignment


def main() -> None:
    """Do the order on standard input."""
    order = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    answer = os.fdopen(int(sys.argv[1]), "wb")
    assignment = msgspec.convert(order["assignment"], type=Assignment)
    try:
        outcome = _do(order, assignment)
    except MemoryError:
        outcome = _out_of_memory(order)
    except BaseException as error:
        message = f"{type(error).__name__}: {error}"
        outcome = Failed(failure=FailureClass.ERROR, message=message)
    if isinstance(outcome, Failed) and outcome.message.startswith("MemoryError"):
        outcome = _out_of_memory(order)
    body = {"type": type(outcome).__name__, **msgspec.to_builtins(outcome)}
    answer.write(json.dumps(body).encode())
    answer.close()
    sys.stdout.flush()
    os._exit(0)


def _do(order: dict[str, Any], assignment: Assignment) -> Outcome:
    sys.path[:] = order["path"]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "darwin":  # macOS knows the limit and ignores it
        resource.setrlimit(resource.RLIMIT_AS, (order["memory"], order["memory"]))
    function = _find(**order["where"])
    signature = signature_of(function)
    if inspect.iscoroutinefunction(function):
        return asyncio.run(call_async(function, signature, assignment))
    return call(function, signature, assignment)


def _find(module: str, file: str, name: str) -> Callable[..., Any]:
    try:
        found: Any = importlib.import_module(module) if module != "__main__" else None
    except ImportError:
        found = None
    if found is None or os.path.realpath(getattr(found, "__file__", "")) != file:
        spec = importlib.util.spec_from_file_location("stretto_isolated", file)
        if spec is None or spec.loader is None:
            raise ImportError(f"cannot load {file}")
        found = importlib.util.module_from_spec(spec)
        sys.modules["stretto_isolated"] = found
        sys.path.insert(0, os.path.dirname(file))
        spec.loader.exec_module(found)
    for step in name.split("."):
        found = getattr(found, step)
    return found  # type: ignore[no-any-return]


def _out_of_memory(order: dict[str, Any]) -> Outcome:
    message = f"it needed more than {order['memory'] // 1024 // 1024} MB of memory"
    return Failed(failure=FailureClass.ERROR, message=message)


def _end_with_parent() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
