"""The last reviewer, where a model is named for it: criteria in plain words are judged, with quotes that are looked up.

A verdict whose quote does not stand in the result is void. A judge that cannot be asked lets the result pass on what
the other reviewers said, and says so; where a judge is required, a person decides instead.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from stretto.core.compress import fitted, size
from stretto.core.domain import Call, Called, Json, Review, Schema, Score
from stretto.core.plan.criteria import checkable, text_in
from stretto.core.trust import TrackRecord
from stretto.models.asking import ask
from stretto.models.fencing import fenced
from stretto.models.prompt import Message, Model, Prompt
from stretto.models.prompts import rendered
from stretto.models.reading import Unreadable, read_json
from stretto.ports import AgentFailure, Caller, Product

TRIES = 2
"""How often a judge is asked about a result whose verdicts cannot be used, the first time included."""
ANSWER = 300
"""Tokens of an answer for each criterion, and"""
THOUGHT = 2_000
"""those that models may take that think first; at most a third of the window in all."""
_PROMPTS = Path(__file__).parent / "prompts"
_LEAST = 200
_ELLIPSIS = re.compile(r"\[?(?:…|\.\.\.)\]?")

Records = Callable[[], Awaitable[Mapping[str, TrackRecord]]]


@dataclass(frozen=True, slots=True)
class ModelReviewer:
    """Asks a model for a verdict on each criterion in plain words; `records` tells how often it was right before."""

    models: Sequence[Model]
    records: Records
    name: str = "judge"

    def glance(self, product: Product) -> Review | None:
        if self.models and _in_words(product):
            return None
        return Review(accepted=True, reviewer="")

    async def review(self, product: Product, caller: Caller) -> Review:
        criteria = _in_words(product)
        if not (self.models and criteria):
            return Review(accepted=True, reviewer="")
        known = await self.records()
        models = [one for one in self.models if known.get(f"{self.name} {one.name}", TrackRecord()).pays]
        if not models:
            first = known[f"{self.name} {self.models[0].name}"]
            told = f"{first.hits} hits, {first.misses} misses, {first.false_alarms} false alarms"
            return self._without(product, f"the judge was not asked: it is below break-even ({told})")
        try:
            return await self._judged(models, product, criteria, caller)
        except AgentFailure as failure:
            return self._without(product, f"the judge could not be asked ({failure.failure.value}): {failure}")

    async def _judged(
        self, models: Sequence[Model], product: Product, criteria: tuple[str, ...], caller: Caller
    ) -> Review:
        case = _Case(product, criteria, models[0].window)
        answer, heard = _Answer(), _Overheard(caller)
        for number in range(1, TRIES + 1):
            prompt = await _fitting(models[0], case, answer.mistakes)
            key = self.name if number == 1 else f"{self.name}/{number}"
            reply = await ask(models, prompt, heard, key=key, role="reviewer", labels=product.labels)
            answer = replace(case.read(reply.text), by=heard.model)
            if not answer.mistakes:
                break
        if answer.scores:
            said = self._ruled(answer, case)
        else:
            said = self._without(product, f"the judge gave no verdict that can be used: {'; '.join(answer.mistakes)}")
        return replace(said, by=answer.by, checked=case.quoted, unsupported=case.misquoted)

    def _ruled(self, answer: "_Answer", case: "_Case") -> Review:
        missed = tuple(
            f"{one.criterion}: {one.feedback or 'the result does not meet it'}" for one in answer.scores if not one.met
        )
        notes = (*case.notes, *(f"a verdict of the judge is void: {one}" for one in answer.mistakes))
        escalated = answer.verdict == "escalate"
        return Review(
            accepted=not missed and not escalated,
            reviewer=self.name,
            findings=missed or (("the judge leaves it to a person",) if escalated else ()),
            otherwise=answer.verdict if answer.verdict in ("hand_over", "escalate") else "revise",  # type: ignore[arg-type]
            scores=answer.scores,
            notes=notes,
        )

    def _without(self, product: Product, why: str) -> Review:
        if product.judge_required:
            return Review(accepted=False, reviewer=self.name, findings=(why,), otherwise="escalate", notes=(why,))
        return Review(accepted=True, reviewer="", notes=(f"{why}; it counts by what the other reviewers said",))


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a judge said, as far as it can be used, and what of it cannot."""

    scores: tuple[Score, ...] = ()
    verdict: str = "accept"
    mistakes: tuple[str, ...] = ()
    by: str = ""


class _Overheard:
    """A caller that remembers which model was asked last, for each has a track record of its own."""

    def __init__(self, caller: Caller) -> None:
        self._caller, self.model = caller, ""

    async def call(self, call: Call, do: Callable[[], Awaitable[Called]]) -> Called:
        self.model = call.what
        return await self._caller.call(call, do)


class _Case:
    """A result before its judge."""

    def __init__(self, product: Product, criteria: tuple[str, ...], window: int) -> None:
        self.product, self.criteria = product, criteria
        self._most = min(THOUGHT + ANSWER * len(criteria), window // 3)
        self.result = _shown(product)
        self.notes: tuple[str, ...] = ()
        self.quoted, self.misquoted = 0, 0  # over all answers
        self._plain = _plain(f"{text_in(self.result)}\n{self.result}")

    def prompt(self, mistakes: Sequence[str], inputs: int | None = None, result: int | None = None) -> Prompt:
        """Give the prompt, with at most so many characters of what the result was made from, and of the result."""
        given, cut_inputs = _cut(self.product.arguments, inputs)
        shown, cut_result = _cut(self.result, result)
        told = f"{size(shown):,} of {size(self.result):,} characters" if cut_result else ""
        self.notes = (f"the judge saw only the beginning of the result, {told}",) if told else ()
        user = rendered(
            _PROMPTS / "result.md",
            objective=self.product.task.objective,
            criteria=self.criteria,
            inputs=fenced("inputs", given) if given else "",
            inputs_cut=cut_inputs,
            result=fenced("result", shown),
            result_cut=told,
            mistakes=mistakes,
        )
        messages = (
            Message(role="system", text=rendered(_PROMPTS / "judge.md")),
            Message(role="user", text=user),
        )
        return Prompt(messages=messages, schema=_SCHEMA, most=self._most)

    def read(self, text: str) -> _Answer:
        """Read an answer; verdicts that cannot be used become mistakes."""
        try:
            said = read_json(text)
        except Unreadable as error:
            return _Answer(mistakes=(f"it could not be read: {error}",))
        listed = said.get("criteria") if isinstance(said, dict) else None
        if not isinstance(listed, list):
            return _Answer(mistakes=("it has no list `criteria`",))
        scores: dict[int, Score] = {}
        mistakes: list[str] = []
        for one in listed:
            number = one.get("number") if isinstance(one, dict) else None
            if not isinstance(number, int) or isinstance(number, bool) or not 0 < number <= len(self.criteria):
                mistakes.append(f"there is no criterion of the number {number!r}")
            elif number in scores:
                mistakes.append(f"there are two verdicts on criterion {number}")
            elif not isinstance(one.get("met"), bool):
                mistakes.append(f"the verdict on criterion {number} does not say whether it is `met`")
            elif not self._looked_up(quote := str(one.get("evidence") or "")):
                mistakes.append(f"the evidence for criterion {number} does not stand in the result: {quote[:120]!r}")
            else:
                scores[number] = _score(self.criteria[number - 1], one, quote)
        told = " ".join(mistakes)
        silent = (
            one for one in range(1, len(self.criteria) + 1) if one not in scores and f"criterion {one}" not in told
        )
        mistakes += [f"there is no verdict on criterion {number}" for number in silent]
        verdict = said.get("verdict")
        return _Answer(
            tuple(scores[number] for number in sorted(scores)),
            verdict if verdict in ("revise", "hand_over", "escalate") else "accept",
            tuple(mistakes),
        )

    def _looked_up(self, quote: str) -> bool:
        """Whether a quote stands in the result; it is counted, where there is one."""
        stands = self._stands(quote)
        self.quoted += bool(quote.strip())
        self.misquoted += not stands
        return stands

    def _stands(self, quote: str) -> bool:
        """Whether a quote stands in the result word for word; what it leaves out is marked by an ellipsis."""
        parts = [_plain(part) for part in _ELLIPSIS.split(quote.strip().strip("\"'“”"))]
        told = [part for part in parts if part]
        return not quote.strip() or (bool(told) and all(part in self._plain for part in told))


async def _fitting(model: Model, case: _Case, mistakes: Sequence[str]) -> Prompt:
    """Give the prompt so that it fits a model's window: what the result was made from is shortened first.

    What does not fit even so is left to `ask`, which refuses it with the figures.
    """
    prompt = case.prompt(mistakes)
    room = model.window - (prompt.most or 0)
    counted = await model.count(prompt)
    if counted <= room:
        return prompt
    inputs, result = size(case.product.arguments), size(case.result)
    bare = await model.count(case.prompt(mistakes, 0, 0))
    left = int(max(room - bare, 0) * (inputs + result) / max(counted - bare, 1))
    while counted > room and left > _LEAST:
        kept = min(result, max(left - inputs, left * 3 // 4))
        prompt = case.prompt(mistakes, max(left - kept, 0), kept)
        counted = await model.count(prompt)
        left = left * 4 // 5
    return prompt


def _in_words(product: Product) -> tuple[str, ...]:
    return tuple(one for one in product.criteria if checkable(one) is None)


def _shown(product: Product) -> Json:
    """Give what there is to judge: the output, and the text files that came with it."""
    files = {one.name: one.content for one in product.result.artifacts if one.encoding == "utf-8"}
    return {"output": product.result.output, "files": files} if files else product.result.output


def _cut(value: Json, most: int | None) -> tuple[Json, bool]:
    if most is None or size(value) <= most:
        return value, False
    found, names = fitted({"": value}, most)
    return (found[""] if most else ""), bool(names)


def _score(criterion: str, said: dict[str, Json], quote: str) -> Score:
    met, mark = bool(said["met"]), said.get("score")
    mark = float(mark) if isinstance(mark, int | float) and not isinstance(mark, bool) else 10.0 * met
    return Score(
        criterion=criterion,
        met=met,
        score=min(max(mark, 0.0), 10.0) / 10,
        quotes=(quote.strip(),) if quote.strip() else (),
        feedback="" if met else " ".join(str(said.get("feedback") or "").split()),
    )


def _plain(text: str) -> str:
    return " ".join(text.split())


_SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "criteria": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "number": {"type": "integer"},
                    "met": {"type": "boolean"},
                    "evidence": {"type": "string"},
                    "score": {"type": "number"},
                    "feedback": {"type": "string"},
                },
                "required": ["number", "met", "evidence", "score", "feedback"],
                "additionalProperties": False,
            },
        },
        "verdict": {"type": "string", "enum": ["accept", "revise", "hand_over", "escalate"]},
    },
    "required": ["criteria", "verdict"],
    "additionalProperties": False,
}
