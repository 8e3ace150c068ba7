"""The cited lines: read from disk or from sources at hand, bounded, and never outside the folder that is allowed."""

import csv
import gzip
import json
import re
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from stretto.core.domain import Citation

LONGEST_LINE = 20_000
LARGEST_FILE = 64 * 1024 * 1024
MOST_CHOSEN = 3
_ROW = re.compile(r"^\s*\|.*\|\s*$")


class Unreadable(Exception):
    """Evidence that cannot be read; the message says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One cited line. `context` is the heading above it and the head of its table; `cells` are its columns."""

    file: str
    number: int | None
    text: str
    context: str = ""
    header: list[str] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)


class Library:
    """Reads cited lines. `sources` are texts by name; with `within` only files inside that folder are read."""

    def __init__(self, sources: Mapping[str, str] | None = None, within: str = "") -> None:
        self._sources = dict(sources or {})
        self._within = Path(within).resolve() if within else None
        self._held: dict[str, list[str]] = {}

    def lines(self, citation: Citation, wanted: set[str]) -> list[Line]:
        """Give the lines a citation names: its line, the lines that hold its text, or those that share most words.

        Raises Unreadable.
        """
        if not citation.file:
            if not citation.text.strip():
                raise Unreadable("a citation names neither a file nor a text")
            return [Line(file="", number=None, text=citation.text)]
        lines = self._read(citation.file)
        if citation.line is not None:
            if not 1 <= citation.line <= len(lines):
                raise Unreadable(f"{citation.file} has no line {citation.line}; it has {len(lines)}")
            return [self._line(citation.file, lines, citation.line - 1)]
        if citation.text:
            said = _spaced(citation.text.removesuffix("…"))
            return [self._line(citation.file, lines, place) for place in _holding(lines, said)[:MOST_CHOSEN]]
        ranked = sorted(
            range(len(lines)), key=lambda place: -len(wanted & set(_spaced(lines[place]).casefold().split()))
        )
        return [self._line(citation.file, lines, place) for place in ranked[:MOST_CHOSEN] if lines[place].strip()]

    def _read(self, file: str) -> list[str]:
        if file not in self._held:
            text = self._sources[file] if file in self._sources else self._from_disk(file)
            self._held[file] = [line[:LONGEST_LINE] for line in text.replace("\r\n", "\n").split("\n")]
            if self._held[file][-1:] == [""]:
                self._held[file].pop()
        return self._held[file]

    def _from_disk(self, file: str) -> str:
        if "\0" in file or "://" in file:
            raise Unreadable(f"{file!r} is no file here; hand its text over in sources")
        path = Path(file) if self._within is None else self._within / file
        try:
            path = path.resolve()
            if self._within is not None and not path.is_relative_to(self._within):
                raise Unreadable(f"{file} lies outside {self._within}")
            if not path.is_file():
                raise Unreadable(f"{file} is no file" if path.exists() else f"there is no file {file}")
            with closing(_opened(path)) as stream:
                data = stream.read(LARGEST_FILE + 1)
        except (OSError, EOFError) as error:
            raise Unreadable(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}") from None
        if len(data) > LARGEST_FILE:
            raise Unreadable(f"{file} is larger than {LARGEST_FILE >> 20} MB")
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16", "replace")
        if b"\0" in data[:4096]:
            raise Unreadable(f"{file} is binary")
        return data.decode("utf-8-sig", "replace")

    def _line(self, file: str, lines: list[str], place: int) -> Line:
        text = lines[place]
        delimiter = _delimiter(file, lines)
        if delimiter:
            header, cells = (_cells(lines[0], delimiter), _cells(text, delimiter)) if place else ([], [])
            shown = " | ".join(cells) if cells else text.replace(delimiter, " | ")
            return Line(file=file, number=place + 1, text=shown, context=" ".join(header), header=header, cells=cells)
        if _ROW.match(text):
            top = place
            while top > 0 and _ROW.match(lines[top - 1]):
                top -= 1
            header = _row(lines[top]) if top < place else []
            context = " ".join([_heading(lines, top), *header])
            return Line(file=file, number=place + 1, text=text, context=context, header=header, cells=_row(text))
        return Line(file=file, number=place + 1, text=text, context=_unescaped(text) or _heading(lines, place))


def quotes(line: Line, text: str) -> bool:
    """Whether a line holds a quoted text; white space and the form of quotation marks do not count."""
    said = _spaced(text.removesuffix("…"))
    return said in _spaced(line.text) or (bool(line.cells) and _spaced(said.replace(",", " | ")) in _spaced(line.text))


def _spaced(text: str) -> str:
    return " ".join(text.replace("’", "'").replace("“", '"').replace("”", '"').split())


def _holding(lines: list[str], said: str) -> list[int]:
    found = [place for place, line in enumerate(lines) if said and said in _spaced(line)]
    if found or not said:
        return found
    joined, places = "", []
    for place, line in enumerate(lines):  # a quote over several lines
        if line.strip():
            places.append((len(joined), place))
            joined += _spaced(line) + " "
    at = joined.find(said)
    return [] if at < 0 else [place for start, place in places if at - LONGEST_LINE < start < at + len(said) and
                              start + len(_spaced(lines[place])) > at]  # fmt: skip


def _heading(lines: list[str], place: int) -> str:
    """Give the nearest Markdown heading above a line."""
    for at in range(place - 1, max(-1, place - 400), -1):
        if lines[at].startswith("#"):
            return lines[at].lstrip("# ")
    return ""


def _unescaped(text: str) -> str:
    """Give a line of JSON with its escapes read, so that `\\u00dc` is known as the letter it is; else nothing."""
    if "\\u" not in text or not text.lstrip().startswith("{"):
        return ""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except (ValueError, RecursionError):
        return ""


def _delimiter(file: str, lines: list[str]) -> str:
    ending = file.lower().rpartition(".")[2]
    if ending == "tsv":
        return "\t"
    if ending != "csv" or not lines:
        return ""
    return max(",;\t", key=lines[0].count)


def _cells(line: str, delimiter: str) -> list[str]:
    return [one.strip() for one in next(csv.reader([line], delimiter=delimiter), [])]


def _row(line: str) -> list[str]:
    return [one.strip() for one in line.strip().strip("|").split("|")]


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as probe:
        packed = probe.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


def words_in(texts: Iterable[str]) -> set[str]:
    """Give the words of some texts, in small letters."""
    return {word for text in texts for word in text.casefold().split()}
