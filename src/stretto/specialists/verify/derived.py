"""Figures that a claim reckons from those of its evidence: totals, means, differences, changes, shares, multiples."""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from stretto.specialists.verify.figures import Figure, same

MOST = 40
"""Figures of the evidence that are put together; more are not tried."""


@dataclass(frozen=True, slots=True)
class Reckoned:
    """A figure that follows from others, and how."""

    amount: Fraction
    kind: str
    how: str


_Rule = Callable[[Sequence[Figure]], Iterator[Reckoned]]


def reckoned(claim: str, claimed: Figure, stated: Sequence[Figure]) -> list[Reckoned]:
    """Give what the claim's words ask to reckon from the stated figures: none where it names no operation."""
    plain = [one for one in stated if one.kind not in ("date", "points")][:MOST]
    return [
        found
        for cue, kinds, rule in _RULES
        if (claimed.kind in kinds if kinds else claimed.kind not in ("%", "points", "date")) and cue.search(claim)
        for found in rule(plain)
    ]


def agrees(claimed: Figure, found: Reckoned) -> bool:
    """Whether a claimed figure is what was reckoned, rounded as it is written."""
    kind = claimed.kind if claimed.kind in ("%", "points") else found.kind
    amount = abs(found.amount) if claimed.amount >= 0 else found.amount
    stated = Figure(text="", start=0, end=0, amount=amount, half=Fraction(0), kind=kind)
    return same(claimed, stated)


def _pairs(figures: Sequence[Figure]) -> Iterator[tuple[Figure, Figure]]:
    return (pair for pair in itertools.permutations(figures, 2) if pair[0].kind == pair[1].kind)


def _sums(figures: Sequence[Figure]) -> Iterator[Reckoned]:
    for kind in dict.fromkeys(one.kind for one in figures):
        like = [one for one in figures if one.kind == kind]
        for size in {len(like), 2, 3} if len(like) <= 12 else {len(like)}:
            for some in itertools.combinations(like, size) if 1 < size <= len(like) else ():
                said = " + ".join(one.text for one in some)
                yield Reckoned(sum((one.amount for one in some), Fraction(0)), kind, said)


def _means(figures: Sequence[Figure]) -> Iterator[Reckoned]:
    for kind in dict.fromkeys(one.kind for one in figures):
        like = [one for one in figures if one.kind == kind]
        if len(like) > 1:
            total = sum((one.amount for one in like), Fraction(0))
            yield Reckoned(total / len(like), kind, f"the mean of {', '.join(one.text for one in like)}")


def _differences(figures: Sequence[Figure]) -> Iterator[Reckoned]:
    for one, other in _pairs(figures):
        if one.amount >= other.amount:
            yield Reckoned(one.amount - other.amount, one.kind, f"{one.text} - {other.text}")


def _changes(figures: Sequence[Figure]) -> Iterator[Reckoned]:
    for before, after in _pairs(figures):
        if before.amount > 0 and before.kind != "%":
            yield Reckoned(after.amount / before.amount - 1, "%", f"from {before.text} to {after.text}")


def _points(figures: Sequence[Figure]) -> Iterator[Reckoned]:
    for one, other in _pairs([one for one in figures if one.kind == "%"]):
        yield Reckoned(one.amount - other.amount, "points", f"{one.text} - {other.text}")


def _shares(figures: Sequence[Figure]) -> Iterator[Reckoned]:
    for part, whole in _pairs(figures):
        if 0 < part.amount <= whole.amount:
            yield Reckoned(part.amount / whole.amount, "%", f"{part.text} of {whole.text}")


def _multiples(figures: Sequence[Figure]) -> Iterator[Reckoned]:
    for one, other in _pairs(figures):
        if other.amount > 0 and one.amount > other.amount:
            yield Reckoned(one.amount / other.amount, "", f"{one.text} / {other.text}")


_MOVED = (
    r"\b(?:rose|risen|grew|grown|fell|fallen|increase\w*|decrease\w*|gain\w*|drop\w*|declin\w*|lost|up|down|growth|climb\w*"
    r"|more|less|fewer|higher|lower|reduc\w*|cut|change\w*|differ\w*|shrank|shrunk|jump\w*|by|gap|ahead|behind)\b"
)
_RULES: tuple[tuple[re.Pattern[str], tuple[str, ...], _Rule], ...] = (
    (re.compile(r"\b(?:total\w*|sum\w*|together|altogether|combined|in all|overall|both)\b", re.I), (), _sums),
    (re.compile(r"\b(?:mean|average\w*|on average|per \w+)\b", re.I), (), _means),
    (re.compile(_MOVED, re.I), (), _differences),
    (re.compile(_MOVED, re.I), ("%",), _changes),
    (re.compile(_MOVED, re.I), ("points",), _points),
    (re.compile(r"\b(?:of|share\w*|accounts?|accounted|makes? up|proportion|rate)\b|\bpart\b", re.I), ("%",), _shares),
    (re.compile(r"\b(?:times|fold|multiple|ratio)\b", re.I), ("",), _multiples),
)
