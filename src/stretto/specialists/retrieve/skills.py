"""Finds passages that answer a question in text, Markdown, HTML and PDF files, each cited with file and line.

It matches words and their stems, not meanings: a passage that shares no word with the question is not found.
"""

from stretto.core.domain import FailureClass
from stretto.declare import pure
from stretto.ports import AgentFailure, Assignment
from stretto.specialists.retrieve import (
    BadQuestion,
    Document,
    Passages,
    UnreadableDocument,
    read_document,
    search_files,
)

MOST_CITED_FILES = 50


@pure(isolated=True, evidence=True, timeout=900, memory_mb=2048)
def search(question: str, sources: list[str], work: Assignment, limit: int = 10) -> Passages:
    """Search files and folders for the passages that answer a question, best first, by words and stems, not by meaning.

    Text in double quotes must stand there as it is. `limit` is the number of passages, 100 at most. Every passage is
    cited by its lines; where nothing is found, the files that were searched are cited.
    """
    try:
        found = search_files(question, sources, limit)
    except (UnreadableDocument, BadQuestion, ValueError) as error:
        raise AgentFailure(str(error), FailureClass.REFUSED) from None
    for passage in found.passages:
        if passage.page is not None:
            work.cite(passage.file, None, passage.quotes[0].text)
        else:
            for quote in passage.quotes:
                work.cite(passage.file, quote.line, quote.text)
    if not found.passages:
        for file in found.files[:MOST_CITED_FILES]:
            work.cite(file)
    return found


@pure(isolated=True, evidence=True, timeout=300, memory_mb=2048)
def read(file: str, work: Assignment, first_line: int = 1, lines: int = 2000) -> Document:
    """Read one document as text, with its headings and their lines."""
    try:
        document = read_document(file, first_line, lines)
    except (UnreadableDocument, ValueError) as error:
        raise AgentFailure(str(error), FailureClass.REFUSED) from None
    work.cite(file)
    return document
