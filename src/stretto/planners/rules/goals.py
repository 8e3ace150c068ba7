"""Takes a goal apart: what it says literally (addresses, files, sums, quotations), and its clauses, one per wish."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

from stretto.core.domain import Json
from stretto.planners.rules.words import EMPTY, QUESTIONS, stem, telling, verbs, words_of

LONGEST = 8_000
"""Characters of a goal that are looked into."""

What: TypeAlias = Literal["url", "address", "path", "sql", "expression", "text", "number"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Something the goal says literally. `noun` is what a number counts, `raw` how it stands there if not so."""

    what: What
    value: Json
    start: int
    noun: str = ""
    raw: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One wish of a goal: its words, its verb (stemmed; empty for a question), and what it says literally."""

    text: str
    verb: str
    words: tuple[str, ...]
    said: tuple[Said, ...] = ()
    question: bool = False
    later: bool = False  # "then", "finally": after what was asked before
    manner: bool = False  # how, not what: a wish about the result rather than work
    forbids: bool = False  # what is not to be done
    back: str = ""  # the words that lead back to what was asked for before: "the results", "it"

    @property
    def asks(self) -> bool:
        """Whether it asks for work."""
        return not self.manner and not self.forbids


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A goal, taken apart."""

    text: str
    clauses: tuple[Clause, ...]
    said: tuple[Said, ...]


_URL = r"https?://[^\s<>\"'`]+[^\s<>\"'`.,;:!?)\]}]"
_PATH = (
    r"(?<![\w/.])(?:~?\.{0,2}/)?(?:[\w.@+-]+/)*[\w@+-][\w.@+-]*\.[A-Za-z][A-Za-z0-9]{0,5}(?![\w/])"
    r"|(?<![\w.])(?:~|\.{1,2})?/[\w./@+-]+"
)
_QUOTED = (
    r"\"([^\"\n]{1,2000})\"|“([^”\n]{1,2000})”|«([^»\n]{1,2000})»"
    r"|(?<!\w)'([^'\n]{1,2000})'(?!\w)|`([^`\n]{1,2000})`"
)
_SQL = (
    r"\b(?:SELECT\b[\s\S]{1,2000}?\bFROM\b|WITH\b[\s\S]{1,200}?\bAS\s*\()[\s\S]*"
    r"|(?<=:\s)(?i:select\b[\s\S]{1,2000}?\bfrom\b)[\s\S]*"
    r"|\b(?i:select\s+(?:\*|distinct\s|[\w.]+\s*[,(])[\s\S]{0,2000}?\bfrom\s+[\w\"`\[])[\s\S]*"
)
_FUNCTION = r"(?:sqrt|sum|mean|average|median|min|max|abs|round|stdev|percentile|log|exp)"
_UNIT_NAME = r"[A-Za-zµ°]{1,12}(?:[/*^·][A-Za-z0-9]{1,6})*"
_UNIT = rf"(?:[%°€$£]|{_UNIT_NAME})?"
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][+-]?\d+)?"
_TERM = rf"[-+(\s]{{0,9}}(?:\b{_FUNCTION}\s{{0,3}}\(\s{{0,3}}){{0,4}}{_NUMBER}\s{{0,3}}{_UNIT}[\s)]{{0,9}}"
_OPERATOR = r"(?:\*\*|[-+*/^×÷]|\b(?:plus|minus|times|divided by|of|in|to|per)\b)"
_SUM = rf"{_TERM}(?:{_OPERATOR}\s{{0,3}}(?:{_TERM}|{_UNIT_NAME}\b)){{1,100}}"
_CALL = rf"\b{_FUNCTION}\s*\([^()\n]{{1,500}}\)"
_LIST = rf"{_NUMBER}(?:\s*(?:,\s*and|,|and)\s*{_NUMBER})+"
_OF = re.compile(rf"\b({_FUNCTION}|minimum|maximum|total)\s+of\s+({_LIST})", re.IGNORECASE)
_IN_WORDS = re.compile(
    rf"\b(add|subtract|multiply|divide)\s+({_NUMBER}\s?{_UNIT})\s+(?:and|to|from|by)\s+({_NUMBER}\s?{_UNIT})",
    re.IGNORECASE,
)
_ROOT = re.compile(rf"\bsquare\s+root\s+of\s+({_NUMBER}\s?{_UNIT})", re.IGNORECASE)
_SIGNS = {"add": ("+", False), "subtract": ("-", True), "multiply": ("*", False), "divide": ("/", False)}
_CALLED = {"minimum": "min", "maximum": "max", "total": "sum", "average": "mean"}
_LITERALS: tuple[tuple[What, re.Pattern[str]], ...] = (
    ("url", re.compile(_URL)),
    ("sql", re.compile(_SQL)),
    ("text", re.compile(_QUOTED)),
    ("address", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("path", re.compile(_PATH)),
    ("expression", re.compile(rf"{_CALL}|{_SUM}")),
)
_COUNT = re.compile(r"(?<![\w.])(\d{1,9})\s+([A-Za-z]{3,30})\b")
_MARK = "\ue000"
"""Stands for one character of something literal, so that it is not taken apart."""

_SENTENCE = re.compile(r"[;\n]+|(?<=[.!?])\s+|(?<=[。！？])\s*")
_JOINT = re.compile(
    r"\s*(?:,\s*(?:and\s+then|and\s+also|and|then|or)\b|,|\band\s+then\b|\band\s+also\b|\bafter(?:\s+that|wards)\b,?"
    r"|\bthen\b|\band\b|\bfinally\b,?|,?\s*\bbut\b)\s+",
    re.IGNORECASE,
)
_LATER = re.compile(r"\b(?:then|after\s+that|afterwards|finally)\b", re.IGNORECASE)
_POLITE = re.compile(
    r"^(?:please|kindly|now|next|also|first|second(?:ly)?|third(?:ly)?|finally|then|and|so|ok(?:ay)?|hi|hello|hey|but|just|only|simply|instead|rather"
    r"|(?:can|could|would|will)\s+you|i(?:'d|\s+would)\s+like(?:\s+you)?\s+to|i\s+(?:need|want)(?:\s+you)?(?:\s+to)?"
    r"|(?:do\s+not|don['’]?t)\s+forget\s+to|(?:remember|make\s+sure)\s+to|we\s+(?:need|want)(?:\s+to)?|help\s+me(?:\s+to)?|let(?:'s|\s+us|\s+me)|your\s+task\s+is\s+to|go\s+and)\b[\s,:]*",
    re.IGNORECASE,
)
_FORBIDS = re.compile(
    r"^(?:(?:do|does|must|should|shall|may|can|could|will|would|need)\s*(?:not|n['’]t)\b|(?:don|can|won|mustn|shouldn)['’]?t\b"
    r"|cannot\b|never\b|not\b|no\b|avoid\b|refrain\b|without\b|(?:you|we)\s+(?:must|should|may|shall)\s+(?:not|never)\b)",
    re.IGNORECASE,
)
"""How a wish begins that forbids something."""
_RESULTS = re.compile(r"\b(?:(?:the|these|those|all|its|their)\s+)?(?:results?|findings?|outputs?)\b", re.IGNORECASE)
PRONOUNS = frozenset({"it", "them", "this", "that", "these", "those"})
_PRONOUN = re.compile(rf"\b(?:{'|'.join(sorted(PRONOUNS))})\b", re.IGNORECASE)
_PARTICLES = frozenset({"back", "up", "out", "down", "off"})
_GIVE = re.compile(r"^(?:give|show|get|make|create|produce|prepare|build|generate|provide|deliver|do)\b", re.IGNORECASE)


def read_goal(text: str, acts: Callable[[str], bool]) -> Goal:
    """Take a goal apart. `acts` says whether a stem is a verb that somebody here answers to."""
    whole = " ".join(text[:LONGEST].split(" ")).strip()
    said = _said(whole)
    masked = _masked(whole, said)
    clauses = []
    for start, end in _sentences(masked):
        for one_start, one_end, later in _wishes(masked, start, end, acts):
            clause = _clause(whole, masked, one_start, one_end, said, acts, later=later)
            if clause is not None:
                clauses.append(clause)
    return Goal(text=whole, clauses=tuple(clauses), said=tuple(said))


def clauses_of(text: str) -> tuple[Clause, ...]:
    """Give the clauses of a goal, cut by the verbs that are known anywhere."""
    return read_goal(text, verbs().__contains__).clauses


def paths_in(text: str) -> list[str]:
    """Give what looks like a path in a goal; whether it is there is for others to see."""
    return [str(one.value) for one in _said(text[:LONGEST]) if one.what == "path"]


def _said(text: str) -> list[Said]:
    found: list[Said] = []
    masked = text
    for what, pattern in _LITERALS:
        for match in pattern.finditer(masked):
            raw = next((group for group in match.groups() if group), match[0]) if what == "text" else match[0]
            if what == "expression":
                raw = _trimmed(raw)
                if not _is_sum(raw):
                    continue
            if what == "sql":
                raw = _SQL_TAIL.sub("", raw).rstrip().rstrip(".;")
                found += _files_in(raw, match.start())
            if _MARK in raw:
                continue
            inner = _URL_ONLY.fullmatch(raw) if what == "text" else None
            kind: What = "url" if inner else "path" if what == "text" and _PATH_ONLY.fullmatch(raw) else what
            if what == "text" and _SQL_ONLY.match(raw):
                kind = "sql"
            value = _with_tables(raw) if kind == "sql" else raw
            found.append(Said(what=kind, value=value, start=match.start(), raw=raw))
            taken = len(raw) if what == "sql" else len(match[0])
            masked = masked[: match.start()] + _MARK * taken + masked[match.start() + taken :]
    for match in _OF.finditer(masked):
        name = match[1].lower()
        numbers = re.findall(_NUMBER, match[2])
        value = f"{_CALLED.get(name, name)}({', '.join(one.replace(',', '') for one in numbers)})"
        found.append(Said(what="expression", value=value, start=match.start()))
        masked = masked[: match.start()] + _MARK * len(match[0]) + masked[match.end() :]
    for match in _ROOT.finditer(masked):
        found.append(Said(what="expression", value=f"sqrt({match[1].strip()})", start=match.start()))
        masked = masked[: match.start()] + _MARK * len(match[0]) + masked[match.end() :]
    for match in _IN_WORDS.finditer(masked):
        sign, turned = _SIGNS[match[1].lower()]
        left, right = (match[3], match[2]) if turned else (match[2], match[3])
        found.append(Said(what="expression", value=f"{left.strip()} {sign} {right.strip()}", start=match.start(2)))
        masked = masked[: match.start(2)] + _MARK * (match.end() - match.start(2)) + masked[match.end() :]
    for match in _COUNT.finditer(masked):
        if match[2].casefold() in EMPTY:
            continue
        found.append(Said(what="number", value=int(match[1]), start=match.start(), noun=stem(match[2])))
    return sorted(found, key=lambda one: one.start)


_URL_ONLY = re.compile(_URL)
_PATH_ONLY = re.compile(_PATH)


def _files_in(sql: str, start: int) -> list[Said]:
    """Give the files that a statement names as its tables, as in `FROM sales.csv`."""
    return [Said(what="path", value=match[1], start=start) for match in _FROM_FILE.finditer(sql)]


def _with_tables(sql: str) -> str:
    """Give a statement with files as tables under the names that they have there: `FROM "sales"`."""
    return _FROM_FILE.sub(
        lambda match: match[0].replace(match[1], f'"{match[1].rpartition("/")[2].partition(".")[0]}"'), sql
    )


_FROM_FILE = re.compile(
    r"\b(?:from|join)\s+([\w./~-]+\.(?:csv|tsv|json|jsonl|ndjson|parquet|db|sqlite))\b", re.IGNORECASE
)
_SQL_TAIL = re.compile(
    rf"\s+(?:on|over|in|against|using)\s+(?:{_PATH})[\s\S]*"
    r"|(?:,\s*(?:and\s+)?|\s+and\s+|[.;]\s+|\s+)then\b(?![^\n]*\bend\b)[\s\S]*",
    re.IGNORECASE,
)
_SQL_ONLY = re.compile(_SQL, re.IGNORECASE)


def _trimmed(raw: str) -> str:
    text = raw.strip()
    while text and text.count(")") > text.count("(") and text.endswith(")"):
        text = text[:-1].rstrip()
    while text and text.count("(") > text.count(")") and text.startswith("("):
        text = text[1:].lstrip()
    return text


_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")


def _is_sum(text: str) -> bool:
    """Whether something like `3 in total` is a sum after all: two numbers, or a number and a unit to convert to."""
    numbers = len(re.findall(r"\d+", text))
    if _DATE.fullmatch(text.strip()):
        return False
    return (
        numbers > 1
        or (numbers and "(" in text)
        or re.search(r"\d\s*[A-Za-z°µ]+\s+(?:in|to)\s+[A-Za-z°µ]+", text) is not None
    )


def _masked(text: str, said: list[Said]) -> str:
    for one in said:
        if one.what != "number":
            raw = one.raw or str(one.value)
            at = text.find(raw, one.start)
            text = text[:at] + _MARK * len(raw) + text[at + len(raw) :] if at >= 0 else text
    return text


def _sentences(masked: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _SENTENCE.finditer(masked):
        if match.end() > start:
            yield start, match.start()
            start = match.end()
    if start < len(masked):
        yield start, len(masked)


def _wishes(masked: str, start: int, end: int, acts: Callable[[str], bool]) -> Iterator[tuple[int, int, bool]]:
    """Cut a sentence where a joint is followed by a verb."""
    begin, later = start, bool(_LATER.match(masked[start:end].lstrip()))
    for match in _JOINT.finditer(masked, start, end):
        ahead = _polished(masked[match.end() : min(end, match.end() + 160)])
        following = words_of(ahead) if not ahead.startswith(_MARK) else []
        forbids = _FORBIDS.match(ahead) is not None
        if match.start() <= begin or not following or not (forbids or acts(stem(following[0]))):
            continue
        yield begin, match.start(), later
        begin, later = match.end(), bool(_LATER.search(match[0]))
    yield begin, end, later


def _polished(text: str) -> str:
    before = None
    while text != before:
        before, text = text, _POLITE.sub("", text.lstrip(" ,:-–—"), count=1)
    return text


_POINTING = frozenset(words_of("see use using look in at with from the file files here is are attached and"))


def _only_names_files(polished: str, own: list[Said]) -> bool:
    """Whether a clause does no more than point to files, as in "How many rows are there? See sales.csv"."""
    words = words_of(polished.replace(_MARK, " "))
    return bool(own) and all(one.what == "path" for one in own) and set(words) <= _POINTING


def _clause(
    text: str, masked: str, start: int, end: int, said: list[Said], acts: Callable[[str], bool], *, later: bool
) -> Clause | None:
    polished = _polished(masked[start:end])
    begin = start + masked[start:end].rfind(polished) if polished else end
    body = text[begin:end].strip(" ,.;:!")
    if not words_of(body):
        return None
    if _only_names_files(polished, [one for one in said if start <= one.start < end]):
        return None
    own = tuple(one for one in said if start <= one.start < end)
    words = words_of(polished.replace(_MARK, " "))
    first = words[0] if words else ""
    question = first in QUESTIONS or body.endswith("?")
    gives = _GIVE.match(polished) is not None
    forbids = _FORBIDS.match(polished) is not None and not question
    manner = stem(first) in _manners() and not (gives or own or forbids)
    if words[1:2] and words[1] in _PARTICLES and acts(stem(first + words[1])):
        first += words[1]
    verb = "" if question or gives else stem(first) if first else ""
    return Clause(
        text=body,
        verb=verb,
        words=tuple(telling(words)),
        said=own,
        question=question,
        later=later,
        manner=manner,
        forbids=forbids,
        back=_back(polished),
    )


@cache
def _manners() -> frozenset[str]:
    """Give the stems of verbs that say how something is done, not what."""
    said = "be keep avoid use make ensure prefer limit focus remember mind note don do never always stay"
    return frozenset(map(stem, words_of(said)))


def _back(text: str) -> str:
    found = _RESULTS.search(text) or _PRONOUN.search(text)
    return found[0] if found else ""
