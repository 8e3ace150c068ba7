"""`aggregate`: figures of a table's columns, whole or by group, exact until they are rounded once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from stretto.core.domain import Json
from stretto.core.plan.names import Names
from stretto.specialists.calculate import units as unit
from stretto.specialists.calculate.amounts import nearest_float, root
from stretto.specialists.calculate.cells import read_cell
from stretto.specialists.calculate.functions import percentile_of, variance_of
from stretto.specialists.calculate.model import BadExpression, ColumnStatistics, Group, Growth, Statistics
from stretto.specialists.calculate.values import Value, convert

MOST_ROWS = 1_000_000
MOST_NOTES = 20


@dataclass(slots=True)
class _Column:
    """The values of one column in one group, with the period each belongs to."""

    values: list[Value] = field(default_factory=list)
    periods: list[str] = field(default_factory=list)
    missing: int = 0


def aggregate(
    rows: Sequence[dict[str, Json]], *, columns: Sequence[str] = (), by: str = "", period: str = ""
) -> Statistics:
    """Give count, sum, mean, median, extremes, spread, share and growth of each column, by the values of `by`.

    Without `columns` all are taken that hold numbers throughout, but for `by` and `period`. With `period` growth
    is from row to row in the order of that column (of the rows, if its values are no numbers and no ISO dates).
    Cells that are no numbers are left out and named in `notes`. Raises BadExpression.
    """
    if not rows:
        raise BadExpression("there are no rows", mend="give a list of objects")
    if len(rows) > MOST_ROWS:
        raise BadExpression(f"{len(rows):,} rows are more than {MOST_ROWS:,}", mend="let the query sum them up")
    notes: list[str] = []
    chosen = _chosen(rows, columns, by, period)
    groups: dict[str, dict[str, _Column]] = {}
    sizes: dict[str, int] = {}
    for number, row in _ordered(rows, period, notes):
        key = _text(row.get(by)) if by else ""
        held = groups.setdefault(key, {name: _Column() for name in chosen})
        sizes[key] = sizes.get(key, 0) + 1
        for name in chosen:
            _put(held[name], row.get(name), _text(row.get(period)) if period else "", f"row {number}, {name}", notes)
    wholes = {name: sum((_total(held[name]) for held in groups.values()), Fraction(0)) for name in chosen}
    mixed = {
        name for name in chosen if len({one.values[0].units for g in groups.values() if (one := g[name]).values}) > 1
    }
    return Statistics(
        groups=[
            Group(
                key=key,
                rows=sizes[key],
                columns=[
                    _statistics(name, one, None if name in mixed else wholes[name], bool(period))
                    for name, one in held.items()
                    if one.values
                ],
            )
            for key, held in groups.items()
        ],
        notes=notes if len(notes) <= MOST_NOTES else [*notes[:MOST_NOTES], f"… and {len(notes) - MOST_NOTES} more"],
    )


def _chosen(rows: Sequence[dict[str, Json]], columns: Sequence[str], by: str, period: str) -> list[str]:
    known = dict.fromkeys(name for row in rows for name in row)
    names = Names(lambda: known)
    for name in (*columns, *filter(None, (by, period))):
        if name not in known:
            raise BadExpression(f"there is no column {name!r}", mend=names.mend(name))
    if columns:
        return list(dict.fromkeys(columns))
    found = [name for name in known if name not in (by, period) and _numeric(rows, name)]
    if not found:
        raise BadExpression(
            "no column holds numbers throughout", mend="name the columns, what is no number is left out"
        )
    return found


def _numeric(rows: Sequence[dict[str, Json]], name: str) -> bool:
    some = False
    for row in rows:
        try:
            some = read_cell(row.get(name)) is not None or some
        except BadExpression:
            return False
    return some


def _ordered(rows: Sequence[dict[str, Json]], period: str, notes: list[str]) -> list[tuple[int, dict[str, Json]]]:
    numbered = list(enumerate(rows, start=1))
    if not period:
        return numbered
    keys: list[Fraction | str] = []
    for _, row in numbered:
        said = row.get(period)
        try:
            value = read_cell(said)
        except BadExpression:
            value = None
        keys.append(value.amount if value is not None else _text(said))
    if all(isinstance(one, Fraction) for one in keys) or all(_is_iso(one) for one in keys):
        return [numbered[place] for place in sorted(range(len(keys)), key=lambda place: keys[place])]
    notes.append(f"{period} is taken in the order of the rows")
    return numbered


def _is_iso(text: object) -> bool:
    """Whether texts of this form sort by time: 2026, 2026-03, 2026-03-01, 2026-Q1."""
    return isinstance(text, str) and len(text) >= 4 and text[:4].isdigit() and (len(text) == 4 or text[4] in "-/ ")


def _put(column: _Column, cell: Json, period: str, place: str, notes: list[str]) -> None:
    try:
        value = read_cell(cell)
        if value is None:
            column.missing += 1
            return
        if column.values and value.units != column.values[0].units:
            value = convert(value, column.values[0].units)
    except BadExpression as error:
        column.missing += 1
        notes.append(f"{place}: {error.what}; left out")
        return
    column.values.append(value)
    column.periods.append(period)


def _total(column: _Column) -> Fraction:
    return sum((one.amount for one in column.values), Fraction(0))


def _statistics(name: str, column: _Column, whole: Fraction | None, periods: bool) -> ColumnStatistics:
    amounts = [one.amount for one in column.values]
    total = sum(amounts, Fraction(0))
    spread = root(variance_of(amounts, sample=True), 2)[0] if len(amounts) > 1 else None
    percent = all(one.percent for one in column.values)
    return ColumnStatistics(
        column=name,
        unit="" if percent else unit.text_of(column.values[0].units),
        count=len(amounts),
        missing=column.missing,
        sum=_float(total),
        mean=_float(total / len(amounts)),
        median=_float(percentile_of(amounts, Fraction(50))),
        minimum=_float(min(amounts)),
        maximum=_float(max(amounts)),
        stdev=None if spread is None else _float(spread),
        share=_float(total / whole) if whole else None,
        growth=_growth(amounts, column.periods) if periods else [],
    )


def _growth(amounts: Sequence[Fraction], periods: Sequence[str]) -> list[Growth]:
    return [
        Growth(
            before=periods[place],
            after=periods[place + 1],
            change=_float(amounts[place + 1] - amounts[place]),
            ratio=_float((amounts[place + 1] - amounts[place]) / amounts[place]) if amounts[place] > 0 else None,
        )
        for place in range(len(amounts) - 1)
    ]


def _float(amount: Fraction) -> float:
    found = nearest_float(amount)
    if found is None:
        raise BadExpression("a figure is beyond the range of a float", mend="use a larger unit")
    return found


def _text(cell: Json) -> str:
    return "" if cell is None else str(cell)
