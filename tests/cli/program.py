"""The command line as people and programs meet it: as a process, on a terminal, and quickly in this process."""

import asyncio
import contextlib
import fcntl
import io
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from stretto.bootstrap import find_run, open_store
from stretto.cli import main
from tests import forked

SECONDS = 60.0
PROGRAM = [sys.executable, "-c", "from stretto.cli import main; main()"]

AGENTS = '''
"""Agents for tests of the command line. The file `world` holds what was done."""
import asyncio, os, time
from pathlib import Path
from stretto import Assignment, agent, irreversible, pure
from stretto.core.domain import Preview

@pure
async def echo(text: str) -> str:
    """Give back what came."""
    return text

@pure(attempts=1)
async def fail(text: str) -> str:
    """Fail."""
    raise ValueError(text)

@pure
async def stand(file: str) -> str:
    """Stay until there is a file."""
    async with asyncio.timeout(60):
        while not Path(file).exists():
            await asyncio.sleep(0.01)
    return "stood"

@agent(effect="none", cost="$0.50")
async def spend(work: Assignment) -> str:
    """Spend something."""
    work.spend("0.25", 10)
    return "spent"

@pure
async def ask(work: Assignment) -> str:
    """Ask a person."""
    return "the answer is " + work.ask("which colour?")

def show(file: str, text: str) -> Preview:
    return Preview(diff=f"--- a/{Path(file).name}\\n+++ b/{Path(file).name}\\n+{text}\\n", preimage="")

def done(file: str, text: str, work: Assignment) -> str | None:
    lines = Path(file).read_text().splitlines() if Path(file).exists() else []
    return text if f"{work.key} {text}" in lines else None

@irreversible(preview=show, lookup=done)
async def write(file: str, text: str, work: Assignment) -> str:
    """Write a line to the world."""
    with open(file, "a") as world:
        world.write(f"{work.key} {text}\\n")
    work.attach("note.txt", text)
    return text

@irreversible
async def write_and_die(file: str) -> str:
    """Do it, and never come back to tell."""
    with open(file, "a") as world:
        world.write("done\\n")
    os.kill(os.getpid(), 9)
    return ""
'''


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a call."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Place:
    """A workspace in a folder of its own, and the commands in it."""

    def __init__(self, folder: Path, plan: str) -> None:
        self.folder, self.world = folder, folder / "world"
        self._started: list[forked.Popen] = []
        (folder / "agents").mkdir(parents=True)
        (folder / "agents" / "job.py").write_text(AGENTS, encoding="utf-8")
        (folder / "workspace.yaml").write_text(
            "name: tests\ngoal: Do the job.\nagents: [agents/job.py]\nplan: plan.yaml\n", encoding="utf-8"
        )
        self.plan(plan)

    def plan(self, text: str) -> None:
        """Write another plan; `WORLD` in it is the file of the world."""
        (self.folder / "plan.yaml").write_text(text.replace("WORLD", str(self.world)), encoding="utf-8")

    def stretto(self, *words: str, **more: Any) -> Done:
        """Call the program as a process."""
        return stretto(*words, cwd=self.folder, **more)

    def cold(self, *words: str, **more: Any) -> Done:
        """Call the program as a process that starts cold."""
        return cold(*words, cwd=self.folder, **more)

    def look(self, *words: str) -> Done:
        """Call the program in this process: quick, for commands that start no run."""
        return look(*words, cwd=self.folder)

    def start(self, *words: str, **more: Any) -> forked.Popen:
        """Start the program and go on; it ends with the test."""
        process = forked.Popen([*PROGRAM, *words], cwd=self.folder, **more)
        self._started.append(process)
        return process

    def close(self) -> None:
        """End what was started."""
        for process in self._started:
            process.close()

    def owner(self) -> str | None:
        """Say which living process has the newest run."""

        async def ask() -> str | None:
            async with open_store(self.folder / ".stretto" / "runs.db") as journal:
                return await journal.owner(await find_run(journal, "last"))

        return asyncio.run(ask()) if self.look("show", "last").code == 0 else None

    def show(self, run: str = "last") -> Any:
        """Give a run as `show --json` does."""
        return self.look("show", run, "--json").json


def stretto(*words: str, cwd: Path, **more: Any) -> Done:
    """Call the program as a process."""
    found = forked.run([*PROGRAM, *words], cwd=cwd, **more)
    return Done(found.returncode, found.stdout, found.stderr)


def cold(*words: str, cwd: Path, **more: Any) -> Done:
    """Call the program as a process that starts cold, as `subprocess.run` does."""
    given = {"capture_output": True, "text": True, "timeout": SECONDS, "check": False, "stdin": subprocess.DEVNULL}
    found = subprocess.run([*PROGRAM, *words], cwd=cwd, **{**given, **more})
    return Done(found.returncode, found.stdout, found.stderr)


def look(*words: str, cwd: Path) -> Done:
    """Call the program in this process."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        patch.object(sys, "argv", ["stretto", *words]),
        patch("stretto.cli.run.end", sys.exit),
    ):
        try:
            main()
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else 0 if left.code is None else 1
    return Done(code, out.getvalue(), err.getvalue())


def eventually(holds: Callable[[], Any], seconds: float = SECONDS) -> Any:
    """Wait until something is true; give it."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)
    return found


class Terminal:
    """The program on a pseudo terminal of 80 columns."""

    def __init__(self, process: forked.Popen, master: int) -> None:
        self._process, self._master, self._raw, self._seen = process, master, b"", 0

    def until(self, text: str, seconds: float = SECONDS) -> str:
        """Read until a text appears after what was read before; give everything so far."""
        deadline = time.monotonic() + seconds
        while (at := self.text.find(text, self._seen)) < 0:
            assert time.monotonic() < deadline, f"{text!r} never came:\n{self.text}"
            assert self._read(0.1), f"it ended without {text!r}:\n{self.text}"
        self._seen = at + len(text)
        return self.text

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def end(self) -> int:
        """Read to the end and give the exit code."""
        deadline = time.monotonic() + SECONDS
        while self._read(0.1):
            assert time.monotonic() < deadline, f"it never ends:\n{self.text}"
        return self._process.wait(SECONDS)

    @property
    def raw(self) -> bytes:
        """Everything that came, byte by byte."""
        return self._raw

    @property
    def text(self) -> str:
        """Everything that came, without styles and movements of the cursor."""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self._raw.decode(errors="replace")).replace("\r\n", "\n")

    def _read(self, seconds: float) -> bool:
        """Read what is there; false at the end."""
        if not select.select([self._master], [], [], seconds)[0]:
            return self._process.poll() is None
        try:
            part = os.read(self._master, 1 << 16)
        except OSError:  # Linux says so when the other side is closed
            return False
        self._raw += part
        return bool(part)


@contextlib.contextmanager
def on_terminal(*words: str, cwd: Path, **environment: str) -> Iterator[Terminal]:
    """Run the program on a pseudo terminal."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    try:
        with forked.Popen(
            [*PROGRAM, *words],
            cwd=cwd,
            env={**os.environ, "TERM": "xterm-256color", **environment},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        ) as process:
            os.close(slave)
            yield Terminal(process, master)
    finally:
        os.close(master)
