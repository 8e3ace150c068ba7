"""Markdown that others wrote, as HTML that can do nothing: no markup of its own, no images, no scripts, safe links."""

from typing import Final

import markdown2
from bs4 import BeautifulSoup, Comment, Tag

from stretto.dashboard.words import legible

MOST = 400_000
"""Characters that are rendered; a longer text is shown as it stands."""

_EXTRAS: Final = ("tables", "fenced-code-blocks", "cuddled-lists", "strike", "footnotes")
_KEPT: Final = frozenset(
    {
        "a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6",
        "hr", "i", "li", "ol", "p", "pre", "s", "small", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead",
        "tr", "ul",
    }
)  # fmt: skip
_HEADINGS: Final = ["h1", "h2", "h3", "h4", "h5", "h6"]
_ABOVE: Final = 2
"""Levels of headings that the page has."""
_SCHEMES: Final = ("http://", "https://", "mailto:")


def safe_html(text: str) -> str:
    """Give a Markdown text as HTML of a few plain elements; raw HTML in it is shown as text.

    Links lead to the web or to a mail address only, and tell where they come from to nobody. Headings are moved below
    those of the page. Images become their descriptions.
    """
    made = markdown2.markdown(legible(text), extras=list(_EXTRAS), safe_mode="escape")
    soup = BeautifulSoup(made, "html.parser")
    for comment in soup.find_all(string=lambda found: isinstance(found, Comment)):
        comment.extract()
    for element in soup.find_all(True):
        _clean(element)
    _level(soup)
    return str(soup)


def _level(soup: BeautifulSoup) -> None:
    """Put headings below those of the page, none more than one level under the one before."""
    before = _ABOVE
    for heading in soup.find_all(_HEADINGS):
        before = min(int(heading.name[1]) + _ABOVE, before + 1, len(_HEADINGS))
        heading.name = f"h{before}"


def _clean(element: Tag) -> None:
    if element.name == "img":
        element.replace_with(f"[image: {element.get('alt') or 'without a description'}]")
        return
    if element.name not in _KEPT:
        element.unwrap()
        return
    href = str(element.get("href") or "")
    element.attrs = {}
    if element.name == "a" and href.lower().startswith(_SCHEMES):
        element.attrs = {"href": href, "rel": "noopener noreferrer nofollow", "target": "_blank"}
    elif element.name in ("pre", "table"):
        element.attrs = {"tabindex": "0"}
