"""What results claim, as far as rules can tell: a subject, and what is said of it. And where claims contradict.

Two claims are about one subject when their words are the same but for numbers and negations. Numbers that name
something (a year, a day, a chapter) are part of the subject. That is strict: it misses contradictions in other words,
and hardly ever sees one where there is none.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stretto.core.domain import Contradiction, Json

MOST_CHARACTERS = 200_000
"""Of one result that are looked into."""
MOST_CLAIMS = 5_000
_LABELS = ("label", "metric", "subject", "question", "claim", "name", "key")
_PLACES = ("file", "source", "table", "url")
"""Fields that say where a figure is from: figures from different places are about different things."""
_VALUES = ("value", "answer", "amount", "result", "verdict")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:\s?%|[km]|bn)?(?!\w)")
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)(?:[a-z]*)\.?"
_NAMING = re.compile(
    rf"\b\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}\b|\b{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?\b|\b\d{{4}}-\d\d-\d\d\b"
    r"|\b(?:chapter|section|page|part|figure|table|step|line|row|item|task|version|day|week|number|no\.?)\s+\d+(?:\.\d+)*\b"
    r"|(?<![\w.,$€£-])(?:19|20)\d\d(?![\w%,]|\.\d)"
)
"""Numbers that say which one, not how many."""
_MARK = re.compile(r"\s*\[(?:\d{1,4}(?:\s*[,–-]\s*)?)+\]")
"""What points to a source, as in `[3]` and `[2, 5]`."""
_NOT = re.compile(r"\b(?:not|no|never|none|cannot|can't|won't|isn't|aren't|wasn't|weren't|doesn't|don't|didn't)\b")
_WORD = re.compile(r"[^\W_]*[^\W\d_][^\W_]*")
_TOKEN = re.compile(r"[^\W_]+")
_SMALL = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "by",
        "did",
        "do",
        "does",
        "for",
        "from",
        "in",
        "is",
        "it",
        "of",
        "on",
        "or",
        "that",
        "the",
        "this",
        "to",
        "was",
        "were",
        "with",
    ]
)
_LEAST_WORDS = 3
"""Words of weight that a sentence needs to be about something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Something said about a subject. `subject` is normalised, `text` is as it was said."""

    subject: str
    value: str
    text: str


def claims(value: Json) -> Iterator[Claim]:
    """Give what a result claims: entries with a label and a value, and sentences with numbers or negations."""
    budget = MOST_CHARACTERS
    stack = [value]
    while stack and budget > 0:
        here = stack.pop()
        if isinstance(here, str):
            yield from _sentences(here[:budget])
            budget -= len(here)
        elif isinstance(here, dict):
            if "file" in here and "line" in here:
                continue  # a place in a source: what stands there is quoted, not claimed
            label = next((here[name] for name in _LABELS if isinstance(here.get(name), str)), None)
            said = next((here[name] for name in _VALUES if isinstance(here.get(name), str | int | float)), None)
            if label is not None and said is not None:
                budget -= len(label)
                where = [here[name] for name in _PLACES if isinstance(here.get(name), str)]
                yield Claim(
                    subject=" ".join([_plain(label), *where]), value=_number(str(said)), text=f"{label}: {said}"
                )
            stack += [inner for inner in here.values() if isinstance(inner, dict | list | str)]
            budget -= len(here)
        elif isinstance(here, list | tuple):
            stack += [inner for inner in here if isinstance(inner, dict | list | tuple | str)]
            budget -= len(here)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A result: which task said it, by which skill, on what."""

    task: str
    skill: str
    given: bytes
    value: Json

    def beside(self, other: "Said") -> bool:
        """Whether two results may be held against each other: one skill says different things of different things."""
        return self.task != other.task and (self.skill != other.skill or self.given == other.given)


def contradictions(results: Iterable[Said]) -> tuple[Contradiction, ...]:
    """Find contradictions between results.

    A subject of which one result says several things is none: it is a heading, or a kind of line in a log.
    """
    first: dict[str, tuple[Said, Claim]] = {}
    found: dict[str, dict[str, str]] = {}
    barred: set[str] = set()
    seen = 0
    for one in results:
        own: dict[str, Claim] = {}
        for claim in claims(one.value):
            seen += 1
            if not _agree(own.setdefault(claim.subject, claim).value, claim.value):
                barred.add(claim.subject)
        for subject, claim in own.items():
            other, earlier = first.setdefault(subject, (one, claim))
            if not _agree(earlier.value, claim.value) and one.beside(other):
                found.setdefault(subject, {other.task: earlier.text})[one.task] = claim.text
        if seen > MOST_CLAIMS:
            break
    return _told({subject: said for subject, said in found.items() if subject not in barred})


def _told(found: dict[str, dict[str, str]]) -> tuple[Contradiction, ...]:
    return tuple(Contradiction(subject=subject, said=tuple(said.items())) for subject, said in found.items())


def _sentences(text: str) -> Iterator[Claim]:
    for sentence in _SENTENCE.split(text):
        if len(sentence) > 500 or _MARK.sub("", sentence)[-1:] not in (".", "!", "?"):
            continue  # a heading, a row of a table, a line of a log
        low = _MARK.sub("", sentence.casefold().replace("’", "'"))
        names = _NAMING.findall(low)
        low = _NAMING.sub(" ", low)
        numbers = _NUMBER.findall(low)
        negated = len(_NOT.findall(low)) % 2
        words = [word for word in _WORD.findall(_NOT.sub(" ", _NUMBER.sub(" ", low))) if word not in _SMALL]
        if len(words) >= _LEAST_WORDS:
            said = f"{'not ' if negated else ''}{' '.join(map(_number, numbers))}"
            subject = " ".join([*(word.removesuffix("s") for word in words), *names])
            yield Claim(subject=subject, value=said, text=sentence.strip())


def _plain(label: str) -> str:
    return " ".join(_TOKEN.findall(label.casefold())) or label


def _agree(first: str, second: str) -> bool:
    """Whether two values are the same, or one is the other rounded to fewer decimals."""
    if first == second:
        return True
    decimals = min(len(one.partition(".")[2]) for one in (first, second))
    try:
        return decimals > 0 and round(float(first), decimals) == round(float(second), decimals)
    except ValueError:
        return False


def _number(text: str) -> str:
    """Give a number as it counts, however it is written; other text without case."""
    bare = text.strip().replace(",", "").replace(" ", "").removeprefix("+")
    try:
        return f"{float(bare.removesuffix('%')):.12g}{'%' if bare.endswith('%') else ''}"
    except ValueError:
        return " ".join(text.casefold().split())
