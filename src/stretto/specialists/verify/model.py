"""Claims, and what is said of them, as frozen data."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from stretto.core.domain import Citation

Judgement: TypeAlias = Literal["supported", "contradicted", "unsupported", "unreadable evidence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A statement and where it comes from.

    With an `expression` the claim's figure is worked out again: `values` are the numbers it uses, by name, and each
    must stand in the cited lines; `value` is what it is claimed to come to (else a figure of the text must be it).
    """

    text: str
    citations: list[Citation] = field(default_factory=list)
    value: float | str | None = None
    expression: str = ""
    values: dict[str, float | str | list[float | str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the evidence says to one claim: the judgement, why, and the line that decides it."""

    claim: str
    verdict: Judgement
    reason: str
    file: str = ""
    line: int | None = None
    evidence: str = ""
    checked: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """The verdicts in the order of the claims, and how many there are of each kind."""

    verdicts: list[Verdict]
    supported: int
    contradicted: int
    unsupported: int
    unreadable: int
