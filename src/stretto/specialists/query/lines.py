"""Lines of a file as they stand there, for citing them."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from stretto.textfiles import encoding_of

_LONGEST = 300


def quoted_lines(file: str, numbers: Sequence[int]) -> Iterator[tuple[int, str]]:
    """Give some lines of a text file by number, from 1, each once, cut at 300 characters."""
    wanted = set(numbers)
    with Path(file).open("rb") as stream:
        encoding = encoding_of(stream)
    with Path(file).open(encoding=encoding.name, errors=encoding.errors, newline="\n") as text:
        for number, line in enumerate(islice(text, max(wanted, default=0)), start=1):
            if number in wanted:
                yield number, line.strip()[:_LONGEST]
