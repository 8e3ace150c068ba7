"""Amounts as people write them, on the command line and in a workspace: budgets, lengths of time, deadlines."""

from datetime import datetime

from stretto.core.amounts import read_budget
from stretto.core.domain import Budget
from stretto.core.errors import UsageError
from stretto.core.lengths import seconds_in


def budget_of(text: str) -> Budget:
    """Read a budget like "$2, 100k tokens, 50 steps, 10m, 3 revisions"; raises UsageError."""
    try:
        return read_budget(text)
    except ValueError as error:
        raise UsageError(str(error)) from None


def seconds_of(text: str) -> float:
    """Read "90", "90s", "10m", "1h30m", "2d" as seconds; raises UsageError."""
    try:
        return seconds_in(text)
    except ValueError as error:
        raise UsageError(str(error)) from None


def deadline_of(text: str, now: float) -> float:
    """Read a length of time from now, or a moment like 2026-12-31T18:00; gives seconds since the epoch."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return now + seconds_of(text)
    try:
        at = moment.timestamp()
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"the moment {text} is beyond any clock; take one nearer to now") from None
    if at <= now:
        raise UsageError(f"the deadline {text} has passed already")
    return at
