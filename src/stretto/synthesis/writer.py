"""Writes one text from results in any window: parts from those that fit together, then the text from the parts.

Every statement is marked with the result it rests on. A mark that stands for nothing is refused; a result that is not
mentioned is asked for once more.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stretto.core.domain import Contradiction, FailureClass, Schema
from stretto.models.asking import ask
from stretto.models.fencing import fenced
from stretto.models.prompt import Message, Model, Prompt
from stretto.models.prompts import rendered
from stretto.models.reading import Unreadable, read_json
from stretto.ports import AgentFailure, Caller
from stretto.synthesis.marks import mark_of, marks_in, strange
from stretto.synthesis.sources import Piece, Source, grouped, part, pieces_of

TRIES = 2
"""How often a text is asked for whose marks are wrong or that does not use every result, the first time included."""
LONGEST = 8_000
"""Tokens of a whole text at most; less in small windows."""
LONGEST_PART = 2_000
_PROMPTS = Path(__file__).parent / "prompts"
_SLACK = 100
_LEAST_ROOM = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A written text, and the results that it leaves out with the reasons."""

    text: str
    left_out: dict[str, str]


@dataclass(frozen=True, slots=True)
class Writer:
    """Asks models for a text. `labels` are those of the results."""

    models: Sequence[Model]
    caller: Caller
    what: str
    goal: str
    contradictions: tuple[Contradiction, ...]
    labels: frozenset[str]

    async def write(self, sources: Sequence[Source]) -> Text:
        """Write the text; raises AgentFailure where the models fail, or what they write cannot be used."""
        window, level = self.models[0].window, 0
        known, quoted = [one.mark for one in sources], [one.text for one in sources]
        whole, partly = min(LONGEST, window // 6), min(LONGEST_PART, window // 10)
        room = await self._room(whole)
        pieces = [piece for one in sources for piece in pieces_of(one, room)]
        left_out: dict[str, str] = {}
        while len(groups := grouped(pieces, room)) > 1:
            parts = grouped(pieces, await self._room(partly))
            if level and len(parts) >= len(pieces):
                raise AgentFailure("the parts of the text do not get fewer", FailureClass.INVALID_OUTPUT)
            texts = await _side_by_side(
                self._text(group, known, quoted, f"part/{level}.{number}", partly) for number, group in enumerate(parts)
            )
            for one in texts:
                left_out |= one.left_out
            pieces, level = [part(one.text, known) for one in texts], level + 1
        text = await self._text(groups[0], known, quoted, "text", whole)
        mentioned = marks_in(text.text)
        left_out = {mark: why for mark, why in (left_out | text.left_out).items() if mark not in mentioned}
        return Text(text=text.text, left_out=left_out)

    async def _text(
        self, pieces: Sequence[Piece], known: Sequence[str], quoted: Sequence[str], name: str, most: int
    ) -> Text:
        """Have one text written from pieces that fit together."""
        wanted = list(dict.fromkeys(mark for piece in pieces for mark in piece.marks))
        last, mistakes = "", list[str]()
        for number in range(1, TRIES + 1):
            prompt = self._prompt(pieces, most, partly=name != "text", last=last, mistakes=mistakes)
            key = name if number == 1 else f"{name}/{number}"
            reply = await ask(self.models, prompt, self.caller, key=key, role="synthesiser", labels=self.labels)
            try:
                text = _read(reply.text)
            except Unreadable as error:
                if number == TRIES:
                    raise AgentFailure(f"the text cannot be read: {error}", FailureClass.INVALID_OUTPUT) from None
                mistakes = [str(error)]
                continue
            unknown = strange(text.text, known, quoted)
            if unknown and number == TRIES:
                named = ", ".join(f"[{mark}]" for mark in unknown[:5])
                raise AgentFailure(f"the text names results that are none: {named}", FailureClass.INVALID_OUTPUT)
            mistakes = [f"[{mark}] is no result" for mark in unknown]
            mistakes += [
                f"[{mark}] is not mentioned: use it, or leave it out with the reason" for mark in _missing(text, wanted)
            ]
            last = text.text
            if not mistakes:
                break
        return text

    def _prompt(
        self, pieces: Sequence[Piece], most: int, *, partly: bool, last: str = "", mistakes: Sequence[str] = ()
    ) -> Prompt:
        there = {mark for piece in pieces for mark in piece.marks}
        told = [one for one in self.contradictions if there.issuperset(mark_of(task) for task, _ in one.said)]
        user = rendered(
            _PROMPTS / "results.md",
            what=self.what,
            goal=self.goal,
            part=partly,
            words=max(most // 2, 20),
            results=[piece.shown for piece in pieces],
            contradictions=[_contradiction(one) for one in told],
            last=fenced("text", last) if last else "(it could not be read)",
            mistakes=mistakes,
        )
        messages = (
            Message(role="system", text=rendered(_PROMPTS / "write.md")),
            Message(role="user", text=user),
        )
        return Prompt(messages=messages, schema=_SCHEMA, most=most)

    async def _room(self, most: int) -> int:
        """Give the tokens that results may take in a prompt: its own, an answer and the one before leave them."""
        model = self.models[0]
        around = await model.count(self._prompt((), most, partly=True, last="-", mistakes=("-",)))
        room = model.window - around - 2 * most - max(_SLACK, most // 2)
        if room < _LEAST_ROOM:
            raise AgentFailure(
                f"{model.name} takes {model.window:,} tokens, too few to write a text from results; name a model "
                "with a larger window as the synthesiser",
                FailureClass.REFUSED,
            )
        return room


async def _side_by_side(texts: Iterable[Coroutine[Any, Any, Text]]) -> list[Text]:
    """Have texts written side by side; the first that fails ends the others."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in texts]
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [one.result() for one in tasks]


def _missing(text: Text, wanted: Sequence[str]) -> list[str]:
    there = {*marks_in(text.text), *text.left_out}
    return [mark for mark in wanted if mark not in there]


def _read(answer: str) -> Text:
    """Read an answer; raises Unreadable."""
    said = read_json(answer)
    text = said.get("text") if isinstance(said, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise Unreadable("there is no `text` in the answer, or it is empty", 1, 1)
    listed = said.get("left_out")
    left_out = {
        str(one.get("result", "")).strip("[] "): " ".join(one["why"].split())
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, dict) and isinstance(one.get("why"), str) and one["why"].strip()
    }
    return Text(text=text.strip(), left_out=left_out)


def _contradiction(one: Contradiction) -> str:
    said = "; ".join(f"[{mark_of(task)}] says {text!r}" for task, text in one.said)
    return f"about {one.subject}: {said}"


_SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "left_out": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"result": {"type": "string"}, "why": {"type": "string"}},
                "required": ["result", "why"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["text", "left_out"],
    "additionalProperties": False,
}
