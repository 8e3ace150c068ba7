"""Markdown that others wrote, as HTML that can do nothing: no markup of its own, no images, no scripts, safe links.

What an agent brings may have been written to keep whoever shows it busy, so it is read by a parser whose time grows
with the text alone (CommonMark with tables, without backtracking), and nothing is nested deeper than it looks at.
"""

from collections.abc import Sequence
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from stretto.dashboard.words import legible

MOST = 100_000
"""Characters that are rendered; a longer text is shown as it stands."""

_ABOVE: Final = 2
"""Levels of headings that the page has."""
_DEEPEST: Final = 6
_SCHEMES: Final = ("http://", "https://", "mailto:")
_AWAY: Final = {"rel": "noopener noreferrer nofollow", "target": "_blank"}


def safe_html(text: str) -> str:
    """Give a Markdown text as HTML of a few plain elements; raw HTML in it is shown as text.

    Links lead to the web or to a mail address only, and tell where they come from to nobody. Headings are moved below
    those of the page. Images become their descriptions.
    """
    tokens = _READER.parse(legible(text))
    _level(tokens)
    for token in tokens:
        _dress(token)
        for inner in token.children or ():
            _dress(inner)
    return str(_READER.renderer.render(tokens, _READER.options, {}))


def _level(tokens: Sequence[Token]) -> None:
    """Put headings below those of the page, none more than one level under the one before."""
    level = _ABOVE
    for token in tokens:
        if token.type == "heading_open":
            level = min(int(token.tag[1]) + _ABOVE, level + 1, _DEEPEST)
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{level}"


def _dress(token: Token) -> None:
    """Give an element the attributes that it may have, and no others."""
    match token.type:
        case "link_open":
            token.attrs = {"href": token.attrs.get("href", ""), **_AWAY}
        case "table_open":
            token.attrs = {"tabindex": "0"}
        case _:
            token.attrs = {}


class _Plain(RendererHTML):
    """Writes images as their descriptions, and code so that it is scrolled by keyboard."""

    def image(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        told = self.renderInlineAsText(tokens[idx].children or [], options, env)
        return f"[image: {escapeHtml(told) or 'without a description'}]"

    def code_block(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return f'<pre tabindex="0"><code>{escapeHtml(tokens[idx].content)}</code></pre>\n'

    fence = code_block


def _reader() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Plain).enable(["table", "strikethrough"])
    made.validateLink = lambda url: url.lower().startswith(_SCHEMES)  # type: ignore[method-assign]
    return made


_READER: Final = _reader()
