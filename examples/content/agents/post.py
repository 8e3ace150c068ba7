"""Holds a post against its facts, and lays it out as a document."""

import re
from dataclasses import dataclass
from pathlib import Path

from stretto import Assignment, pure
from stretto.core.domain import Citation as Cited
from stretto.specialists.report import Citation, Document, Section
from stretto.specialists.verify import Claim, Verdicts

MARK = re.compile(r"\[(\d{1,4})\]")
MARKED = re.compile(r"\s*\[\d{1,4}\]")
SENTENCE = re.compile(r"[^.!?]+(?:[.!?](?!\s|$)[^.!?]*)*[.!?]?(?:\s*\[\d{1,4}\])*")
FIGURE = re.compile(r"\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a post."""

    heading: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A post as it was written: [n] stands behind what fact number n says."""

    title: str
    lead: str
    sections: list[Part]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What a line of a source says."""

    fact: str
    file: str
    line: int


@pure
def claims(post: Post, facts: list[Fact]) -> list[Claim]:
    """Give every sentence that has a figure or names a fact, with the lines that it rests on."""
    found = []
    for text in (post.lead, *(part.text for part in post.sections)):
        for sentence in SENTENCE.findall(text):
            numbers = [int(one) for one in MARK.findall(sentence)]
            words = MARKED.sub("", sentence).strip()
            if not numbers and not FIGURE.search(words):
                continue
            cited = [facts[one - 1] for one in numbers if 0 < one <= len(facts)]
            found.append(Claim(text=words, citations=[Cited(file=one.file, line=one.line) for one in cited]))
    return found


@pure
def lay_out(post: Post, facts: list[Fact], held: Verdicts, work: Assignment) -> Document:
    """Lay a post out as a document with its sources; what the sources do not bear out is named at its end."""
    used = sorted({int(one) for one in MARK.findall(_whole(post)) if 0 < int(one) <= len(facts)})
    place = {number: position for position, number in enumerate(used, 1)}
    sources = []
    for number in used:
        fact = facts[number - 1]
        text = Path(fact.file).read_text(encoding="utf-8").splitlines()[fact.line - 1].strip()
        sources.append(Citation(file=Path(fact.file).name, line=fact.line, text=text))
        work.cite(fact.file, fact.line, text)
    doubtful = [one for one in held.verdicts if one.verdict != "supported"]
    return Document(
        title=post.title,
        summary=_numbered(post.lead, place),
        sections=tuple(Section(heading=one.heading, text=_numbered(one.text, place)) for one in post.sections),
        sources=tuple(sources),
        gaps=tuple(f"{one.verdict}: {one.claim} ({one.reason})" for one in doubtful),
        made="Written by a model from the sources below; each sentence with a figure was held against its line.",
    )


def _numbered(text: str, place: dict[int, int]) -> str:
    """Number marks as the sources are numbered; marks of facts that there are not go."""
    return MARK.sub(lambda found: f"[{place[int(found[1])]}]" if int(found[1]) in place else "", text)


def _whole(post: Post) -> str:
    return " ".join([post.lead, *(part.text for part in post.sections)])
