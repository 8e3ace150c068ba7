"""Two skills, as plain functions: type hints say what goes in and out, docstrings what they do."""

from collections import Counter
from pathlib import Path

from stretto import pure


@pure
def count(file: str) -> dict[str, int]:
    """Count the words of a text file."""
    words = (word.strip(".,;:!?\"'()").lower() for word in Path(file).read_text(encoding="utf-8").split())
    return dict(Counter(word for word in words if len(word) > 3))


@pure
def compare(counts: list[dict[str, int]]) -> str:
    """Say how many words there are and which are used most."""
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    most = ", ".join(f"{word} ({number})" for word, number in sorted(total.items(), key=lambda x: (-x[1], x[0]))[:5])
    return f"{total.total()} words in {len(counts)} notes; used most: {most}"
