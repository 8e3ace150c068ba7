"""One document as text, a stretch of its lines at a time, with its outline."""

from .finding import find_files
from .model import DEFAULTS, Document, Heading, Options, UnreadableDocument
from .reading import read_source

MOST_LINES = 10_000
_MOST_HEADINGS = 500
_MOST_CHARACTERS = 1_000_000


def read_document(file: str, first_line: int = 1, lines: int = 2_000, options: Options = DEFAULTS) -> Document:
    """Read `lines` lines of a document from `first_line` on, at most a million characters of them.

    The lines of HTML are those of the file without its markup; those of a PDF are its extracted text. Raises
    UnreadableDocument, and ValueError for lines that cannot be.
    """
    if first_line < 1 or not 1 <= lines <= MOST_LINES:
        raise ValueError(f"lines are counted from 1, and 1 to {MOST_LINES} are read at once")
    found = find_files([file], options)
    if found.skipped and not found.files:
        raise UnreadableDocument(f"{file}: {found.skipped[0].why}")
    if found.files != [file]:
        raise UnreadableDocument(f"{file}: this is a folder; name one file of it")
    source = read_source(file, options)
    total = len(source.lines)
    if first_line > max(1, total):
        raise UnreadableDocument(f"{file}: it has {total} lines, and none is line {first_line}; begin earlier")
    taken, size = 0, 0
    for line in source.lines[first_line - 1 : first_line - 1 + lines]:
        size += len(line) + 1
        if taken and size > _MOST_CHARACTERS:
            break
        taken += 1
    last = first_line - 1 + taken
    headings = [block for block in source.blocks if block.kind == "heading"]
    return Document(
        file=file,
        format=source.format,
        title=source.title,
        lines=total,
        first_line=first_line,
        last_line=last,
        next_line=last + 1 if last < total else None,
        text="\n".join(source.lines[first_line - 1 : last]),
        headings=tuple(
            Heading(level=block.level, text=" ".join(block.text.split()), line=block.lines[0].number, page=block.page)
            for block in headings[:_MOST_HEADINGS]
        ),
        notes=source.notes,
    )
