"""The second reviewer: what a result cites is really there, word for word, at the line it names."""

import asyncio
import gzip
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self, TextIO

from stretto.core.domain import Citation, Review
from stretto.ports import Caller, Product
from stretto.textfiles import marked_encoding

MOST_FINDINGS = 5
LONGEST_LINE = 1 << 20


@dataclass(frozen=True, slots=True)
class GroundingReviewer:
    """Looks up every citation; a skill that promises evidence must cite at least one place."""

    name: str = "evidence"

    def glance(self, product: Product) -> Review | None:
        if product.result.citations:
            return None
        if product.evidence:
            finding = "it cites nothing for what it says"
            return Review(accepted=False, reviewer=self.name, findings=(finding,), checked=1, unsupported=1)
        return Review(accepted=True, reviewer=self.name)

    async def review(self, product: Product, caller: Caller) -> Review:
        citations = product.result.citations
        findings = await asyncio.to_thread(unsupported, citations)
        return Review(
            accepted=not findings,
            reviewer=self.name,
            findings=tuple(dict.fromkeys(findings))[:MOST_FINDINGS],
            checked=len(citations),
            unsupported=len(findings),
        )


def unsupported(citations: Sequence[Citation]) -> list[str]:
    """Say of each citation that does not hold why; each file is read once, as far as needed."""
    by_file: defaultdict[str, list[Citation]] = defaultdict(list)
    for citation in citations:
        by_file[citation.file].append(citation)
    found: list[str] = []
    for file, cited in by_file.items():
        try:
            found += _misquoted(file, cited)
        except (OSError, EOFError) as error:
            found += [f"{file} cannot be read: {getattr(error, 'strerror', None) or error}"] * len(cited)
    return found


def _misquoted(file: str, cited: list[Citation]) -> list[str]:
    wanted: defaultdict[int, list[Citation]] = defaultdict(list)
    for citation in cited:
        if citation.line is not None:
            wanted[citation.line].append(citation)
    found = []
    with _open(Path(file)) as stream:
        number, last = 0, max(wanted, default=0)
        while number < last:
            line = stream.readline(LONGEST_LINE)
            if not line:
                break
            number += 1
            whole = line
            while whole and not whole.endswith(b"\n") and len(whole) == LONGEST_LINE:
                whole = stream.readline(LONGEST_LINE)
            for citation in wanted.pop(number, ()):
                if not any(_says(read, citation.text) for read in _readings(line)):
                    found.append(f"{file}:{number} does not say {citation.text[:80]!r}")
    found += [f"{file} has no line {line}" for line in sorted(wanted) for _ in wanted[line]]
    return found


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as probe:
        head = probe.read(4)
    if head.startswith(b"\x1f\x8b"):
        return gzip.open(path, "rb")  # type: ignore[return-value]
    marked = marked_encoding(head)
    if marked is not None and marked != "utf-8-sig":
        return _AsUtf8(path.open(encoding=marked, errors="replace", newline="\n"))  # type: ignore[return-value]
    return path.open("rb")


class _AsUtf8:
    """The lines of a text in UTF-16 or UTF-32, as UTF-8."""

    def __init__(self, text: TextIO) -> None:
        self._text = text

    def readline(self, _limit: int) -> bytes:
        return self._text.readline().encode("utf-8", "replace")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._text.close()


def _readings(line: bytes) -> Iterator[str]:
    """Give a line as text: as UTF-8, and where it is none, as the encodings people had before."""
    text = line.decode("utf-8", "replace")
    yield text
    if "\ufffd" in text:
        yield line.decode("cp1252", "replace")
        yield line.decode("latin-1")


def _says(line: str, quoted: str) -> bool:
    """Whether a line holds the quoted text; a quote may break off with an ellipsis.

    Blanks count as one, and what cannot be printed counts as the sign that a quote may show instead of it.
    """
    return _plain(quoted.removesuffix("…")) in _plain(line)


def _plain(text: str) -> str:
    seen = "".join(letter if letter.isprintable() or letter in " \t\r\n" else "\ufffd" for letter in text)
    return " ".join(seen.split())
