"""Diffs: each line of one with what it is, by its first characters only."""

from dataclasses import dataclass
from typing import Literal

# Longest first: a file's header begins with the sign of an added or removed line.
_KINDS: tuple[tuple[str, Literal["file", "hunk", "added", "removed"]], ...] = (
    ("+++ ", "file"),
    ("--- ", "file"),
    ("diff ", "file"),
    ("index ", "file"),
    ("@@", "hunk"),
    ("+", "added"),
    ("-", "removed"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffLine:
    """One line and its kind."""

    kind: Literal["file", "hunk", "added", "removed", "same"]
    text: str


def diff_lines(text: str) -> tuple[DiffLine, ...]:
    """Part a diff into its lines; whatever is not known as another kind is "same"."""
    return tuple(_line(line) for line in text.split("\n"))


def _line(text: str) -> DiffLine:
    for start, kind in _KINDS:
        if text.startswith(start):
            return DiffLine(kind=kind, text=text)
    return DiffLine(kind="same", text=text)
