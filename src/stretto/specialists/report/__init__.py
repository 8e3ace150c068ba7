"""A report, from a document to Markdown and one HTML page; every text in it is shown, never obeyed.

Nothing here reads a file of the user's, asks the network or knows the time: the same document always gives
the same two texts.
"""

from dataclasses import dataclass

from stretto.specialists.report.check import BadDocument, check
from stretto.specialists.report.clean import cleaned
from stretto.specialists.report.document import Chart, Citation, Code, Document, Fact, Section, Table
from stretto.specialists.report.markdown import to_markdown
from stretto.specialists.report.page import to_html

__all__ = [
    "BadDocument",
    "Chart",
    "Citation",
    "Code",
    "Document",
    "Fact",
    "Rendered",
    "Section",
    "Table",
    "render",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """The two forms of one document; both end in a newline and can be written as UTF-8."""

    markdown: str
    html: str


def render(document: Document) -> Rendered:
    """Render `document` to Markdown and to one self-contained HTML page.

    Raises BadDocument, naming the place, when the document contradicts itself.
    """
    check(document)
    clean = cleaned(document)
    return Rendered(markdown=to_markdown(clean), html=to_html(clean))
