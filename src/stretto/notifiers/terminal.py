"""Notices as lines on standard error."""

import sys
from dataclasses import dataclass

from stretto.channels import Terminal
from stretto.core.domain import Notice
from stretto.core.errors import NotifierError
from stretto.notifiers.wording import headline
from stretto.threads import in_thread

LONGEST_LINE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalNotifier:
    """Writes one line per notice; raises NotifierError where standard error is closed or takes nothing."""

    name: str = "terminal"
    settings: Terminal = Terminal()

    async def send(self, notice: Notice) -> None:
        bell = "\a" if self.settings.bell else ""
        line = f"{bell}stretto: {headline(notice, LONGEST_LINE)}\n"
        try:
            await in_thread(lambda: _write(line))  # a pipe that nobody reads would hold the loop
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is closed"
            raise NotifierError(f"{self.name}: nothing can be written to standard error: {reason}") from None


def _write(line: str) -> None:
    """Write a line where it is; raises OSError or ValueError."""
    stream = sys.stderr
    if stream is None or stream.closed or not stream.writable():
        raise ValueError("standard error is closed")
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(line.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()
