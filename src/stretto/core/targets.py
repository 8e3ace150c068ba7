"""What the numbers should be: one table, with who must be above or below what, for all who show them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from stretto.core.measures import Measures
from stretto.core.sketch import STEP_TARGET

Comparison: TypeAlias = Literal["above", "below", "falling", "none"]
Verdict: TypeAlias = Literal["met", "missed", "no data", "no target"]

COMPLETION = 0.98
ERRORS = 0.01
HALLUCINATIONS = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A number by its name, what it says in few words, and how it should be.

    `unit` is that of the value: shares are from 0 to 1, ratings from 1 to 5, money is in dollars. `falling` holds the
    latest week against all weeks before it.
    """

    name: str
    title: str
    unit: Literal["share", "seconds", "rating", "dollars"]
    comparison: Comparison
    value: Callable[[Measures], float | None]
    bound: float | None = None

    def verdict(self, measures: Measures, weeks: Mapping[str, Measures]) -> Verdict:
        """Say whether the target is met; `weeks` are the same measures by ISO week."""
        value = self.value(measures)
        if self.comparison == "none":
            return "no target"
        if self.comparison == "falling":
            return self._fell(weeks)
        if value is None or self.bound is None:
            return "no data"
        met = value > self.bound if self.comparison == "above" else value < self.bound
        return "met" if met else "missed"

    def _fell(self, weeks: Mapping[str, Measures]) -> Verdict:
        told = [week for week in sorted(weeks) if self.value(weeks[week]) is not None]
        if len(told) < 2:
            return "no data"
        latest = self.value(weeks[told[-1]])
        before = self.value(Measures.total(weeks[week] for week in told[:-1]))
        return "met" if not latest or latest < (before or 0.0) else "missed"


TARGETS = (
    Target(
        name="completion",
        title="runs finished without a person's help",
        unit="share",
        comparison="above",
        bound=COMPLETION,
        value=lambda one: one.completion,
    ),
    Target(
        name="handoff",
        title="start of a task after the result it waits for, 95 of 100 within",
        unit="seconds",
        comparison="below",
        bound=STEP_TARGET,
        value=lambda one: one.handoff,
    ),
    Target(
        name="errors",
        title="results found wrong later",
        unit="share",
        comparison="below",
        bound=ERRORS,
        value=lambda one: one.errors,
    ),
    Target(
        name="hallucinations",
        title="claims without support in their evidence",
        unit="share",
        comparison="below",
        bound=HALLUCINATIONS,
        value=lambda one: one.hallucinations,
    ),
    Target(
        name="satisfaction",
        title="rating of deliveries, from 1 to 5",
        unit="rating",
        comparison="none",
        value=lambda one: one.satisfaction,
    ),
    Target(
        name="cost",
        title="cost of a run, the latest week against those before",
        unit="dollars",
        comparison="falling",
        value=lambda one: one.cost_per_run,
    ),
    Target(
        name="misallocation",
        title="tasks that had to be moved to another agent",
        unit="share",
        comparison="none",
        value=lambda one: one.misallocation,
    ),
)
"""The numbers, in the order in which they are shown."""
