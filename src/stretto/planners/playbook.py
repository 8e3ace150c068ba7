"""Plans by playbook: the one whose declared intents a goal meets, with what the goal says put in its place."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from stretto.core.domain import Catalogue, InputSpec, Interpretation, Json, Playbook
from stretto.planners.proposal import Proposal, Question, Refusal
from stretto.planners.rules.words import EMPTY, sense

ENOUGH = 0.75
"""The part of an intent's words that a goal must have, when it is not worded like the intent."""
CLOSE = 0.05
_TOKEN = re.compile(r"\{(\w+)\}|[^\W_]+", re.UNICODE)
_WORD = re.compile(r"\"[^\"\n]+\"|“[^”\n]+”|[^\s,;:!?\"“”]+", re.UNICODE)
_SKIPPED = EMPTY - {"not", "no"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A playbook that a goal meets: how well, by which intent, and what stands in its slots."""

    playbook: Playbook
    score: float
    intent: str
    said: dict[str, str]


def propose(
    goal: str,
    inputs: dict[str, Json],
    catalogue: Catalogue,
    answers: Iterable[tuple[str, str]] = (),
) -> Proposal | None:
    """Give the plan of the playbook that a goal meets, or None when it meets none."""
    found = matches(goal, catalogue.playbooks)
    if not found:
        return None
    known = dict(answers)
    rivals = [one for one in found if one.score > found[0].score - CLOSE]
    chosen = rivals[0]
    names = tuple(one.playbook.name for one in rivals)
    reasons: tuple[str, ...] = ()
    if len(rivals) > 1:
        question = "Which playbook is meant?"
        said = known.get(question, "").strip()
        by_number = names[int(said) - 1] if said.isdigit() and 0 < int(said) <= len(names) else said
        if by_number not in names:
            if said:
                refusal = Refusal(reason=f"{question} The answer {said!r} is none of {', '.join(names)}")
                return Proposal(interpretation=_interpretation(chosen, ()), refusal=refusal)
            text = Question(text=question, choices=names)
            return Proposal(interpretation=_interpretation(chosen, ()), question=text)
        chosen = next(one for one in rivals if one.playbook.name == by_number)
        reasons = (f"{question} {by_number}, as a person said",)
    return _filled(chosen, inputs, known, reasons)


def matches(goal: str, playbooks: Iterable[Playbook]) -> list[Match]:
    """Give the playbooks whose intents a goal meets, the best first."""
    found = []
    for playbook in playbooks:
        own = [_match(goal, playbook, intent) for intent in playbook.intents]
        best = max((one for one in own if one.score >= ENOUGH), key=lambda one: one.score, default=None)
        if best is not None:
            found.append(best)
    return sorted(found, key=lambda one: -one.score)


def _match(goal: str, playbook: Playbook, intent: str) -> Match:
    said = _worded_like(goal, intent)
    words = [sense(match[0].casefold()) for match in _TOKEN.finditer(intent) if not match[1]]
    words = [word for word in words if word not in _SKIPPED] or words
    goal_words = {sense(match[0].casefold()) for match in re.finditer(r"[^\W_]+", goal)}
    share = sum(word in goal_words for word in words) / max(1, len(words))
    if said is None:
        return Match(playbook=playbook, score=0.9 * share, intent=intent, said={})
    return Match(playbook=playbook, score=0.9 + min(0.1, 0.02 * len(words)), intent=intent, said=said)


def _worded_like(goal: str, intent: str) -> dict[str, str] | None:
    """Give what stands in the slots when a goal has the intent's words in their order, else None."""
    pattern = [(match[1], sense(match[0].casefold())) for match in _TOKEN.finditer(intent)]
    pattern = [(slot, word) for slot, word in pattern if slot or word not in _SKIPPED]
    tokens = [match[0].rstrip(".") for match in _WORD.finditer(goal)]
    senses = [sense(token.strip("'\"“”()").casefold()) for token in tokens]
    said: dict[str, str] = {}
    at, open_slot, begins = 0, "", 0
    for slot, word in pattern:
        if slot:
            if open_slot:
                return None  # two slots without a word between them
            open_slot, begins = slot, at
            continue
        found = next((n for n in range(at + bool(open_slot), len(senses)) if senses[n] == word), None)
        if found is None:
            return None
        if open_slot:
            said[open_slot] = _slot(tokens[begins:found])
            open_slot = ""
        elif any(one not in _SKIPPED for one in senses[at:found]) and at > 0:
            return None
        at = found + 1
    if open_slot:
        said[open_slot] = _slot(tokens[begins:])
    return said if all(said.values()) else None


def _slot(tokens: list[str]) -> str:
    while tokens and tokens[0].casefold() in ("the", "a", "an", "our", "my", "for", "of", "to", "new"):
        tokens = tokens[1:]
    while tokens and tokens[-1].casefold() in ("and", "for", "of", "to", "with", "in", "please"):
        tokens = tokens[:-1]
    return " ".join(tokens).strip("\"'“”")


def _filled(match: Match, inputs: dict[str, Json], answers: dict[str, str], reasons: tuple[str, ...]) -> Proposal:
    """Give the plan with its inputs from those given, from the goal's words, and from their defaults."""
    playbook, found = match.playbook, dict[str, Json]()
    spare = [str(one) for one in inputs.get("files", ()) or ()] if isinstance(inputs.get("files"), list) else []
    assumptions = []
    for name, spec in playbook.plan.inputs.items():
        question = f"{playbook.name} needs {name!r}{f' ({spec.description})' if spec.description else ''}: what is it?"
        if name in inputs:
            continue
        if name in match.said:
            value = _said_value(match.said[name], spec, spare)
            if value is None:
                reason = f"the goal names {match.said[name]!r} as {name!r}, and there is no such {spec.kind}"
                return Proposal(
                    interpretation=_interpretation(match, reasons),
                    refusal=Refusal(reason=reason, missing=(f"{name}, with --input {name}=...",)),
                )
            found[name] = value
        elif spare and spec.kind in ("file", "files"):
            found[name] = spare if spec.kind == "files" else spare[0]
        elif spec.default is not None or not spec.required:
            found[name] = spec.default
            if spec.default is not None:
                assumptions.append(f"{name!r} is {spec.default!r}, its default")
        elif spec.kind == "value":
            if question not in answers:
                return Proposal(interpretation=_interpretation(match, reasons), question=Question(text=question))
            found[name] = answers[question]
        else:
            reason = f"the playbook {playbook.name!r} needs the input {name!r} ({spec.kind})"
            return Proposal(
                interpretation=_interpretation(match, reasons),
                refusal=Refusal(reason=reason, missing=(f"{name}, with --input {name}=...",)),
            )
    interpretation = _interpretation(match, reasons, tuple(assumptions))
    return Proposal(interpretation=interpretation, plan=playbook.plan, inputs=found, specs=dict(playbook.plan.inputs))


def _said_value(text: str, spec: InputSpec, spare: list[str]) -> Json:
    if spec.kind == "value":
        return text
    known = [one for one in spare if one == text or one.endswith("/" + text.lstrip("./~"))]
    if not known:
        return None
    return known if spec.kind == "files" else known[0]


def _interpretation(match: Match, reasons: tuple[str, ...], assumptions: tuple[str, ...] = ()) -> Interpretation:
    playbook = match.playbook
    return Interpretation(
        planner="playbook",
        restated=playbook.description or playbook.name,
        done=(f"every task of the playbook {playbook.name!r} is accepted or skipped by its own condition",),
        assumptions=assumptions,
        reasons=(f"the goal meets {match.intent!r} of the playbook {playbook.name!r} ({match.score:.2f})", *reasons),
    )
