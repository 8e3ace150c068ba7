"""The words of a text: names, content words in a common form, directions and negations, clauses."""

import re
from dataclasses import dataclass, field

from stretto.specialists.verify import lexicon
from stretto.specialists.verify.figures import Figure, figures_of

_TOKEN = re.compile(
    r"[A-Za-z0-9][\w.+-]*@[\w.-]+\w"  # addresses of mail
    r"|https?://[^\s<>\"')\]]+[\w/]"
    r"|[\w~-]*/[\w./~-]*\w|\d+(?:\.\d+){2,}(?::\d+)?|\d{1,2}:\d{2}(?::\d{2})?"  # paths, addresses, versions, times
    r"|[^\W_]+(?:[._-][^\W_]+)+|[^\W\d_]+['’][^\W\d_]+|\w+"
)
_POSSESSIVE = re.compile(r"['’]s$|(?<=s)['’]$")
_SPLIT = re.compile(
    r";\s|[.!?]\s+(?=[A-Z])|,\s+|\s+(?:but|while|whereas|although|and|however)\s+|\s\|\s", re.IGNORECASE
)
_NO_WAY = re.compile(
    r"\b(?:more|less|fewer|greater|higher|lower) than (?=[\d$€£])|\b(?:over|above|below|under) (?=[\d$€£])"
    r"|\bup to\b|\bfollow\w* up\b|\bset up\b|\blog\w* in\b",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z])[A-Z][a-z]+|[A-Z][a-z]+(?=[A-Z])")
_QUOTE = re.compile(r"“([^”]{3,})”|\"([^\"]{3,})\"|«\s?([^»]{3,}?)\s?»|„([^“”]{3,})[“”]|`([^`]{2,})`")


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a text with its figures: the unit in which who, how much and which way belong together."""

    text: str
    figures: list[Figure] = field(default_factory=list)
    names: frozenset[str] = frozenset()
    stems: frozenset[str] = frozenset()
    direction: int = 0
    negated: bool = False


def tokens_of(text: str) -> list[str]:
    """Give the words, names, addresses and paths of a text."""
    return [_POSSESSIVE.sub("", one) for one in _TOKEN.findall(text)]


def quotes_of(text: str) -> list[str]:
    """Give what stands in quotation marks."""
    return ["".join(one) for one in _QUOTE.findall(text)]


def stem(word: str) -> str:
    """Give a common form of a word: known synonyms fall together, common English endings go."""
    low = word.casefold()
    if low in lexicon.SYNONYMS:
        return f"={lexicon.SYNONYMS[low]}"
    for ending, put in (
        ("ies", "y"),
        ("sses", "ss"),
        ("ments", ""),
        ("ment", ""),
        ("ing", ""),
        ("edly", ""),
        ("ed", ""),
        ("ly", ""),
        ("es", ""),
        ("s", ""),
    ):
        if low.endswith(ending) and len(low) - len(ending) >= 3 and not low.endswith("ss"):
            low = low[: -len(ending)] + put
            break
    if len(low) > 4 and low[-1] == low[-2] and low[-1] not in "aeouls":  # shipped, planning
        low = low[:-1]
    return low[:-1] if low[-1] in "ey" and len(low) > 4 else low


def names_of(text: str, figures: list[Figure] | None = None) -> list[str]:
    """Give the names of a text: capitalised words, abbreviations, identifiers, addresses, paths, times.

    A capital at the beginning of a sentence makes no name by itself; see `openers_of`.
    """
    openers = {start for start, _ in _openers(text)}
    return [
        word
        for start, word in _words(text, figures)
        if _is_name(word) and (start not in openers or not word.isalpha() or word[1:] != word[1:].lower())
    ]


def compounds_of(text: str) -> list[str]:
    """Give words of small letters with a hyphen, like `db-primary`: names of machines, or plain words."""
    return [one for one in dict.fromkeys(tokens_of(text)) if re.fullmatch(r"[a-z]+(?:-[a-z]+)+", one)]


def openers_of(text: str) -> list[str]:
    """Give the words that begin a sentence with a capital: names, or not."""
    return [
        word
        for _, word in _openers(text)
        if word.casefold() not in lexicon.STOP | lexicon.UP | lexicon.DOWN | lexicon.NEGATIONS
    ]


def content_of(text: str, figures: list[Figure] | None = None) -> set[str]:
    """Give the content words in their common form, without names, figures, directions and small words."""
    names = {one.casefold() for one in names_of(text, figures)}
    skipped = lexicon.STOP | lexicon.UP | lexicon.DOWN | lexicon.NEGATIONS
    return {
        stem(word)
        for _, word in _words(text, figures)
        if word.casefold() not in names and word.casefold() not in skipped and len(word) > 1 and not word.isdigit()
    }


def direction_of(text: str) -> int:
    """Give 1 where a text speaks of more, -1 of less, 0 where it says neither or both."""
    ups, downs = directions_in(text)
    return bool(ups) - bool(downs)


def directions_in(text: str) -> tuple[set[str], set[str]]:
    """Give the words of a text that speak of more, and those of less."""
    plain = _NO_WAY.sub(" ", text)
    words = {one.casefold() for one in tokens_of(plain)}
    return words & lexicon.UP, words & lexicon.DOWN


def negated(text: str) -> bool:
    """Whether a text denies: an odd number of negations."""
    words = [
        one.casefold().replace("’", "'")
        for one in tokens_of(re.sub(r"\bno more than\b|\bnot only\b|\bnot least\b", " ", text))
    ]
    return sum(one in lexicon.NEGATIONS for one in words) % 2 == 1


def sides_of(text: str) -> dict[int, int]:
    """Give for each pair of opposites that a text speaks of which side it takes: 1 or -1; both is 0."""
    found: dict[int, int] = {}
    for word in [*tokens_of(text), *_CAMEL.findall(text)]:
        if (known := lexicon.OPPOSITES.get(word.casefold())) is not None:
            pair, side = known
            found[pair] = side if found.get(pair, side) == side else 0
    return found


def clauses_of(text: str) -> list[Clause]:
    """Part a text into clauses: a part without a figure or direction of its own goes with the next."""
    figures = figures_of(text)
    cuts = [
        (match.start(), match.end())
        for match in _SPLIT.finditer(text)
        if not any(one.start < match.end() and match.start() < one.end for one in figures)
    ]
    starts, ends = [0, *(end for _, end in cuts)], [*(start for start, _ in cuts), len(text)]
    parts: list[tuple[int, int]] = []
    begun: int | None = None
    for start, end in zip(starts, ends, strict=True):
        begin = start if begun is None else begun
        said = text[start:end]
        if any(start <= one.start < end for one in figures) or direction_of(said):
            parts.append((begin, end))
            begun = None
        else:
            begun = begin
    if begun is not None:
        if parts:
            parts[-1] = (parts[-1][0], len(text))
        else:
            parts.append((begun, len(text)))
    return [_clause(text[start:end]) for start, end in parts]


def _clause(text: str) -> Clause:
    figures = figures_of(text)
    return Clause(
        text=text,
        figures=figures,
        names=frozenset(one.casefold() for one in [*names_of(text, figures), *_sole_openers(text)]),
        stems=frozenset(content_of(text, figures)),
        direction=direction_of(text),
        negated=negated(text),
    )


def _sole_openers(text: str) -> list[str]:
    return [one for one in openers_of(text) if one.casefold() not in lexicon.SYNONYMS]


def _words(text: str, figures: list[Figure] | None) -> list[tuple[int, str]]:
    spans = [(one.start, one.end) for one in (figures_of(text) if figures is None else figures)]
    return [
        (match.start(), _POSSESSIVE.sub("", match[0]))
        for match in _TOKEN.finditer(text)
        if not any(match.start() < end and start < match.end() for start, end in spans)
    ]


def _openers(text: str) -> list[tuple[int, str]]:
    """Give capitalised words at the beginning of sentences, unless another capital follows at once."""
    found = []
    for match in re.finditer(r"(?:^|[.!?:]\s+|[-*•|]\s+|\n\s*)[\"“'(]?([^\W\d_][\w'’-]*)(\s+[^\W\d_][\w]*)?", text):
        word, follows = match[1], (match[2] or "").strip()
        if word[0].isupper() and not (follows[:1].isupper() and follows.casefold() not in lexicon.STOP):
            found.append((match.start(1), _POSSESSIVE.sub("", word)))
    return found


def _is_name(word: str) -> bool:
    low = word.casefold()
    if low in lexicon.STOP or low in lexicon.MONTHS or low in lexicon.SCALES or low in lexicon.NEGATIONS:
        return False
    if any(letter.isdigit() for letter in word):
        return not word.isdigit()
    if word[0].isupper():
        return low not in lexicon.UP and low not in lexicon.DOWN
    return any(sign in word for sign in "/@_") or ("." in word and not word.endswith("."))
