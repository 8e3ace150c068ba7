"""Words, as far as rules need them: their stems, and which verbs ask for the same kind of work."""

import re
from collections.abc import Iterable
from functools import cache

_WORD = re.compile(r"[^\W\d_]+|\d+", re.UNICODE)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

_ALIKE = (
    "analyse analyze examine inspect investigate study diagnose detect",
    "answer explain tell say respond",
    "apply fix repair mend remedy resolve harden remediate",
    "approve accept authorise authorize",
    "block ban",
    "calculate compute evaluate reckon work count total convert add subtract multiply divide",
    "chart plot graph draw visualise visualize",
    "check verify validate prove confirm fact-check test audit recheck",
    "classify categorise categorize label triage sort",
    "clean normalise normalize tidy",
    "compare contrast",
    "compose write draft author",
    "delete remove erase",
    "describe profile characterise characterize overview",
    "extract pull",
    "fetch download",
    "find search retrieve look locate lookup discover seek",
    "merge combine join unite",
    "notify alert inform",
    "plan schedule",
    "propose suggest recommend",
    "query select",
    "rank prioritise prioritize order",
    "read load open parse",
    "report present format render publish",
    "rollback undo revert restore",
    "send mail email post deliver",
    "summarise summarize shorten condense digest brief abridge recap",
    "translate localise localize",
)
_NOUNS = (
    "log logs logfile syslog",
    "breach intrusion break-in compromise",
    "document doc documentation page handbook manual text note article file paper",
    "table csv spreadsheet dataset data rows column",
    "summary digest synopsis overview abstract",
    "report write-up",
    "number figure amount quantity",
    "claim statement assertion",
    "passage excerpt quotation",
    "url link address website web site",
    "expression formula arithmetic sum",
    "mail email message",
)
QUESTIONS = frozenset({"what", "who", "whom", "whose", "when", "where", "which", "why", "how"})
EMPTY = frozenset(
    [
        "a",
        "about",
        "all",
        "also",
        "am",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "been",
        "being",
        "both",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "each",
        "every",
        "for",
        "from",
        "had",
        "has",
        "have",
        "he",
        "her",
        "here",
        "his",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "just",
        "let",
        "me",
        "my",
        "no",
        "nor",
        "not",
        "of",
        "off",
        "on",
        "once",
        "only",
        "onto",
        "or",
        "our",
        "out",
        "over",
        "own",
        "per",
        "please",
        "she",
        "should",
        "so",
        "some",
        "such",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "through",
        "to",
        "too",
        "under",
        "until",
        "up",
        "us",
        "very",
        "was",
        "we",
        "were",
        "will",
        "with",
        "would",
        "you",
        "your",
        "kindly",
        "need",
        "want",
        "like",
        "give",
        "get",
        "make",
        "use",
        "using",
        "what",
        "who",
        "whom",
        "whose",
        "when",
        "where",
        "which",
        "why",
        "how",
        "many",
        "much",
    ]
)
"""Words that say nothing about the work."""


@cache
def stem(word: str) -> str:
    """Give the stem of an English word, the same for its British and American spelling."""
    plain = word.casefold()
    for british, american in (("isation", "ization"), ("ising", "izing"), ("ised", "ized"), ("ise", "ize")):
        if plain.endswith(british) and len(plain) > len(british) + 3:
            plain = plain[: -len(british)] + american
    for british, american in (("analys", "analyz"), ("colour", "color"), ("labour", "labor"), ("favour", "favor")):
        plain = plain.replace(british, american)
    return str(_stemmer().stemWord(plain))


@cache
def _stemmer():  # type: ignore[no-untyped-def]
    import snowballstemmer  # type: ignore[import-untyped]

    return snowballstemmer.stemmer("english")


@cache
def sense(word: str) -> str:
    """Give one word for all that mean alike here, so that `find` meets `search`."""
    own = stem(word)
    return _senses().get(own, own)


@cache
def _senses() -> dict[str, str]:
    found: dict[str, str] = {}
    for group in (*_ALIKE, *_NOUNS):
        first, *others = group.split()
        for one in (first, *others):
            found.setdefault(stem(one), stem(first))
    return found


@cache
def verbs() -> frozenset[str]:
    """Give the stems of the verbs that are known to ask for work."""
    return frozenset(stem(one) for group in _ALIKE for one in group.split())


def words_of(text: str) -> list[str]:
    """Give the words of a text or name in lower case; `rawText`, `raw_text` and `raw text` are the same."""
    return [word.casefold() for word in _WORD.findall(_CAMEL.sub(" ", text))]


def telling(words: Iterable[str]) -> list[str]:
    """Leave out the words that say nothing about the work."""
    return [word for word in words if word not in EMPTY and len(word) > 1]


@cache
def named(text: str) -> tuple[str, ...]:
    """Give the stems of a name, in order: `raw_texts` is (raw, text)."""
    return tuple(stem(word) for word in words_of(text))
