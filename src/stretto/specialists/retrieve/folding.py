"""Passages that say the same: told by the share of word sequences they have in common."""

import re

_WORD = re.compile(r"\w+")
_SEQUENCE = 4
_ALIKE = 0.8

Marks = frozenset[tuple[str, ...]]


def marks_of(text: str) -> Marks:
    """Give the word sequences of a text, by which it is compared."""
    words = _WORD.findall(text.lower())
    count = max(1, len(words) - _SEQUENCE + 1)
    return frozenset(tuple(words[at : at + _SEQUENCE]) for at in range(count))


def alike(one: Marks, other: Marks) -> bool:
    """Whether two texts are near-duplicates: four fifths of their word sequences are the same (Jaccard)."""
    if min(len(one), len(other)) < _ALIKE * max(len(one), len(other)):
        return False
    return len(one & other) >= _ALIKE * len(one | other)
