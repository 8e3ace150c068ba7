"""Functions that are called in processes of their own; they do everything wrong that a function can do."""

import asyncio
import ctypes
import os
import re
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from stretto.core.domain import FailureClass
from stretto.declare import agent
from stretto.ports import AgentFailure, Assignment

isolated = agent(isolated=True, effect="none")


@isolated
def add(a: int, b: int = 1) -> int:
    print("working")
    return a + b


@isolated
async def add_later(a: int) -> int:
    await asyncio.sleep(0)
    return a + 1


@isolated
def whoami(work: Assignment) -> str:
    work.attach("note.txt", "hello")
    work.cite(__file__, 1, "Functions that are called")
    work.spend("0.5", 3)
    return f"{work.run}/{work.task}/{work.key}"


@isolated
def ask(work: Assignment) -> str:
    return work.ask("which one?")


@isolated
def fail_in_a_class() -> None:
    raise AgentFailure("too many", FailureClass.RATE_LIMITED, retry_after=3)


@isolated
def fail_having_spent(work: Assignment) -> None:
    work.spend("0.25")
    raise ValueError("no")


@isolated
def print_a_gigabyte() -> None:
    for _ in range(1024):
        sys.stdout.write("x" * (1 << 20))


@isolated
def give_too_much() -> str:
    return "x" * (70 << 20)


@isolated
def give_a_megabyte() -> str:
    return "x" * (1 << 20)


@isolated
def leave() -> None:
    print("I am off")
    os._exit(3)


@isolated
def leave_politely() -> None:
    sys.exit("bye")


@isolated
def kill_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@agent(isolated=True, effect="irreversible")
def order_and_die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@isolated
def crash() -> None:
    ctypes.string_at(0)


@isolated
def read_input() -> str:
    return input("your name? ")


@isolated
def close_everything() -> None:
    os.closerange(0, 100)


@isolated
def write_garbage() -> None:
    for fd in range(3, 30):
        try:
            os.write(fd, b"\0\0\0\0\0\0\0\5hello")
        except OSError:
            continue
    os._exit(0)


@isolated
def leave_a_child_behind() -> int:
    child = subprocess.Popen(["sleep", "300"])
    threading.Thread(target=time.sleep, args=(300,)).start()
    return child.pid


@isolated
def breed(folder: str) -> None:
    """Have children that have children, sixty in all, and never end."""
    for _ in range(3):
        if os.fork() == 0:
            for _ in range(19):
                if os.fork() == 0:
                    break
            break
    with open(f"{folder}/{os.getpid()}", "w"):  # noqa: PTH123
        time.sleep(300)


@isolated
def fork_and_leave() -> None:
    if os.fork() == 0:
        time.sleep(300)
    os._exit(9)


@agent(isolated=True, effect="none", memory_mb=200)
def eat() -> int:
    return len(bytearray(1 << 30))


@agent(isolated=True, effect="none", memory_mb=20)
def eat_little() -> int:
    return len(bytearray(1 << 20))


@agent(isolated=True, effect="none", output_kb=1)
def print_two_kilobytes() -> None:
    print("x" * 2048)


@isolated
def give_nonsense() -> int:
    value: Any = "not a number"
    return value  # type: ignore[no-any-return]


@isolated
def hang(file: str) -> None:
    """Hang in a library that never lets another thread of this process run."""
    with open(file, "w") as stream:  # noqa: PTH123
        stream.write(str(os.getpid()))
    re.match(r"(a+)+$", "a" * 40 + "b")


@agent(isolated=True, effect="none", cost="$0.10")
def greedy(work: Assignment) -> str:
    work.spend("0.05")
    work.spend("0.10")
    return "never"


@agent(isolated=True, effect="none", cost="$0.10", timeout=1.0, attempts=1)
def hoard(work: Assignment) -> str:
    work.spend("0.05")
    time.sleep(30)
    return "never"


@agent(isolated=True, effect="none", cost="$0.10", attempts=1)
def collapse(work: Assignment) -> str:
    work.spend("0.05")
    os.kill(os.getpid(), signal.SIGKILL)
    return "never"
