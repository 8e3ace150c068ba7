"""Cleaning: whatever bytes a log brought, what is shown is printable, one-directional plain text.

Control characters, which could drive a terminal, and direction marks, which could make a line read as
another, become visible signs: a reader shall see that they were there.
"""

import dataclasses
import re
from typing import Any, TypeVar

T = TypeVar("T")

_LINE_ENDS = re.compile("\r\n|[\r\x85\u2028\u2029]")
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def cleaned(value: T) -> T:
    """Return `value`, a dataclass, a tuple or a single value, with each text inside it made fit to show."""
    return _cleaned(value)  # type: ignore[no-any-return]


def clean_text(text: str) -> str:
    r"""Return `text` with `\n` as its only line end and a visible sign for each character not fit to show."""
    # str() drops subclasses: one that calls itself safe HTML would slip through the template's escaping.
    return _UNFIT.sub(_sign, _LINE_ENDS.sub("\n", str(text)))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, tuple | list):
        return tuple(_cleaned(one) for one in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return dataclasses.replace(value, **{name: _cleaned(getattr(value, name)) for name in names})
    return value


def _sign(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)  # ␛ and its like
    if code == 0x7F:
        return "\u2421"
    if 0x2000 <= code < 0x2070:
        return f"\u27e8U+{code:04X}\u27e9"
    return "\ufffd"
