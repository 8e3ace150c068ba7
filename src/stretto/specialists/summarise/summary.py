"""`summarise`: the sentences that stand for one text or several files, word for word."""

import heapq
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from stretto.specialists.summarise.languages import language_of, terms_of, words_of
from stretto.specialists.summarise.model import Sentence, Summary
from stretto.specialists.summarise.ranking import Candidate, chosen
from stretto.specialists.summarise.sentences import Found, sentences_of

MOST_SENTENCES = 200
MOST_RANKED = 800
"""Sentences in the graph; of larger texts the weightiest are taken first."""
MOST_TERMS = 200_000
LARGEST_FILE = 512 * 1024 * 1024
LONGEST_LINE = 200_000
MOST_FILES = 1_000
SAMPLED_WORDS = 50_000

Source = tuple[str, Callable[[], Iterator[str]]]
"""A document: its name, and its lines as often as they are asked for."""


class Unsummarisable(ValueError):
    """A text or file that cannot be summarised; the message says why and how to mend it."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A sentence that may be chosen."""

    source: int
    found: Found
    terms: tuple[str, ...]
    lead: float


def summarise(text: str = "", *, files: Sequence[str | Path] = (), sentences: int = 5, question: str = "") -> Summary:
    """Choose the sentences that say most of a text, or of several files, in their order; bent to a question if given.

    Raises Unsummarisable.
    """
    if not 1 <= sentences <= MOST_SENTENCES:
        raise Unsummarisable(f"sentences is from 1 to {MOST_SENTENCES}, not {sentences}")
    if bool(text.strip()) == bool(files):
        raise Unsummarisable(
            "give either a text or files" if files else "there is nothing to summarise: give text or files"
        )
    if len(files) > MOST_FILES:
        raise Unsummarisable(f"{len(files)} files are more than {MOST_FILES}")
    sources: list[Source] = [(str(one), _lines_of(Path(one))) for one in files] or [
        ("", lambda: iter(text.split("\n")))
    ]
    language, seen, counts = _counted(sources)
    notes = [] if language else ["the language is none that is known; no small words are left out"]
    if not seen:
        raise Unsummarisable("there are no whole sentences in it: headings, code, tables and short lines are left out")
    rarity = {term: math.log(1 + seen / count) for term, count in counts.items()}
    kept = _weightiest(sources, language, rarity, terms_of(words_of(question), language))
    if seen > len(kept):
        notes.append(f"{seen:,} sentences; the {len(kept)} weightiest were compared with one another")
    ranked = chosen(
        [Candidate(place, one.terms, one.lead) for place, one in enumerate(kept)],
        sentences,
        rarity,
        terms_of(words_of(question), language),
    )
    best = sorted((place, score) for place, score in ranked)
    picked = [
        Sentence(text=kept[place].found.text, file=sources[kept[place].source][0], line=kept[place].found.line,
                 score=round(score, 4))
        for place, score in best
    ]  # fmt: skip
    return Summary(
        text=" ".join(one.text for one in picked), sentences=picked, considered=seen, language=language, notes=notes
    )


def _counted(sources: Sequence[Source]) -> tuple[str, int, Counter[str]]:
    """Read everything once: the language, the number of sentences, and in how many of them each term is."""
    sample: list[str] = []
    for _, lines in sources:
        for found in sentences_of(lines()):
            sample += words_of(found.text)
            if len(sample) > SAMPLED_WORDS:
                break
    language = language_of(sample)
    counts: Counter[str] = Counter()
    seen = 0
    for _, lines in sources:
        for found in sentences_of(lines()):
            seen += 1
            counts.update(set(terms_of(words_of(found.text), language)))
            if len(counts) > 2 * MOST_TERMS:
                counts = Counter(dict(counts.most_common(MOST_TERMS)))
    return language, seen, counts


def _weightiest(
    sources: Sequence[Source], language: str, rarity: dict[str, float], focus: Sequence[str]
) -> list[_Kept]:
    """Read everything again and keep those sentences whose frequent terms weigh most, in order."""
    wanted = set(focus)
    heap: list[tuple[float, int, _Kept]] = []
    number = 0
    for source, (_, lines) in enumerate(sources):
        for place, found in enumerate(sentences_of(lines())):
            terms = tuple(terms_of(words_of(found.text), language))
            if not terms:
                continue
            number += 1
            lead = (1.0 if place == 0 else 0.5 if found.place == 0 else 0.0) if place < 30 else 0.0
            # frequent in the whole, but not everywhere: a sum of 1/rarity rewards the theme, its length is evened out
            weight = sum(1 / (0.5 + rarity.get(term, 9.0)) for term in set(terms)) / math.sqrt(len(terms) + 3)
            weight += lead / 10 + len(wanted & set(terms))
            entry = (weight, -number, _Kept(source, found, terms, lead))
            if len(heap) < MOST_RANKED:
                heapq.heappush(heap, entry)
            else:
                heapq.heappushpop(heap, entry)
    return [kept for _, _, kept in sorted(heap, key=lambda one: -one[1])]


def _lines_of(path: Path) -> Callable[[], Iterator[str]]:
    """Give the lines of a file; raises Unsummarisable for what is no readable text."""
    try:
        if path.is_dir() or not path.exists():
            raise Unsummarisable(
                f"{path} is a folder; name its files" if path.is_dir() else f"there is no file {str(path)!r}"
            )
        if path.stat().st_size > LARGEST_FILE:
            raise Unsummarisable(f"{path} is larger than {LARGEST_FILE >> 20} MB; part it")
        with path.open("rb") as stream:
            head = stream.read(4096)
    except (OSError, ValueError) as error:
        if isinstance(error, Unsummarisable):
            raise
        raise Unsummarisable(f"{str(path)!r} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif b"\0" in head:
        raise Unsummarisable(f"{path} is no text; give text, Markdown, or the text of a page")
    else:
        encoding = "utf-8-sig"
    return lambda: _read(path, encoding)


def _read(path: Path, encoding: str) -> Iterator[str]:
    with path.open(encoding=encoding, errors="replace") as stream:
        while line := stream.readline(LONGEST_LINE):
            yield line
