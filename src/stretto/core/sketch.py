"""Many lengths of time in little room: sketches add up exactly, and tell quantiles to within 9 %.

The histogram has eight buckets to each doubling, the same for all sketches, so that those of any runs can be put
together. `STEP_TARGET` is the border of two of them: the share below it is exact.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable

from msgspec import Struct, field

STEP_TARGET = 5.0
"""Seconds in which a task should start once nothing holds it back."""
BORDERS = tuple(STEP_TARGET * 2 ** (step / 8) for step in range(-96, 113))
"""Between the buckets, in seconds: from about a millisecond to most of a day."""


class Sketch(Struct, frozen=True, array_like=True, gc=False):
    """So many lengths of time: their sum in microseconds, the longest in seconds, and how many lie in each bucket.

    Bucket n lies below border n; the last one has no upper border but the longest.
    """

    count: int = 0
    microseconds: int = 0
    longest: float = 0.0
    buckets: dict[int, int] = field(default_factory=dict)

    @staticmethod
    def of(seconds: Iterable[float]) -> "Sketch":
        """Give the sketch of some lengths in seconds; what is less than nothing counts as nothing."""
        lengths = [max(one, 0.0) for one in seconds]
        return Sketch(
            count=len(lengths),
            microseconds=sum(round(one * 1e6) for one in lengths),
            longest=max(lengths, default=0.0),
            buckets=dict(Counter(bisect_right(BORDERS, one) for one in lengths)),
        )

    @staticmethod
    def total(many: Iterable["Sketch"]) -> "Sketch":
        """Give all of them as one."""
        count, microseconds, longest, buckets = 0, 0, 0.0, dict[int, int]()
        for one in many:
            if one.count:
                count, microseconds = count + one.count, microseconds + one.microseconds
                longest = max(longest, one.longest)
                for place, number in one.buckets.items():
                    buckets[place] = buckets.get(place, 0) + number
        return Sketch(count=count, microseconds=microseconds, longest=longest, buckets=buckets)

    def __add__(self, more: "Sketch") -> "Sketch":
        return Sketch.total((self, more))

    @property
    def mean(self) -> float | None:
        """The mean in seconds; None of none."""
        return self.microseconds / 1e6 / self.count if self.count else None

    def quantile(self, share: float) -> float | None:
        """Give the seconds that this share does not exceed, by interpolation in its bucket; None of none."""
        left = share * self.count
        for place, count in sorted(self.buckets.items()):
            if left <= count:
                low = BORDERS[place - 1] if place else 0.0
                high = min(BORDERS[place], self.longest) if place < len(BORDERS) else self.longest
                return min(low + (high - low) * left / count, self.longest)
            left -= count
        return self.longest if self.count else None

    @property
    def under_target(self) -> float | None:
        """The share that is less than `STEP_TARGET`, exactly; None of none."""
        border = bisect_right(BORDERS, STEP_TARGET)
        below = sum(count for place, count in self.buckets.items() if place < border)
        return below / self.count if self.count else None
