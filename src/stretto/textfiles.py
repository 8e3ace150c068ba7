"""Text files as people have them: whether a file is text at all, and in which encoding. Lines end with a line feed."""

import codecs
from dataclasses import dataclass
from typing import BinaryIO

BLOCK = 1 << 20
_BOMS = (  # the longer first: UTF-32's mark begins with UTF-16's
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\v\b\x1b"))
_MOST_CONTROL = 0.05
_C1 = bytes(range(0x80, 0xA0))
_UNDEFINED_IN_CP1252 = b"\x81\x8d\x8f\x90\x9d"


class NotText(ValueError):
    """The file holds something other than text; the message says what was met."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How to open a file: `open(path, encoding=name, errors=errors)`; `note` says what a reader should know."""

    name: str
    errors: str = "strict"
    note: str = ""


def marked_encoding(head: bytes) -> str | None:
    """Give the encoding that a byte order mark at the beginning of a file names, if there is one."""
    return next((name for bom, name in _BOMS if head.startswith(bom)), None)


def encoding_of(stream: BinaryIO) -> Encoding:
    """Tell the encoding of a file by reading it to its end, a block at a time; raises NotText.

    A byte order mark decides. Without one the text is UTF-8, or else Latin-1 (Windows-1252 where it uses what that
    has besides); text that is UTF-8 but for a few bytes stays so, with U+FFFD in their places.
    """
    block = stream.read(BLOCK)
    if marked := marked_encoding(block):
        return Encoding(marked, errors="replace")
    if len(block) - len(block.translate(None, _CONTROL)) > _MOST_CONTROL * len(block):
        raise NotText("binary data (control characters)")
    decoder = codecs.getincrementaldecoder("utf-8")()
    while block:
        if b"\0" in block:
            raise NotText("binary data (NUL bytes)")
        try:
            decoder.decode(block)
            last, block = block, stream.read(BLOCK)
            if not block:
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return _not_utf8(block or last)
    return Encoding("utf-8")


def _not_utf8(block: bytes) -> Encoding:
    text = block.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    whole = sum(character > "\x7f" for character in text) - broken
    if whole > 5 * broken:
        return Encoding("utf-8", errors="replace", note="some bytes are not UTF-8 and are shown as U+FFFD")
    has_c1 = len(block) != len(block.translate(None, _C1))
    if has_c1 and len(block) == len(block.translate(None, _UNDEFINED_IN_CP1252)):
        return Encoding("cp1252", errors="replace", note="not UTF-8; read as Windows-1252 (Latin-1 with quotes)")
    return Encoding("latin-1", note="not UTF-8; read as Latin-1 (Western European)")
