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
_UNREAD = re.compile(r"<!--|<[!?]|<(script|style|template|noscript|svg|math|iframe|object|canvas)\b", re.IGNORECASE)
_LEFT_OPEN = re.compile(r"<[a-zA-Z/!?]")
_NOT_BREAK = re.compile(r"[^\n]")
_WITHIN_BLOCK = frozenset({"br", "td", "th"})  # they part words, not blocks


def html_blocks(text: str) -> tuple[str, list[Block]]:
    """Give the title and the blocks of a page."""
    page = _Page()
    page.feed(_tamed(text))
    page.close()
    page.end_block()
    return " ".join(page.title.split()), page.blocks


def _tamed(text: str) -> str:
    """Give the page with an empty tag of the same length in place of every comment, declaration, script and style.

    The parser takes quadratic time over some that are left open, and stumbles over sections it does not know. Each
    search here begins where the last one ended.
    """
    parts: list[str] = []
    last = text.rfind(">") + 1
    tail, at = _LEFT_OPEN.split(text[last:], maxsplit=1)[0], 0
    while (opened := _UNREAD.search(text, at, last)) is not None:
        start, end = opened.start(), _end_of(text, opened)
        if end is None:
            end, tail = last, ""
        parts += [text[at:start], "<b", _NOT_BREAK.sub(" ", text[start + 2 : end - 1]), ">"]
        at = end
    return "".join((*parts, text[at:last], tail))


def _end_of(text: str, opened: re.Match[str]) -> int | None:
    """Give where something that is not read ends; None when it is the rest of the page (HTML Standard, 13.2.5)."""
    if opened[0] == "<!--":
        found = text.find("-->", opened.end())
        return found + 3 if found >= 0 else None
    own = text.find(">", opened.end()) + 1
    element = (opened[1] or "").lower()
    if not element or (element in ("svg", "math") and text[own - 2] == "/"):
        return own
    closing = re.compile(f"</{element}\\b[^>]*>", re.IGNORECASE).search(text, own)
    if closing is not None:
        return closing.end()
    return None if element in ("script", "style") else own


class _Page(HTMLParser):
    """Collects text by line; the parser of the standard library is the one that tells where text stands."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.blocks: list[Block] = []
        self.title = ""
        self._pieces: list[tuple[int, str, str]] = []  # line, text, as it stands in the file
        self._kind = "paragraph"
        self._level = 0
        self._preformatted = 0
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _WITHIN_BLOCK:
            self._pieces.append((self.getpos()[0], "\n" if tag == "br" and self._preformatted else " ", ""))
        elif _BLOCK.fullmatch(tag):
            self.end_block()
            self._kind, self._level = _KINDS.get(tag, "paragraph"), _LEVELS.get(tag, 0)
        self._preformatted += tag == "pre"
        self._in_title |= tag == "title"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        elif tag not in _WITHIN_BLOCK and _BLOCK.fullmatch(tag):
            self.end_block()
        if tag == "pre":
            self._preformatted = max(0, self._preformatted - 1)

    def handle_data(self, data: str) -> None:
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
        else:
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
