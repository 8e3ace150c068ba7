"""Markdown: the document as CommonMark with tables; no text of it can become markup, a link or raw HTML.

The one exception is what a fenced code block holds, which every renderer shows letter for letter.
"""

import re
from collections.abc import Iterable, Iterator

from stretto.specialists.report.citing import shown, spans
from stretto.specialists.report.document import Chart, Citation, Document, Fact, Section, Table
from stretto.specialists.report.escape import fence, inline
from stretto.specialists.report.numbers import drawn_value, plain, quantity
from stretto.specialists.report.outline import fallback_heading, levels
from stretto.specialists.report.prose import blocks, one_line, shortened
from stretto.specialists.report.series import (
    Point,
    every_nth,
    heading,
    points,
    with_others,
    with_wider_buckets,
)

_TONES = {"good": " (good)", "warn": " (warning)", "bad": " (bad)"}
_PLAIN_NAME = re.compile(r"[\w./@+-][\w./:@+ -]*")
_BAR_WIDTH = 30
_LABEL_WIDTH = 28
_MOST_LINES = 48


def to_markdown(document: Document) -> str:
    """Return `document`, which is sound and clean, as Markdown that ends in a newline."""
    return "\n\n".join(_parts(document)) + "\n"


def _parts(document: Document) -> Iterator[str]:
    yield f"# {inline(one_line(document.title, otherwise='Untitled report'))}"
    if made := one_line(document.made):
        yield f"*{inline(made)}*"
    yield from _prose(document.summary, document.cites)
    if document.facts:
        yield "\n".join(_fact(fact) for fact in document.facts)
    if document.gaps:
        yield "## What is missing and why"
        yield "\n".join(f"- {inline(gap)}" for gap in document.gaps)
    depths = levels(section.level for section in document.sections)
    for i, (section, depth) in enumerate(zip(document.sections, depths, strict=True)):
        name = one_line(section.heading, otherwise=fallback_heading(i))
        yield f"{'#' * depth} {inline(name)}"
        yield from _section(section)
    if document.sources:
        yield "## Sources"
        yield "\n".join(f"{i}. {_source(source)}" for i, source in enumerate(document.sources, start=1))


def _section(section: Section) -> Iterator[str]:
    yield from _prose(section.text, section.cites)
    if section.chart is not None:
        yield from _chart(section.chart)
    if section.table is not None:
        yield from _table(section.table)
    if section.code is not None:
        yield fence(section.code.text, section.code.language)
    if section.cites and not section.text.strip():
        yield f"Sources:{_cites(section.cites)}"


def _prose(text: str, cites: tuple[int, ...]) -> Iterator[str]:
    parts = [_block(block.items, bullets=block.bullets) for block in blocks(text)]
    for i, part in enumerate(parts):
        yield part + _cites(cites) if i == len(parts) - 1 else part


def _block(items: tuple[str, ...], *, bullets: bool) -> str:
    # Two spaces before a line end keep it; a bullet's further lines are indented to stay its own.
    lead, follow = ("- ", "  \n  ") if bullets else ("", "  \n")
    return "\n".join(lead + follow.join(inline(line) for line in item.split("\n")) for item in items)


def _fact(fact: Fact) -> str:
    label = inline(one_line(fact.label, otherwise="–"))
    return (
        f"- **{label}:** {inline(one_line(fact.value, otherwise='–'))}{_TONES.get(fact.tone, '')}{_cites(fact.cites)}"
    )


def _table(table: Table) -> Iterator[str]:
    if caption := one_line(table.caption):
        yield f"*{inline(caption)}*"
    with_cites = any(table.cites)
    numeric = frozenset(table.numeric)
    names = [inline(one_line(name)) for name in table.columns]
    rules = ["---:" if i in numeric else "---" for i in range(len(names))]
    lines = [_row([*names, "Sources"]), _row([*rules, "---"])] if with_cites else [_row(names), _row(rules)]
    for i, row in enumerate(table.rows):
        cells = [inline(quantity(cell) if j in numeric else plain(cell)) for j, cell in enumerate(row)]
        lines.append(_row([*cells, _cites(table.cites[i]).strip()] if with_cites else cells))
    yield "\n".join(lines)
    if not table.rows:
        yield "No rows."


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _chart(chart: Chart) -> Iterator[str]:
    yield f"**{inline(heading(chart))}**"
    given = points(chart)
    if not given:
        yield "No values."
        return
    if chart.kind == "bar":
        series = with_others(given)
    else:
        fold = with_wider_buckets if chart.kind == "timeline" else every_nth
        series = fold(given, _MOST_LINES)
    yield fence("\n".join(_bars(series.points)), "text")
    if series.note:
        yield series.note


def _bars(shown: tuple[Point, ...]) -> Iterator[str]:
    labels = [shortened(point.label, _LABEL_WIDTH) for point in shown]
    width = max(len(label) for label in labels)
    largest = max(abs(point.value) for point in shown)
    for label, point in zip(labels, shown, strict=True):
        # Negative bars are hollow; a value that is not zero always shows a sliver.
        length = round(abs(point.value) / largest * _BAR_WIDTH) if largest else 0
        bar = ("█" if point.value > 0 else "░") * length or ("▏" if point.value else "")
        yield f"{label:<{width}}  {bar}{' ' if bar else ''}{drawn_value(point.value)}"


def _source(source: Citation) -> str:
    name = one_line(source.file, otherwise="–") + ("" if source.line is None else f":{source.line}")
    # A code span only where nothing in it could end it or be taken for something else.
    shown = f"`{name}`" if _PLAIN_NAME.fullmatch(name) else inline(name)
    quoted = inline(source.text)
    return f"{shown} — “{quoted}”" if quoted else shown


def _cites(numbers: tuple[int, ...]) -> str:
    return "".join(f" [[{shown(span)}]](#sources)" for span in spans(numbers))
