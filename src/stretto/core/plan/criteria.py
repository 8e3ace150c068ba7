"""Criteria that a program can check, as they are written in a plan; all other criteria are plain words for a judge.

words <= 200                    also characters, lines, items, citations; and >=, <, >, ==
contains "refund"               the text stands in the result, letter by letter
lacks "lorem ipsum"             it does not
matches /^Dear [A-Z]/           a pattern is found in it; /.../i takes capitals for small letters
.title: characters <= 60        of a part of the result
"""

import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from stretto.core.domain import Json, Task
from stretto.core.plan.diagnostics import Diagnostic, diagnose, shown
from stretto.core.plan.references import STEP, walk

Measure: TypeAlias = Literal["words", "characters", "lines", "items", "citations"]
Comparison: TypeAlias = Literal["<=", ">=", "==", "<", ">"]

MEND = 'Write `words <= 200`, `contains "text"`, `lacks "text"`, `matches /pattern/`, or plain words for a judge.'
LONGEST_PATTERN = 500

_COMPARED: dict[Comparison, Callable[[int, int], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
_PART = re.compile(r"((?:\.[^.\[\]:\s]+|\[\d{1,9}\])+)\s*:\s*")
_MEASURED = re.compile(r"(words|characters|lines|items|citations)\s*(<=|>=|==|=|<|>)\s*(.*)", re.DOTALL)
_QUOTED = re.compile(r"(contains|lacks)\s+(?=[\"'])(.*)", re.DOTALL)
_PATTERN = re.compile(r"matches\s+/(.*)", re.DOTALL)
_NAMED = re.compile(r"\[:\^?\w+:\]")
_PIECE = re.compile(
    r"(?P<beyond>\(\?(?:[=!>#(]|<[=!]|P[=>]|[imsux]*a)|\\[1-9Z]|\\N\{|\{(?!\d+(?:,\d*)?\}))"
    rf"|\\.|\[\^?\]?(?:\\.|{_NAMED.pattern}|(?!--|&&|~~|\|\|)[^\[\]\\])*\]|(?P<bracket>\[)",
    re.DOTALL,
)
"""What patterns that are searched in linear time do not have, as look-around, or read in another way than most would:
braces that repeat nothing, brackets and doubled signs within a class. What is escaped is no such thing."""


class BadCriterion(ValueError):
    """A criterion begins like one for a program, and cannot be read as such."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """How long the result, or a part of it, may be."""

    measure: Measure
    comparison: Comparison
    limit: int
    steps: tuple[str | int, ...] = ()

    def holds(self, found: int) -> bool:
        """Whether a length is within the bound."""
        return _COMPARED[self.comparison](found, self.limit)

    def nearness(self, found: int) -> float:
        """Give how near a length is to the bound: 1 within it, less the farther it is off."""
        if self.holds(found):
            return 1.0
        return min(min(found, self.limit) / max(found, self.limit, 1), 0.99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """A text that has to stand in the result, or must not (`lacks`)."""

    text: str
    lacks: bool = False
    steps: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A pattern that has to be found in the result."""

    pattern: str
    steps: tuple[str | int, ...] = ()


Check: TypeAlias = Bound | Phrase | Pattern


def read_criterion(criterion: str) -> Check | None:
    """Read a criterion that a program can check; None for plain words. Raises BadCriterion."""
    text = criterion.strip()
    steps: tuple[str | int, ...] = ()
    if part := _PART.match(text):
        found = STEP.finditer(part[1])
        steps = tuple(step[1] if step[1] is not None else int(step[2]) for step in found)
        text = text[part.end() :]
    if measured := _MEASURED.fullmatch(text):
        return _bound(measured[1], measured[2], measured[3], steps)
    if quoted := _QUOTED.fullmatch(text):
        return Phrase(text=_unquoted(quoted[2]), lacks=quoted[1] == "lacks", steps=steps)
    if pattern := _PATTERN.fullmatch(text):
        return Pattern(pattern=_pattern(pattern[1]), steps=steps)
    if part:
        raise BadCriterion(f"nothing that a program can check follows {shown(part[1])}")
    return None


def checkable(criterion: str) -> Check | None:
    """Give the check of a criterion that a program can make; None for plain words, and for what cannot be read."""
    try:
        return read_criterion(criterion)
    except BadCriterion:
        return None


def part_of(output: Json, check: Check) -> Json:
    """Give the part of a result that a check is about; raises LookupError where there is none."""
    return walk(output, check.steps)


def text_in(value: Json) -> str:
    """Give the text of a value: itself, or all the texts and numbers in it, one a line."""
    if isinstance(value, str):
        return value
    return "\n".join(_texts(value))


def length(value: Json, measure: Measure, citations: int) -> int:
    """Measure a value; raises ValueError for the items of what has none."""
    match measure:
        case "citations":
            return citations
        case "items":
            if not isinstance(value, list | dict):
                raise ValueError("it has no items")
            return len(value)
        case "words":
            return len(text_in(value).split())
        case "lines":
            return len(text_in(value).splitlines())
    return len(text_in(value))


def criteria_defects(task: Task) -> Iterator[Diagnostic]:
    """Give the criteria of a task that begin like those for a program, and cannot be read."""
    for number, criterion in enumerate(task.criteria):
        try:
            read_criterion(criterion)
        except BadCriterion as error:
            yield diagnose("bad-criterion", f"tasks.{task.id}.criteria[{number}]", str(error), MEND)


def _bound(measure: str, comparison: str, limit: str, steps: tuple[str | int, ...]) -> Bound:
    if not (limit.strip().isascii() and limit.strip().isdecimal() and len(limit.strip()) < 10):
        raise BadCriterion(f"{measure} are compared with a whole number, not with {shown(limit)}")
    if measure == "citations" and steps:
        raise BadCriterion("only a whole result has citations")
    sign = "==" if comparison == "=" else comparison
    return Bound(measure=measure, comparison=sign, limit=int(limit), steps=steps)  # type: ignore[arg-type]


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) < 3 or text[-1] != text[0]:
        raise BadCriterion(f"the text after {shown(text[:1])} does not end, or is empty")
    return text[1:-1]


def _pattern(text: str) -> str:
    body, closed, flags = text.rstrip().rpartition("/")
    if not closed or not body or flags not in ("", "i"):
        raise BadCriterion("a pattern stands between slashes, as in matches /^Dear/ or matches /^dear/i")
    if len(body) > LONGEST_PATTERN:
        raise BadCriterion(f"a pattern has at most {LONGEST_PATTERN} characters, this has {len(body)}")
    for piece in _PIECE.finditer(body):
        if piece["beyond"]:
            raise BadCriterion(f"patterns have no look-around and no back-references, and nothing like {piece[0]!r}")
        if piece["bracket"]:
            raise BadCriterion("the pattern cannot be read: within [...] write \\[ \\] \\- \\& \\~ \\| for the signs")
    try:
        re.compile(_NAMED.sub("w", body))
    except (re.error, OverflowError, RecursionError) as error:
        raise BadCriterion(f"the pattern cannot be read: {error}") from None
    return f"(?i){body}" if flags else body


def _texts(value: Json) -> Iterator[str]:
    stack = [value]
    while stack:
        here = stack.pop()
        if isinstance(here, dict):
            stack.extend(reversed(list(here.values())))
        elif isinstance(here, list):
            stack.extend(reversed(here))
        elif isinstance(here, str):
            yield here
        elif here is not None:
            yield str(here).lower() if isinstance(here, bool) else str(here)
