"""Retrieval over documents: a question in, ranked passages with file and line out; no model, nothing kept on disk.

`search_files` looks for passages in files and folders, `read_document` gives one document as text; the rules are in
docs/retrieve.md.
"""

from .documents import read_document
from .model import (
    BadQuestion,
    Document,
    Heading,
    Options,
    Passage,
    Passages,
    Place,
    Quote,
    Skipped,
    UnreadableDocument,
)
from .searching import search_files

__all__ = [
    "BadQuestion",
    "Document",
    "Heading",
    "Options",
    "Passage",
    "Passages",
    "Place",
    "Quote",
    "Skipped",
    "UnreadableDocument",
    "read_document",
    "search_files",
]
