"""Passages in SQLite's full-text index (FTS5, BM25, Porter's stems, diacritics set aside), in a file that vanishes."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import PurePath
from types import TracebackType
from typing import Self

from .model import Line, Source
from .passages import pieces_of
from .words import Terms, indexed

_CONTEXT_WEIGHT = 0.5
_SENTENCE_WEIGHT = 1.0
_SENTENCE_BITS = 12  # a passage has fewer characters than that allows sentences
_CACHE_KB = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A passage that holds some of the terms."""

    id: int
    file: str
    page: int | None
    headings: tuple[str, ...]
    lines: tuple[Line, ...]
    score: float


class Index:
    """An index for one search. It lives in memory and, past 64 MB, in a nameless temporary file."""

    def __init__(self) -> None:
        self._store = sqlite3.connect("", isolation_level=None)
        self._store.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        self._store.executescript(_statement("schema"))
        self._store.execute("BEGIN")
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._store.close()

    def add(self, source: Source) -> int:
        """Take in a document; gives the number of its passages."""
        before = self._count
        name = indexed(PurePath(source.file).stem.replace("_", " "))
        for piece in pieces_of(source):
            self._count += 1
            lines = [[line.number, line.text, 1 if line.raw == line.text else line.raw] for line in piece.lines]
            stored = (json.dumps(piece.headings), json.dumps(lines))
            self._store.execute(_statement("add_piece"), (self._count, source.file, piece.page, *stored))
            context = "\n".join((*map(indexed, piece.headings), indexed(piece.context), name))
            self._store.execute(_statement("add_text"), (self._count, _sound(context), _sound(indexed(piece.text))))
            first = self._count << _SENTENCE_BITS
            sentences = ((first + at, _sound(indexed(text))) for at, text in enumerate(piece.sentences))
            self._store.executemany(_statement("add_sentence"), sentences)
        return self._count - before

    def search(self, terms: Terms, limit: int) -> Iterator[Hit]:
        """Give the best passages, best first; equals in the order they were added."""
        given = {
            "expression": terms.expression,
            "words": terms.any,
            "context": _CONTEXT_WEIGHT,
            "sentence": _SENTENCE_WEIGHT,
            "bits": _SENTENCE_BITS,
            "limit": limit,
        }
        for row in self._store.execute(_statement("search"), given):
            number, file, page, headings, lines, score = row
            yield Hit(
                id=number,
                file=file,
                page=page,
                headings=tuple(json.loads(headings)),
                lines=tuple(Line(at, text, text if raw == 1 else raw) for at, text, raw in json.loads(lines)),
                score=score,
            )

    def marked(self, terms: Terms, hit: Hit) -> list[str]:
        """Give the lines of a hit with every term found between U+0002 and U+0003."""
        given = {"expression": terms.expression, "id": hit.id}
        row = self._store.execute(_statement("marked"), given).fetchone()
        return str(row[0]).split("\n") if row else []


@cache
def _statement(name: str) -> str:
    return (files(__package__) / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def _sound(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
