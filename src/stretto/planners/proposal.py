"""What a planner proposes for a goal: a plan, a question, or a refusal that says what is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stretto.core.domain import FREE, Cost, InputSpec, Interpretation, Json, Plan, Usage
from stretto.core.plan.diagnostics import Diagnostic
from stretto.core.plan.writing import write_plan
from stretto.views import diagnostic_view, interpretation_view


class WrongAnswer(ValueError):
    """An answer names none of the choices; the message says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What has to be known before a plan can be chosen; `choices` when one of several is to be named."""

    text: str
    choices: tuple[str, ...] = ()

    def answered(self, answers: Mapping[str, str]) -> str | None:
        """Give what a person said to it, None when nobody did; a choice is named or numbered. Raises WrongAnswer."""
        said = answers.get(self.text, "").strip()
        if not said:
            return None
        if not self.choices or said in self.choices:
            return said
        if said.isdecimal() and len(said) < 9 and 0 < int(said) <= len(self.choices):
            return self.choices[int(said) - 1]
        raise WrongAnswer(f"{self.text} The answer {said!r} is none of {', '.join(self.choices)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why there is no plan: what is missing, and what could be done instead."""

    reason: str
    missing: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [self.reason]
        if self.missing:
            parts.append(f"missing: {'; '.join(self.missing)}")
        if self.instead:
            parts.append(f"instead: {'; '.join(self.instead)}")
        return ". ".join(part.rstrip(".") for part in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Exactly one of plan, question and refusal; `inputs` were read out of the goal's words.

    `usage` and `cost` are what models took for it, and `found` is what was wrong with the plan that was given up.
    """

    interpretation: Interpretation
    plan: Plan | None = None
    question: Question | None = None
    refusal: Refusal | None = None
    inputs: dict[str, Json] = field(default_factory=dict)
    specs: dict[str, InputSpec] = field(default_factory=dict)
    usage: Usage = Usage()
    cost: Cost = FREE
    found: tuple[Diagnostic, ...] = ()

    @property
    def status(self) -> str:
        """`planned`, `asks` or `refused`."""
        return "planned" if self.plan is not None else "asks" if self.question is not None else "refused"


def proposal_view(goal: str, proposal: Proposal, found: Sequence[Diagnostic]) -> dict[str, Any]:
    """Give a proposal as plain values, with what was found in its plan."""
    question, refusal = proposal.question, proposal.refusal
    return {
        "goal": goal,
        "status": proposal.status,
        "interpretation": interpretation_view(proposal.interpretation),
        "plan": write_plan(proposal.plan) if proposal.plan is not None else None,
        "question": {"text": question.text, "choices": list(question.choices)} if question is not None else None,
        "refusal": {"reason": refusal.reason, "missing": list(refusal.missing), "instead": list(refusal.instead)}
        if refusal is not None
        else None,
        "diagnostics": [diagnostic_view(one) for one in found],
        "usage": {
            "input": proposal.usage.input,
            "output": proposal.usage.output,
            "cached": proposal.usage.cached,
            "money": float(proposal.cost.money),
        },
    }
