"""Notices in words. What agents and strangers wrote is shown, and never obeyed by a terminal or a mail header."""

from datetime import UTC, datetime

from stretto.core.domain import Notice

_JOINERS = "\u200c\u200d"
"""Without these, words of some languages and some emoji are written wrongly."""


def headline(notice: Notice, most: int) -> str:
    """Give a notice as one printable line: what it is about and where, then its text, cut to so many characters."""
    head = f"{'urgent ' if notice.urgent else ''}{notice.kind}{f' for {notice.to}' if notice.to else ''}"
    whole = f"{head}: {place(notice)}: {notice.text}"
    line = one_line(whole[: most + 1])
    return line if len(whole) <= most and len(line) <= most else f"{line[: most - 1]}…"


def place(notice: Notice) -> str:
    """Give the run and task that a notice is about."""
    return f"run {notice.run}, task {notice.task}" if notice.task else f"run {notice.run}"


def one_line(text: str) -> str:
    """Give text as one line in which whatever cannot be printed is escaped."""
    return "".join(map(_printable, " ".join(text.split())))


def lines(text: str) -> list[str]:
    """Give the lines of a text, with whatever cannot be printed escaped."""
    return ["".join(map(_printable, line.expandtabs())).rstrip() for line in text.splitlines()]


def moment(seconds: float) -> str:
    """Give seconds since the epoch as a time in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _printable(letter: str) -> str:
    return letter if letter.isprintable() or letter in _JOINERS else letter.encode("unicode_escape").decode("ascii")
