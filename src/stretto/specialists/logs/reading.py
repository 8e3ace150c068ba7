"""Bytes of a log to blocks of text lines; its law: never more than a block and one line's head in memory."""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

LINE_LIMIT = 64 * 1024
BLOCK = 256 * 1024

FORMATS = (
    "syslog (with or without the year, RFC 3164 or RFC 5424)",
    "vsftpd's own log",
    "nginx or Apache access log (common or combined)",
    "nginx error log",
    "JSON lines (journald's export among them)",
)


class UnreadableLog(ValueError):
    """The file cannot be analysed; the message says what is wrong, where, and how to mend it."""


def line_blocks(path: str | os.PathLike[str]) -> Iterator[list[str]]:
    """Yield the file's lines in blocks, in order, without line ends; gzip is unpacked on the way.

    Of a line over 64 KB only the head is kept. Undecodable bytes become U+FFFD. Raises UnreadableLog.
    """
    name = os.fspath(path)
    try:
        with _open(name) as stream:
            yield from _blocks(stream, name)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise UnreadableLog(f"{name}: the gzip data is damaged ({error}); fetch or compress it again") from error
    except PermissionError as error:
        raise UnreadableLog(f"{name}: permission denied; allow this user to read it (chmod or chgrp)") from error
    except OSError as error:
        raise UnreadableLog(f"{name}: cannot be read ({error.strerror or error}); check the disk") from error


def unknown_format(name: str, lines: int) -> UnreadableLog:
    """The error for a file of text in which no line is of a known format."""
    known = "; ".join(FORMATS)
    return UnreadableLog(f"{name}: none of its {lines} lines is of a known format; give a log in one of: {known}")


def empty(name: str) -> UnreadableLog:
    """The error for a file without a single non-blank line."""
    return UnreadableLog(f"{name}: the file is empty; give a log with at least one record")


def _open(name: str) -> IO[bytes]:
    try:
        mode = Path(name).stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UnreadableLog(f"{name}: no such file; check the path") from error
    except ValueError as error:  # a NUL in the name
        raise UnreadableLog(f"{name!r}: not a usable path ({error}); check the path") from error
    if stat.S_ISDIR(mode):
        raise UnreadableLog(f"{name}: this is a directory; name the log files inside it")
    if not stat.S_ISREG(mode):
        raise UnreadableLog(f"{name}: not a regular file; copy the log into one")
    with Path(name).open("rb") as probe:
        zipped = probe.read(2) == b"\x1f\x8b"
    if zipped:
        return cast("IO[bytes]", gzip.open(name, "rb"))
    return Path(name).open("rb")


def _blocks(stream: IO[bytes], name: str) -> Iterator[list[str]]:
    rest, skipping, first = b"", False, True
    while chunk := stream.read(BLOCK):
        if first:
            _refuse_binary(chunk, name)
            first = False
        if b"\0" in chunk:  # a crash leaves runs of NUL in the midst of a log
            chunk = chunk.replace(b"\0", b"")
        if skipping:
            end = chunk.find(b"\n")
            if end < 0:
                continue
            chunk, skipping = chunk[end:], False
        chunk = rest + chunk
        end = chunk.rfind(b"\n")
        if end >= 0:
            yield _lines(chunk[:end])
        rest = chunk[end + 1 :]
        if len(rest) > LINE_LIMIT:
            rest, skipping = rest[:LINE_LIMIT], True
    if rest:
        yield _lines(rest)


def _lines(data: bytes) -> list[str]:
    lines = data.decode("utf-8", "replace").replace("\r\n", "\n").removesuffix("\r").split("\n")
    if len(max(lines, key=len)) > LINE_LIMIT:
        lines = [line[:LINE_LIMIT] for line in lines]
    return lines


def _refuse_binary(head: bytes, name: str) -> None:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableLog(f"{name}: this is UTF-16 text; turn it to UTF-8 (iconv -f UTF-16 -t UTF-8)")
    if b"\0" in head:
        raise UnreadableLog(
            f"{name}: binary data (NUL at byte {head.index(0)}); give a text log, "
            "or remove the NULs if a crash left them (tr -d '\\000')"
        )
    text = head.decode("utf-8", "replace")
    if text.count("\ufffd") * 10 > len(text) * 3:
        raise UnreadableLog(f"{name}: binary data (mostly not UTF-8 text); give a text log")
