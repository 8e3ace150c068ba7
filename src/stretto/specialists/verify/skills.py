"""Verifies claims against the lines they cite: figures, names, quotes, direction, negation; in English."""

from stretto.core.domain import FailureClass
from stretto.declare import pure
from stretto.ports import AgentFailure, Assignment
from stretto.specialists.verify import Claim, Verdicts
from stretto.specialists.verify import check as check_claims


@pure(timeout=300)
def check(claims: list[Claim], work: Assignment, sources: dict[str, str] | None = None, within: str = "") -> Verdicts:
    """Judge each claim by the lines it cites: supported, contradicted, unsupported or unreadable evidence, and why.

    `sources` are texts by name for what is not on disk; with `within` only files inside that folder are read.
    """
    try:
        found = check_claims(claims, sources=sources, within=within)
    except ValueError as error:
        raise AgentFailure(str(error), FailureClass.REFUSED) from None
    at_hand = sources or {}
    for one in found.verdicts:
        if one.verdict == "supported" and one.file and one.file not in at_hand and not within:
            work.cite(one.file, one.line)
    return found
