"""Sentences of notes that say a number which the tables know too, read by rule; what is not sure to be read is left."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import figures
from figures import REVENUE, UNITS, Figure
from tables import Market

from stretto.specialists.retrieve import UnreadableDocument, read_document
from stretto.specialists.retrieve.documents import MOST_LINES
from stretto.specialists.summarise.sentences import sentences_of
from stretto.specialists.verify.figures import Figure as Stated
from stretto.specialists.verify.figures import figures_of

_ORDINALS = ("first", "second", "third", "fourth")
_QUARTER = re.compile(
    rf"\bQ([1-4])(?:\s+of)?[\s-]?(\d{{4}})\b|\b(\d{{4}})[\s-]?Q([1-4])\b|\b({'|'.join(_ORDINALS)})\s+quarter\s+of\s+(\d{{4}})\b",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\b(?:19|20)\d{2}\b")
_NOT_A_FACT = re.compile(
    r"\b(?:expect\w*|forecast\w*|predict\w*|plans?|planned|aims?|hopes?|targets?|will|would|could|may|might|should|if"
    r"|wants?|not|never|nearly no)\b|\?|[’']t\b",
    re.IGNORECASE,
)
_ANOTHER_SCOPE = re.compile(
    r"\b(?:half|H[12]|months?|weeks?|days?|spring|summer|autumn|winter|so far|mid-\w+|online|web|exports?|exported"
    r"|abroad|used|rental|rented|leased?|fleets?|each|every|daily|weekly|monthly|of which|of them"
    r"|including|without|except|excluding|extra|additional|another|per (?!unit\b|year\b|cent\b)\w+"
    r"|January|February|March|April|May|June|July|August|September|October|November|December)\b"
    r"|\b(?:more|fewer|less|higher|lower|larger|smaller)\b(?!\s+than\s+(?:[A-Z]{3}\s)?[\d€$£])",
    re.IGNORECASE,
)
_SPAN = re.compile(r"\b(?:since|until|between|from|compared|against|versus)\b", re.IGNORECASE)
_TO = re.compile(r"\bto\s+(?:about|around|roughly|nearly|almost|some|more than|less than|over)?\s*$", re.IGNORECASE)
_UP = re.compile(r"\b(?:rose|grew|grown|risen|increased|climbed|gained|up|growth)\b", re.IGNORECASE)
_DOWN = re.compile(r"\b(?:fell|fallen|dropped|declined|decreased|shrank|shrunk|lost|down)\b", re.IGNORECASE)
_REVENUE = re.compile(r"\b(?:revenues?|sales|turnover|market|business)\b", re.IGNORECASE)
_UNITS = re.compile(r"\b(?:units?|volumes?|sold|sales|shipped|delivered)\b", re.IGNORECASE)
_YEARLY = re.compile(r"\b(?:per year|a year|annually|yearly|CAGR)\b", re.IGNORECASE)
_YEAR_AGO = re.compile(r"\b(?:year[- ]on[- ]year|(?:a|one) year (?:earlier|before)|year before)\b", re.IGNORECASE)
_BOUNDS = {"as written": "", "about": "about ", "above": "more than ", "below": "less than "}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence of a note and the lines over which it stands."""

    text: str
    file: str
    lines: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A sentence that says a number of the tables: which figure is meant, and what it is said to be."""

    sentence: Sentence
    figure: Figure
    stated: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """What was read in notes: statements, sentences with figures that no table was found for, what was not readable."""

    statements: list[Statement]
    others: list[Sentence]
    gaps: list[str]


def notes_of(market: Market, files: Sequence[str]) -> Notes:
    """Read the sentences of notes that hold figures; of a note at most its first 10,000 lines."""
    statements, others, gaps = [], [], []
    for file in files:
        try:
            found = list(_sentences(file))
        except UnreadableDocument as error:
            gaps.append(f"{Path(file).name} could not be read: {str(error).removeprefix(f'{file}: ')}")
            continue
        for sentence in found:
            if not _amounts(sentence.text):
                continue
            read = _read(market, sentence.text)
            if read is None:
                others.append(sentence)
            else:
                statements.append(Statement(sentence=sentence, figure=read[0], stated=read[1]))
    return Notes(statements=statements, others=others, gaps=gaps)


def lines_of(lines: Sequence[str], first: int, sentence: str) -> list[int]:
    """Give the lines over which a sentence stands that begins in line `first`; `lines` count from 1."""
    wanted, joined = "".join(sentence.split()), ""
    for number in range(first, len(lines) + 1):
        joined += "".join(lines[number - 1].split())
        if wanted in joined:
            return list(range(first, number + 1))
    return [first]


def _sentences(file: str) -> Iterator[Sentence]:
    document = read_document(file, 1, MOST_LINES)
    lines = document.text.split("\n")
    for heading in document.headings:
        lines[heading.line - 1 : heading.line] = [""]  # else it would run into the sentence below it
    for one in sentences_of(lines):
        yield Sentence(text=one.text, file=file, lines=lines_of(lines, one.line, one.text))


def _amounts(text: str) -> list[Stated]:
    """Give the figures of a sentence that are no part of a date: amounts, percentages, counts in digits."""
    times = [match.span() for match in (*_QUARTER.finditer(text), *_YEAR.finditer(text))]
    return [
        one
        for one in figures_of(text)
        if one.kind != "date"
        and not (one.word and one.kind == "")
        and not any(start <= one.start and one.end <= end for start, end in times)
    ]


def _read(market: Market, text: str) -> tuple[Figure, str] | None:
    """Give the figure that a sentence speaks of and what it says; None unless that is beyond doubt."""
    amounts = _amounts(text)
    dated = any(one.kind == "date" for one in figures_of(text))
    if len(amounts) != 1 or dated or _NOT_A_FACT.search(text) or _ANOTHER_SCOPE.search(text):
        return None
    companies, regions = _named(market.companies(), text), _named(market.regions(), text)
    if len(companies) > 1 or len(regions) > 1:
        return None
    company, region = (*companies, "")[0], (*regions, "")[0]
    quarters = [_quarter(match) for match in _QUARTER.finditer(text)]
    years = [] if quarters else sorted(set(_YEAR.findall(text)))
    stated, falls = amounts[0], False
    if stated.kind == "%":
        falls = bool(_DOWN.search(text))
        figure = _ratio(market, text, company, region, quarters or years)
    elif len(quarters or years) == 1:
        figure = _amount(market, text, stated, company, region, (quarters or years)[0])
    else:
        figure = None
    if figure is None or (stated.kind not in ("", "%") and stated.kind != figure.unit):
        return None
    said = stated.text if not falls or stated.amount < 0 else f"-{stated.text}"
    return figure, f"{_BOUNDS[stated.bound]}{said}"


def _amount(market: Market, text: str, stated: Stated, company: str, region: str, period: str) -> Figure | None:
    moved = _UP.search(text) or _DOWN.search(text)
    if _SPAN.search(text) or (moved and not _TO.search(text[: stated.start])):
        return None
    if stated.kind == "":
        if re.search(r"\brecall(?:s|ed)?\b|\bcalled back\b", text, re.IGNORECASE):
            return figures.recalled(market, period, company) if not region and "Q" not in period else None
        return figures.total(market, UNITS, period, company, region) if _UNITS.search(text) else None
    if re.search(r"\bprices?\b", text, re.IGNORECASE):
        return figures.price(market, period, company) if company and not region and "Q" in period else None
    if re.search(r"\bper unit\b", text, re.IGNORECASE):
        return figures.per_unit(market, period, company, region)
    return figures.total(market, REVENUE, period, company, region) if _REVENUE.search(text) else None


def _ratio(market: Market, text: str, company: str, region: str, periods: Sequence[str]) -> Figure | None:
    asked = next((one for one in ("satisfied", "recommend") if re.search(rf"\b{one}", text, re.IGNORECASE)), None)
    if asked is not None:
        plain = len(periods) == 1 and "Q" not in periods[0] and not region
        return figures.answered(market, asked, periods[0], company) if plain else None
    amount = UNITS if re.search(r"\b(?:units?|volumes?|sold)\b", text, re.IGNORECASE) else REVENUE
    if re.search(r"\bshare\b|\baccounts? for\b|\baccounted for\b", text, re.IGNORECASE):
        if bool(company) == bool(region) or len(periods) != 1 or _UP.search(text) or _DOWN.search(text):
            return None
        return figures.share(market, amount, periods[0], company, region)
    if bool(_UP.search(text)) == bool(_DOWN.search(text)):
        return None
    if re.search(r"\bprices?\b", text, re.IGNORECASE):
        known = len(periods) == 2 and company and not region and all("Q" in one for one in periods)
        return figures.price_change(market, periods[0], periods[1], company) if known else None
    if not (_REVENUE.search(text) or _UNITS.search(text)):
        return None
    if len(periods) == 2 and _YEARLY.search(text) and not any("Q" in one for one in periods):
        return figures.yearly_growth(market, amount, periods[0], periods[1], company, region)
    span = _span(text, periods)
    return figures.growth(market, amount, *span, company, region) if span is not None else None


def _span(text: str, periods: Sequence[str]) -> tuple[str, str] | None:
    """Give the two periods that a change is between; a single year is held against the one before."""
    if len(periods) == 2 and periods[0] != periods[1]:
        return periods[0], periods[1]
    if len(periods) != 1 or _SPAN.search(text) or ("Q" in periods[0] and not _YEAR_AGO.search(text)):
        return None
    return f"{int(periods[0][:4]) - 1}{periods[0][4:]}", periods[0]


def _named(names: Sequence[str], text: str) -> list[str]:
    return [one for one in names if re.search(rf"(?<!\w){re.escape(one)}(?!\w)", text, re.IGNORECASE)]


def _quarter(match: re.Match[str]) -> str:
    number, year, year_first, number_last, ordinal, year_of = match.groups()
    if ordinal:
        return f"{year_of}-Q{_ORDINALS.index(ordinal.casefold()) + 1}"
    return f"{year or year_first}-Q{number or number_last}"
