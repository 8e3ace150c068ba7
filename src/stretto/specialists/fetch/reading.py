"""From a document to readable text: HTML, Markdown, plain text, JSON, CSV, PDF."""

import io
import json
import re
from dataclasses import dataclass, field

from stretto.core.domain import FailureClass
from stretto.specialists.fetch.decoding import text_of
from stretto.specialists.fetch.model import CannotFetch

MOST_PAGES = 500
LONGEST_TITLE = 300
_HIDDEN = (
    "script", "style", "noscript", "template", "svg", "canvas", "iframe", "object", "nav", "form", "dialog", "head",
)  # fmt: skip
_BLOCK_NAMES = (
    "address article aside blockquote body caption dd details div dl dt fieldset figcaption figure footer "
    "h1 h2 h3 h4 h5 h6 header hr html legend li main ol p pre section summary table tbody tfoot thead title tr ul"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_TEXTS = {"text/plain", "text/markdown", "text/x-markdown", "text/csv", "text/tab-separated-values", "application/csv"}
_MARKUP = {"text/html", "application/xhtml+xml"}
_INVISIBLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")


@dataclass(slots=True, kw_only=True)
class Document:
    """A document as text, with its title and what should be said of it."""

    text: str
    title: str = ""
    charset: str = ""
    notes: list[str] = field(default_factory=list)


def accepts(media: str) -> bool:
    """Whether this kind of document can be read."""
    return media in _TEXTS | _MARKUP | {"application/pdf"} or media == "application/json" or media.endswith("+json")


def read(data: bytes, media: str, charset: str, *, cut: bool = False) -> Document:
    """Give a document, or what was received of it, as text; raises CannotFetch when it is not what it says."""
    if media == "application/pdf":
        return _pdf(data)
    text, name = text_of(data, charset, markup=media in _MARKUP, cut=cut)
    if "\0" in text[:4096]:
        raise CannotFetch(f"the page says that it is {media}, but it is binary")
    if media in _MARKUP:
        found = _html(text)
    elif media in _TEXTS:
        found = Document(text=text, title=_first_heading(text) if "markdown" in media else "")
    else:
        found = _json(text)
    found.text = _CONTROL.sub("", found.text.replace("\r\n", "\n").replace("\r", "\n")).strip("\n")
    found.title = " ".join(_CONTROL.sub("", found.title).split())[:LONGEST_TITLE]
    found.charset = name
    return found


def _html(text: str) -> Document:
    from bs4 import BeautifulSoup  # a tenth of a second

    try:
        soup = BeautifulSoup(text, "html.parser")
        title = soup.title.get_text(" ") if soup.title else ""
        for one in soup.find_all(_HIDDEN):
            one.decompose()
        for one in soup.select("[hidden]"):
            one.decompose()
        for one in soup.find_all(style=_INVISIBLE):
            one.decompose()
        lines = _Lines()
        lines.walk(soup)
        heading = soup.find(["h1", "h2"])
        return Document(text=lines.text(), title=title or (heading.get_text(" ") if heading else ""))
    except RecursionError:
        raise CannotFetch("the page is nested too deeply to be read") from None


class _Lines:
    """Gathers a page's text: one block a line, headings with #, items with -, cells with |, code as it stands."""

    def __init__(self) -> None:
        self._done: list[str] = []
        self._line: list[str] = []
        self._mark = ""

    def text(self) -> str:
        self._end()
        return "\n".join(self._done)

    def walk(self, root: object) -> None:
        """Go through the tree without recursion, so that its depth does not matter."""
        from bs4.element import NavigableString, PreformattedString, Tag

        stack: list[tuple[object, bool]] = [(root, False)]
        while stack:
            node, leaving = stack.pop()
            if isinstance(node, PreformattedString):
                continue
            if isinstance(node, NavigableString):
                self._line.append(re.sub(r"\s+", " ", str(node)))
            elif isinstance(node, Tag) and leaving:
                self._leave(node.name)
            elif isinstance(node, Tag) and node.name == "pre":
                self._end()
                self._done += ["    " + line.rstrip() for line in node.get_text().strip("\n").split("\n")]
            elif isinstance(node, Tag):
                self._enter(node.name)
                stack.append((node, True))
                stack += [(one, False) for one in reversed(list(node.children))]

    def _enter(self, name: str) -> None:
        if name in _BLOCKS:
            self._end()
        if re.fullmatch("h[1-6]", name):
            self._mark = "#" * int(name[1]) + " "
        elif name == "li":
            self._mark = "- "
        elif name == "br":
            self._end()

    def _leave(self, name: str) -> None:
        if name in ("td", "th"):
            self._line.append(" | ")
        if name in _BLOCKS:
            self._end()

    def _end(self) -> None:
        said = " ".join("".join(self._line).split())
        if said.endswith(" |"):
            said = said[:-2].rstrip()
        if said:
            self._done.append(self._mark + said)
            self._mark = ""
        self._line = []


def _json(text: str) -> Document:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Document(text=text, notes=[f"it says that it is JSON, but it cannot be read as such: {error}"])
    return Document(text=json.dumps(value, ensure_ascii=False, indent=2))


def _pdf(data: bytes) -> Document:
    try:
        import pypdf
    except ImportError:
        raise CannotFetch("PDF needs the extra `docs`: pip install 'stretto[docs]'", FailureClass.UNAVAILABLE) from None
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted:
            raise CannotFetch("the PDF is encrypted")
        pages = [one.extract_text() for one in reader.pages[:MOST_PAGES]]
        title = str(getattr(reader.metadata, "title", "") or "")
        count = len(reader.pages)
    except CannotFetch:
        raise
    except Exception as error:  # pypdf raises whatever a damaged file leads to
        raise CannotFetch(f"the PDF cannot be read: {type(error).__name__}: {error}") from None
    notes = [f"only the first {MOST_PAGES} of {count} pages were read"] if count > MOST_PAGES else []
    if not any(one.strip() for one in pages):
        notes.append("the PDF holds no text; it may be a scan")
    text = "\n".join(f"[page {number}]\n{one.strip()}" for number, one in enumerate(pages, start=1) if one.strip())
    return Document(text=_CONTROL.sub("", text), title=title[:LONGEST_TITLE], notes=notes)


def _first_heading(text: str) -> str:
    found = re.search(r"^#{1,3}\s+(.+)$", text, re.MULTILINE)
    return found[1] if found else ""
