"""HTML to blocks, each piece of text with its own line of the file; scripts, styles and hidden parts are left out."""

import re
from collections.abc import Iterable
from html import unescape
from html.parser import HTMLParser

from .model import Block, Line

_LEVELS = {f"h{level}": level for level in range(1, 7)}
_KINDS = {"li": "item", "dt": "item", "dd": "item", "pre": "code", "tr": "table"} | dict.fromkeys(_LEVELS, "heading")
_BLOCK = re.compile(
    r"address|article|aside|blockquote|body|br|caption|dd|details|dialog|div|dl|dt|fieldset|figcaption|"
    r"figure|footer|form|h1|h2|h3|h4|h5|h6|head|header|hgroup|hr|html|legend|li|main|nav|ol|option|p|pre|"
    r"search|section|summary|table|tbody|td|tfoot|th|thead|tr|ul"
)
_WITHIN_BLOCK = frozenset({"br", "td", "th"})  # they part words, not blocks
_SILENT = frozenset({"script", "style", "template", "noscript", "svg", "math", "iframe", "object", "canvas"})


def html_blocks(text: str) -> tuple[str, list[Block]]:
    """Give the title and the blocks of a page."""
    page = _Page()
    page.feed(text)
    page.close()
    page.end_block()
    return " ".join(page.title.split()), page.blocks


class _Page(HTMLParser):
    """Collects text by line; the parser of the standard library is the one that tells where text stands."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.blocks: list[Block] = []
        self.title = ""
        self._pieces: list[tuple[int, str, str]] = []  # line, text, as it stands in the file
        self._kind = "paragraph"
        self._level = 0
        self._silent: list[str] = []
        self._preformatted = 0
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._silent:
            if tag == self._silent[0]:
                self._silent.append(tag)
            return
        if tag in _SILENT:
            self._silent.append(tag)
        elif tag in _WITHIN_BLOCK:
            self._pieces.append((self.getpos()[0], "\n" if tag == "br" and self._preformatted else " ", ""))
        elif _BLOCK.fullmatch(tag):
            self.end_block()
            self._kind, self._level = _KINDS.get(tag, "paragraph"), _LEVELS.get(tag, 0)
        self._preformatted += tag == "pre"
        self._in_title |= tag == "title"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _SILENT:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            if tag == self._silent[-1]:
                self._silent.pop()
            return
        if tag == "title":
            self._in_title = False
        elif tag not in _WITHIN_BLOCK and _BLOCK.fullmatch(tag):
            self.end_block()
        if tag == "pre":
            self._preformatted = max(0, self._preformatted - 1)

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        if self._in_title:
            self.title += data
            return
        first = self.getpos()[0]
        for offset, piece in enumerate(data.split("\n")):
            self._pieces.append((first + offset, piece if piece or not offset else " ", piece))

    def handle_entityref(self, name: str) -> None:
        self._reference(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._reference(f"&#{name};")

    def _reference(self, raw: str) -> None:
        if self._in_title:
            self.title += unescape(raw)
        elif not self._silent:
            self._pieces.append((self.getpos()[0], unescape(raw), ""))

    def end_block(self) -> None:
        """Close the block being read; nothing happens when it holds no text."""
        lines = tuple(_lines(self._pieces, keep_blanks=self._preformatted > 0 or self._kind == "code"))
        if lines:
            self.blocks.append(Block(kind=self._kind, lines=lines, level=self._level))
        self._pieces, self._kind, self._level = [], "paragraph", 0


def _lines(pieces: Iterable[tuple[int, str, str]], *, keep_blanks: bool) -> Iterable[Line]:
    """Put the pieces of each line together; what stands in the file word for word is the longest of them."""
    by_line: dict[int, list[tuple[str, str]]] = {}
    for number, text, raw in pieces:
        by_line.setdefault(number, []).append((text, raw))
    for number, parts in by_line.items():
        text = "".join(part for part, _ in parts)
        text = text.rstrip() if keep_blanks else " ".join(text.split())
        if text.strip():
            longest = max((raw.strip() for _, raw in parts), key=len)
            yield Line(number, text, longest or None)
