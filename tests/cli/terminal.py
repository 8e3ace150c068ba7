"""A real pseudo terminal for a real program, and the screen that a person would see in it."""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.cells import cell_len

from tests import forked

STRETTO = [sys.executable, "-c", "from stretto.cli import main; main()"]
PATIENCE = 30.0
_CODE = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])")


class Screen:
    """What a terminal shows. It knows the codes that a well-behaved program needs, and fails on every other."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.lines = [""]
        self.row = self.column = 0
        self.cursor = True
        self.colours = 0
        self._rest = ""

    def feed(self, text: str) -> None:
        text, self._rest = self._rest + text, ""
        at = 0
        while at < len(text):
            letter = text[at]
            if letter != "\x1b":
                self._letter(letter)
                at += 1
                continue
            code = _CODE.match(text, at)
            if code is None:
                if len(text) - at < 12 and re.fullmatch(r"\x1b(\[[?\d;]*)?", text[at:]):
                    self._rest = text[at:]
                    return
                raise AssertionError(f"a terminal code that nobody should send: {text[at : at + 20]!r}")
            self._obey(code[1], code[2])
            at = code.end()

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines)

    def _letter(self, letter: str) -> None:
        if letter == "\r":
            self.column = 0
        elif letter == "\n":
            self._down()
        elif letter == "\u200e" or letter.isprintable():
            wide = cell_len(letter)
            if self.column + wide > self.columns:
                self._down()
                self.column = 0
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[: self.column] + letter + line[self.column + wide :]
            self.column += wide
        else:
            raise AssertionError(f"a control character that nobody should send: {letter!r}")

    def _down(self) -> None:
        self.row += 1
        while len(self.lines) <= self.row:
            self.lines.append("")

    def _obey(self, given: str, kind: str) -> None:
        number = int(given) if given.isdigit() else 1
        if kind == "A":
            top = max(len(self.lines) - self.rows, 0)
            self.row = max(self.row - number, top)
        elif kind == "K":
            assert given == "2"
            self.lines[self.row] = ""
        elif kind == "m":
            self.colours += bool(re.search(r"\b[34][1-7]\b", given))
        elif (given, kind) in (("?25", "l"), ("?25", "h")):
            self.cursor = kind == "h"
        else:
            assert given == "?2026", f"an unexpected code: {given}{kind}"


class Terminal:
    """A program in a pseudo terminal."""

    def __init__(self, command: Sequence[str | Path], *, columns: int, rows: int, env: dict[str, str]) -> None:
        self.screen = Screen(columns, rows)
        self.seen = ""
        self._master, slave = pty.openpty()
        self._size(columns, rows)
        known = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLORTERM", "COLUMNS")}
        self.process = forked.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**known, "TERM": "xterm-256color", **env},
            start_new_session=True,
        )
        os.close(slave)

    def until(self, *texts: str) -> str:
        """Wait until the screen shows all of these; gives the screen."""
        end = time.monotonic() + PATIENCE
        while not all(text in self.screen.text for text in texts):
            assert self._read(end), f"{texts} never came; the screen shows:\n{self.screen.text}"
        return self.screen.text

    def ended(self) -> int:
        """Wait until the program has ended; gives its exit code."""
        end = time.monotonic() + PATIENCE
        while self._read(end):
            pass
        return self.process.wait(timeout=PATIENCE)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def interrupt(self) -> None:
        self.type("\x03")

    def resize(self, columns: int, rows: int) -> None:
        self._size(columns, rows)
        self.screen.columns, self.screen.rows = columns, rows

    def close(self) -> None:
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(timeout=PATIENCE)
        os.close(self._master)

    def _size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _read(self, end: float) -> bool:
        """Take in what the program writes; False when it has ended or time is up."""
        ready, _, _ = select.select([self._master], [], [], max(end - time.monotonic(), 0))
        if not ready:
            return False
        try:
            chunk = os.read(self._master, 65536)
        except OSError:
            return False
        text = chunk.decode(errors="replace")
        self.seen += text
        self.screen.feed(text)
        return bool(chunk)


@contextlib.contextmanager
def terminal(*words: str | Path, columns: int = 80, rows: int = 24, **env: str) -> Iterator[Terminal]:
    """Run the command line in a terminal."""
    opened = Terminal([*STRETTO, *words], columns=columns, rows=rows, env=env)
    try:
        yield opened
    finally:
        opened.close()


def stretto(*words: str | Path) -> forked.CompletedProcess[str]:
    """Run the command line without a terminal."""
    return forked.run([*STRETTO, *words])
