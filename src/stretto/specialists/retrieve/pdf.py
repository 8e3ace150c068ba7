"""PDF to blocks, page by page, with pypdf; its lines are those of the extracted text, counted through the file."""

import contextlib
import io
import logging
from collections.abc import Iterator

from .markup import plain_blocks
from .model import Block, Line, UnreadableDocument


def pdf_pages(data: bytes, name: str, most_pages: int) -> tuple[str, list[list[str]], list[str]]:
    """Give the title, the lines of each page, and notes. Raises UnreadableDocument."""
    try:
        from pypdf import PdfReader  # heavy, and an extra
        from pypdf.errors import PyPdfError
    except ImportError:
        raise UnreadableDocument(f"{name}: reading PDF needs the extra `docs`: pip install 'stretto[docs]'") from None
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it warns of every oddity of every file
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableDocument(f"{name}: the PDF is encrypted; save a copy without its password")
        count = len(reader.pages)
        pages = [reader.pages[number].extract_text() or "" for number in range(min(count, most_pages))]
    except UnreadableDocument:
        raise
    except MemoryError:
        raise
    except (PyPdfError, ImportError, RecursionError, *_SLIPS) as error:
        raise UnreadableDocument(f"{name}: the PDF is damaged or of an unknown kind ({error}); save it anew") from None
    notes = []
    if count > most_pages:
        notes.append(f"only the first {most_pages} of {count} pages were read")
    if empty := sum(not page.strip() for page in pages):
        notes.append(f"{empty} of {len(pages)} pages hold no text; a scan needs text recognition first")
    title = ""
    with contextlib.suppress(PyPdfError, *_SLIPS):
        title = str((reader.metadata.title if reader.metadata else None) or "").strip()
    return title, [[line.rstrip() for line in page.split("\n")] for page in pages], notes


_SLIPS = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, OSError, AssertionError)
"""What pypdf lets slip when it reads a damaged file, besides its own errors."""


def pdf_blocks(pages: list[list[str]]) -> Iterator[Block]:
    """Split the pages into blocks."""
    before = 0
    for number, lines in enumerate(pages, start=1):
        for block in plain_blocks(lines):
            moved = tuple(Line(line.number + before, line.text, None) for line in block.lines)
            yield Block(kind=block.kind, lines=moved, level=block.level, page=number)
        before += len(lines)
