"""What a calculation gives, as frozen data, and the one error it raises."""

from dataclasses import dataclass


class BadExpression(ValueError):
    """An expression that cannot be evaluated: `what` is wrong, the `column` (from 1) and how to `mend` it."""

    def __init__(self, what: str, *, column: int | None = None, mend: str = "") -> None:
        place = f"column {column}: " if column is not None else ""
        super().__init__(f"{place}{what}{'; ' + mend if mend else ''}")
        self.what, self.column, self.mend = what, column, mend


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One operation as it was carried out."""

    expression: str
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """The result of an expression.

    `text` is for people; `value` is the nearest float (None beyond its range, and for dates); `exact` is a decimal
    or a fraction like `1/3`, and empty when the result is `rounded`; `unit` is empty for plain numbers.
    """

    expression: str
    text: str
    value: float | None
    exact: str
    unit: str
    rounded: bool
    steps: list[Step]
    notes: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """From one row to the next, in the order of the period: `change` is the difference, `ratio` 0.12 for 12 %.

    `ratio` is None where the earlier value is zero or negative, because it would mean nothing.
    """

    before: str
    after: str
    change: float
    ratio: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnStatistics:
    """Figures of one column. Each is computed exactly and rounded once, to the nearest float.

    `stdev` is that of a sample and needs two values; `share` is this group's part of the whole column's sum.
    """

    column: str
    unit: str
    count: int
    missing: int
    sum: float
    mean: float
    median: float
    minimum: float
    maximum: float
    stdev: float | None
    share: float | None
    growth: list[Growth]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The rows of one value of the column that groups; `key` is empty when nothing groups."""

    key: str
    rows: int
    columns: list[ColumnStatistics]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Statistics of rows, by group in the order of first appearance; `notes` name the cells that were left out."""

    groups: list[Group]
    notes: list[str]
