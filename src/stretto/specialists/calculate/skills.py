"""Calculates exactly: arithmetic with units, percentages and dates, statistics of columns; knows no currency rates."""

from typing import Any

from stretto.core.domain import FailureClass
from stretto.declare import pure
from stretto.ports import AgentFailure
from stretto.specialists.calculate import BadExpression, Number, Statistics
from stretto.specialists.calculate import aggregate as aggregate_rows
from stretto.specialists.calculate import evaluate as evaluate_expression


@pure(timeout=20)
def evaluate(expression: str, values: dict[str, float | str | list[float | str]] | None = None) -> Number:
    """Work out an expression exactly, with its steps: numbers, percentages, units, dates, functions, named values.

    `values` are names that the expression may use, each a number, a text like "5 km", or a list of them.
    """
    try:
        return evaluate_expression(expression, values)
    except BadExpression as error:
        raise AgentFailure(str(error), FailureClass.REFUSED) from None


@pure(timeout=120)
def aggregate(
    rows: list[dict[str, Any]], columns: list[str] | None = None, by: str = "", period: str = ""
) -> Statistics:
    """Calculate statistics of the columns of a table: sum, mean, median, extremes, spread, share and growth.

    `by` groups the rows by one column; `period` names the column whose order the growth follows.
    """
    try:
        return aggregate_rows(rows, columns=columns or (), by=by, period=period)
    except BadExpression as error:
        raise AgentFailure(str(error), FailureClass.REFUSED) from None
