"""Keeps what agents print away from the program's own output: it is shown as progress is, bounded and cleaned."""

import codecs
import contextlib
import io
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TextIO

from stretto.cli.text import clean

MOST = 64 * 1024
PATIENCE = 0.3
"""Seconds to wait for the last that programs of agents print."""


class Apart:
    """The program's own streams, and what is done with everything else that is printed."""

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self.out, self.err = out, err
        self.noise = _Noise(err)
        self._listening: threading.Thread | None = None

    def pass_to(self, hear: Callable[[str], None]) -> None:
        """Give what agents print to a function, cleaned; it is called from any thread."""
        self.noise.hear = hear

    def listen(self) -> None:
        """Have programs that agents start print into a pipe, so that the terminal gets it cleaned."""
        reading, writing = os.pipe()
        _redirect(writing)
        os.close(writing)
        self._listening = threading.Thread(target=self._read, args=(reading,), name="stretto-prints", daemon=True)
        self._listening.start()

    def settle(self) -> None:
        """Take in what has been printed; from here on programs of agents print to standard error."""
        if self._listening is not None:
            _redirect(self.err.fileno())
            self._listening.join(PATIENCE)

    def _read(self, reading: int) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        while chunk := os.read(reading, 65536):
            self.noise.write(decoder.decode(chunk))
        os.close(reading)


class _Noise(io.TextIOBase):
    """Passes on the first characters and swallows the rest; a terminal gets nothing that it would obey."""

    def __init__(self, err: TextIO) -> None:
        self._err, self._left = err, MOST
        self._lock = threading.Lock()
        self.hear: Callable[[str], None] = self._show

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._err.encoding

    def write(self, text: str) -> int:
        with self._lock, contextlib.suppress(OSError, ValueError):
            if self._left > 0:
                self.hear("\n".join(map(clean, text[: self._left].split("\n"))))
                self._left -= len(text)
                if self._left <= 0:
                    self.hear("\n… agents printed more than is shown\n")
        return len(text)

    def writable(self) -> bool:
        return True

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._err.flush()

    def fileno(self) -> int:
        return self._err.fileno()

    def _show(self, text: str) -> None:
        self._err.write(text)
        self._err.flush()


def fill_standard_streams() -> None:
    """Open what the caller closed: else the next file opened, perhaps the store, would be standard output."""
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8")


@contextlib.contextmanager
def prints_kept_apart() -> Iterator[Apart]:
    """While it lasts, nothing that an agent or a program of its prints reaches standard output."""
    with contextlib.ExitStack() as stack:
        apart = Apart(stack.enter_context(_own(1, sys.stdout)), stack.enter_context(_own(2, sys.stderr)))
        apart.listen()
        stack.enter_context(contextlib.redirect_stdout(apart.noise))
        stack.enter_context(contextlib.redirect_stderr(apart.noise))
        try:
            yield apart
        finally:
            apart.settle()


@contextlib.contextmanager
def _own(descriptor: int, stream: TextIO | None) -> Iterator[TextIO]:
    """Give a stream of our own to where a descriptor leads, and lead it there again afterwards."""
    try:
        own = os.dup(descriptor)
    except OSError:  # the program was started without it
        yield io.StringIO()
        return
    if stream is not None:
        stream.flush()
    encoding = getattr(stream, "encoding", None) or "utf-8"
    with os.fdopen(own, "w", encoding=encoding, errors="replace") as kept:
        try:
            yield kept
        finally:
            with contextlib.suppress(OSError, ValueError):
                kept.flush()
            os.dup2(own, descriptor)


def _redirect(target: int) -> None:
    """Lead standard output and standard error somewhere else, for us and for programs started from here."""
    for descriptor in (1, 2):
        with contextlib.suppress(OSError):
            os.fstat(descriptor)
            if descriptor != target:
                os.dup2(target, descriptor)
