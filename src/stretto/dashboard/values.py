"""Values and diffs as people read them: all of it, with what is long folded, and always as text."""

import json
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any, Final

from stretto.core.domain import Json
from stretto.dashboard.parts import Foreign, Tag, foreign
from stretto.dashboard.words import legible

FOLDED: Final = 1_200
"""Characters of a value that are shown before the rest is folded."""
LINES: Final = 60
"""Lines of a diff that are shown before the rest is folded."""

_SCROLLED: Final = 400
_MARKS: Final = (("+++", "file"), ("---", "file"), ("@@", "hunk"), ("+", "plus"), ("-", "minus"))


def json_text(value: Json) -> str:
    """Give a value as JSON that people can read and edit."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def shown_value(value: Json, classes: str = "") -> None:
    """Show a value: a text as it stands, anything else as JSON; a long one folded."""
    text = value if isinstance(value, str) else json_text(value)
    if len(text) <= FOLDED:
        _text(text, classes)
        return
    _text(f"{text[:FOLDED]}…", classes)
    fold(f"Show all {len(text):,} characters", lambda: _text(text, classes))


def cut_value(told: Mapping[str, Any], whole: str = "") -> None:
    """Show a value as `stretto.details.shown` tells it; where it is cut, `whole` is where all of it stands."""
    shown_value(told["value"])
    if told["cut"]:
        with Tag("p", "soft"):
            Tag("span", "", f"These are the first {len(told['value']):,} of {told['characters']:,} characters. ")
            if whole:
                Tag("a", "", "All of it", href=whole)


def values_by_name(values: Mapping[str, Json]) -> None:
    """Show named values, such as arguments."""
    with Tag("dl", "facts values"):
        for name, value in values.items():
            with Tag("dt"):
                foreign(name, "mono")
            with Tag("dd"):
                shown_value(value)


def diff(text: str) -> None:
    """Show a diff: its lines coloured, and told apart by their signs; a long one folded."""
    lines = text.splitlines()
    added = sum(line.startswith("+") and not line.startswith("+++") for line in lines)
    removed = sum(line.startswith("-") and not line.startswith("---") for line in lines)
    Tag("p", "soft", f"{len(lines):,} lines of changes: {added:,} added, {removed:,} removed")
    _lines(lines[:LINES])
    if rest := lines[LINES:]:
        fold(f"Show the other {len(rest):,} lines", lambda: _lines(rest))


def fold(summary: str, build: Callable[[], object], classes: str = "") -> Tag:
    """Give something that is opened by a click; what is in it is made then."""
    made = False

    def toggled() -> None:
        nonlocal made
        if not made:
            made = True
            with inside:
                build()

    with Tag("details", f"fold {classes}") as whole:
        Tag("summary", "", summary)
        inside = Tag("div")
    whole.on("toggle", toggled, args=[])
    return whole


def _text(text: str, classes: str) -> None:
    """Show a text; one that may be scrolled is reached by keyboard."""
    long = len(text) > _SCROLLED or text.count("\n") > _SCROLLED // 20
    Foreign("pre", f"value {classes}", text, tabindex="0" if long else None)


def _lines(lines: Sequence[str]) -> None:
    """Show lines of a diff in one element: thousands of them are too many to be elements of their own here."""
    Tag("pre", "diff", tabindex="0", role="region", aria_label="Changes", innerHTML=marked(lines))


def marked(lines: Sequence[str]) -> str:
    """Give the markup of lines of a diff, each with its kind; what stands in them is text."""
    return "".join(f'<span class="{_kind(line)}">{escape(legible(line))}\n</span>' for line in lines)


def _kind(line: str) -> str:
    return next((kind for mark, kind in _MARKS if line.startswith(mark)), "same")
