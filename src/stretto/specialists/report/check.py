"""Refusals: a document that contradicts itself is refused with what, where and how to mend."""

import math
from collections.abc import Iterable
from typing import get_args

from stretto.specialists.report.document import Cell, Chart, ChartKind, Document, Section, Table, Tone

# Beyond this a difference or a sum of values may leave the range of a float.
_LARGEST_VALUE = 1e300
# Python refuses to write integers of some thousand digits; nobody can read one of three hundred either.
_LARGEST_INT_BITS = 1024


class BadDocument(ValueError):
    """A document that cannot be shown as it is: `what` is wrong, `where`, and how to `mend` it."""

    def __init__(self, what: str, *, where: str, mend: str) -> None:
        """Keep the three parts and put them into one message."""
        super().__init__(f"{where}: {what}; {mend}")
        self.what = what
        self.where = where
        self.mend = mend


def check(document: Document) -> None:
    """Do nothing if `document` is sound; raise BadDocument at the first fault, in reading order, if not."""
    sources = len(document.sources)
    _cites(document.cites, sources, "cites")
    for i, fact in enumerate(document.facts):
        _one_of(fact.tone, get_args(Tone), f"facts[{i}].tone")
        _cites(fact.cites, sources, f"facts[{i}].cites")
    for i, section in enumerate(document.sections):
        _section(section, sources, f"sections[{i}]")


def _section(section: Section, sources: int, where: str) -> None:
    if not 2 <= section.level <= 6:
        raise BadDocument(f"heading level {section.level}", where=f"{where}.level", mend="use 2 to 6")
    _cites(section.cites, sources, f"{where}.cites")
    if section.table is not None:
        _table(section.table, sources, f"{where}.table")
    if section.chart is not None:
        _chart(section.chart, f"{where}.chart")


def _table(table: Table, sources: int, where: str) -> None:
    width = len(table.columns)
    if width == 0:
        raise BadDocument("a table without columns", where=f"{where}.columns", mend="name at least one")
    for i, row in enumerate(table.rows):
        if len(row) != width:
            raise BadDocument(
                f"{len(row)} values under {width} columns",
                where=f"{where}.rows[{i}]",
                mend="give one value per column, null where there is none",
            )
        for j, cell in enumerate(row):
            _number(cell, f"{where}.rows[{i}][{j}]")
    for i, column in enumerate(table.numeric):
        if not 0 <= column < width:
            raise BadDocument(
                f"no column {column} among {width}",
                where=f"{where}.numeric[{i}]",
                mend=f"columns are counted from 0, so use 0 to {width - 1}",
            )
    if table.cites and len(table.cites) != len(table.rows):
        raise BadDocument(
            f"{len(table.cites)} entries for {len(table.rows)} rows",
            where=f"{where}.cites",
            mend="give one entry per row, an empty one where a row has no source, or none at all",
        )
    for i, numbers in enumerate(table.cites):
        _cites(numbers, sources, f"{where}.cites[{i}]")


def _chart(chart: Chart, where: str) -> None:
    _one_of(chart.kind, get_args(ChartKind), f"{where}.kind")
    if len(chart.labels) != len(chart.values):
        raise BadDocument(
            f"{len(chart.labels)} labels for {len(chart.values)} values",
            where=where,
            mend="give one label per value",
        )
    for i, value in enumerate(chart.values):
        _number(value, f"{where}.values[{i}]")
        if abs(value) > _LARGEST_VALUE:
            raise BadDocument("too large to draw", where=f"{where}.values[{i}]", mend="use a larger unit")


def _number(value: Cell, where: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise BadDocument(
            f"{value} is not a number to show", where=where, mend="leave it out, or say in words what it is"
        )
    if isinstance(value, int) and value.bit_length() > _LARGEST_INT_BITS:
        raise BadDocument("an integer of hundreds of digits", where=where, mend="give it as text or shorten")


def _cites(numbers: Iterable[int], sources: int, where: str) -> None:
    for i, number in enumerate(numbers):
        if not 1 <= number <= sources:
            counted = f"sources are counted from 1, so use 1 to {sources}"
            raise BadDocument(
                f"no source {number} among {sources}",
                where=f"{where}[{i}]",
                mend=counted if sources else "list the source first",
            )


def _one_of(value: str, allowed: tuple[str, ...], where: str) -> None:
    if value not in allowed:
        raise BadDocument(f"{value!r} is not known", where=where, mend=f"use one of {', '.join(allowed)}")
