"""Stretches of time, or of anything with an order: what they cover, what they leave free, how many overlap."""

from collections.abc import Iterable
from typing import Any, TypeVar

Moment = TypeVar("Moment", bound=Any)


def merged(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Give what spans cover, as few spans as possible, in order."""
    found: list[tuple[float, float]] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """Give the length of what spans cover."""
    return sum(end - begin for begin, end in merged(spans))


def between(spans: Iterable[tuple[float, float]], begin: float, end: float) -> list[tuple[float, float]]:
    """Give the times between two moments that no span covers."""
    gaps, here = [], begin
    for first, last in merged(spans):
        if first > here:
            gaps.append((here, first))
        here = max(here, last)
    return [*gaps, (here, end)] if end > here else gaps


def most_at_once(spans: Iterable[tuple[Moment, Moment]]) -> int:
    """Give the most spans that overlap; one that ends makes room for one that begins then."""
    lasting = [(begin, end) for begin, end in spans if end > begin]
    steps = sorted([(begin, 1) for begin, _ in lasting] + [(end, -1) for _, end in lasting])
    most = here = 0
    for _, step in steps:
        here += step
        most = max(most, here)
    return most
