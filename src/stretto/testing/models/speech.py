"""What the model says, token by token, and how the faults of its content change that. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, TypeAlias

from msgspec import UNSET

from stretto.core.domain import Json
from stretto.testing.models.faults import ContentFilter, Empty, Fault, Malformed, Prose, Refusal, Truncated, WrongSchema
from stretto.testing.models.script import Answer, Usage
from stretto.testing.models.tokens import compact, pieces

Finish: TypeAlias = Literal["stop", "length", "tool_calls", "content_filter"]
BEFORE = "Sure! Here is what you asked for:\n\n```json\n"
AFTER = "\n```\n\nLet me know if you would like anything changed."


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A call of a tool, as it is sent."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One token: of the text, of a refusal, or of the arguments of call number `call`, which `begins` with it."""

    text: str
    of: Literal["content", "refusal", "call"] = "content"
    call: int = 0
    begins: bool = False


@dataclass(frozen=True, kw_only=True)
class Speech:
    """An answer as it is sent; `pieces` are its tokens in the order in which they are streamed."""

    text: str = ""
    refusal: str = ""
    calls: tuple[Called, ...] = ()
    finish: Finish = "stop"

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        return tuple(self._pieces())

    def _pieces(self) -> Iterator[Piece]:
        """The name of a called tool is one token."""
        for text in pieces(self.text):
            yield Piece(text=text)
        for text in pieces(self.refusal):
            yield Piece(text=text, of="refusal")
        for number, call in enumerate(self.calls):
            yield Piece(text="", of="call", call=number, begins=True)
            for text in pieces(call.arguments):
                yield Piece(text=text, of="call", call=number)

    @property
    def tokens(self) -> int:
        """How many tokens it takes."""
        return len(self.pieces)

    def first(self, most: int, finish: Finish) -> "Speech":
        """Give the first tokens of it, ended for a reason."""
        text, refusal = "", ""
        calls: list[Called] = []
        for piece in self.pieces[:most]:
            if piece.of == "content":
                text += piece.text
            elif piece.of == "refusal":
                refusal += piece.text
            elif piece.begins:
                calls.append(replace(self.calls[piece.call], arguments=""))
            else:
                calls[-1] = replace(calls[-1], arguments=calls[-1].arguments + piece.text)
        return Speech(text=text, refusal=refusal, calls=tuple(calls), finish=finish)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The tokens of a turn as they are reported."""

    input: int
    output: int
    cached: int = 0


def counted(read: int, sent: int, usage: Usage) -> Counted | None:
    """Give the tokens to report; None where none are reported."""
    if not usage.report:
        return None
    given = read if usage.input is None else usage.input
    return Counted(input=given, output=sent if usage.output is None else usage.output, cached=min(usage.cached, given))


def speech(answer: Answer, fault: Fault | None, ids: str, most: int | None) -> Speech:
    """Give an answer as it is sent, in at most so many tokens; the ids of its calls begin with `ids`."""
    text = compact(answer.json) if answer.json is not UNSET else answer.text or ""
    calls = tuple(
        Called(
            id=f"{ids}{number}",
            name=one.name,
            arguments=one.arguments if isinstance(one.arguments, str) else compact(one.arguments),
        )
        for number, one in enumerate(answer.calls)
    )
    said = _gone_wrong(Speech(text=text, calls=calls, finish="tool_calls" if calls else "stop"), fault)
    return said if most is None or said.tokens <= most else said.first(most, "length")


def _gone_wrong(said: Speech, fault: Fault | None) -> Speech:
    match fault:
        case Empty():
            return Speech()
        case Refusal(text=text):
            return Speech(refusal=text)
        case ContentFilter(after=after):
            return said.first(after, "content_filter")
        case Truncated(after=after):
            return said.first(said.tokens // 2 if after is None else after, "length")
        case Malformed():
            broken = tuple(replace(one, arguments=_malformed(one.arguments)) for one in said.calls)
            return replace(said, text=_malformed(said.text) if said.text or not broken else "", calls=broken)
        case WrongSchema(value=value):
            return _with_json(said, value)
        case Prose():
            whole = "\n".join([*([said.text] if said.text else []), *(one.arguments for one in said.calls)])
            return Speech(text=f"{BEFORE}{whole}{AFTER}")
        case _:
            return said


def _malformed(text: str) -> str:
    return text.replace('":', '" ', 1) if '":' in text else f'{{"answer": {text}'


def _with_json(said: Speech, value: Json) -> Speech:
    told = compact(value)
    if said.calls:
        return replace(said, calls=tuple(replace(one, arguments=told) for one in said.calls))
    return Speech(text=told)
