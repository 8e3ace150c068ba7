"""A claim's expression, worked out again from numbers that stand in its evidence."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from stretto.specialists.calculate import BadExpression, evaluate
from stretto.specialists.verify.figures import Figure, figures_of, same
from stretto.specialists.verify.model import Claim, Judgement

ORDINARY = frozenset({"0", "1", "2", "7", "10", "12", "24", "30", "60", "100", "365", "1000", "3600"})
"""Numbers of conversion, which need no evidence."""
_LITERAL = re.compile(r"(?<![\w.])\d[\d_]*(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What came of an expression: the judgement, why, and the result where there is one."""

    verdict: Judgement
    reason: str
    result: Figure | None = None

    def explains(self, figure: Figure) -> bool:
        """Whether a figure of the claim is the result."""
        return self.result is not None and _agrees(figure, self.result)


def recompute(claim: Claim, stated: Sequence[Figure], written: str) -> Recomputed:
    """Work the expression out and hold it against the claimed value; `written` are the cited lines as one text."""
    for name, given in claim.values.items():
        for one in given if isinstance(given, list) else [given]:
            if not _stands(str(one), stated):
                return Recomputed("unsupported", f"the value {name} = {one} does not stand in the cited lines")
    for literal in _LITERAL.findall(claim.expression):
        if literal not in ORDINARY and not _stands(literal, stated) and literal not in written:
            return Recomputed(
                "unsupported", f"the number {literal} of the expression does not stand in the cited lines"
            )
    try:
        number = evaluate(claim.expression, claim.values)
    except BadExpression as error:
        return Recomputed("unsupported", f"its expression cannot be worked out: {error}")
    told = f"{claim.expression} = {number.text}"
    result = _figure(number.text.removeprefix("≈ "))
    claimed = figures_of(claim.text) if claim.value is None else [_figure(str(claim.value))]
    if result is None or any(one is None for one in claimed):
        return Recomputed("unsupported", f"{told} is no number to compare")
    if not claimed:
        return Recomputed("unsupported", f"{told}, but the claim names no figure")
    if any(one is not None and _agrees(one, result) for one in claimed):
        return Recomputed("supported", told, result)
    said = "the claim" if claim.value is None else str(claim.value)
    return Recomputed("contradicted", f"{told}, not {said}")


def _agrees(claimed: Figure, result: Figure) -> bool:
    if same(claimed, result) or same(result, claimed):
        return True
    # written with all the digits of a float
    gap = abs(claimed.amount - result.amount)
    return claimed.kind == result.kind and gap <= abs(result.amount) / 10**9


def _stands(text: str, stated: Sequence[Figure]) -> bool:
    one = _figure(text)
    return one is not None and any(
        one.amount == other.amount or (other.kind == "%" and one.kind == "" and one.amount == other.amount * 100)
        for other in stated
    )


def _figure(text: str) -> Figure | None:
    found = figures_of(text)
    if found:
        return found[0]
    try:
        amount = Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None
    return Figure(text=text, start=0, end=len(text), amount=amount, half=Fraction(0))
