"""Passages that say the same: told by the word sequences they have in common, never when their numbers differ."""

import re
from dataclasses import dataclass

_WORD = re.compile(r"\w+")
_SEQUENCE = 3
_ALIKE = 0.8


@dataclass(frozen=True, slots=True)
class Marks:
    """What a text is compared by: its word sequences, and its words with digits in their order."""

    sequences: frozenset[tuple[str, ...]]
    numbers: tuple[str, ...]


def marks_of(text: str) -> Marks:
    """Give the marks of a text."""
    words = _WORD.findall(text.lower())
    count = max(1, len(words) - _SEQUENCE + 1)
    return Marks(
        frozenset(tuple(words[at : at + _SEQUENCE]) for at in range(count)),
        tuple(word for word in words if any(map(str.isdigit, word))),
    )


def alike(one: Marks, other: Marks) -> bool:
    """Whether two texts are near-duplicates: same numbers, and four fifths of their word sequences shared (Jaccard)."""
    first, second = one.sequences, other.sequences
    if one.numbers != other.numbers or min(len(first), len(second)) < _ALIKE * max(len(first), len(second)):
        return False
    return len(first & second) >= _ALIKE * len(first | second)
