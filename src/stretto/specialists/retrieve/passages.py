"""Blocks to passages: small blocks of one section go together, long ones are split where a line or sentence ends."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .model import Block, Line, Source

TARGET = 700
LONGEST = 1_400
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])[\"'”’)]*\s+|(?<=[。！？])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A passage before it is ranked.

    `context` is text that helps to find it and is not part of it; `sentences` are its sentences, rows and code lines.
    """

    headings: tuple[str, ...]
    lines: tuple[Line, ...]
    page: int | None
    sentences: tuple[str, ...]
    context: str = ""

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)


def pieces_of(source: Source) -> Iterator[Piece]:
    """Give the passages of a document in order; every text of it is in exactly one, headings in `headings`."""
    path: list[tuple[int, str]] = [(0, source.title)] if source.title else []
    packed: list[Block] = []
    size = 0
    bare: Block | None = None  # a heading that nothing has followed yet
    for block in source.blocks:
        if block.kind == "heading":
            yield from _pack(packed, path)
            if bare is not None and block.level <= bare.level:
                yield from _pack([bare], path[:-1])
            packed, size, bare = [], 0, block
            path = [entry for entry in path if entry[0] < block.level] + [(block.level, " ".join(block.text.split()))]
            continue
        bare = None
        length = len(block.text)
        if packed and (size + length > TARGET or block.page != packed[0].page):
            yield from _pack(packed, path)
            packed, size = [], 0
        packed.append(block)
        size += length
    yield from _pack(packed if bare is None else [bare], path)


def _pack(blocks: list[Block], path: list[tuple[int, str]]) -> Iterator[Piece]:
    if not blocks:
        return
    titles = [title for _, title in path if title]
    headings = tuple(title for at, title in enumerate(titles) if title not in titles[:at])
    if sum(len(block.text) for block in blocks) <= LONGEST:
        lines = tuple(line for block in blocks for line in block.lines)
        told = tuple(sentence for block in blocks for sentence in _sentences(block.kind, block.lines))
        yield Piece(headings=headings, lines=lines, page=blocks[0].page, sentences=told)
        return
    for block in blocks:
        context = block.lines[0].text if block.kind == "table" else ""
        for at, lines in enumerate(_split(block.lines)):
            told = tuple(_sentences(block.kind, lines))
            yield Piece(headings=headings, lines=lines, page=block.page, sentences=told, context=context if at else "")


def _sentences(kind: str, lines: tuple[Line, ...]) -> Iterator[str]:
    if kind in ("code", "table"):
        yield from (line.text for line in lines if line.text.strip())
    else:
        yield from filter(None, map(str.strip, _SENTENCE_END.split("\n".join(line.text for line in lines))))


def _split(lines: tuple[Line, ...]) -> Iterator[tuple[Line, ...]]:
    part: list[Line] = []
    size = 0
    for line in (short for one in lines for short in _shorter(one)):
        if part and size + len(line.text) > TARGET:
            yield tuple(part)
            part, size = [], 0
        part.append(line)
        size += len(line.text) + 1
    if part:
        yield tuple(part)


def _shorter(line: Line) -> Iterator[Line]:
    """Split a line that is a whole paragraph into runs of sentences, and a run without an end where it must."""
    if len(line.text) <= LONGEST:
        yield line
        return
    run = ""
    for sentence in _SENTENCE_END.split(line.text):
        for start in range(0, len(sentence), LONGEST):
            part = sentence[start : start + LONGEST]
            if run and len(run) + len(part) > TARGET:
                yield _part(line, run)
                run = ""
            run = f"{run} {part}" if run else part
    if run:
        yield _part(line, run)


def _part(line: Line, text: str) -> Line:
    return Line(line.number, text, line.raw and (text if text in line.raw else line.raw))
