"""From the bytes of an answer to text, within bounds: content codings, character sets."""

import codecs
import re
import zlib
from collections.abc import AsyncIterator

from stretto.specialists.fetch.model import CannotFetch

_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w:.-]{2,40})", re.IGNORECASE)
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_CODINGS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_SAME = {"ascii": "windows-1252", "iso8859-1": "windows-1252"}
"""What browsers do: the WHATWG encoding standard reads these as Windows-1252."""


async def body(chunks: AsyncIterator[bytes], coding: str, most: int) -> tuple[bytes, bool]:
    """Give the unpacked body, at most `most` bytes of it, and whether it was cut; raises CannotFetch.

    Unpacking stops at the bound too, however little was received.
    """
    name = coding.strip().lower()
    if name in ("", "identity"):
        unpack = None
    elif name in _CODINGS:
        unpack = zlib.decompressobj(_CODINGS[name])
    else:
        raise CannotFetch(f"the server packs its answer as {coding[:40]!r}, though only gzip was asked for")
    whole = bytearray()
    async for chunk in chunks:
        rest = chunk
        while rest:
            if unpack is None:
                whole += rest
                rest = b""
            else:
                whole += _unpacked(unpack, rest, most + 1 - len(whole))
                rest = unpack.unconsumed_tail
                if unpack.eof:
                    return bytes(whole[:most]), len(whole) > most
            if len(whole) > most:
                return bytes(whole[:most]), True
    return bytes(whole), False


def text_of(data: bytes, declared: str, *, markup: bool, cut: bool = False) -> tuple[str, str]:
    """Give the text and the name of its character set: mark, header, meta element, UTF-8, else Windows-1252.

    Of a `cut` text the last letter may be missing a part.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data.decode(name, "replace"), name.removesuffix("-sig")
    named = declared.strip(" \"'") or (_meta(data) if markup else "")
    if named and (known := _known(named)) is not None:
        return data.decode(known, "replace"), known
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        if cut and error.reason == "unexpected end of data":
            return data.decode("utf-8", "ignore"), "utf-8"
    return data.decode("windows-1252", "replace"), "windows-1252"


def _unpacked(unpack: "zlib._Decompress", data: bytes, most: int) -> bytes:
    try:
        return unpack.decompress(data, max(1, most))
    except zlib.error as error:
        raise CannotFetch(f"the server's answer is packed wrongly: {error}") from None


def _meta(data: bytes) -> str:
    found = _META.search(data[:4096])
    return found[1].decode("ascii", "replace") if found else ""


def _known(name: str) -> str | None:
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    if not getattr(found, "_is_text_encoding", True):  # rot13, zlib and the like are no character sets
        return None
    return _SAME.get(found.name, found.name)
