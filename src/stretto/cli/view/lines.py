"""Lines of styled text that fit a terminal, whatever names and messages hold. Widths are in cells."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from rich.cells import cell_len, set_cell_size

from stretto.cli.text import one_line

Span: TypeAlias = tuple[str, str]
"""A text and its style in the words of `rich`; an empty style is plain."""

Line: TypeAlias = tuple[Span, ...]

LONGEST = 2000
"""Characters of a foreign text that are looked at."""

_LEFT_TO_RIGHT = "\u200e"
_MARKS_PER_LETTER = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What is drawn with. Every kind of task has a sign of its own, so that nothing depends on colour."""

    done: str = "✓"
    undone: str = "↶"
    running: str = "▸"
    asking: str = "?"
    retrying: str = "↻"
    failed: str = "✗"
    ready: str = "▹"
    blocked: str = "◦"
    skipped: str = "–"
    cancelled: str = "×"
    critical: str = "●"
    full: str = "━"
    empty: str = "╌"
    wait: str = "░"
    cut: str = "…"
    arrow: str = "→"
    mark: str = _LEFT_TO_RIGHT  # after right-to-left text, so that what follows stays where it is


UNICODE = Signs()
ASCII = Signs(
    done="+",
    undone="<",
    running=">",
    retrying="~",
    failed="x",
    ready="=",
    blocked=".",
    skipped="-",
    cancelled="#",
    critical="*",
    full="=",
    empty="-",
    wait=":",
    cut="~",
    arrow="->",
    mark="",
)


def signs_for(encoding: str | None) -> Signs:
    """Give the signs that a stream of this encoding can show."""
    return UNICODE if (encoding or "").lower().replace("-", "").replace("_", "") == "utf8" else ASCII


@lru_cache(maxsize=8192)
def foreign(text: str, signs: Signs = UNICODE) -> str:
    """Give a text from outside as one tame line: no control characters, no towers of accents, one direction."""
    said = one_line(text[:LONGEST])
    if said.isascii():
        return said
    kept, marks = [], 0
    for letter in said:
        marks = marks + 1 if cell_len(letter) == 0 else 0
        if marks <= _MARKS_PER_LETTER:
            kept.append(letter)
    turned = any(unicodedata.bidirectional(letter) in ("R", "AL", "AN") for letter in kept)
    return "".join(kept) + (signs.mark if turned else "")


def fit(text: str, width: int, signs: Signs = UNICODE) -> str:
    """Give a text cut to a width, with a sign that something is missing."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text
    if width == 1:
        return signs.cut
    marked = signs.mark if signs.mark and text.endswith(signs.mark) else ""
    return f"{set_cell_size(text, width - 1).rstrip()}{marked}{signs.cut}"


def pad(text: str, width: int, signs: Signs = UNICODE, *, right: bool = False) -> str:
    """Give a text of exactly this width: cut, or filled up with blanks."""
    shown = fit(text, width, signs)
    blanks = " " * (width - cell_len(shown))
    return blanks + shown if right else shown + blanks


def width_of(line: Line) -> int:
    """Give the cells of a line."""
    return sum(cell_len(text) for text, _ in line)


def cropped(spans: Iterable[Span], width: int | None, signs: Signs = UNICODE) -> Line:
    """Give a line cut to a width (None: as long as it is), without blanks at its end."""
    kept: list[Span] = []
    left = width
    for text, style in spans:
        if left is None:
            kept.append((text, style))
            continue
        shown = fit(text, left, signs)
        kept.append((shown, style))
        left -= cell_len(shown)
        if shown != text:
            break
    while kept and not (kept[-1][0].rstrip()):
        kept.pop()
    if kept:
        kept[-1] = (kept[-1][0].rstrip(), kept[-1][1])
    return tuple(kept)


def flow(parts: Sequence[Span], width: int, signs: Signs = UNICODE, gap: str = "  ") -> list[Line]:
    """Put parts one after the other on as many lines as it takes; a part is never broken, at most cut."""
    lines: list[list[Span]] = []
    used = width + 1
    for text, style in parts:
        size = cell_len(text)
        if used + len(gap) + size > width:
            lines.append([])
            used = 0
        elif used:
            lines[-1].append((gap, ""))
            used += len(gap)
        lines[-1].append((text, style))
        used += size
    return [cropped(line, width, signs) for line in lines]


def plain_text(lines: Iterable[Line]) -> str:
    """Give lines as text without styles."""
    return "\n".join("".join(text for text, _ in line) for line in lines)
