"""Fits large values into a reader's window: what stands first is kept, text that is left out is counted.

Deterministic and without a model. The whole stays one call away (`Assignment.whole`); keys, approvals and schemas
go by it.
"""

import json

from stretto.core.domain import Json

_LEAST = 80
"""Characters that a part gets at least, so that a list of many things shows some of each."""


def size(value: Json) -> int:
    """Give the characters a value takes as JSON."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def fitted(arguments: dict[str, Json], window: int) -> tuple[dict[str, Json], tuple[str, ...]]:
    """Give arguments that take at most about `window` characters, and the names of those that were shortened.

    Small arguments stay whole; the large ones share what is left evenly.
    """
    sizes = {name: size(value) for name, value in arguments.items()}
    if sum(sizes.values()) <= window:
        return arguments, ()
    left, share = window, max(_LEAST, window // max(1, len(sizes)))
    for count, taken in enumerate(sorted(sizes.values())):
        share = max(_LEAST, left // (len(sizes) - count))
        if taken > share:
            break
        left -= taken
    cut = {name: _cut(value, share) if sizes[name] > share else value for name, value in arguments.items()}
    return cut, tuple(name for name, value in arguments.items() if cut[name] != value)


def _cut(value: Json, most: int) -> Json:
    """Give the beginning of a value, of the same type, with what is missing named where it was."""
    if size(value) <= most:
        return value
    if isinstance(value, str):
        keep = max(0, most - 60)
        cut = value.rfind(" ", keep // 2, keep)
        text = value[: cut if cut > 0 else keep]
        return f"{text} … [{len(value) - len(text):,} more characters]"
    if isinstance(value, list):
        kept: list[Json] = []
        room = most - 40
        for position, one in enumerate(value):
            part = _cut(one, max(_LEAST, room // 2)) if size(one) > room else one
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
        return {name: _cut(inner, share) for name, inner in value.items()}
    return value


def _missing(value: list[Json], kept: int) -> list[Json]:
    """Say how many texts are missing; a list of anything else stays one of its kind, and just ends."""
    return [f"… [{len(value) - kept:,} more]"] if all(isinstance(one, str) for one in value) else []
