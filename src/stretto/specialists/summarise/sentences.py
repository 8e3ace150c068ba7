"""Texts into sentences with their lines: paragraphs, items and quotes; headings, code and tables are left out."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LONGEST_PARAGRAPH = 20_000
LONGEST_SENTENCE = 1_000
SHORTEST_WORDS = 4

_SHORTENED = (
    "mr mrs ms dr prof st sr jr vs etc inc ltd co corp no nos vol fig figs eq sec ch pp ed eds al approx dept est "
    "gen  gov rep sen capt col lt sgt jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun "
    "e.g i.e  a.m p.m u.s u.k u.n e.u ph.d b.c a.d cf ca resp viz bzw usw z.b d.h u.a o.ä nr str hr fr ggf evtl "
    "inkl mio mrd  m mme mlle av env p.ex sr sra ud uds ej art núm pág dott sig sigg ecc bv nl blz max min tel"
)
_ABBREVIATIONS = frozenset(_SHORTENED.split())
_END = re.compile(r"[.!?…]+[\"'”’»)\]*_]*(?=\s|$)|[。！？]+[」』）]*")
_FENCE = re.compile(r"^\s{0,3}(```|~~~)")
_HEADING = re.compile(r"^\s{0,3}#{1,6}(?:\s|$)")
_RULE = re.compile(r"^\s{0,3}(?:=+|-{2,}|(?:[-*_]\s*){3,})\s*$")
_ITEM = re.compile(r"^\s{0,12}(?:[-*+•–]|\d{1,3}[.)]|\(?[a-z]\))\s+")
_QUOTE = re.compile(r"^\s{0,3}>\s?")
_TABLE = re.compile(r"^\s*\|.*\|\s*$")
_MARKS = ((re.compile(r"!\[[^\]]*\]\([^)]*\)"), ""), (re.compile(r"\[([^\]]+)\]\([^)]*\)"), r"\1"),
          (re.compile(r"(\*\*|__)(.+?)\1"), r"\2"), (re.compile(r"`([^`]+)`"), r"\1"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """A sentence with the line where it begins, and its place among the sentences of its paragraph."""

    text: str
    line: int
    place: int


def sentences_of(lines: Iterable[str]) -> Iterator[Found]:
    """Give the sentences of a text, line by line as it is read; nothing of it is kept longer than a paragraph."""
    for paragraph in _paragraphs(lines):
        yield from _parted(paragraph)


def _paragraphs(lines: Iterable[str]) -> Iterator[list[tuple[int, str]]]:
    """Give runs of lines that belong together, each with its number."""
    held: list[tuple[int, str]] = []
    size, fence, blank, quoted = 0, "", True, False
    for number, raw in enumerate(lines, start=1):
        line = raw.rstrip()
        if (mark := _FENCE.match(line)) and fence in ("", mark[1]):
            fence = "" if fence else mark[1]
            line = ""
        elif fence or (blank and re.match(r"(?: {4}|\t)\S", line) and not _ITEM.match(line)):
            continue
        ends = not line.strip() or _HEADING.match(line) or _TABLE.match(line)
        if _RULE.match(line):  # the line above it is a heading
            held, size, ends = held[:-1] if line.strip()[0] in "=-" and len(held) == 1 else held, 0, True
        if ends or _ITEM.match(line) or size > LONGEST_PARAGRAPH or bool(_QUOTE.match(line)) is not quoted:
            if held:
                yield held
            held, size = [], 0
        blank, quoted = not line.strip(), bool(_QUOTE.match(line))
        if not ends:
            held.append((number, _QUOTE.sub("", _ITEM.sub("", line)).strip()))
            size += len(line)
    if held:
        yield held


def _parted(paragraph: list[tuple[int, str]]) -> Iterator[Found]:
    text, starts = "", []
    for number, line in paragraph:
        starts.append((len(text), number))
        text += line + " "
    begin, place = 0, 0
    for end in [*_ends(text), len(text)]:
        said = text[begin:end].strip()
        if said and len(said) <= LONGEST_SENTENCE and _is_sentence(said):
            first = begin + len(text[begin:end]) - len(text[begin:end].lstrip())
            yield Found(_plain(said), max(number for start, number in starts if start <= first), place)
            place += 1
        begin = end


def _ends(text: str) -> Iterator[int]:
    for match in _END.finditer(text):
        before = text[: match.start()].rpartition(" ")[2].lstrip("([\"'“‘«").casefold()
        after = text[match.end() :].lstrip()[:1]
        if match[0][0] == "." and match[0].startswith(".") and not match[0].startswith(".."):
            if before in _ABBREVIATIONS or (len(before) == 1 and before.isalpha() and before != "i"):
                continue
            if re.fullmatch(r"(?:[^\W\d_]\.)+[^\W\d_]", before) and not (after.isupper() and len(before) > 3):
                continue
            if re.fullmatch(r"\d{1,2}", before) and (after.islower() or after.isdigit()):  # am 3. mai
                continue
        if after and after.islower():
            continue
        yield match.end()


def _is_sentence(text: str) -> bool:
    words = re.findall(r"[^\W\d_]{2,}", text)
    unspaced = any("\u3040" <= letter <= "\u9fff" for letter in text)
    letters = sum(letter.isalpha() or letter.isspace() for letter in text)
    return (len(words) >= SHORTEST_WORDS or (unspaced and len(text) >= 6)) and letters * 2 >= len(text)


def _plain(text: str) -> str:
    for mark, put in _MARKS:
        text = mark.sub(put, text)
    return " ".join(text.split())
