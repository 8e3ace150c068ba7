"""Texts that somebody typed, as the values they stand for: a text where one is wanted, else JSON."""

import json
from collections.abc import Collection, Sequence

from stretto.core.domain import Json
from stretto.core.errors import UsageError
from stretto.core.plan.inputs import Wanted
from stretto.core.plan.schemas import ALL, type_of

_NAMED = {"string": "a text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
          "array": "a list", "object": "a JSON object"}  # fmt: skip


def told(types: Collection[str]) -> str:
    """Name JSON types for people."""
    named = [one for one in _NAMED if one in types and not (one == "integer" and "number" in types)]
    return "any value" if set(_NAMED) <= set(types) else " or ".join(_NAMED[one] for one in named) or "any value"


def read_input(name: str, texts: Sequence[str], wanted: Wanted) -> Json:
    """Read an input that is given once or several times; raises UsageError that says what is wanted.

    Where a list is wanted, it is a JSON list, or a text for each element. Where anything goes, only a JSON list or
    object is taken for JSON.
    """
    what = f"the input {name!r}"
    if "array" in wanted.types and "string" not in wanted.types:
        whole = _json(texts[0]) if len(texts) == 1 else None
        if whole is not None and type_of(whole) in wanted.types:
            return whole
        return [_read(f"an element of {what}", text, wanted.items) for text in texts]
    if len(texts) == 1:
        return _read(what, texts[0], wanted.types)
    if "array" not in wanted.types:
        raise UsageError(f"{what} is given {len(texts)} times, and it is {told(wanted.types)}")
    return [_read(f"an element of {what}", text, wanted.items) for text in texts]


def _read(what: str, text: str, types: frozenset[str]) -> Json:
    value = _json(text)
    if types == ALL:
        return value if isinstance(value, list | dict) else text
    if "string" in types:
        return text
    if type_of(value) in types and (value is not None or text.strip() == "null"):
        return value
    raise UsageError(f"{what} is {told(types)}, not {text[:60]!r}")


def _json(text: str) -> Json:
    """Give the JSON that a text is, or None when it is none."""
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None


def _no_number(name: str) -> Json:
    raise ValueError(f"{name} is no JSON")
