"""Statuses and moments in plain language: a status has a sign and a word, and needs no colour to be read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from stretto.core.domain import RunStatus
from stretto.telling.rows import Kind


@dataclass(frozen=True, slots=True)
class Told:
    """How a status is shown: a sign, a word, and the tone that the theme has a colour for."""

    sign: str
    word: str
    tone: str


RUN_STATUS: Final[Mapping[RunStatus, Told]] = MappingProxyType(
    {
        RunStatus.PLANNING: Told("✎", "Planning", "active"),
        RunStatus.RUNNING: Told("▸", "Running", "active"),
        RunStatus.WAITING: Told("?", "Waiting", "asking"),
        RunStatus.FINISHED: Told("✓", "Done", "good"),
        RunStatus.PARTIAL: Told("◐", "Done in part", "partly"),
        RunStatus.FAILED: Told("✗", "Failed", "bad"),
        RunStatus.CANCELLED: Told("×", "Cancelled", "off"),
    }
)

TASK_STATUS: Final[Mapping[Kind, Told]] = MappingProxyType(
    {
        Kind.ASKING: Told("?", "Waiting for a person", "asking"),
        Kind.RUNNING: Told("▸", "Running", "active"),
        Kind.RETRYING: Told("↻", "To be tried again", "partly"),
        Kind.FAILED: Told("✗", "Failed", "bad"),
        Kind.READY: Told("▹", "Ready", "active"),
        Kind.BLOCKED: Told("◦", "To come", "off"),
        Kind.DONE: Told("✓", "Done", "good"),
        Kind.UNDONE: Told("↶", "Undone", "partly"),
        Kind.SKIPPED: Told("–", "Skipped", "off"),
        Kind.CANCELLED: Told("×", "Cancelled", "off"),
    }
)

LONGEST = 300
"""Characters of a foreign text that a line of a list shows."""

_HIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_DAY, _HOUR, _MINUTE = 86400, 3600, 60


def legible(text: str) -> str:
    """Give a text in which nothing is hidden: controls, and marks that turn the reading direction, are spelt out."""
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def short(text: str, most: int = LONGEST) -> str:
    """Give a text on one line, legible, and cut where it is long."""
    line = legible(" ".join(text[: 4 * most].split()))
    return line if len(line) <= most and len(text) <= 4 * most else f"{line[: most - 1]}…"


def iso(at: float) -> str:
    """Give a moment for a `time` element, in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def exact(at: float) -> str:
    """Give a moment in full: 2026-11-21 14:03:12 UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def ago(at: float, now: float) -> str:
    """Give how long ago a moment was, or how long it is until it comes."""
    seconds = now - at
    many = abs(seconds)
    if many < 10:
        return "just now" if seconds >= 0 else "in a moment"
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (1, "s")):
        if many >= size:
            told = f"{int(many // size)} {unit}"
            return f"{told} ago" if seconds >= 0 else f"in {told}"
    return "just now"
