"""Reads the JSON in a model's answer: fences, prose around it and trailing commas are no harm, an answer cut off is.

Nothing is guessed. What cannot be read is told with its place, so that the model can be asked to mend it.
"""

import json
import re
from collections import Counter
from typing import Any, NoReturn

from stretto.core.domain import Json

LARGEST = 5_000_000
"""Characters of an answer that are read at most."""

_THINKING = re.compile(r"\A\s*<(think|thinking|reasoning)>.*?</\1>", re.DOTALL)
_BEGINS = re.compile(r'\{\s*(?:"|\}|\Z)|\[\s*(?:["\[\]{]|-?\d|(?:true|false|null)\b|\Z)')
_CLOSES = {"{": "}", "[": "]"}
_SCALAR = re.compile(r'\A(?:"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)\Z', re.DOTALL)
_SHOWN = 60


class Unreadable(ValueError):
    """An answer holds no JSON, or none that is whole; `line` and `column` count from 1, and `cut` says it broke off."""

    def __init__(self, message: str, line: int, column: int, *, cut: bool = False) -> None:
        super().__init__(f"line {line}, column {column}: {message}")
        self.line, self.column, self.cut = line, column, cut


def read_json(text: str) -> Json:
    """Read the one JSON value that an answer is meant to be: the largest object or list that stands in it.

    A comma too many at the end of a list or object, and line breaks inside strings, are passed over. Raises Unreadable
    for an answer that is empty, cut off, not JSON, or has one name twice in an object.
    """
    if len(text) > LARGEST:
        raise Unreadable(f"the answer has {len(text):,} characters, and at most {LARGEST:,} are read", 1, 1)
    thought = _THINKING.match(text)
    start = thought.end() if thought else 0
    if not text[start:].strip():
        raise Unreadable("the answer is empty", 1, 1)
    best: tuple[int, Json] | None = None
    while (found := _BEGINS.search(text, start)) is not None:
        end, mended = _span(text, found.start())
        value = _load(text, found.start(), mended)
        if best is None or end - found.start() > best[0]:
            best = end - found.start(), value
        start = end
    if best is not None:
        return best[1]
    return _scalar(text)


def _span(text: str, start: int) -> tuple[int, str]:
    """Give the end of the value that begins here, and it without commas too many, every letter in its place."""
    open_brackets: list[str] = []
    pieces: list[str] = []
    kept, comma, at = start, -1, start
    while at < len(text):
        letter = text[at]
        if letter == '"':
            at = _after_string(text, at, start)
            comma = -1
            continue
        if letter in "{[":
            open_brackets.append(letter)
            comma = -1
        elif letter in "}]":
            if _CLOSES[open_brackets.pop()] != letter:
                raise _refused(text, at, f"this {letter!r} closes nothing that is open")
            if comma >= 0:
                pieces += [text[kept:comma], " "]
                kept = comma + 1
            comma = -1
            if not open_brackets:
                return at + 1, "".join([*pieces, text[kept : at + 1]])
        elif letter == ",":
            comma = at
        elif not letter.isspace():
            comma = -1
        at += 1
    raise _cut(text, start, f"{len(open_brackets)} brackets are still open")


def _after_string(text: str, at: int, start: int) -> int:
    end = at + 1
    while end < len(text):
        if text[end] == "\\":
            end += 2
        elif text[end] == '"':
            return end + 1
        else:
            end += 1
    raise _cut(text, start, "a text is still open")


def _load(text: str, start: int, mended: str) -> Json:
    try:
        return json.loads(mended, strict=False, object_pairs_hook=_object, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise _refused(
            text, start + error.pos, f"{error.msg[:1].lower()}{error.msg[1:]}, at {_near(text, start + error.pos)}"
        ) from None
    except RecursionError:
        raise _refused(text, start, "it is nested too deep") from None
    except _Wrong as error:
        raise _refused(text, start, str(error)) from None
    except ValueError as error:  # an integer of too many digits
        raise _refused(text, start, str(error)) from None


class _Wrong(Exception):
    """JSON that says what no JSON should say."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise _Wrong(f"an object has {twice!r} twice")
    return found


def _no_number(name: str) -> NoReturn:
    raise _Wrong(f"{name} is no JSON; give a number, or null")


def _scalar(text: str) -> Json:
    bare = re.sub(r"\A\s*```[a-z]*\s*|\s*```\s*\Z", "", text).strip()
    if _SCALAR.match(bare):
        return json.loads(bare, strict=False)
    raise _refused(text, 0, f"there is no JSON in the answer, which begins {bare[:_SHOWN]!r}")


def _cut(text: str, start: int, why: str) -> Unreadable:
    line, column = _place(text, len(text.rstrip()))
    begun, _ = _place(text, start)
    return Unreadable(
        f"the answer breaks off inside the JSON that begins in line {begun}: {why}", line, column, cut=True
    )


def _refused(text: str, at: int, message: str) -> Unreadable:
    return Unreadable(message, *_place(text, at))


def _near(text: str, at: int) -> str:
    return repr(text[at : at + _SHOWN].partition("\n")[0]) if at < len(text) else "the end"


def _place(text: str, at: int) -> tuple[int, int]:
    before = text[:at]
    return before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1
