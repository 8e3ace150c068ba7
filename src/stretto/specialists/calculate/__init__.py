"""Exact arithmetic with units and percentages, and statistics of tables; the rules are in docs/calculate.md.

Nothing is evaluated as a program: expressions have a grammar and bounds of their own. pint is loaded when a unit
is first named.
"""

from stretto.specialists.calculate.columns import aggregate
from stretto.specialists.calculate.evaluation import evaluate
from stretto.specialists.calculate.model import (
    BadExpression,
    ColumnStatistics,
    Group,
    Growth,
    Number,
    Statistics,
    Step,
)

__all__ = [
    "BadExpression",
    "ColumnStatistics",
    "Group",
    "Growth",
    "Number",
    "Statistics",
    "Step",
    "aggregate",
    "evaluate",
]
