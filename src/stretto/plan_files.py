"""Files of plans that somebody else wrote: one plan, several, or one a line, with whatever stands around them.

JSON Lines are read line by line, so that a file may be larger than memory. In other files plans are looked for:
the whole document, then fenced code, then JSON within the text. A plan that breaks off is completed as far as it
goes; whether anything is lost is told.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from stretto.conditions import condition_defects
from stretto.core.domain import Budget, Catalogue, Json, Plan
from stretto.core.errors import UsageError
from stretto.core.plan.diagnostics import Diagnostic, diagnose
from stretto.core.plan.foreign.form import task_graph
from stretto.core.plan.intake import Intake, is_plan, take_in
from stretto.core.plan.shape import DEFAULT_SIZE, Size
from stretto.core.plan.text import Places, json_places
from stretto.documents import LARGEST, Document, Unreadable, parse_document, read_text
from stretto.extraction import Piece, fences, pieces

LINES = (".jsonl", ".ndjson")
PROSE = (".md", ".markdown", ".txt")
LARGEST_LINE = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A plan in a file, or the reason why there is none; `noted` is what was found in its text."""

    document: Document
    id: str
    noted: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A plan of a file with what became of it; its findings have their places in the file."""

    id: str
    intake: Intake


def judge(
    path: Path,
    catalogue: Callable[[Json], Catalogue],
    *,
    size: Size = DEFAULT_SIZE,
    budget: Budget | None = None,
    largest: int = LARGEST,
) -> Iterator[Judged]:
    """Give the plans of a file one by one, each checked against the catalogue for its document, and mended."""
    for found in plans_in(path, largest=largest):
        if found.document.value is None:
            yield Judged(id=found.id, intake=_nothing(found))
            continue
        intake = take_in(
            found.document.value,
            catalogue(found.document.value),
            size,
            budget=budget,
            further=condition_defects,
            noted=found.noted,
        )
        placed = [one if one.where else found.document.placed([one])[0] for one in intake.found]
        yield Judged(id=found.id, intake=replace(intake, found=placed))


def plans_in(path: Path, *, largest: int = LARGEST) -> Iterator[Found]:
    """Give the documents of a file that are plans; raises UsageError when the file cannot be opened."""
    if path.suffix.lower() in LINES:
        yield from _lines(path)
        return
    try:
        text = read_text(path, largest=largest)
    except Unreadable as error:
        yield Found(document=Document(name=str(path), value=None), id=path.stem, noted=(error.diagnostic,))
        return
    held = list(_in_text(text, str(path), is_json=path.suffix.lower() == ".json"))
    for number, found in enumerate(held, 1):
        yield found if found.id else replace(found, id=path.stem if len(held) == 1 else f"{path.stem}:{number}")


def _lines(path: Path) -> Iterator[Found]:
    try:
        file = path.open("rb")
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    with file:
        number = 0
        while raw := file.readline(LARGEST_LINE + 1):
            number += 1
            name, otherwise = str(path), f"{path.stem}:{number}"
            if len(raw) > LARGEST_LINE:
                while raw and not raw.endswith(b"\n"):
                    raw = file.readline(LARGEST_LINE)
                noted = _said(
                    "too-large", f"{name}:{number}:1", f"a line of more than {LARGEST_LINE} bytes", "Split it."
                )
                yield Found(document=Document(name=name, value=None), id=otherwise, noted=(noted,))
                continue
            if not raw.strip():
                continue
            found = next(_in_text(raw.decode("utf-8-sig", errors="replace"), name, is_json=True, line=number))
            yield found if found.id else replace(found, id=otherwise)


def _in_text(text: str, name: str, *, is_json: bool, line: int = 1) -> Iterator[Found]:
    """Give the plans in a text, and where there is none what is wrong with it."""
    document: Document | None = None
    problem = diagnose("not-a-plan", "", "there is no plan in this text", "Give `tasks`, or `task_nodes`.")
    try:
        document = _shifted(parse_document(text, name, is_json=is_json), line - 1)
    except Unreadable as error:
        problem = error.diagnostic
    held = list(_in_document(document)) if document is not None else []
    held = held or list(_fenced(text, name)) or list(_pieces(text, name, line))
    if held:
        yield from held
    elif document is not None and isinstance(document.value, dict):
        yield Found(document=document, id=_id(document.value))
    else:
        where = problem.where or (document.where("") if document is not None else name)
        where = re.sub(r":1:(\d+)$", rf":{line}:\1", where)
        yield Found(document=Document(name=name, value=None), id="", noted=(replace(problem, where=where),))


def _in_document(document: Document) -> Iterator[Found]:
    """Give a document that is a plan, or those that are plans in a list of them."""
    if is_plan(document.value):
        yield Found(document=document, id=_id(document.value))
    elif isinstance(document.value, list) and any(map(is_plan, document.value)):
        for number, one in enumerate(document.value):
            yield Found(document=_inside(document, one, f"[{number}]"), id=_id(one))


def _fenced(text: str, name: str) -> Iterator[Found]:
    for start, language, content in fences(text):
        if language not in ("", "json", "yaml", "yml"):
            continue
        try:
            document = parse_document(content, name, is_json=language == "json")
        except Unreadable:
            continue
        if is_plan(document.value):
            lines = text.count("\n", 0, start)
            yield Found(document=_shifted(document, lines), id=_id(document.value))


def _pieces(text: str, name: str, line: int) -> Iterator[Found]:
    for piece in pieces(text):
        values = piece.value if isinstance(piece.value, list) else [piece.value]
        for number, value in enumerate(values):
            if not is_plan(value):
                continue
            whole = Document(name=name, value=piece.value, places=_places(text, piece, line))
            inside = f"[{number}]" if isinstance(piece.value, list) else ""
            document = _inside(whole, value, inside) if inside else whole
            yield Found(document=document, id=_id(value), noted=tuple(_around(text, piece, value, document)))


def _around(text: str, piece: Piece, value: Json, document: Document) -> Iterator[Diagnostic]:
    """Say what stood around a plan, and whether anything of it is lost."""
    where = document.where("")
    if text[: piece.start].strip() or text[piece.end :].strip():
        yield _said("prose", where, "there is text around the plan", "It was left out.")
    if piece.broken is None:
        return
    graph = task_graph(value)
    whole = not piece.broken and graph is not None and graph.links is not None
    mend = "Only its end was missing." if whole else "Give the rest: what is missing cannot be known."
    at = f"in {piece.broken}" if piece.broken else "before its end"
    yield replace(_said("unreadable", where, f"the plan breaks off {at}", mend), repaired=whole)


def _places(text: str, piece: Piece, line: int) -> Callable[[], Places]:
    """Give the places of a piece in the whole text."""

    def places() -> Places:
        rows = line - 1 + text.count("\n", 0, piece.start)
        indent = piece.start - text.rfind("\n", 0, piece.start) - 1
        found = json_places(text[piece.start : piece.end])[0]
        return {path: (row + rows, column + indent if row == 1 else column) for path, (row, column) in found.items()}

    return places


def _shifted(document: Document, lines: int) -> Document:
    """Give a document whose text begins so many lines further down in its file."""
    if not lines:
        return document
    places = document.places
    return replace(document, places=lambda: {path: (row + lines, column) for path, (row, column) in places().items()})


def _inside(document: Document, value: Json, prefix: str) -> Document:
    """Give one part of a document as a document."""
    places = document.places

    def within() -> Places:
        found = {path: place for path, place in places().items() if path.startswith(prefix)}
        return {path[len(prefix) :].removeprefix("."): place for path, place in found.items()}

    return Document(name=document.name, value=value, places=within)


def _id(value: Json) -> str:
    named = (value.get(field) for field in ("id", "name")) if isinstance(value, dict) else ()
    return next((str(one) for one in named if isinstance(one, str | int) and str(one)), "")


def _nothing(found: Found) -> Intake:
    return Intake(plan=Plan(), status="refused", found=list(found.noted))


def _said(code: str, where: str, message: str, mend: str) -> Diagnostic:
    return replace(diagnose(code, "", message, mend), where=where)
