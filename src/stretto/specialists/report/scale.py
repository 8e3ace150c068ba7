"""Scales: a range in round steps around values, and each value's place in it; works for all finite values."""

from dataclasses import dataclass
from math import ceil, floor, log10

# A span below this is noise between floats, and its logarithm may not exist.
_SMALLEST_SPAN = 1e-290


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """A range from `low` to `high`, greater than it, with round `ticks` from low to high."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """Return where `value` lies, 0 at the low end and 1 at the high one."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


def scale(values: tuple[float, ...], *, from_zero: bool) -> Scale:
    """Return a scale of three to six ticks that holds all `values`, and zero if asked or near."""
    low, high = min(values), max(values)
    if from_zero or low * high <= 0 or min(abs(low), abs(high)) < 0.6 * max(abs(low), abs(high)):
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low < max(_SMALLEST_SPAN, 1e-9 * max(abs(low), abs(high))):
        # All values (nearly) alike: show them against zero, and zero itself against one.
        low, high = min(low, 0.0), max(high, 0.0)
        if high - low < _SMALLEST_SPAN:
            high = low + 1.0
    step = _round_step((high - low) / 4)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    ticks = tuple(i * step for i in range(first, last + 1))
    return Scale(low=ticks[0], high=ticks[-1], ticks=ticks)


def _round_step(rough: float) -> float:
    power = 10.0 ** floor(log10(rough))
    steps = (factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0, 20.0))
    return next(step for step in steps if step >= rough * 0.999)
