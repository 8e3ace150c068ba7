"""Claims held against the evidence they cite, without a model; rules, limits and figures are in docs/verify.md."""

from stretto.specialists.verify.checking import check
from stretto.specialists.verify.model import Claim, Judgement, Verdict, Verdicts

__all__ = ["Claim", "Judgement", "Verdict", "Verdicts", "check"]
