"""The page: the document as one HTML file that asks for nothing, runs nothing and lets nothing in.

Texts reach the templates as plain strings and are escaped there; the policy in the page's head then refuses
scripts, requests and any style but the page's own, should an escape ever be missed.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from stretto.specialists.report.bars import ROW_HEIGHT
from stretto.specialists.report.citing import shown, spans
from stretto.specialists.report.diff import DiffLine, diff_lines
from stretto.specialists.report.document import Citation, Code, Document, Fact, Section, Table
from stretto.specialists.report.drawing import PLOT_TOP, Drawing, drawn
from stretto.specialists.report.escape import known_language
from stretto.specialists.report.numbers import plain, quantity
from stretto.specialists.report.outline import fallback_heading, levels
from stretto.specialists.report.plot import PLOT_HEIGHT
from stretto.specialists.report.prose import Block, blocks, one_line

_TEMPLATES = Path(__file__).parent / "templates"
_CONTENTS_FROM = 5
_LONG_WORD = 26
_PROSE = 40
_MANY_SOURCES = 40
_TONE_WORDS = {"good": "good", "warn": "warning", "bad": "bad"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _TableView:
    caption: str
    columns: tuple[tuple[str, str], ...]  # each name with how the column is set
    rows: tuple[tuple[tuple[str, ...], tuple[int, ...]], ...]
    with_cites: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _CodeView:
    language: str
    text: str
    diff: tuple[DiffLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _SectionView:
    id: str
    level: int
    heading: str
    text: tuple[Block, ...]
    cites: tuple[int, ...]
    chart: Drawing | None
    table: _TableView | None
    code: _CodeView | None


def to_html(document: Document) -> str:
    """Return `document`, which is sound and clean, as an HTML page that ends in a newline."""
    environment, policy = _environment()
    sections = tuple(_sections(document))
    chapters = tuple(section for section in sections if section.level == 2)
    return environment.get_template("page.html.jinja").render(
        policy=policy,
        title=one_line(document.title, otherwise="Untitled report"),
        made=one_line(document.made),
        summary=blocks(document.summary),
        cites_of_summary=document.cites,
        facts=tuple(_fact(fact) for fact in document.facts),
        gaps=document.gaps,
        contents=chapters if len(chapters) >= _CONTENTS_FROM else (),
        sections=sections,
        sources=tuple(_source(source) for source in document.sources),
        many=len(document.sources) > _MANY_SOURCES,
        sizes={"row": ROW_HEIGHT, "top": PLOT_TOP, "plot": PLOT_HEIGHT},
    )


@cache
def _environment() -> tuple[Environment, str]:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.filters.update(spans=spans, span=shown)
    # The page includes the style sheet between its style tags with nothing added, so this is its hash.
    style = environment.get_template("style.css").render()
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return (
        environment,
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
    )


def _sections(document: Document) -> Iterator[_SectionView]:
    depths = levels(section.level for section in document.sections)
    for i, (section, depth) in enumerate(zip(document.sections, depths, strict=True)):
        yield _section(section, i, depth)


def _section(section: Section, index: int, depth: int) -> _SectionView:
    return _SectionView(
        id=f"section-{index + 1}",
        level=depth,
        heading=one_line(section.heading, otherwise=fallback_heading(index)),
        text=blocks(section.text),
        cites=section.cites,
        chart=None if section.chart is None else drawn(section.chart),
        table=None if section.table is None else _table(section.table),
        code=None if section.code is None else _code(section.code),
    )


def _table(table: Table) -> _TableView:
    numeric = frozenset(table.numeric)
    written = tuple(quantity if i in numeric else plain for i in range(len(table.columns)))
    rows = tuple(tuple(write(cell) for write, cell in zip(written, row, strict=True)) for row in table.rows)
    cites = table.cites or ((),) * len(table.rows)
    return _TableView(
        caption=one_line(table.caption),
        columns=tuple(
            (one_line(name), "number" if i in numeric else _setting(row[i] for row in rows))
            for i, name in enumerate(table.columns)
        ),
        rows=tuple(zip(rows, cites, strict=True)),
        with_cites=any(table.cites),
    )


def _setting(cells: Iterable[str]) -> str:
    """Return how to set a column of texts: "short" never wraps, "long" may break in a word, "prose" is kept wide."""
    single, prose = True, False
    for cell in cells:
        words = cell.split()
        if any(len(word) > _LONG_WORD for word in words):
            return "long"
        single = single and len(words) <= 1
        prose = prose or len(cell) > _PROSE
    return "short" if single else "prose" if prose else ""


def _code(code: Code) -> _CodeView:
    language = known_language(code.language)
    text = code.text.strip("\n")
    return _CodeView(language=language, text=text, diff=diff_lines(text) if language == "diff" else ())


def _fact(fact: Fact) -> dict[str, Any]:
    return {
        "label": one_line(fact.label, otherwise="–"),
        "value": one_line(fact.value, otherwise="–"),
        "tone": fact.tone,
        "word": _TONE_WORDS.get(fact.tone, ""),
        "cites": fact.cites,
    }


def _source(source: Citation) -> tuple[str, str]:
    line = "" if source.line is None else f":{source.line}"
    return one_line(source.file, otherwise="–") + line, source.text.strip()
