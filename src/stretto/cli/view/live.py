"""Draws a run on a terminal while it goes on. Listening only notes the state; a task of its own draws."""

import asyncio
import contextlib
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import NamedTuple, TextIO

from rich.cells import cell_len
from rich.console import Console, ConsoleDimensions
from rich.control import Control
from rich.live import Live
from rich.segment import ControlType

from stretto.cli.chains import news
from stretto.cli.text import clean
from stretto.cli.view.layout import layout
from stretto.cli.view.lines import Line, signs_for
from stretto.cli.view.picture import Picture
from stretto.core.events import Event
from stretto.core.state import RunState

INTERVAL = 1 / 8
"""Seconds between two looks at the state, at the least."""

SHARE = 0.03
"""Share of the time that drawing may take: after a costly picture the next one waits longer."""

COMPACT = 20
"""Lines of the picture that stays at the end, at most."""

_BEGIN_PICTURE, _END_PICTURE = "\x1b[?2026h", "\x1b[?2026l"  # terminals that know it show the picture all at once


class _Seen(NamedTuple):
    """What a picture was made of."""

    seq: int
    second: int
    width: int
    height: int
    alert: str


class LiveView:
    """A screen (see `stretto.cli.screen`) that shows the whole run, as large as the terminal is.

    `stream` is the terminal, `place` the options by which other commands find the run.
    """

    def __init__(self, stream: TextIO, place: str = "") -> None:
        self._stream, self._place = stream, place
        self._console = Console(
            file=stream, force_interactive=True, highlight=False, markup=False, emoji=False, soft_wrap=True
        )
        self._signs = signs_for(stream.encoding)
        self._state = RunState()
        self._alert = ""
        self._said: deque[str] = deque()
        self._live: Live | None = None
        self._lines: list[Line] = []
        self._drawn: _Seen | None = None
        self._drawing = False
        self._questions = 0

    @property
    def run(self) -> str:
        return self._state.run

    def __call__(self, state: RunState, events: Sequence[Event]) -> None:
        self._state = state
        for text in filter(None, map(news, events)):
            self.overhear(f"{text}\n")

    def alert(self, text: str) -> None:
        """Add a line to the head; an empty one takes it away."""
        self._alert = text

    def say(self, text: str) -> None:
        """Write lines of their own, above the picture."""
        self._flush()
        self._console.print(clean(text))

    def overhear(self, text: str) -> None:
        """Take what agents print, from any thread; it is shown above the picture with the next one."""
        self._said.append(text)

    def prompt(self, text: str) -> None:
        """Write without a new line, while somebody is asked."""
        self._stream.write(text)
        self._stream.flush()

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        """Take the picture away while somebody is asked; of several questions the last brings it back."""
        self._questions += 1
        self._take_away()
        try:
            yield
        finally:
            self._questions -= 1
            if self._drawing and not self._questions:
                self._put_up()

    @contextlib.asynccontextmanager
    async def drawing(self) -> AsyncIterator[None]:
        """Draw while it lasts; at its end the last picture stays, as short as it can be."""
        self._drawing = True
        self._put_up()
        task = asyncio.create_task(self._draw_on(), name="stretto-view")
        try:
            yield
        finally:
            self._drawing = False
            task.cancel()
            with contextlib.suppress(OSError):  # the terminal may be gone
                self._take_away()
                self._flush(everything=True)
                self._console.print(Picture(self._picture(COMPACT)))

    async def _draw_on(self) -> None:
        """Draw until cancelled. Whatever goes wrong with the picture, the run goes on."""
        while True:
            began = time.perf_counter()
            try:
                self._draw()
            except Exception as error:
                self._drawing = False
                with contextlib.suppress(OSError):
                    self._take_away()
                    self.say(f"the run goes on, but cannot be drawn: {type(error).__name__}: {error}")
                return
            took = time.perf_counter() - began
            await asyncio.sleep(max(INTERVAL, took / SHARE))

    def _draw(self) -> None:
        """Bring the picture up to date, if there is one and anything about it has changed."""
        if self._live is None:
            return
        self._flush()
        seen = _Seen(self._state.seq, int(time.time()), *self._size(), self._alert)
        if seen == self._drawn:
            return
        lines, narrower = self._picture(), self._drawn is not None and seen.width < self._drawn.width
        self._drawn = seen
        if lines == self._lines and not narrower:
            return
        self._stream.write(_BEGIN_PICTURE)
        if narrower:
            self._climb(self._lines, seen.width)
        self._lines = lines
        self._live.update(Picture(lines), refresh=True)
        self._stream.write(_END_PICTURE)
        self._stream.flush()

    def _climb(self, lines: Sequence[Line], width: int) -> None:
        """Erase the rows that were added when the terminal became narrower and wrapped the old picture."""
        added = sum((sum(cell_len(text) for text, _ in line) - 1) // width for line in lines if line)
        up = ((ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_UP, 1)) * added
        if up:
            self._stream.write(str(Control(*up)))

    def _picture(self, most: int | None = None) -> list[Line]:
        if not self._state.run:
            return []
        width, height = self._size()
        self._console.size = ConsoleDimensions(width, height)
        return layout(
            self._state,
            time.time(),
            width,
            min(height - 1, most or height),
            signs=self._signs,
            place=self._place,
            alert=self._alert,
        )

    def _size(self) -> tuple[int, int]:
        """Give columns and rows; the last column stays free, since some terminals wrap when it is written."""
        try:
            size = os.get_terminal_size(self._stream.fileno())
        except OSError:
            size = os.terminal_size((80, 24))
        columns, rows = size.columns or 80, size.lines or 24
        return max(columns - 1, 1), max(rows, 2)

    def _put_up(self) -> None:
        self._lines, self._drawn = [], None
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self._live.start()
        self._draw()

    def _take_away(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _flush(self, *, everything: bool = False) -> None:
        """Write what was overheard above the picture; a line that is not complete yet waits."""
        said = []
        while self._said:
            said.append(self._said.popleft())
        whole, _, rest = "".join(said).rpartition("\n")
        if everything and rest:
            whole, rest = (f"{whole}\n{rest}" if whole else rest), ""
        if rest:
            self._said.appendleft(rest)
        if whole:
            self._console.print(whole)
