"""Real processes, started quickly: each is forked from a server that has imported Stretto once.

`run` and `Popen` take what those of `subprocess` take: a command that begins with `sys.executable`, then `-c CODE`,
`-m MODULE` or a script. The process has a pid, folder, environment, arguments, standard streams and, where asked for, a
session of its own, and nothing of the test's process: no thread, no lock, no descriptor. Killed, it is gone.

Only a cold start can show what Python settles when it starts: its hash seed, its locale, its options, and what is not
imported yet. Where that is the point, use `subprocess`.
"""

import fcntl
import os
import runpy
import select
import selectors
import signal
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, chdir, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from subprocess import DEVNULL, PIPE, CompletedProcess, TimeoutExpired
from types import ModuleType
from typing import TextIO

__all__ = ["DEVNULL", "PIPE", "CompletedProcess", "Popen", "TimeoutExpired", "run"]

ROOT = Path(__file__).parents[1]
SECONDS = 60.0
PRELOADED = (
    *("tests.forked", "stretto.bootstrap.opening", "stretto.bootstrap.service", "jinja2", "tests.crash.script"),
    *(f"stretto.cli.{name}" for name in ("chains", "asking", "output", "progress", "view.live", "view.tables")),
)
SETTLED = ("PYTHON", "LANG", "LC_")
"""Variables that begin so are read by a cold start only."""


def _settled_in(environment: Mapping[str, str]) -> set[tuple[str, str]]:
    return {(name, value) for name, value in environment.items() if name.startswith(SETTLED)}


_settled = _settled_in(os.environ)
_path = [entry for entry in sys.path if Path(entry).resolve() != ROOT]
_processes = get_context("forkserver")
_processes.set_forkserver_preload(list(PRELOADED))
_one_at_a_time = threading.Lock()
"""Of two threads that ask for the end of a process at once, `multiprocessing` tells one."""


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    input: str | None = None,  # noqa: A002
    timeout: float = SECONDS,
) -> CompletedProcess[str]:
    """Run a command to its end; gives its exit code, or the signal that killed it as a negative number, and its output.

    Raises TimeoutExpired, and kills it, when it takes longer than so many seconds.
    """
    with Popen(command, cwd=cwd, env=env, stdin=DEVNULL if input is None else PIPE) as process:
        out, err = process.communicate(input, timeout)
        return CompletedProcess(list(command), process.wait(), out, err)


class Popen:
    """A process under way. Its streams are pipes, DEVNULL, or descriptors that stay the caller's.

    Every wait is bounded, and raises TimeoutExpired. Whatever has not ended is killed when the tests have.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: int = DEVNULL,
        stdout: int = PIPE,
        stderr: int = PIPE,
        start_new_session: bool = False,
    ) -> None:
        python, *words = map(str, command)
        if python != sys.executable:
            raise ValueError(f"{python} is not this Python; start it with subprocess")
        environment = dict(os.environ if env is None else env)
        if other := sorted(name for name, _ in _settled_in(environment) ^ _settled):
            raise ValueError(f"a forked process does not heed {', '.join(other)}; start it with subprocess")
        self.args = words
        self.returncode: int | None = None
        start = _Start(words=tuple(words), cwd=str(cwd or Path.cwd()), env=environment, session=start_new_session)
        with ExitStack() as theirs:
            ours = [_stream(kind, fd, theirs) for fd, kind in enumerate((stdin, stdout, stderr))]
            self.stdin, self.stdout, self.stderr = (stream for _, stream in ours)
            self._process = _processes.Process(target=_begin, args=(start, *(end for end, _ in ours)), daemon=True)
            with _one_at_a_time, _alone():
                self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    def __enter__(self) -> "Popen":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill it, if it has not ended, and close its streams."""
        self.kill()
        self.wait()
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream is not None:
                stream.close()

    def poll(self) -> int | None:
        """Give its exit code, or the signal that killed it as a negative number; None while it lives."""
        with _one_at_a_time:
            if self.returncode is None and self._process.exitcode is not None:
                self.returncode = self._process.exitcode
                self._process.close()
        return self.returncode

    def wait(self, timeout: float = SECONDS) -> int:
        """Wait for its end; gives what `poll` gives."""
        if self.returncode is None:
            wait([self._process.sentinel], timeout)
        if (code := self.poll()) is None:
            raise TimeoutExpired(self.args, timeout)
        return code

    def communicate(self, input: str | None = None, timeout: float = SECONDS) -> tuple[str, str]:  # noqa: A002
        """Write to it, read all that it says to its end, and wait for it."""
        deadline = time.monotonic() + timeout
        left = memoryview((input or "").encode())
        said: dict[object, bytes] = {self.stdout: b"", self.stderr: b""}
        with selectors.DefaultSelector() as streams:
            for stream in filter(None, (self.stdout, self.stderr)):
                streams.register(stream, selectors.EVENT_READ)
            if self.stdin is not None and left:
                streams.register(self.stdin, selectors.EVENT_WRITE)
            elif self.stdin is not None:
                self.stdin.close()
            while streams.get_map():
                ready = streams.select(max(deadline - time.monotonic(), 0))
                if not ready:
                    raise TimeoutExpired(self.args, timeout)
                for key, _ in ready:
                    if key.fileobj is self.stdin:
                        left = left[_write(key.fd, left) :]
                        over = not left
                    else:
                        part = os.read(key.fd, 1 << 16)
                        said[key.fileobj] += part
                        over = not part
                    if over:
                        streams.unregister(key.fileobj)
                        key.fileobj.close()
        self.wait(max(deadline - time.monotonic(), 0))
        return said[self.stdout].decode(), said[self.stderr].decode()

    def send_signal(self, number: int) -> None:
        """Send a signal, if it still lives."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """What a process starts with, besides its streams."""

    words: tuple[str, ...]
    cwd: str
    env: dict[str, str]
    session: bool


@contextmanager
def _alone() -> Iterator[None]:
    """While it lasts, the server starts where it can import the tests, and no process imports our main module anew."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        with chdir(ROOT):
            yield
    finally:
        sys.modules["__main__"] = main


def _stream(kind: int, fd: int, theirs: ExitStack) -> tuple[Connection, TextIO | None]:
    """Give the end that the process gets as this descriptor, and ours, where it is a pipe."""
    if kind == PIPE:
        reading, writing = os.pipe()
        there, here = (reading, writing) if fd == 0 else (writing, reading)
        return theirs.enter_context(Connection(there)), os.fdopen(here, "w" if fd == 0 else "r", encoding="utf-8")
    there = os.open(os.devnull, os.O_RDWR) if kind == DEVNULL else os.dup(kind)
    return theirs.enter_context(Connection(there)), None


def _write(fd: int, raw: memoryview) -> int:
    """Write some of it; gives how much is done with, all if nobody reads any more."""
    try:
        return os.write(fd, raw[: select.PIPE_BUF])
    except BrokenPipeError:
        return len(raw)


def _begin(start: _Start, *streams: Connection) -> None:
    """Become the process, on its side: take what it starts with, and nothing else, and run its command."""
    for fd, stream in enumerate(streams):
        os.dup2(stream.fileno(), fd)
        stream.close()
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    if start.session:
        os.setsid()
        if os.isatty(0):
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.chdir(start.cwd)
    os.environ.clear()
    os.environ.update(start.env)
    time.tzset()
    sys.stdin = sys.__stdin__ = os.fdopen(0, closefd=False)
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    match start.words:
        case ("-c", code, *words):
            _call(["-c", *words], "", lambda: _execute(code))
        case ("-m", module, *words):
            _call([module, *words], start.cwd, lambda: runpy.run_module(module, run_name="__main__", alter_sys=True))
        case (script, *_):
            folder = str(Path(script).resolve().parent)
            _call(list(start.words), folder, lambda: runpy.run_path(script, run_name="__main__"))


def _call(words: list[str], first: str, program: Callable[[], object]) -> None:
    sys.argv = words
    sys.path[:] = [first, *_path]
    program()


def _execute(code: str) -> None:
    sys.modules["__main__"] = ModuleType("__main__")
    exec(compile(code, "<string>", "exec"), vars(sys.modules["__main__"]))  # noqa: S102
