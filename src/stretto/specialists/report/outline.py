"""The outline: headings go down one step at a time, and none is blank, whatever the sections say."""

from collections.abc import Iterable


def levels(wanted: Iterable[int]) -> tuple[int, ...]:
    """Return the depth to show each heading at: as wanted, but at most one below the heading before it."""
    shown: list[int] = []
    above = 1  # the title
    for level in wanted:
        above = min(level, above + 1)
        shown.append(above)
    return tuple(shown)


def fallback_heading(index: int) -> str:
    """Return what to call the section at `index`, from 0, that has no heading."""
    return f"Section {index + 1}"
