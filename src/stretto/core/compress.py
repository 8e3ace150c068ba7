"""Fits large values into a reader's window: a summary stands for a long text where there is one, else its beginning.

Text that is left out is counted. Deterministic, given the summaries. The whole stays one call away
(`Assignment.whole`); keys, approvals and schemas go by it.
"""

import json
from collections.abc import Callable
from typing import TypeAlias

from stretto.core.domain import Json

Shorten: TypeAlias = Callable[[str, int], str]
"""Gives a text in at most about so many characters."""

_LEAST = 80
"""Characters that a part gets at least, so that a list of many things shows some of each."""


def size(value: Json) -> int:
    """Give the characters a value takes as JSON."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def beginning(text: str, most: int) -> str:
    """Give the beginning of a text, and how much is missing."""
    keep = max(0, most - 60)
    cut = text.rfind(" ", keep // 2, keep)
    kept = text[: cut if cut > 0 else keep]
    return f"{kept} … [{len(text) - len(kept):,} more characters]"


def long_texts(arguments: dict[str, Json], window: int) -> dict[str, dict[str, int]]:
    """Give the texts that have to be shortened for a window, each with the characters it may take, by argument."""
    found: dict[str, dict[str, int]] = {}
    for name, share in _shares(arguments, window).items():
        texts = found.setdefault(name, {})

        def note(text: str, most: int, texts: dict[str, int] = texts) -> str:
            texts[text] = min(most, texts.get(text, most))
            return beginning(text, most)

        _cut(arguments[name], share, note)
    return found


def fitted(
    arguments: dict[str, Json], window: int, shorten: Shorten = beginning
) -> tuple[dict[str, Json], tuple[str, ...]]:
    """Give arguments that take at most about `window` characters, and the names of those that were shortened.

    Small arguments stay whole; the large ones share what is left evenly.
    """
    shares = _shares(arguments, window)
    cut = {name: _cut(value, shares[name], shorten) if name in shares else value for name, value in arguments.items()}
    return cut, tuple(name for name, value in arguments.items() if cut[name] != value)


def _shares(arguments: dict[str, Json], window: int) -> dict[str, int]:
    """Give the characters that each argument too large for its share of a window may take."""
    sizes = {name: size(value) for name, value in arguments.items()}
    if sum(sizes.values()) <= window:
        return {}
    left, share = window, max(_LEAST, window // max(1, len(sizes)))
    for count, taken in enumerate(sorted(sizes.values())):
        share = max(_LEAST, left // (len(sizes) - count))
        if taken > share:
            break
        left -= taken
    return {name: share for name, taken in sizes.items() if taken > share}


def _cut(value: Json, most: int, shorten: Shorten) -> Json:
    """Give a value shortened, of the same type, with what is missing named where it was."""
    if size(value) <= most:
        return value
    if isinstance(value, str):
        return shorten(value, most)
    if isinstance(value, list):
        kept: list[Json] = []
        room = most - 40
        for position, one in enumerate(value):
            part = _cut(one, max(_LEAST, room // 2), shorten) if size(one) > room else one
            taken = size(part) + 1
            if taken > room and kept:
                return [*kept, *_missing(value, position)]
            kept.append(part)
            room -= taken
            if room <= 0 and position + 1 < len(value):
                return [*kept, *_missing(value, position + 1)]
        return kept
    if isinstance(value, dict):
        share = max(_LEAST, most // max(1, len(value)))
        return {name: _cut(inner, share, shorten) for name, inner in value.items()}
    return value


def _missing(value: list[Json], kept: int) -> list[Json]:
    """Say how many texts are missing; a list of anything else stays one of its kind, and just ends."""
    return [f"… [{len(value) - kept:,} more]"] if all(isinstance(one, str) for one in value) else []
