"""One file to a document of blocks: Markdown, HTML, PDF or plain text, told by suffix and first bytes."""

import io
from collections.abc import Iterable
from pathlib import Path, PurePath

from stretto.textfiles import NotText, encoding_of

from .html import html_blocks
from .markup import markdown_blocks, plain_blocks
from .model import Block, Options, Source, UnreadableDocument
from .pdf import pdf_blocks, pdf_pages

_MARKDOWN = frozenset({".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd"})
_HTML = frozenset({".html", ".htm", ".xhtml"})
_HTML_HEADS = ("<!doctype html", "<html")
_PACKED = {
    b"PK\x03\x04": "an archive or an Office document; save it as PDF, HTML or text",
    b"\xd0\xcf\x11\xe0": "an old Office document; save it as PDF, HTML or text",
    b"\x1f\x8b": "gzip data; unpack it first (gunzip)",
    b"{\\rtf": "rich text; save it as PDF, HTML or text",
}


def read_source(file: str, options: Options) -> Source:
    """Read one document. Raises UnreadableDocument."""
    try:
        with Path(file).open("rb") as stream:
            data = stream.read(options.file_bytes + 1)
    except OSError as error:
        raise UnreadableDocument(f"{file}: cannot be read ({error.strerror}); check its permissions") from None
    if len(data) > options.file_bytes:
        raise UnreadableDocument(f"{file}: larger than {options.file_bytes >> 20} MB; split it")
    if data[:1024].lstrip().startswith(b"%PDF-"):
        return _pdf(file, data, options)
    for head, what in _PACKED.items():
        if data.startswith(head):
            raise UnreadableDocument(f"{file}: {what}")
    try:
        encoding = encoding_of(io.BytesIO(data))
    except NotText as error:
        raise UnreadableDocument(f"{file}: {error}; give a text, HTML or PDF file") from None
    return _text(file, data.decode(encoding.name, encoding.errors), (encoding.note,) if encoding.note else ())


def _pdf(file: str, data: bytes, options: Options) -> Source:
    title, pages, notes = pdf_pages(data, file, options.pages)
    return Source(
        file=file,
        format="PDF",
        blocks=tuple(pdf_blocks(pages)),
        lines=tuple(line for page in pages for line in page),
        title=title,
        notes=tuple(notes),
    )


def _text(file: str, text: str, notes: tuple[str, ...]) -> Source:
    lines = tuple(line.removesuffix("\r") for line in text.removesuffix("\n").split("\n"))
    suffix = PurePath(file).suffix.lower()
    if suffix in _HTML or text[:512].lstrip().lower().startswith(_HTML_HEADS):
        title, page = html_blocks(text)
        return Source(
            file=file, format="HTML", blocks=tuple(page), lines=_shown(page, len(lines)), title=title, notes=notes
        )
    markdown = suffix in _MARKDOWN
    blocks = tuple((markdown_blocks if markdown else plain_blocks)(lines))
    title = next((block.text for block in blocks if block.kind == "heading" and block.level == 1), "")
    kind = "Markdown" if markdown else "text"
    return Source(file=file, format=kind, blocks=blocks, lines=lines, title=title, notes=notes)


def _shown(blocks: Iterable[Block], count: int) -> tuple[str, ...]:
    """Give the text of a page at the lines where it stands in the file."""
    shown: list[list[str]] = [[] for _ in range(count)]
    for block in blocks:
        for line in block.lines:
            shown[line.number - 1].append(line.text)
    return tuple(map(" ".join, shown))
