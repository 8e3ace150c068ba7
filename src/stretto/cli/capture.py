"""Keeps what agents print away from the program's own output: it goes to standard error, bounded and cleaned."""

import contextlib
import io
import os
import sys
import threading
from collections.abc import Iterator
from typing import TextIO

from stretto.cli.text import clean

MOST = 64 * 1024


class _Bounded(io.TextIOBase):
    """Passes on the first characters and swallows the rest; a terminal gets nothing that it would obey."""

    def __init__(self, target: TextIO) -> None:
        self._target, self._left = target, MOST
        self._lock = threading.Lock()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._target.encoding

    def write(self, text: str) -> int:
        with self._lock, contextlib.suppress(OSError, ValueError):
            if self._left > 0:
                shown = text[: self._left]
                self._target.write("\n".join(map(clean, shown.split("\n"))))
                self._left -= len(text)
                if self._left <= 0:
                    self._target.write("\n… agents printed more than is shown\n")
        return len(text)

    def writable(self) -> bool:
        return True

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._target.flush()

    def fileno(self) -> int:
        return self._target.fileno()


@contextlib.contextmanager
def prints_kept_apart() -> Iterator[TextIO]:
    """While it lasts, nothing that an agent or a program of its prints reaches standard output.

    Gives the stream that does.
    """
    try:
        own = os.dup(1)
    except OSError:  # there is no standard output
        with contextlib.redirect_stdout(_Bounded(sys.stderr)):
            yield io.StringIO()
        return
    with os.fdopen(own, "w", encoding=getattr(sys.stdout, "encoding", None) or "utf-8", errors="replace") as out:
        sys.stdout.flush()
        with contextlib.suppress(OSError):
            os.dup2(2, 1)
        noise = _Bounded(sys.stderr)
        try:
            with contextlib.redirect_stdout(noise), contextlib.redirect_stderr(noise):
                yield out
                out.flush()
        finally:
            os.dup2(own, 1)
