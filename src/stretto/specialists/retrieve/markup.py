"""Markdown and plain text to blocks: headings, paragraphs, list items, code and tables, with their lines."""

import re
from collections.abc import Callable, Iterator, Sequence

from .model import Block, Line

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))??(?:[ \t]+#+)?[ \t]*")
_ITEM = re.compile(r"[ \t]*(?:[-*+•]|\(?(?:\d{1,9}|[a-zA-Z])[.)])[ \t]+\S")
_RULE_OF_TABLE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_RULE = re.compile(r" {0,3}(?:(?:- *){3,}|(?:\* *){3,}|(?:_ *){3,})")
_UNDERLINE = re.compile(r"([=\-~^\"'#*+.:_`])\1{2,}[ \t]*")
_NUMBERED = re.compile(r"(?:\d{1,3}\.)*\d{1,3}\.?[ \t]+\S.*|(?:Chapter|Section|Appendix|Part)\b.*", re.IGNORECASE)
_LONGEST_TITLE = 100


def markdown_blocks(lines: Sequence[str]) -> Iterator[Block]:
    """Split Markdown (CommonMark with tables and front matter) into blocks."""
    return _Splitter(lines, markdown=True).blocks()


def plain_blocks(lines: Sequence[str]) -> Iterator[Block]:
    """Split plain text into blocks; underlined, numbered and capital lines that stand alone are headings."""
    return _Splitter(lines, markdown=False).blocks()


class _Splitter:
    """Goes through the lines once; `_gathered` is the paragraph or item being read."""

    def __init__(self, lines: Sequence[str], *, markdown: bool) -> None:
        self._lines = lines
        self._markdown = markdown
        self._gathered: list[int] = []
        self._kind = "paragraph"
        self._underlines: list[str] = []

    def blocks(self) -> Iterator[Block]:
        at = self._front_matter()
        if at:
            yield self._block("code", range(at))
        while at < len(self._lines):
            line = self._lines[at]
            special = self._special(at)
            if special is not None:
                yield from self._end()
                block, at = special
                if block is not None:
                    yield block
                continue
            if not line.strip():
                yield from self._end()
            else:
                if _ITEM.match(line):
                    yield from self._end()
                    self._kind = "item"
                self._gathered.append(at)
            at += 1
        yield from self._end()

    def _special(self, at: int) -> tuple[Block | None, int] | None:
        """Give the heading, code or table that begins here, and where it goes on; None when it is running text."""
        line = self._lines[at]
        if (fence := _FENCE.match(line)) and (self._markdown or self._closes(at, fence[1])):
            end = self._fence_end(at, fence[1])
            return self._block("code", range(at, end)), end
        if self._markdown:
            if atx := _ATX.fullmatch(line):
                return self._heading(at, len(atx[1])), at + 1
            if self._begins_table(at):
                end = self._while(at, lambda text: "|" in text)
                return self._block("table", range(at, end)), end
        if (level := self._underlined(at)) is not None:
            return self._heading(at, level), at + 2
        if not self._gathered and not self._markdown and self._stands_alone(at):
            return self._heading(at, 2), at + 1
        if self._markdown and _RULE.fullmatch(line):
            return None, at + 1
        if not self._gathered and line.startswith(("    ", "\t")) and not _ITEM.match(line):
            end = self._while(at, lambda text: text.startswith(("    ", "\t")))
            return self._block("code", range(at, end)), end
        return None

    def _front_matter(self) -> int:
        if not self._markdown or not self._lines or self._lines[0].rstrip() != "---":
            return 0
        for at, line in enumerate(self._lines[1:200], start=1):
            if line.rstrip() in ("---", "..."):
                return at + 1
        return 0

    def _closes(self, at: int, fence: str) -> bool:
        return self._fence_end(at, fence) < len(self._lines)

    def _fence_end(self, at: int, fence: str) -> int:
        for end in range(at + 1, len(self._lines)):
            text = self._lines[end].strip()
            if len(text) >= len(fence) and not text.strip(fence[0]):
                return end + 1
        return len(self._lines)

    def _begins_table(self, at: int) -> bool:
        following = self._lines[at + 1] if at + 1 < len(self._lines) else ""
        return "|" in self._lines[at] and "-" in following and "|" in following and _is(_RULE_OF_TABLE, following)

    def _underlined(self, at: int) -> int | None:
        """Give the level of a title whose next line is a row of signs: by the sign, in the order of their coming."""
        title = self._lines[at].strip()
        mark = _UNDERLINE.fullmatch(self._lines[at + 1]) if at + 1 < len(self._lines) else None
        if mark is None or self._gathered or not title or len(title) > _LONGEST_TITLE or _UNDERLINE.fullmatch(title):
            return None
        if _ITEM.match(self._lines[at]) and not _NUMBERED.fullmatch(title):
            return None
        sign = mark[1]
        if self._markdown:
            return {"=": 1, "-": 2}.get(sign)
        if len(mark[0].rstrip()) < 0.6 * len(title):
            return None
        if sign not in self._underlines:
            self._underlines.append(sign)
        return self._underlines.index(sign) + 1

    def _stands_alone(self, at: int) -> bool:
        """Whether a line of plain text is a title: alone between blank lines, short, capital or numbered."""
        title = self._lines[at].strip()
        alone = (at == 0 or not self._lines[at - 1].strip()) and (
            at + 1 == len(self._lines) or not self._lines[at + 1].strip()
        )
        if not alone or len(title) > _LONGEST_TITLE or title.endswith((".", ",", ";", ":", "!", "?")):
            return False
        capital = title.isupper() and sum(map(str.isalpha, title)) >= 4
        return capital or _NUMBERED.fullmatch(title) is not None

    def _while(self, at: int, holds: Callable[[str], bool]) -> int:
        end = at + 1
        while end < len(self._lines) and self._lines[end].strip() and holds(self._lines[end]):
            end += 1
        return end

    def _heading(self, at: int, level: int) -> Block:
        raw = self._lines[at]
        atx = _ATX.fullmatch(raw) if self._markdown else None
        text = (atx[2] or "") if atx else raw.strip()
        return Block(kind="heading", lines=(Line(at + 1, text, raw),), level=level)

    def _end(self) -> Iterator[Block]:
        if self._gathered:
            yield self._block(self._kind, self._gathered)
        self._gathered, self._kind = [], "paragraph"

    def _block(self, kind: str, at: Sequence[int]) -> Block:
        return Block(kind=kind, lines=tuple(Line(n + 1, self._lines[n], self._lines[n]) for n in at))


def _is(pattern: re.Pattern[str], line: str) -> bool:
    return len(line) < 2_000 and pattern.fullmatch(line) is not None
