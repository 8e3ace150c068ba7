"""Asks models: counted first, reserved and journalled by the caller, tried again and elsewhere a few times."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import cast

import msgspec

from stretto.core.canonical import digest
from stretto.core.domain import Call, Called, FailureClass, Role
from stretto.models.prompt import Model, Prompt, Reply
from stretto.models.windows import longest_answer
from stretto.ports import AgentFailure, Caller

TRIES = 3
"""How often one model is asked at most, the first time included."""
PAUSE = 0.5
"""Seconds before the second try; twice as long before each further one, and never less than was asked for."""
LONGEST_PAUSE = 60.0
"""Seconds that are waited at most. Who asks for more is left to the stand-ins, and to whoever called."""

AGAIN = frozenset({FailureClass.TRANSIENT, FailureClass.RATE_LIMITED})
"""Failures after which the same model is asked again."""


class OverWindow(AgentFailure):
    """A prompt does not fit a model's window, together with the answer asked for. Nothing was sent."""

    def __init__(self, model: str, counted: int, answer: int | None, window: int) -> None:
        self.counted, self.window = counted, window
        wanted = f" and an answer of {answer:,}" if answer else ""
        super().__init__(
            f"over window: {model} takes {window:,} tokens, and the prompt has some {counted:,}{wanted}; "
            "shorten what it reads, name a model with a larger window, or say `window:` in its definition",
            FailureClass.REFUSED,
        )


async def ask(
    models: Sequence[Model],
    prompt: Prompt,
    caller: Caller,
    *,
    key: str,
    role: Role,
    heard: Callable[[str], None] | None = None,
    labels: frozenset[str] = frozenset(),
) -> Reply:
    """Ask the first of some models, after failures again or the next of them, and give the reply.

    `key` is unique in the piece of work that asks; stand-ins get keys of their own made from it. `heard` is given
    the text piece by piece as it comes, and all at once where the reply was there before; an empty piece says that
    the answer broke off and begins anew. `labels` are those of the data in the prompt: models whose perimeter
    lacks one are passed over.

    Raises AgentFailure of the last failure: of its class, `refused` also where the model declined or the prompt is
    over its window (OverWindow), `invalid_output` for an empty answer, `denied` and `over_budget` as the caller says.
    """
    prompt = _sound(prompt)
    last = AgentFailure("there is no model to ask; name one under `models:`", FailureClass.UNAVAILABLE)
    asked = _Asked(prompt, caller, key, role, heard)
    for number, model in enumerate(models, 1):
        try:
            _require_allowed(model, labels)
            await _require_room(model, prompt)
            return await asked.patiently(model, number)
        except AgentFailure as failure:
            last = failure
    raise last


class _Asked:
    """One question, over all its tries."""

    def __init__(
        self, prompt: Prompt, caller: Caller, key: str, role: Role, heard: Callable[[str], None] | None
    ) -> None:
        self._prompt, self._caller, self._key, self._role, self._heard = prompt, caller, key, role, heard
        self._hash = digest(msgspec.to_builtins(prompt))
        self._spoken = False

    async def patiently(self, model: Model, number: int) -> Reply:
        """Ask one model, the so-manieth, again after failures that pass: by the same key, for it is the same call."""
        key = self._key if number == 1 else f"{self._key}#{number}"
        for tries in range(1, TRIES):
            calls = _Calls(model, self._prompt, self._hear)
            try:
                return await self._once(model, key, calls)
            except AgentFailure as failure:
                pause = max(PAUSE * 2 ** (tries - 1), failure.retry_after or 0.0)
                if failure.failure not in AGAIN or pause > LONGEST_PAUSE:
                    raise
                if calls.made:  # what failed in an earlier life of this work has had its pause
                    await asyncio.sleep(pause)
        return await self._once(model, key, _Calls(model, self._prompt, self._hear))

    async def _once(self, model: Model, key: str, calls: "_Calls") -> Reply:
        if self._spoken:
            self._hear("")
            self._spoken = False
        call = Call(
            key=key,
            role=self._role,
            what=model.name,
            arguments={"prompt": self._hash},
            reserve=await model.most(self._prompt),
            bounded=model.priced,
            perimeter=model.perimeter,
        )
        called = await self._caller.call(call, calls)
        reply = msgspec.convert(called.output, Reply)
        if not calls.made and reply.text:
            self._hear(reply.text)
        return _required(model, reply)

    def _hear(self, piece: str) -> None:
        if self._heard is not None:
            self._spoken = True
            self._heard(piece)


class _Calls:
    """Does the call when the caller wants it done, and knows whether it did."""

    def __init__(self, model: Model, prompt: Prompt, hear: Callable[[str], None]) -> None:
        self._model, self._prompt, self._hear = model, prompt, hear
        self.made = False

    async def __call__(self) -> Called:
        self.made = True
        reply: Reply | None = None
        stream = self._model.stream(self._prompt)
        async with aclosing(cast("aclosing[object]", stream)):  # type: ignore[type-var]
            async for piece in stream:
                if isinstance(piece, Reply):
                    reply = piece
                elif piece:
                    self._hear(piece)
        if reply is None:
            raise AgentFailure(f"{self._model.name}: the answer broke off before its end", FailureClass.TRANSIENT)
        reply = replace(reply, text=sound(reply.text))
        return Called(output=msgspec.to_builtins(reply), cost=reply.cost, usage=reply.usage)


def _require_allowed(model: Model, labels: frozenset[str]) -> None:
    if model.perimeter is not None and (beyond := sorted(labels - set(model.perimeter))):
        raise AgentFailure(
            f"{model.name} may not see what is labelled {', '.join(beyond)}; its perimeter is "
            f"{', '.join(model.perimeter) or 'empty'}",
            FailureClass.DENIED,
        )


async def _require_room(model: Model, prompt: Prompt) -> None:
    counted = await model.count(prompt)
    if longest_answer(model.window, counted, prompt.most) < 1:
        raise OverWindow(model.name, counted, prompt.most, model.window)


def _required(model: Model, reply: Reply) -> Reply:
    if reply.finish == "refused":
        said = f": {' '.join(reply.text.split())[:300]}" if reply.text.strip() else ""
        raise AgentFailure(f"{model.name} declined to answer{said}", FailureClass.REFUSED)
    if not reply.text.strip() and not reply.calls:
        why = "its answer was all spent before the first word" if reply.finish == "length" else "it answered nothing"
        raise AgentFailure(f"{model.name}: {why}", FailureClass.INVALID_OUTPUT)
    return reply


def _sound(prompt: Prompt) -> Prompt:
    messages = tuple(
        message if message.text.isascii() else replace(message, text=sound(message.text)) for message in prompt.messages
    )
    return replace(prompt, messages=messages)


def sound(text: str) -> str:
    """Give a text that UTF-8 can say: halves of letters are joined, or replaced where the other half is missing."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
