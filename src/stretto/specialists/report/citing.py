"""Numbers of sources as a reader wants them: three or more in a row become one span."""

from collections.abc import Iterable

SHORTEST = 3


def spans(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Give runs of numbers that follow one another as (first, last), in the order given; shorter runs one by one."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return tuple(
        span for run in runs for span in ([(run[0], run[-1])] if len(run) >= SHORTEST else [(one, one) for one in run])
    )


def shown(span: tuple[int, int]) -> str:
    """Write a span: `4`, or `4–9`."""
    first, last = span
    return str(first) if first == last else f"{first}–{last}"
