"""The process that serves the small local model: `python -P -m stretto.models.local_server`, started by `local`.

It reads what it is to serve as one line of JSON, says where as another, and ends when its standard input is closed or
its parent is gone, however that came about. The key comes this way because arguments and environment can be looked at.
"""

import contextlib
import json
import os
import select
import sys
from typing import Any


def main() -> None:
    """Serve until nobody is left who asked for it."""
    parent = os.getppid()
    told = json.loads(sys.stdin.buffer.readline())
    _bound_memory(told["memory_mb"])
    try:
        server = _serve(told)
    except Exception as error:  # the library's own errors are of many kinds; the parent says which it was
        print(json.dumps({"problem": f"{type(error).__name__}: {error}"}), flush=True)
        os._exit(1)
    print(json.dumps({"url": server.listening_address}), flush=True)
    while os.getppid() == parent:
        readable, _, _ = select.select([sys.stdin], [], [], 1.0)
        if readable and not os.read(sys.stdin.fileno(), 1):
            break
    os._exit(0)  # its own threads would keep the process


def _serve(told: dict[str, Any]) -> Any:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = told["weights"]
    params.model_alias = {told["name"]}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [told["key"]]
    params.n_ctx, params.n_parallel = told["window"], 1
    params.n_threads_http = 2
    for processors in (params.cpuparams, params.cpuparams_batch):
        processors.n_threads, processors.poll = told["threads"], 0
    params.cache_ram_mib = 0
    params.ui = params.endpoint_slots = params.warmup = False
    params.offline = True
    params.verbosity = -1
    return xllamacpp.Server(params)


def _bound_memory(megabytes: int) -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):  # not every system bounds it
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))


if __name__ == "__main__":
    main()
