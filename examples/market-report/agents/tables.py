"""The tables of a market in one form: what was sold, asked, charged and reported, each with the line it stands in."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stretto.specialists.calculate.cells import read_digits
from stretto.specialists.calculate.units import CURRENCIES
from stretto.specialists.query import Table

MOST_NAMED = 8
"""Rows of one table that are named when they are left out; the others are counted."""
SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson")
_QUARTER = re.compile(r"\d{4}-Q[1-4]")
_YEAR = re.compile(r"\d{4}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a table must have: its column of time and how that is written, its names, its amounts.

    An amount that ends in `_` is money: the column's name ends in the currency, like `revenue_eur`.
    """

    period: str
    written: re.Pattern[str]
    example: str
    names: tuple[str, ...]
    amounts: tuple[str, ...]
    texts: tuple[str, ...] = ()


FORMS = {
    "sales": Form(
        period="quarter", written=_QUARTER, example="2025-Q3", names=("company", "region"),
        amounts=("units", "revenue_"),
    ),
    "prices": Form(
        period="quarter", written=_QUARTER, example="2025-Q3", names=("company",), amounts=("list_price_",)
    ),
    "survey": Form(
        period="year", written=_YEAR, example="2025", names=("company",),
        amounts=("respondents", "satisfied", "recommend"),
    ),
    "feed": Form(
        period="date", written=_DATE, example="2025-03-31", names=("company",), amounts=("units",),
        texts=("kind", "text"),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row: when, who, where, how much, and the line it stands in. `period` begins with the year."""

    line: int
    period: str
    company: str
    region: str
    amounts: dict[str, float]
    texts: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The rows of one file that could be read. `currency` is that of its money, if it has any."""

    file: str
    currency: str
    entries: tuple[Entry, ...]

    def chosen(self, period: str = "", company: str = "", region: str = "", kind: str = "") -> tuple[Entry, ...]:
        """Give the rows of a year, quarter or day, of a company, of a region, of a kind of event."""
        return tuple(
            one
            for one in self.entries
            if one.period.startswith(period)
            and company in ("", one.company)
            and region in ("", one.region)
            and kind in ("", one.texts.get("kind"))
        )


_NOTHING = Sheet(file="", currency="", entries=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Every table that could be read, by name, and what is wrong with the others and with single rows."""

    sheets: dict[str, Sheet]
    gaps: tuple[str, ...] = ()
    years: tuple[str, ...] = field(default=())
    """The years that the sales cover with all four quarters, in order."""
    quarters: tuple[str, ...] = field(default=())

    def sheet(self, name: str) -> Sheet:
        """Give a table; one without rows when there is none."""
        return self.sheets.get(name, _NOTHING)

    def companies(self) -> tuple[str, ...]:
        """Every company that some table names, in the order of the alphabet."""
        return tuple(sorted({one.company for sheet in self.sheets.values() for one in sheet.entries if one.company}))

    def regions(self) -> tuple[str, ...]:
        """Every region of the sales, in the order of the alphabet."""
        return tuple(sorted({one.region for one in self.sheet("sales").entries}))


def market_of(tables: Sequence[Table | None]) -> Market:
    """Read tables as they were loaded; whatever does not fit is left out and named."""
    sheets: dict[str, Sheet] = {}
    gaps: list[str] = []
    for table in tables:
        if table is None or table.file is None:
            continue
        name = Path(table.file).stem
        if (found := _sheet(name, table, gaps)) is not None:
            sheets[name] = found
    for name in FORMS:
        if name not in sheets and not any(gap.startswith(f"{name}.") for gap in gaps):
            gaps.append(f"There is no readable table {name!r}; what it would show is missing.")
    quarters = sorted({one.period for one in sheets["sales"].entries}) if "sales" in sheets else []
    years = sorted({one[:4] for one in quarters})
    whole = [year for year in years if sum(one.startswith(year) for one in quarters) == 4]
    if "sales" in sheets:
        gaps += _holes(sheets["sales"], quarters)
    gaps += [
        f"The sales of {year} cover {sum(one.startswith(year) for one in quarters)} of 4 quarters; "
        "the year is not compared with others."
        for year in years
        if year not in whole
    ]
    return Market(sheets=sheets, gaps=tuple(gaps), years=tuple(whole), quarters=tuple(quarters))


def _sheet(name: str, table: Table, gaps: list[str]) -> Sheet | None:
    form, file = FORMS[name], Path(table.file or "").name
    columns = {column.name.casefold(): place for place, column in enumerate(table.columns)}
    places: dict[str, int] = {}
    currency = ""
    for wanted in (form.period, *form.names, *form.amounts, *form.texts):
        if wanted.endswith("_"):
            money = [one for one in columns if one.startswith(wanted) and one[len(wanted) :].upper() in CURRENCIES]
            if len(money) != 1:
                gaps.append(f"{file} has no single column {wanted}CURRENCY, like {wanted}eur; it is left out.")
                return None
            places[wanted], currency = columns[money[0]], money[0].removeprefix(wanted).upper()
        elif wanted in columns:
            places[wanted] = columns[wanted]
        else:
            has = ", ".join(column.name for column in table.columns)
            gaps.append(f"{file} has no column {wanted!r}, it has {has}; it is left out.")
            return None
    entries = []
    left_out: list[str] = []
    for line, row in zip(table.lines, table.rows, strict=True):
        cells = {wanted: row[place] for wanted, place in places.items()}
        if problem := next(_problems(form, cells), ""):
            left_out.append(f"{file}, line {line}: {problem}; the row is left out.")
            continue
        entries.append(
            Entry(
                line=line,
                period=str(cells[form.period]),
                company=str(cells["company"]),
                region=str(cells.get("region", "")),
                amounts={one: value for one in form.amounts if (value := _amount(cells[one])) is not None},
                texts={one: str(cells[one]) for one in form.texts},
            )
        )
    if not entries:
        gaps.append(f"{file} has no row that can be used; what it would show is missing.")
    gaps += left_out[:MOST_NAMED]
    if len(left_out) > MOST_NAMED:
        gaps.append(f"{file}: {len(left_out) - MOST_NAMED:,} more rows are left out for such reasons.")
    if table.truncated:
        gaps.append(f"Of {file} only the first {len(table.rows):,} rows were read.")
    gaps += _doubled(file, entries) if name in ("sales", "prices", "survey") else []
    return Sheet(file=str(table.file), currency=currency, entries=tuple(entries))


def _problems(form: Form, cells: dict[str, int | float | str | None]) -> Iterator[str]:
    period = cells[form.period]
    if not form.written.fullmatch(str(period)):
        yield f"{form.period} is {_shown(period)}, not like {form.example}"
    for name in form.names:
        if not str(cells[name] or "").strip():
            yield f"{name} is empty"
    for name in form.amounts:
        value = _amount(cells[name])
        if value is None:
            yield f"{name.rstrip('_')} is {_shown(cells[name])}, no number"
        elif value < 0:
            yield f"{name.rstrip('_')} is {value}, less than nothing"


def _amount(cell: int | float | str | None) -> float | None:
    """Give the number of a cell; a column with one wrong cell comes as text."""
    if not isinstance(cell, str):
        return None if cell is None else float(cell)
    bare = cell.strip().removeprefix("-")
    digits = read_digits(bare)
    return None if digits is None else float(digits) * (-1 if bare != cell.strip() else 1)


def _doubled(file: str, entries: Iterable[Entry]) -> Iterator[str]:
    first: dict[tuple[str, str, str], int] = {}
    for one in entries:
        key = (one.period, one.company, one.region)
        if first.setdefault(key, one.line) != one.line:
            told = ", ".join(part for part in key if part)
            yield f"{file}, lines {first[key]} and {one.line}: two rows for {told}; both are counted."


def _holes(sheet: Sheet, quarters: Sequence[str]) -> Iterator[str]:
    """Name the quarters that a company skips in a region between its first and its last there."""
    known: dict[tuple[str, str], set[str]] = {}
    for one in sheet.entries:
        known.setdefault((one.company, one.region), set()).add(one.period)
    missing = [
        f"{company} in {region} in {quarter}"
        for (company, region), periods in known.items()
        for quarter in quarters
        if min(periods) < quarter < max(periods) and quarter not in periods
    ]
    for place in missing[:MOST_NAMED]:
        yield f"{Path(sheet.file).name} has no usable row for {place}; its sales count as nothing."
    if len(missing) > MOST_NAMED:
        yield f"{Path(sheet.file).name} has no usable row for {len(missing) - MOST_NAMED:,} more such places."


def _shown(value: object) -> str:
    return "empty" if value is None or value == "" else repr(value)[:60]
