"""Keeps what agents print away from the program's own output: it goes to standard error, bounded."""

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import TextIO

MOST = 64 * 1024


class _Bounded:
    """Passes on the first characters and swallows the rest."""

    def __init__(self, target: TextIO) -> None:
        self._target, self._left = target, MOST
        self._lock = threading.Lock()

    def write(self, text: str) -> int:
        with self._lock:
            if self._left > 0:
                self._target.write(text[: self._left])
                self._left -= len(text)
                if self._left <= 0:
                    self._target.write("\n… agents printed more than is shown\n")
        return len(text)

    def flush(self) -> None:
        self._target.flush()

    def isatty(self) -> bool:
        return False

    def __getattr__(self, name: str) -> object:
        return getattr(self._target, name)


@contextlib.contextmanager
def prints_kept_apart() -> Iterator[None]:
    """While it lasts, `print` in an agent cannot spoil what this program says on standard output."""
    with contextlib.redirect_stdout(_Bounded(sys.stderr)):
        yield
