"""What a text is written from: accepted results, each with the mark that stands for it, in parts that fit a reader."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from stretto.core.context import Missing, value_of
from stretto.core.domain import Citation, Json
from stretto.core.plan.delivering import Written
from stretto.core.plan.references import parse
from stretto.core.state import RunState, accepted
from stretto.models.counting import tokens_in
from stretto.models.fencing import fenced
from stretto.synthesis.marks import mark_of, marks_in, standing_items

PROSE = 8
"""Words from which on a text counts as prose."""
_AROUND = 40
_LEAST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A result: its mark, the task it is of (empty: it is no task's), what the task was to do, and what it says."""

    mark: str
    task: str
    objective: str
    text: str
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What is told in one breath: a result, a part of a large one, or a text that was written from some."""

    marks: tuple[str, ...]
    text: str
    title: str = ""

    @property
    def shown(self) -> str:
        return f"{self.title}\n{fenced('result', self.text)}".strip()

    @property
    def tokens(self) -> int:
        return tokens_in(self.shown) + _AROUND


def sources_of(state: RunState, asked: Written, leaves: Sequence[str]) -> list[Source]:
    """Give what a text is written from, as far as it is there; without references the results that nobody used."""
    references = asked.sources or tuple({"ref": f"{id_}.output"} for id_ in leaves)
    found: dict[str, Source] = {}
    for raw in references:
        for one in _read(state, raw):
            before = found.get(one.mark)
            found[one.mark] = one if before is None else replace(before, text=f"{before.text}\n\n{one.text}")
    return list(found.values())


def is_prose(state: RunState, leaves: Sequence[str]) -> bool:
    """Whether several results are all texts, so that one text can be made of them."""
    outputs = [accepted(state, id_) for id_ in leaves]
    return len(outputs) > 1 and all(isinstance(one, str) and len(one.split()) >= PROSE for one in outputs)


def pieces_of(source: Source, most: int) -> list[Piece]:
    """Give a result in pieces of at most so many tokens, cut between words where there are any."""
    title = f"[{source.mark}]{f' {source.objective}' if source.objective else ''}"
    whole = Piece(marks=(source.mark,), text=source.text, title=title)
    if whole.tokens <= most:
        return [whole]
    letters = max(len(source.text) * max(most - tokens_in(title) - _AROUND, 1) // whole.tokens, _LEAST)
    texts = list(_split(source.text, letters))
    return [
        replace(whole, text=text, title=f"{title}, part {number} of {len(texts)}")
        for number, text in enumerate(texts, 1)
    ]


def grouped(pieces: Sequence[Piece], most: int) -> list[list[Piece]]:
    """Give pieces in groups of at most so many tokens, in their order; a piece that is larger is a group by itself."""
    groups: list[list[Piece]] = []
    room = 0
    for piece in pieces:
        if not groups or piece.tokens > room:
            groups.append([])
            room = most
        groups[-1].append(piece)
        room -= piece.tokens
    return groups


def part(text: str, known: Sequence[str]) -> Piece:
    """Give a text that was written from results as a piece for the next one."""
    return Piece(marks=tuple(mark for mark in marks_in(text) if mark in known), text=text)


def _read(state: RunState, raw: Json) -> Iterator[Source]:
    reference = parse(raw)
    if reference.root != "task" or reference.name not in state.tasks:
        try:
            value = value_of(state, raw)
        except (Missing, ValueError):
            return
        yield Source(mark=f"{reference.root}.{reference.name}", task="", objective="", text=_text(value))
        return
    items = standing_items(state, reference.name) if not reference.steps else []
    for id_ in items:
        one = state.tasks[id_]
        if one.result is not None:
            told = f"{one.task.objective} ({one.item})" if isinstance(one.item, str | int | float) else ""
            yield Source(
                mark=mark_of(id_),
                task=id_,
                objective=told or one.task.objective,
                text=_text(one.result.output),
                citations=one.result.citations,
            )
    if items:
        return
    try:
        value = value_of(state, raw)
    except (Missing, ValueError):
        return  # the composed delivery names the gap
    one = state.tasks[reference.name]
    citations = one.result.citations if one.result is not None else ()
    yield Source(
        mark=mark_of(reference.name),
        task=reference.name,
        objective=one.task.objective,
        text=_text(value),
        citations=citations,
    )


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)


def _split(text: str, letters: int) -> Iterator[str]:
    start = 0
    while len(text) - start > letters:
        cut = max(
            text.rfind("\n", start + letters // 2, start + letters),
            text.rfind(" ", start + letters // 2, start + letters),
        )
        end = cut if cut > start else start + letters
        yield text[start:end]
        start = end
    yield text[start:]
