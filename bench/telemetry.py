"""What telling a collector of OpenTelemetry costs a run, per task: `python bench/telemetry.py`.

The same plan is run without telemetry and with it, in turns, with a store on disk. The collector is a process of its
own that reads what it is sent and answers; its time is not counted, that of the thread which tells is. Tasks that do
nothing are the worst case: all there is, is Stretto's own work. The figure is the CPU of the whole process per task;
the growth is taken pair by pair, so that a machine whose speed drifts does not matter.
"""

import argparse
import asyncio
import multiprocessing
import os
import statistics
import tempfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path

from stretto import Orchestrator, plan, pure, task
from stretto.core.domain import Plan


@pure
async def nothing(word: str) -> str:
    """Give the word back."""
    return word


@pure
def calculation(word: str, milliseconds: int) -> int:
    """Calculate for so long."""
    until, rounds = time.thread_time() + milliseconds / 1000, 0
    while time.thread_time() < until:
        rounds += 1
    return rounds


def wide(tasks: int, milliseconds: int) -> Plan:
    """Ten chains side by side."""
    agent, more = (calculation, {"milliseconds": milliseconds}) if milliseconds else (nothing, {})
    return plan(
        *[task(f"t{n}", agent, word="x", after=[f"t{n - 10}"] if n >= 10 else [], **more) for n in range(tasks)]
    )


def measure(tasks: int, milliseconds: int, endpoint: str) -> float:
    """Give the CPU microseconds a task costs; an empty address is no telemetry."""
    os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint
    with tempfile.TemporaryDirectory() as folder:
        team, whole = Orchestrator([nothing, calculation], store=Path(folder) / "runs.db"), wide(tasks, milliseconds)
        before = time.process_time()
        run = asyncio.run(team.run("do nothing", plan=whole))
        spent = time.process_time() - before
    assert run.status == "finished"
    return spent / tasks * 1e6


def collect(port: Connection) -> None:
    """Be a collector: take what comes, and say so."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port.send(server.server_address[1])
    server.serve_forever()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    here, there = multiprocessing.Pipe()
    collector = multiprocessing.get_context("spawn").Process(target=collect, args=(there,), daemon=True)
    collector.start()
    endpoint = f"http://127.0.0.1:{here.recv()}"
    measure(200, 0, endpoint)  # warm: the libraries are loaded
    for milliseconds in (0, 5):
        tasks = options.tasks if milliseconds == 0 else options.tasks // 5
        pairs = [
            (measure(tasks, milliseconds, ""), measure(tasks, milliseconds, endpoint)) for _ in range(options.rounds)
        ]
        off, on = (statistics.median(column) for column in zip(*pairs, strict=True))
        growth = statistics.median(two / one - 1 for one, two in pairs)
        what = f"tasks of {milliseconds} ms" if milliseconds else "tasks that do nothing"
        print(f"{what}: {off:.0f} us of CPU a task without, {on:.0f} us with telemetry, {growth:+.1%}")
    collector.terminate()


if __name__ == "__main__":
    main()
