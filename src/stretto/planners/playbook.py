"""Plans by playbook: the one whose declared intents a goal meets, with what the goal says put in its place."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from stretto.core.domain import Catalogue, InputSpec, Interpretation, Json, Playbook
from stretto.planners.proposal import Proposal, Question, Refusal, WrongAnswer
from stretto.planners.rules.goals import Clause, clauses_of
from stretto.planners.rules.words import EMPTY, sense, words_of

ENOUGH = 0.75
"""The part of an intent's words that a goal must have, when it is not worded like the intent."""
CLOSE = 0.05
HINT = 0.4
"""The score from which on a playbook is a hint for whoever plans the goal otherwise."""
_TOKEN = re.compile(r"\{([^{}]*)\}|[^\W_]+", re.UNICODE)
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
    clauses = clauses_of(goal)
    found = matches(goal, catalogue.playbooks) if any(one.asks for one in clauses) else []
    if not found:
        return None
    known = dict(answers)
    rivals = [one for one in found if one.score > found[0].score - CLOSE]
    if len(rivals) == 1:
        return _covering(clauses, rivals[0]) or _filled(rivals[0], inputs, known)
    question = Question(text="Which playbook is meant?", choices=tuple(one.playbook.name for one in rivals))
    try:
        said = question.answered(known)
    except WrongAnswer as error:
        return Proposal(interpretation=_interpretation(rivals[0]), refusal=Refusal(reason=str(error)))
    if said is None:
        return Proposal(interpretation=_interpretation(rivals[0]), question=question)
    chosen = next(one for one in rivals if one.playbook.name == said)
    return _covering(clauses, chosen) or _filled(chosen, inputs, known, (f"{question.text} {said}, as a person said",))


def _covering(clauses: tuple[Clause, ...], match: Match) -> Proposal | None:
    """Refuse a goal that asks for more than a playbook is for, or for less: no word of it is dropped in silence."""
    playbook = match.playbook
    covered = set(map(sense, words_of(f"{match.intent} {playbook.name} {playbook.description}")))
    wishes = [one for one in clauses if one.asks]
    less = [one.text for one in clauses if one.forbids]
    more = [one.text for one in wishes[1:] if one.verb and sense(one.verb) not in covered]
    if not more and not less:
        return None
    other = f"asks for more: {'; '.join(more)}" if more else f"forbids something: {'; '.join(less)}"
    reason = f"the playbook {playbook.name!r} is for {match.intent!r}, and the goal {other}"
    refusal = Refusal(reason=reason, instead=(f"ask only for: {wishes[0].text}",))
    return Proposal(interpretation=_interpretation(match), refusal=refusal)


def matches(goal: str, playbooks: Iterable[Playbook]) -> list[Match]:
    """Give the playbooks whose intents a goal meets, the best first."""
    found = []
    for playbook in playbooks:
        own = [_match(goal, playbook, intent) for intent in playbook.intents]
        best = max((one for one in own if one.score >= ENOUGH), key=lambda one: one.score, default=None)
        if best is not None:
            found.append(best)
    return sorted(found, key=lambda one: -one.score)


def near(goal: str, playbooks: Iterable[Playbook], most: int = 2) -> list[Playbook]:
    """Give playbooks for goals that have something in common with this one, the nearest first."""
    scored = [(max((_match(goal, one, intent).score for intent in one.intents), default=0.0), one) for one in playbooks]
    return [one for score, one in sorted(scored, key=lambda pair: -pair[0]) if score >= HINT][:most]


def _match(goal: str, playbook: Playbook, intent: str) -> Match:
    said = _worded_like(goal, intent)
    words = [sense(match[0].casefold()) for match in _TOKEN.finditer(intent) if not match[1]]
    words = [word for word in words if word not in _SKIPPED] or words
    goal_words = {sense(match[0].casefold()) for match in re.finditer(r"[^\W_]+", goal)}
    share = sum(word in goal_words for word in words) / max(1, len(words))
    if len(words) == 1 and goal_words - _SKIPPED - set(words):
        share = 0.0  # one word of many is a coincidence
    if said is None:
        return Match(playbook=playbook, score=0.9 * share, intent=intent, said={})
    return Match(playbook=playbook, score=0.9 + min(0.1, 0.02 * len(words)), intent=intent, said=said)


def _worded_like(goal: str, intent: str) -> dict[str, str] | None:
    """Give what stands in the slots when a goal has the intent's words in their order, else None."""
    pattern = [(match[1], sense(match[0].casefold())) for match in _TOKEN.finditer(intent)]
    optional = _optional(pattern)
    tokens = [match[0].rstrip(".") for match in _WORD.finditer(goal)]
    senses = [sense(token.strip("'\"“”()").casefold()) for token in tokens]
    said: dict[str, str] = {}
    at, open_slot, begins = 0, "", 0
    for number, (slot, word) in enumerate(pattern):
        if number in optional:
            at += not open_slot and senses[at : at + 1] == [word]
            continue
        if slot:
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


def _optional(pattern: list[tuple[str, str]]) -> set[int]:
    """Give the places of the words that a goal may leave out: they say nothing, and do not alone part two slots."""
    silent = {number for number, (slot, word) in enumerate(pattern) if not slot and word in _SKIPPED}
    if all(slot or number in silent for number, (slot, _) in enumerate(pattern)):
        return set()
    kept = [number for number in range(len(pattern)) if number not in silent]
    for first, second in pairwise(kept):
        if pattern[first][0] and pattern[second][0]:
            silent -= set(range(first, second))
    return silent


def _slot(tokens: list[str]) -> str:
    while len(tokens) > 1 and tokens[0].casefold() in ("the", "a", "an", "our", "my", "for", "of", "to", "new"):
        tokens = tokens[1:]
    while len(tokens) > 1 and tokens[-1].casefold() in ("and", "for", "of", "to", "with", "in", "please"):
        tokens = tokens[:-1]
    return " ".join(tokens).strip("\"'“”")


class _Incomplete(Exception):
    """An input is missing: a person is asked for it, or has to give it with the goal."""

    def __init__(self, lack: Question | Refusal) -> None:
        super().__init__(str(lack))
        self.lack = lack


def _filled(
    match: Match, inputs: dict[str, Json], answers: Mapping[str, str], reasons: tuple[str, ...] = ()
) -> Proposal:
    """Give the plan with its inputs from those given, from the goal's words, and from their defaults."""
    playbook, found = match.playbook, dict[str, Json]()
    assumptions = []
    try:
        for name, spec in playbook.plan.inputs.items():
            given = name in inputs and _fits(inputs[name], spec)
            if not given:
                found[name] = _value(match, name, spec, inputs, answers)
            if not given and name not in match.said and spec.default is not None and found[name] == spec.default:
                assumptions.append(f"{name!r} is {spec.default!r}, its default")
    except _Incomplete as incomplete:
        meant, lack = _interpretation(match, reasons), incomplete.lack
        if isinstance(lack, Question):
            return Proposal(interpretation=meant, question=lack)
        return Proposal(interpretation=meant, refusal=lack)
    interpretation = _interpretation(match, reasons, tuple(assumptions))
    return Proposal(interpretation=interpretation, plan=playbook.plan, inputs=found, specs=dict(playbook.plan.inputs))


def _value(match: Match, name: str, spec: InputSpec, inputs: dict[str, Json], answers: Mapping[str, str]) -> Json:
    """Give an input that was not given as it is; raises _Incomplete."""
    playbook, files = match.playbook.name, _files(inputs)
    if name in inputs:
        given = inputs[name]
        if spec.kind == "files" and _path(given):
            return [given]
        if spec.kind == "file" and isinstance(given, list) and len(given) == 1 and _path(given[0]):
            return given[0]
        raise _Incomplete(_lacks(f"the input {name!r} is to be a {spec.kind}, not {given!r}", name))
    if name in match.said:
        return _said_value(match.said[name], name, spec, files, answers)
    if files and spec.kind == "files":
        return list(files)
    if spec.kind == "file" and len(files) == 1:
        return files[0]
    if spec.kind == "file" and len(files) > 1:
        return _asked(Question(text=f"{playbook} needs {name!r}: which file is it?", choices=tuple(files)), answers)
    if spec.default is not None or not spec.required:
        return spec.default
    if spec.kind == "value":
        told = f" ({spec.description})" if spec.description else ""
        return _asked(Question(text=f"{playbook} needs {name!r}{told}: what is it?"), answers)
    raise _Incomplete(_lacks(f"the playbook {playbook!r} needs the input {name!r} ({spec.kind})", name))


def _asked(question: Question, answers: Mapping[str, str]) -> str:
    try:
        said = question.answered(answers)
    except WrongAnswer as error:
        raise _Incomplete(Refusal(reason=str(error))) from None
    if said is None:
        raise _Incomplete(question)
    return said


def _said_value(text: str, name: str, spec: InputSpec, files: list[str], answers: Mapping[str, str]) -> Json:
    """Give what a goal says of an input: its words, or the file that they name."""
    if spec.kind == "value":
        return text
    known = [one for one in files if one == text] or [one for one in files if one.endswith("/" + text.lstrip("./~"))]
    if not known:
        raise _Incomplete(_lacks(f"the goal names {text!r} as {name!r}, and there is no such {spec.kind}", name))
    if spec.kind == "files":
        return known
    return (
        known[0]
        if len(known) == 1
        else _asked(Question(text=f"Which file is meant by {text!r}?", choices=tuple(known)), answers)
    )


def _files(inputs: dict[str, Json]) -> list[str]:
    """Give the files that were given without a name, or that the goal mentions."""
    files = inputs.get("files")
    return [str(one) for one in files] if isinstance(files, list) else []


def _fits(value: Json, spec: InputSpec) -> bool:
    match spec.kind:
        case "value":
            return True
        case "files":
            return isinstance(value, list) and all(map(_path, value))
    return _path(value)


def _path(value: Json) -> bool:
    """Whether a value is a whole path, as files and folders that are there are given."""
    return isinstance(value, str) and value.startswith("/")


def _lacks(reason: str, name: str) -> Refusal:
    return Refusal(reason=reason, missing=(f"{name}, with --input {name}=...",))


def _interpretation(match: Match, reasons: tuple[str, ...] = (), assumptions: tuple[str, ...] = ()) -> Interpretation:
    playbook = match.playbook
    return Interpretation(
        planner="playbook",
        playbook=playbook.name,
        restated=playbook.description or playbook.name,
        done=(f"every task of the playbook {playbook.name!r} is accepted or skipped by its own condition",),
        assumptions=assumptions,
        reasons=(f"the goal meets {match.intent!r} of the playbook {playbook.name!r} ({match.score:.2f})", *reasons),
    )
