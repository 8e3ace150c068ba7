"""Figures in a text: numbers with their precision, percentages, money, units, number words, and dates."""

import re
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import Literal, TypeAlias

from stretto.specialists.calculate.cells import read_digits
from stretto.specialists.calculate.tokens import CURRENCY_SIGNS
from stretto.specialists.calculate.units import CURRENCIES
from stretto.specialists.verify import lexicon

Bound: TypeAlias = Literal["as written", "about", "above", "below"]

MOST_FIGURES = 300
FARTHEST = 3
"""How many times "more than 400" may be exceeded and still be meant: farther off is another figure of the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number of a text.

    `half` is half a unit of its last written place: what rounding may have taken. `kind` is "", "%", "points",
    "date", a currency or a dimension; amounts of a dimension are in its base unit, which is `factor` of the
    written one. `word` marks number words.
    """

    text: str
    start: int
    end: int
    amount: Fraction
    half: Fraction
    kind: str = ""
    factor: Fraction = Fraction(1)
    bound: Bound = "as written"
    word: bool = False


_MONTH = "|".join(sorted(lexicon.MONTHS, key=len, reverse=True))
_DATE = re.compile(
    rf"""\b(?:(?P<y1>\d{{4}})[-/.](?P<m1>\d{{1,2}})[-/.](?P<d1>\d{{1,2}})
    | (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\.?\s+(?:of\s+)?(?P<m2>{_MONTH})\.?,?\s+(?P<y2>\d{{4}})
    | (?P<m3>{_MONTH})\.?\s+(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y3>\d{{4}})
    | (?P<d4>\d{{1,2}})\.(?P<m4>\d{{1,2}})\.(?P<y4>\d{{4}}))(?![\w-])""",
    re.VERBOSE | re.IGNORECASE,
)
_UNIT = "|".join(re.escape(one) for one in sorted(lexicon.UNITS, key=len, reverse=True))
_SCALE = "|".join(sorted(lexicon.SCALES, key=len, reverse=True))
_MONEY = "|".join([*sorted(CURRENCIES), *lexicon.CURRENCY_WORDS])
_NUMBER = re.compile(
    rf"""(?<![\w./@#])(?<!\d[:,])(?<![A-Za-z]-)(?P<sign>[-−+](?=[\d.$€£¥]))?
    (?P<before>[$€£¥₹]|(?:{"|".join(sorted(CURRENCIES))})\s?)?(?P<sign2>[-−](?=\d))?
    (?P<digits>\d{{1,3}}(?:[,'’\u00a0\u202f]\d{{3}})+(?:\.\d+)?|\d{{1,3}}(?:\.\d{{3}})+,\d+|\d+,\d{{1,2}}(?!\d)|\d+(?:\.\d+)?|\.\d+)
    (?:[-\s]?(?P<scale>{_SCALE})\b|(?P<suffix>[kKmMbB]|bn|mn)(?![\w/°]))?
    (?:\s?(?P<percent>%|percent\b|per\ cent\b|pct\b)(?P<points>[-\s]?points?\b)?
      |\s?(?P<pp>percentage[-\s]points?\b|pp\b)
      |[-\s]?(?P<money>[$€£¥₹](?!\d)|(?i:{_MONEY})\b(?!\s?\d))
      |[-\s]?(?P<unit>{_UNIT})(?![\w/]))?
    (?![\w%]|[.,:]\d|[-/:@]\w*\d*[A-Za-z_])""",
    re.VERBOSE,
)
_WORD = "|".join(sorted(lexicon.SMALL, key=len, reverse=True))
_WORDS = re.compile(
    rf"\b(?:(?P<part>(?:(?P<top>two|three|one|a)[-\s])?(?P<of>half|(?<=[-\s])(?<!nd\s)(?<!st\s)(?<!rd\s)(?<!th\s)(?:thirds?|quarters?|fifths?|tenth)))(?=\s+(?:of|the|all)\b)"
    rf"|(?P<said>(?:{_WORD}|a(?=\s(?:hundred|thousand|million|billion|dozen)\b))(?:[-\s](?:and[-\s])?(?:{_WORD}|{_SCALE}))*)"
    rf"(?:\s(?P<percent>percent|per\ cent|%))?)\b",
    re.IGNORECASE,
)
_HEDGES: tuple[tuple[Bound, tuple[str, ...]], ...] = (
    ("about", lexicon.ABOUT),
    ("below", lexicon.BELOW),
    ("above", lexicon.ABOVE),
)
_SUFFIXES = {"k": 10**3, "m": 10**6, "b": 10**9, "bn": 10**9, "mn": 10**6}
_DIGIT_SIGNS = str.maketrans({"\u2009": "\u202f", "\u2007": "\u00a0"})


def figures_of(text: str) -> list[Figure]:
    """Give the figures of a text in reading order; digits within names, addresses, versions and times are none."""
    return list(_figures(text))


@lru_cache(maxsize=4096)
def _figures(text: str) -> tuple[Figure, ...]:
    text = text.translate(_DIGIT_SIGNS)
    found = _dates(text)
    taken = [(one.start, one.end) for one in found]
    for match in _NUMBER.finditer(text):
        if len(found) >= MOST_FIGURES:
            break
        if not _within(match, taken) and (one := _number(match, text)) is not None:
            found.append(one)
            taken.append((one.start, one.end))
    for match in _WORDS.finditer(text):
        if len(found) >= MOST_FIGURES:
            break
        if not _within(match, taken) and (one := _words(match, text)) is not None:
            found.append(one)
    return tuple(_ranges(text, sorted(found, key=lambda one: one.start)))


def same(claimed: Figure, stated: Figure) -> bool:
    """Whether a stated figure is the claimed one, rounded as the claim wrote it, within what the claim says of it."""
    if claimed.kind != stated.kind and not _comparable(claimed, stated):
        return False
    if claimed.kind == "date":
        return claimed.amount == stated.amount
    if claimed.kind == "" and stated.factor != 1:  # the claim leaves the unit out
        stated = replace(stated, amount=stated.amount / stated.factor, half=stated.half / stated.factor)
    gap = abs(stated.amount - claimed.amount)
    if gap <= _tolerance(claimed, stated):
        return True
    if claimed.bound == "above":
        return claimed.amount <= stated.amount <= FARTHEST * claimed.amount
    if claimed.bound == "below":
        return claimed.amount / FARTHEST <= stated.amount <= claimed.amount
    return False


def same_digits(claimed: Figure, stated: Figure) -> bool:
    """Whether the numbers agree but for their kind."""
    digits = [re.sub(r"[^\d.]", "", one.text) for one in (claimed, stated)]
    return claimed.kind != stated.kind and bool(digits[0]) and digits[0] == digits[1]


def _tolerance(claimed: Figure, stated: Figure) -> Fraction:
    if claimed.bound == "about":
        return max(_last_place(claimed.amount) / 2, claimed.half, abs(claimed.amount) / 50)
    return claimed.half if claimed.half > stated.half else Fraction(0)


def _last_place(amount: Fraction) -> Fraction:
    """Give the place of the last digit that is not zero: 100 of 1,200."""
    place = Fraction(1)
    if amount == 0 or amount.denominator != 1:
        return Fraction(0)
    while amount % (place * 10) == 0:
        place *= 10
    return place


def _comparable(claimed: Figure, stated: Figure) -> bool:
    """Whether figures of different kinds may be one: a ratio and its percentage, money or a unit left unsaid."""
    if {claimed.kind, stated.kind} == {"%", ""}:
        ratio = claimed if claimed.kind == "" else stated
        return ratio.amount.denominator != 1
    return claimed.kind == "" and stated.kind not in ("%", "points", "date")


def _ranges(text: str, figures: list[Figure]) -> list[Figure]:
    """Give both ends of `from 30 to 24 million` and `10-20 %` the scale and kind that the second one names."""
    found = list(figures)
    for place in range(len(found) - 1):
        one, after = found[place], found[place + 1]
        said = read_digits(re.sub(r"[^\d.,]", "", after.text))
        if one.kind or one.word or after.kind == "date" or not said or not one.text[-1:].isdigit():
            continue
        joined = re.fullmatch(r"\s+to\s+(?:about\s+)?|\s?[-–]\s?", text[one.end : after.start])
        year = len(one.text) == 4 and one.text.isdigit()
        if joined and not year and (after.kind or after.amount != said):
            scale = abs(after.amount / said)
            found[place] = replace(one, amount=one.amount * scale, half=one.half * scale, kind=after.kind)
    return found


def _dates(text: str) -> list[Figure]:
    found = []
    for match in _DATE.finditer(text):
        year, month, day = (next(filter(None, (match[f"{part}{n}"] for n in "1234"))) for part in "ymd")
        number = lexicon.MONTHS.get(month.lower()) or (int(month) if month.isdigit() else 0)
        try:
            amount = Fraction(date(int(year), number, int(day)).toordinal())
        except ValueError:
            continue
        said = Figure(text=match[0], start=match.start(), end=match.end(), amount=amount, half=Fraction(0), kind="date")
        found.append(said)
    return found


def _number(match: re.Match[str], text: str) -> Figure | None:
    digits = match["digits"]
    amount = read_digits(digits)
    if amount is None or len(digits) > 40:
        return None
    decimals = len(digits.rpartition(".")[2]) if "." in digits and not re.search(r"\.\d{3},", digits) else 0
    if re.fullmatch(r"\d+,\d{1,2}|.*\.\d{3},\d+", digits):
        decimals = len(digits.rpartition(",")[2])
    half = Fraction(1, 2 * 10**decimals)
    money = (match["before"] or match["money"] or "").strip()
    scale = lexicon.SCALES.get((match["scale"] or "").lower(), 1)
    if match["suffix"]:
        if match["suffix"] in ("m", "b", "B") and not money:  # metres, bytes
            return _unit(match, amount, half, match["suffix"], text) if match["suffix"] == "m" else None
        scale = _SUFFIXES[match["suffix"].lower()]
    amount, half, kind = amount * scale, half * scale, ""
    if match["percent"] or match["pp"]:
        amount, half, kind = amount / 100, half / 100, "points" if match["pp"] or match["points"] else "%"
    elif money:
        kind = CURRENCY_SIGNS.get(money) or lexicon.CURRENCY_WORDS.get(money.lower()) or money.upper()
        if kind == "cents":
            return None
    elif match["unit"]:
        return _unit(match, amount, half, match["unit"], text)
    return _figure(match, _signed(match, amount), half, kind, text)


def _unit(match: re.Match[str], amount: Fraction, half: Fraction, unit: str, text: str) -> Figure:
    kind, factor = lexicon.UNITS[unit]
    return replace(_figure(match, _signed(match, amount) * factor, half * factor, kind, text), factor=factor)


def _signed(match: re.Match[str], amount: Fraction) -> Fraction:
    return -amount if (match["sign"] or match["sign2"] or "+") in "-−" else amount


def _figure(
    match: re.Match[str], amount: Fraction, half: Fraction, kind: str, text: str, *, word: bool = False
) -> Figure:
    return Figure(
        text=match[0].strip(), start=match.start(), end=match.end(), amount=amount, half=half, kind=kind,
        bound=_bound(text[max(0, match.start() - 24) : match.start()]), word=word,
    )  # fmt: skip


def _words(match: re.Match[str], text: str) -> Figure | None:
    if match["part"]:
        top = {"two": 2, "three": 3}.get((match["top"] or "").lower(), 1)
        amount = lexicon.PARTS[match["of"].lower()] * top
        return _figure(match, amount, Fraction(1, 200), "%", text, word=True)
    amount, half = _counted(match["said"].lower())
    if amount == 1 and not match["percent"]:  # mostly a pronoun
        return None
    kind = "%" if match["percent"] else ""
    scale = 100 if kind else 1
    return _figure(match, amount / scale, half / scale, kind, text, word=True)


def _counted(said: str) -> tuple[Fraction, Fraction]:
    """Read number words: three hundred and twelve thousand."""
    total, current, smallest = 0, 0, 1
    for word in re.split(r"[-\s]+", said):
        if word == "a":
            current = 1
        elif word in lexicon.SMALL:
            current += lexicon.SMALL[word]
            smallest = 1
        elif word == "hundred":
            current, smallest = max(current, 1) * 100, 1
        elif word in lexicon.SCALES:
            total, current, smallest = total + max(current, 1) * lexicon.SCALES[word], 0, 1
    return Fraction(total + current), Fraction(smallest, 2)


def _bound(before: str) -> Bound:
    words = before.lower().rstrip()
    for bound, hedges in _HEDGES:
        if any(re.search(rf"(?:^|[\s(]){re.escape(hedge)}\.?$", words) for hedge in hedges):
            return bound
    return "as written"


def _within(match: re.Match[str], taken: list[tuple[int, int]]) -> bool:
    return any(match.start() < end and start < match.end() for start, end in taken)
