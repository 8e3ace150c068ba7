"""What listeners and clients of a server cost a run that goes on: `python bench/server.py`.

A run of 20 layers of 50 tasks that take 0.2 s each is driven by `stretto serve`, alone and then with 200 listeners to
its events and 50 clients that ask for something once a second each. Printed are the seconds from its begin to its end,
and the CPU seconds of the server meanwhile. Listeners and clients live in this process, the server in its own.
"""

import asyncio
import itertools
import json
import random
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import psutil

LAYERS, WIDTH, TAKES = 20, 50, 0.2
LISTENERS, CLIENTS, EACH = 200, 50, 1.0
PROGRAM = [sys.executable, "-c", "from stretto.cli import main; main()"]
AGENT = '''import asyncio
from stretto import pure


@pure
async def work(number: int) -> int:
    """Take a while."""
    await asyncio.sleep({takes})
    return number
'''
MARK = b"\nid: "
ASKED = ("", "/tasks?limit=50", "/events?after=0&limit=50", "/requests")


def workspace(folder: Path) -> Path:
    """Make a workspace with one agent that takes a while."""
    folder.mkdir()
    (folder / "job.py").write_text(AGENT.format(takes=TAKES))
    (folder / "workspace.yaml").write_text("name: bench\nagents: [{python: job.py}]\nrules: {parallel: 64}\n")
    return folder


def plan() -> dict[str, Any]:
    """Give the layers: each task waits for two of the layer before."""
    tasks = []
    for layer, place in itertools.product(range(LAYERS), range(WIDTH)):
        task: dict[str, Any] = {"id": f"t{layer}-{place}", "skill": "job.work", "inputs": {"number": place}}
        if layer:
            task["after"] = [f"t{layer - 1}-{place}", f"t{layer - 1}-{(place + 1) % WIDTH}"]
        tasks.append(task)
    return {"tasks": tasks}


async def listen(port: int, run: str) -> int:
    """Listen to the end, and give how many events were told."""
    reading, writing = await _asked(port, f"/api/runs/{run}/events/stream")
    told, rest = 0, b""
    while chunk := await reading.read(65536):
        told += (rest + chunk).count(MARK)
        rest = (rest + chunk)[1 - len(MARK) :]
        if b"event: end" in chunk:
            break
    writing.close()
    return told


async def ask(port: int, run: str, took: list[float]) -> None:
    """Ask for something once a second, and note how long each answer took."""
    await asyncio.sleep(random.random() * EACH)
    for path in itertools.cycle(ASKED):
        begin = time.perf_counter()
        reading, writing = await _asked(port, f"/api/runs/{run}{path}", close=True)
        answer = await reading.read()
        assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
        writing.close()
        took.append(time.perf_counter() - begin)
        await asyncio.sleep(max(0.0, EACH - took[-1]))


async def _asked(port: int, path: str, *, close: bool = False) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reading, writing = await asyncio.open_connection("127.0.0.1", port)
    more = "Connection: close\r\n" if close else ""
    writing.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{more}\r\n".encode())
    return reading, writing


async def measured(client: httpx.AsyncClient, port: int, server: psutil.Process, *, load: bool) -> tuple[float, float]:
    """Give the seconds that a run took, and the CPU seconds of the server meanwhile."""
    spent = sum(server.cpu_times()[:2])
    answer = await client.post("/api/runs", json={"goal": "layers", "plan": plan()})
    run = answer.json()["run_id"]
    took: list[float] = []
    others = [asyncio.create_task(ask(port, run, took)) for _ in range(CLIENTS if load else 0)]
    listening = [asyncio.create_task(listen(port, run)) for _ in range(LISTENERS if load else 1)]
    told = set(await asyncio.gather(*listening))
    for other in others:
        other.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    assert len(told) == 1, f"listeners heard different things: {told}"
    if took:
        print(
            f"  answers: {len(took)}, median {statistics.median(took) * 1e3:.1f} ms, slowest {max(took) * 1e3:.0f} ms"
        )
    events = (await client.get(f"/api/runs/{run}/timeline")).json()
    seconds = _seconds(events["begin"], events["end"])
    return seconds, sum(server.cpu_times()[:2]) - spent


def _seconds(begin: str, end: str) -> float:
    from datetime import datetime

    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()


async def main() -> None:
    """Measure alone and under load, by turns."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        words = [*PROGRAM, "serve", "-w", str(workspace(Path(folder) / "w")), "--port", str(port)]
        process = await asyncio.create_subprocess_exec(
            *words, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        assert process.stderr is not None
        print((await process.stderr.readline()).decode().strip())
        found: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            for load in (False, True) * 5:
                found[load].append(await measured(client, port, psutil.Process(process.pid), load=load))
                print(json.dumps({"load": load, "seconds": found[load][-1][0], "cpu": found[load][-1][1]}))
        process.terminate()
        await process.wait()
    alone, loaded = (statistics.median(seconds for seconds, _ in found[load]) for load in (False, True))
    pairs = zip(found[False], found[True], strict=True)
    ratio = statistics.median(two[0] / one[0] for one, two in pairs)
    print(f"medians: alone {alone:.2f} s, under load {loaded:.2f} s; {ratio - 1:+.1%}, pair by pair")


if __name__ == "__main__":
    asyncio.run(main())
