"""An expression into tokens. Every token knows its column, so that errors can point at it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from stretto.specialists.calculate.model import BadExpression

LONGEST = 4_000
MOST_DIGITS = 1_000

Kind: TypeAlias = Literal["number", "date", "name", "sign", "end"]

KEYWORDS = frozenset({"in", "to", "as", "of", "mod", "per"})
CURRENCY_SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₩": "KRW", "₽": "RUB", "₪": "ILS"}
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")

_GROUPED = r"\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?"
_PLAIN = r"(?:\d+(?:_\d+)*(?:\.\d*(?:_\d+)*)?|\.\d+)"
_EXPONENT = r"(?:[eE][+-]?\d+(?![\w.]))?"
_TOKEN = re.compile(
    rf"""
    (?P<space>\s+)
  | (?P<date>\d{{4}}-\d{{2}}-\d{{2}}(?![\d-]))
  | (?P<grouped>{_GROUPED})
  | (?P<number>{_PLAIN}{_EXPONENT})
  | (?P<power>\*\*|\^|(?=[⁰¹²³⁴-⁹⁻]))
  | (?P<name>°[A-Za-z]?|Δ°[CF]|[^\W\d⁰¹²³⁴-⁹][^\W⁰¹²³⁴-⁹]*)
  | (?P<sign>[-+*/×÷·−–√%‰(),$€£¥₹₩₽₪!])
    """,
    re.VERBOSE,
)
_SIGNS = {"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-"}
_SUPERSCRIPT = re.compile("⁻?[⁰¹²³⁴-⁹]+")


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its text as the parser reads it, and where it begins and ends in the expression, from 0."""

    kind: Kind
    text: str
    start: int
    end: int

    @property
    def column(self) -> int:
        return self.start + 1


def tokens_of(text: str) -> list[Token]:
    """Give the tokens of an expression, ended by one of kind `end`; raises BadExpression."""
    if len(text) > LONGEST:
        raise BadExpression(f"the expression has {len(text)} characters, the most is {LONGEST}", mend="split it up")
    return [*_tokens(text), Token("end", "", len(text), len(text))]


def _tokens(text: str) -> Iterator[Token]:
    at, calls, name_before = 0, [False], False
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise BadExpression(f"{text[at]!r} is no part of arithmetic", column=at + 1)
        kind, said, end = str(found.lastgroup), found[0], found.end()
        if kind == "power" and not said:
            raised = _SUPERSCRIPT.match(text, at)
            if raised is None:
                raise BadExpression(f"{text[at]!r} is no part of arithmetic", column=at + 1)
            yield Token("sign", "^", at, at)
            digits = raised[0].translate(SUPERSCRIPTS)
            if digits.startswith("-"):
                yield Token("sign", "-", at, at)
            yield Token("number", digits.removeprefix("-"), at, raised.end())
            at, name_before = raised.end(), False
            continue
        if kind == "grouped" and calls[-1]:  # between the arguments of a call a comma parts them
            plain = re.compile(_PLAIN).match(text, at)
            assert plain is not None  # noqa: S101 - what is grouped begins with digits
            kind, said, end = "number", plain[0], plain.end()
        if kind == "sign" and said == "(":
            calls.append(name_before)
        elif kind == "sign" and said == ")" and len(calls) > 1:
            calls.pop()
        name_before = kind == "name" and said not in KEYWORDS
        if kind != "space":
            yield _token(kind, said, at, end)
        at = end


def _token(kind: str, said: str, start: int, end: int) -> Token:
    if kind in ("number", "grouped"):
        digits = said.replace(",", "").replace("_", "")
        exponent = re.search(r"[eE]([+-]?\d+)$", digits)
        if len(digits) > MOST_DIGITS or (exponent and (len(exponent[1]) > 6 or abs(int(exponent[1])) > MOST_DIGITS)):
            raise BadExpression(f"a number of more than {MOST_DIGITS} digits", column=start + 1)
        return Token("number", digits, start, end)
    if kind == "power":
        return Token("sign", "^", start, end)
    if kind == "date":
        return Token("date", said, start, end)
    if kind == "name":
        return Token("name", said, start, end)
    return Token("sign", _SIGNS.get(said, said), start, end)
