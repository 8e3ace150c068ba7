"""What a search gives: frozen data of JSON-able fields; lines are counted from 1, as line feeds part them."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Bounds of a search: files, bytes of one file and of all together, pages of one PDF."""

    files: int = 20_000
    file_bytes: int = 32 << 20
    total_bytes: int = 512 << 20
    pages: int = 2_000


DEFAULTS = Options()


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A file that was not searched, and why."""

    file: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where else the same text stands."""

    file: str
    line: int
    page: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """One line of a passage that holds words of the question; `text` is what stands in the file."""

    line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A stretch of a document that answers the question: lines `line` to `end_line` of `file`.

    `page` is set for PDF, whose lines are those of its extracted text. `headings` are the titles it stands
    under, the outermost first. `score` is its BM25 rank, higher is better, comparable within one search only.
    `quotes` are its lines with most words of the question, the best first; `also` says where it is repeated.
    """

    file: str
    line: int
    end_line: int
    page: int | None
    headings: tuple[str, ...]
    text: str
    score: float
    quotes: tuple[Quote, ...]
    also: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Passages:
    """The answer to a question, best passage first; `files` were searched, `skipped` were not.

    `terms` are the words and phrases that were looked for; `notes` say what a reader should know.
    """

    question: str
    terms: tuple[str, ...]
    passages: tuple[Passage, ...]
    files: tuple[str, ...]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading of a document: level from 1, the line and (in a PDF) the page where it stands."""

    level: int
    text: str
    line: int
    page: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document as text: its lines `first_line` to `last_line` of `lines`; `next_line` when there are more."""

    file: str
    format: str
    title: str
    lines: int
    first_line: int
    last_line: int
    next_line: int | None
    text: str
    headings: tuple[Heading, ...] = ()
    notes: tuple[str, ...] = ()


class UnreadableDocument(ValueError):
    """A source cannot be searched or read; the message says what is wrong, where, and how to mend it."""


class BadQuestion(ValueError):
    """The question cannot be searched for; the message says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a document: its number, its text, and what of it stands in the file word for word, if anything does."""

    number: int
    text: str
    raw: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A piece of a document that belongs together; `level` is that of a heading."""

    kind: str  # heading, paragraph, item, code, table
    lines: tuple[Line, ...]
    level: int = 0
    page: int | None = None

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A document that was read: its format, its blocks in order, all its lines as text."""

    file: str
    format: str
    blocks: tuple[Block, ...]
    lines: tuple[str, ...]
    title: str = ""
    notes: tuple[str, ...] = field(default=())
