"""A question against files: find them, read them, index their passages, rank, fold, quote."""

import re
from collections.abc import Iterable, Sequence

from .finding import find_files
from .folding import Marks, alike, marks_of
from .index import Hit, Index
from .model import DEFAULTS, Options, Passage, Passages, Place, Quote, Skipped, UnreadableDocument
from .reading import read_source
from .words import Terms, terms_of

MOST_PASSAGES = 100
_CANDIDATES_PER_PASSAGE = 6
_SAME_SCORE = 0.85  # a copy that lacks a word of the question is no copy here
_MOST_QUOTES = 3
_LONGEST_QUOTE = 300
_BEFORE_TERM = 80
_MARKED = re.compile("\x02([^\x03]*)\x03")


def search_files(question: str, sources: Sequence[str], limit: int = 10, options: Options = DEFAULTS) -> Passages:
    """Give the passages of files and folders that answer a question, best first.

    Text in double quotes must stand in a passage as it is. `limit` is from 1 to 100. Files that cannot be read are
    named in the result. Raises BadQuestion, and UnreadableDocument for a source that is not there or when nothing
    can be read at all.
    """
    if not 1 <= limit <= MOST_PASSAGES:
        raise ValueError(f"limit is a number of passages from 1 to {MOST_PASSAGES}, not {limit}")
    if not sources:
        raise UnreadableDocument("no sources were named; give at least one file or folder")
    terms = terms_of(question)
    found = find_files(sources, options)
    with Index() as index:
        read, notes, unread = _index_all(found.files, index, options)
        skipped = (*found.skipped, *unread)
        if not read:
            raise UnreadableDocument(_nothing_read(sources, skipped))
        passages = tuple(_passages(index, terms, limit))
    looked_for = (*terms.phrases, *terms.words)
    if not passages:
        notes.insert(0, f"no passage holds {'the phrase' if terms.phrases else 'any of'}: {', '.join(looked_for)}")
    return Passages(
        question=question,
        terms=looked_for,
        passages=passages,
        files=tuple(read),
        skipped=skipped,
        notes=tuple(notes),
    )


def _index_all(files: Iterable[str], index: Index, options: Options) -> tuple[list[str], list[str], list[Skipped]]:
    read, notes, skipped = [], [], []
    for file in files:
        try:
            source = read_source(file, options)
        except UnreadableDocument as error:
            skipped.append(Skipped(file=file, why=str(error).removeprefix(f"{file}: ")))
            continue
        index.add(source)
        read.append(file)
        notes += [f"{file}: {note}" for note in source.notes]
    return read, notes, skipped


def _nothing_read(sources: Sequence[str], skipped: Sequence[Skipped]) -> str:
    named = ", ".join(sources[:5])
    if not skipped:
        return f"{named}: no file to search; name files, or folders that hold some"
    return f"{named}: nothing could be read; {skipped[0].file}: {skipped[0].why}"


def _passages(index: Index, terms: Terms, limit: int) -> Iterable[Passage]:
    """Rank the hits and fold those that repeat a better one into it."""
    kept: list[tuple[Hit, Marks, list[Place]]] = []
    for hit in index.search(terms, limit * _CANDIDATES_PER_PASSAGE):
        marks = marks_of("\n".join(line.text for line in hit.lines))
        near = ((other, also) for best, other, also in kept if hit.score >= _SAME_SCORE * best.score)
        twin = next((also for other, also in near if alike(marks, other)), None)
        if twin is not None:
            twin.append(Place(file=hit.file, line=hit.lines[0].number, page=hit.page))
        elif len(kept) < limit:
            kept.append((hit, marks, []))
    for hit, _, also in kept:
        yield Passage(
            file=hit.file,
            line=hit.lines[0].number,
            end_line=hit.lines[-1].number,
            page=hit.page,
            headings=hit.headings,
            text="\n".join(line.text for line in hit.lines),
            score=round(hit.score, 4),
            quotes=tuple(_quotes(hit, index.marked(terms, hit))),
            also=tuple(also),
        )


def _quotes(hit: Hit, marked: Sequence[str]) -> Iterable[Quote]:
    """Give the lines with most of the terms; the first line when the terms stand in the headings only."""
    told = []
    for at, (line, text) in enumerate(zip(hit.lines, marked, strict=False)):
        terms = [term.replace(" ", "") for term in _MARKED.findall(text)]
        if terms:
            told.append((-len({term.lower() for term in terms}), at, line, terms))
    if not told:
        told = [(0, 0, next((line for line in hit.lines if line.text.strip()), hit.lines[0]), [])]
    told.sort(key=lambda one: one[:2])
    for _, _, line, terms in told[:_MOST_QUOTES]:
        yield Quote(line=line.number, text=_cut(line.raw or line.text, terms))


def _cut(text: str, terms: Sequence[str]) -> str:
    """Give the part of a long line around the first of the terms, beginning with a word."""
    text = text.strip()
    if len(text) <= _LONGEST_QUOTE:
        return text
    first = min((at for term in terms if (at := text.find(term)) >= 0), default=0)
    start = max(0, first - _BEFORE_TERM)
    if start:
        start = text.find(" ", start, first) + 1 or start
    return text[start : start + _LONGEST_QUOTE].strip()
