"""What to try next when an attempt failed: ladders of rungs, by class of failure.

Which rung it is follows from the ladder, the class and the number of failures so far, so a replay needs no other mark.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from stretto.core.canonical import digest, short
from stretto.core.domain import FailureClass, Ladder, Rung

ANY = "*"
AGAIN = frozenset({"retry", "revise", "with"})
ELSEWHERE = frozenset({"backup", "agent"})
ENDS = frozenset({"skip", "compensate", "stop", "fail"})

MAY_HAVE_HAPPENED = frozenset(
    {FailureClass.INVALID_OUTPUT, FailureClass.TIMED_OUT, FailureClass.ERROR, FailureClass.UNKNOWN}
)
"""Failures after which the action may have been done: one that must not happen twice is never simply tried again."""

LONGEST_PAUSE = 60.0
BACKUP = Rung(do="backup")
_FAIL = Rung(do="fail")

DEFAULT: Ladder = {
    "transient": (Rung(do="retry", times=3, pause=0.5), BACKUP),
    "rate_limited": (Rung(do="retry", times=5, pause=2.0), BACKUP),
    "unavailable": (Rung(do="retry", times=2, pause=1.0), BACKUP),
    "invalid_output": (Rung(do="revise"), BACKUP),
    "timed_out": (Rung(do="retry"), BACKUP),
    "error": (Rung(do="retry", pause=0.1), BACKUP),
    "refused": (BACKUP,),
    "denied": (BACKUP,),
    "over_budget": (BACKUP,),
    "unknown": (Rung(do="retry", times=2, pause=0.5), BACKUP),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place on a ladder: the rung, the failures that lead there, and how often it was tried before."""

    rung: Rung
    failures: int
    earlier: int = 0


def rungs_for(failure: FailureClass, ladders: Iterable[Ladder], retries: dict[str, int]) -> tuple[Rung, ...]:
    """Give the rungs of a class from the nearest ladder that has some; `retries` changes the numbers of the default."""
    for ladder in ladders:
        found = ladder.get(failure.value, ladder.get(ANY))
        if found is not None:
            return found
    usual, times = DEFAULT[failure.value], retries.get(failure.value)
    if times is None:
        return usual
    again = usual[0] if usual and usual[0].do in AGAIN else Rung(do="retry")
    return (*((replace(again, times=times),) if times else ()), *(rung for rung in usual if rung.do not in AGAIN))


def place_for(rungs: tuple[Rung, ...], failures: int, usable: Callable[[Rung], bool]) -> Place:
    """Give the place for so many failures; rungs that cannot be used are passed over. At the end stands `fail`."""
    first = 1
    for rung in rungs:
        last = first + rung.times - 1
        if rung.do in ENDS or (failures <= last and usable(rung)):
            at = max(failures, first)
            return Place(rung=rung, failures=at, earlier=at - first)
        first = last + 1
    return Place(rung=_FAIL, failures=failures)


def pause_before(rung: Rung, earlier: int, *, name: str, attempt: int, retry_after: float | None = None) -> float:
    """Give the seconds to wait: twice as long each time, at most a minute or what the rung itself says.

    `name` and `attempt` make the jitter (up to a quarter) the same on every replay; `retry_after` is what the other
    side asked for, and never fallen short of.
    """
    pause = min(rung.pause * 2.0 ** min(earlier, 60), max(LONGEST_PAUSE, rung.pause))
    jitter = int(digest([name, attempt])[:6], 16) / 0xFFFFFF
    return max(pause * (1 + jitter / 4), retry_after or 0.0)


def tries_of(failure: FailureClass, agent: str) -> str:
    """Name the count of an agent's failures of a class: whoever takes over begins a count of its own."""
    return f"{failure.value} {agent}"


def brought_by(key: str | None, produced: str) -> str:
    """Name a result together with the action that brought it: the same skill on the same arguments."""
    return short([key, produced])
