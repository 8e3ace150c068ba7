"""What the live view costs: `python bench/live_view.py`.

A run of 200 tasks in 20 chains, each task of half a second to two, is driven in memory without a screen and with
the live view in a pseudo terminal of 200 by 50 cells; the difference in CPU time is what the view costs. Something
changes all the time, so that it draws as often as it may.
"""

import argparse
import asyncio
import contextlib
import fcntl
import os
import pty
import random
import statistics
import struct
import termios
import threading
import time
from collections.abc import Sequence

from stretto import Orchestrator, plan, pure, task
from stretto.cli.screen import Quiet, Screen
from stretto.cli.view.layout import layout
from stretto.cli.view.live import LiveView
from stretto.core.domain import Plan
from stretto.core.events import Event
from stretto.core.state import RunState


@pure
async def nap(seconds: float) -> float:
    """Sleep."""
    await asyncio.sleep(seconds)
    return seconds


def chains(tasks: int, abreast: int = 20) -> Plan:
    """Chains side by side, of tasks that take different times."""
    chance = random.Random(7)
    return plan(
        *[
            task(f"t{n}", nap, seconds=chance.uniform(0.5, 2), after=[f"t{n - abreast}"] if n >= abreast else [])
            for n in range(tasks)
        ]
    )


class Middle:
    """Keeps the state when half of the tasks are done."""

    def __init__(self, tasks: int) -> None:
        self._half = tasks // 2
        self.state = RunState()

    def __call__(self, state: RunState, events: Sequence[Event]) -> None:
        if state.completed <= self._half:
            self.state = state


def terminal(columns: int = 200, rows: int = 50) -> LiveView:
    """Give a live view in a pseudo terminal that somebody reads."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read() -> None:
        with contextlib.suppress(OSError):  # the other end was closed
            while os.read(master, 65536):
                pass

    threading.Thread(target=read, daemon=True).start()
    return LiveView(os.fdopen(slave, "w", encoding="utf-8"))


def measure(tasks: int, screen: Screen, middle: Middle) -> tuple[float, float]:
    """Give the wall and the CPU seconds of a run that is shown on a screen."""

    async def shown() -> None:
        async with screen.drawing():
            await Orchestrator([nap], listeners=(screen, middle)).run("nap", plan=chains(tasks))

    wall, cpu = time.perf_counter(), time.process_time()
    asyncio.run(shown())
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    os.environ.setdefault("TERM", "xterm-256color")
    middle = Middle(options.tasks)
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123
        pairs = [
            (measure(options.tasks, Quiet(nowhere), middle), measure(options.tasks, terminal(), middle))
            for _ in range(options.rounds)
        ]
    quiet, shown = (statistics.median(one[number][0] for one in pairs) for number in (0, 1))
    share = statistics.median((two[1] - one[1]) / two[0] for one, two in pairs)
    print(f"{options.tasks} tasks: {quiet:.2f} s without a screen, {shown:.2f} s with it, {share:.1%} of a core more")
    for columns, rows in ((80, 24), (200, 50)):
        began = time.perf_counter()
        for number in range(100):
            layout(middle.state, middle.state.at + number, columns, rows)
        print(f"a picture of {columns} by {rows}: {(time.perf_counter() - began) * 10:.1f} ms")


if __name__ == "__main__":
    main()
