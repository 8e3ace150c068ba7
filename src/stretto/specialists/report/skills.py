"""Formats reports: one document to Markdown and to a self-contained HTML page with charts."""

from typing import Any

from stretto.declare import pure
from stretto.ports import Assignment
from stretto.specialists.report import Document
from stretto.specialists.report import render as render_document
from stretto.specialists.report.gathering import gather


@pure(timeout=120)
def write(results: dict[str, Any], work: Assignment, title: str = "Report", name: str = "report") -> dict[str, str]:
    """Write a report from results of any form, each under its name, with their sources: NAME.md and NAME.html."""
    document = gather(results, title)
    for file, line, text in ((one.file, one.line, one.text) for one in document.sources):
        work.cite(file, line, text)
    return render(document, work, name)


@pure(timeout=120)
def render(document: Document, work: Assignment, name: str = "report") -> dict[str, str]:
    """Render a structured document to NAME.md and NAME.html.

    Gives the document's summary and the names of the two files, which are handed in as artifacts.
    """
    rendered = render_document(document)
    work.attach(f"{name}.md", rendered.markdown, "text/markdown")
    work.attach(f"{name}.html", rendered.html, "text/html")
    return {"markdown": f"{name}.md", "html": f"{name}.html", "summary": document.summary}
