"""What shows a run: the live view on a terminal, plain lines elsewhere, nothing when asked to be quiet."""

import contextlib
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Protocol, TextIO

from stretto.core.events import Event
from stretto.core.state import RunState

_NO_CURSOR = ("", "dumb", "unknown")


class Screen(Protocol):
    """Listens to a run (see `stretto.ports.Listener`) and shows it."""

    @property
    def run(self) -> str:
        """The run listened to; empty before its first event."""
        ...

    def __call__(self, state: RunState, events: Sequence[Event]) -> None: ...

    def say(self, text: str) -> None:
        """Write lines of their own."""
        ...

    def alert(self, text: str) -> None:
        """Say once what the viewer should know of the run as a whole; an empty text takes it back."""
        ...

    def overhear(self, text: str) -> None:
        """Take what agents print, from any thread, cleaned."""
        ...

    def prompt(self, text: str) -> None:
        """Write without a new line."""
        ...

    def asking(self) -> contextlib.AbstractContextManager[None]:
        """While it lasts, the screen belongs to a question."""
        ...

    def drawing(self) -> contextlib.AbstractAsyncContextManager[None]:
        """While it lasts, the run is shown as it goes on."""
        ...


class Quiet:
    """Shows no progress; questions and what must be said still appear."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._run = ""

    @property
    def run(self) -> str:
        return self._run

    def __call__(self, state: RunState, events: Sequence[Event]) -> None:
        self._run = state.run

    def say(self, text: str) -> None:
        self.prompt(f"{text}\n")

    def alert(self, text: str) -> None:
        return None

    def overhear(self, text: str) -> None:
        return None

    def prompt(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        yield

    @contextlib.asynccontextmanager
    async def drawing(self) -> AsyncIterator[None]:
        yield


def screen_for(stream: TextIO, *, place: str = "", plain: bool = False, quiet: bool = False) -> Screen:
    """Give the screen for a stream. `place` are the options by which other commands find the run."""
    if quiet:
        return Quiet(stream)
    if not plain and can_draw(stream):
        from stretto.cli.view.live import LiveView

        return LiveView(stream, place)
    from stretto.cli.progress import Progress

    return Progress(stream)


def can_draw(stream: TextIO) -> bool:
    """Whether a stream is a terminal whose cursor can be moved."""
    return stream.isatty() and os.environ.get("TERM", "").lower() not in _NO_CURSOR
