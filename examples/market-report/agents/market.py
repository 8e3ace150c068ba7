"""Writes a market report: finds the tables, names the figures, reads the notes, puts together what was verified."""

import re
from dataclasses import dataclass
from pathlib import Path

import figures as known
import sections
import statements as reading
from figures import Figure
from statements import Notes
from tables import FORMS, SUFFIXES, market_of

from stretto import AgentFailure, Assignment, pure
from stretto.core.domain import Citation, FailureClass
from stretto.specialists.calculate import Number
from stretto.specialists.query import Table
from stretto.specialists.report import Document
from stretto.specialists.retrieve import Passages, UnreadableDocument, read_document
from stretto.specialists.summarise import Summary
from stretto.specialists.verify import Claim, Verdicts

PROSE = (".md", ".txt")
FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
NOTES = (*PROSE, ".html", ".htm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A table to be read: its statement and its file."""

    sql: str
    files: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What lies in the folder: the tables, there or not, and the notes; `prose` are readable texts without markup."""

    folder: str
    tables: list[Wanted]
    notes: list[str]
    prose: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What notes say, and each statement as a claim on the rows that it must hold against."""

    notes: Notes
    claims: list[Claim]


@pure
def find(folder: str) -> Found:
    """Find the tables sales, prices, survey and feed in a folder, and the notes in its folder notes."""
    home = Path(folder)
    tables = []
    for name in FORMS:
        there = [home / f"{name}{suffix}" for suffix in SUFFIXES if (home / f"{name}{suffix}").is_file()]
        tables.append(Wanted(sql=f"SELECT * FROM {name}", files=[str((*there, home / f"{name}.csv")[0])]))  # noqa: S608 - a name of ours
    if not any(Path(one.files[0]).is_file() for one in tables):
        wanted = ", ".join(f"{name}.csv" for name in FORMS)
        raise AgentFailure(f"{folder} holds no table; it needs some of {wanted}", FailureClass.REFUSED)
    notes = sorted(str(one) for one in (home / "notes").glob("*") if one.suffix in NOTES and one.is_file())
    prose = [one for one in notes if one.endswith(PROSE) and _readable(one)]
    return Found(folder=folder, tables=tables, notes=notes, prose=prose)


@pure
def figures(tables: list[Table | None]) -> list[Figure]:
    """Name every figure that the report needs, how it is worked out and the rows it comes from."""
    return list({one.text: one for one in known.every(market_of(tables)) if one is not None}.values())


@pure
def claim(figures: list[Figure], numbers: list[Number | None]) -> list[Claim]:
    """Put each figure that could be worked out into words, with the lines it cites."""
    return [
        _claim(figure, known.shown(number, figure.unit))
        for figure, number in zip(figures, numbers, strict=True)
        if number is not None
    ]


@pure
def read_notes(files: list[str], tables: list[Table | None]) -> Read:
    """Read the sentences of notes that say a number which the tables know."""
    notes = reading.notes_of(market_of(tables), files)
    return Read(notes=notes, claims=[_claim(one.figure, one.stated) for one in notes.statements])


@pure
def compose(
    topic: str,
    found: Found,
    tables: list[Table | None],
    figures: list[Figure],
    claims: list[Claim],
    verdicts: Verdicts,
    statements: Notes,
    held: Verdicts,
    answers: list[Passages | None],
    gist: Summary | None,
    work: Assignment,
) -> Document:
    """Write the report from the claims that hold; the others are gaps. Every number names its lines."""
    material = sections.Material(
        topic=topic,
        folder=found.folder,
        market=market_of(tables),
        figures=figures,
        claims=claims,
        verdicts=verdicts.verdicts,
        notes=statements,
        held=held.verdicts,
        answers=[one for one in answers if one is not None],
        gist=gist,
        has_notes=bool(found.notes),
    )
    document, cited = sections.document_of(material)
    for place in cited:
        work.cite(place.file, place.line, place.text)
    return document


@pure
def same_figures(text: str, findings: str) -> str:
    """Give a text whose every figure stands in the findings; refuses one with figures of its own."""
    known = set(FIGURE.findall(findings))
    own = [one for one in dict.fromkeys(FIGURE.findall(text)) if one not in known]
    if own:
        raise AgentFailure(f"{', '.join(own)} stands in none of the findings", FailureClass.INVALID_OUTPUT)
    return text


def _readable(file: str) -> bool:
    try:
        read_document(file, 1, 1)
    except UnreadableDocument:
        return False
    return True


def _claim(figure: Figure, said: str) -> Claim:
    return Claim(
        text=f"{figure.text}: {said}",
        citations=[Citation(file=figure.file, line=line) for line in figure.lines],
        expression=figure.expression,
        values={name: list(values) for name, values in figure.values.items()},
    )
