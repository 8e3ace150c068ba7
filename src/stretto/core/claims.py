"""What results claim, as far as rules can tell: a subject, and what is said of it. And where claims contradict.

Two claims are about one subject when their words are the same but for numbers and negations. That is strict: it
misses contradictions in other words, and hardly ever sees one where there is none.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stretto.core.domain import Contradiction, Json

MOST_CHARACTERS = 200_000
"""Of one result that are looked into."""
MOST_CLAIMS = 5_000
_LABELS = ("label", "metric", "subject", "question", "claim", "name", "key")
_VALUES = ("value", "answer", "amount", "result", "verdict")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:\s?%)?(?!\w)")
_NOT = re.compile(r"\b(?:not|no|never|none|cannot|can't|won't|isn't|aren't|wasn't|weren't|doesn't|don't|didn't)\b")
_WORD = re.compile(r"[^\W\d_]+")
_SMALL = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "by",
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
                yield Claim(subject=_plain(label), value=_number(str(said)), text=f"{label}: {said}")
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
            if own.setdefault(claim.subject, claim).value != claim.value:
                barred.add(claim.subject)
        for subject, claim in own.items():
            other, earlier = first.setdefault(subject, (one, claim))
            if earlier.value != claim.value and one.beside(other):
                found.setdefault(subject, {other.task: earlier.text})[one.task] = claim.text
        if seen > MOST_CLAIMS:
            break
    return _told({subject: said for subject, said in found.items() if subject not in barred})


def _told(found: dict[str, dict[str, str]]) -> tuple[Contradiction, ...]:
    return tuple(Contradiction(subject=subject, said=tuple(said.items())) for subject, said in found.items())


def _sentences(text: str) -> Iterator[Claim]:
    for sentence in _SENTENCE.split(text):
        if len(sentence) > 500 or sentence[-1:] not in (".", "!", "?"):
            continue  # a heading, a row of a table, a line of a log
        low = sentence.casefold()
        numbers = _NUMBER.findall(low)
        negated = len(_NOT.findall(low)) % 2
        words = [word for word in _WORD.findall(_NOT.sub(" ", _NUMBER.sub(" ", low))) if word not in _SMALL]
        if len(words) >= _LEAST_WORDS:
            said = f"{'not ' if negated else ''}{' '.join(map(_number, numbers))}"
            yield Claim(subject=" ".join(words), value=said, text=sentence.strip())


def _plain(label: str) -> str:
    return " ".join(_WORD.findall(label.casefold())) or label


def _number(text: str) -> str:
    """Give a number as it counts, however it is written; other text without case."""
    bare = text.strip().replace(",", "").replace(" ", "").removeprefix("+")
    try:
        return f"{float(bare.removesuffix('%')):.12g}{'%' if bare.endswith('%') else ''}"
    except ValueError:
        return " ".join(text.casefold().split())
