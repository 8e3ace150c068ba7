"""A question to the words and phrases looked for; nothing in it is taken for the index's own query language."""

import re
from dataclasses import dataclass
from importlib.resources import files

from .model import BadQuestion

LONGEST_QUESTION = 4_000
MOST_TERMS = 64

_QUOTED = re.compile(r"\"([^\"]+)\"|“([^”]+)”|„([^“”]+)[“”]|«([^»]+)»")
_WORD = re.compile(r"[^\W_]+")
_COMPOUND = re.compile(r"[^\W_]+(?:[-_./:@][^\W_]+)+")
_POSSESSIVE = re.compile(r"['’]s\b|['’](?=\s|$)")
_UNSPACED = r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
_UNSPACED_SIGN = re.compile(_UNSPACED)
_UNSPACED_RUN = re.compile(f"{_UNSPACED}+")
_CONTROL = {code: " " for code in range(32) if chr(code) not in "\n\t"}

STOP_WORDS = frozenset((files(__package__) / "stop_words.txt").read_text(encoding="ascii").split())


@dataclass(frozen=True, slots=True)
class Terms:
    """What is looked for: phrases must stand as they are, words count where they stand."""

    phrases: tuple[str, ...]
    words: tuple[str, ...]

    @property
    def expression(self) -> str:
        """The terms in the query language of SQLite's FTS5: every one is a quoted string of letters and digits."""
        return " AND ".join([f'"{phrase}"' for phrase in self.phrases] + [f"({self.any})"])

    @property
    def any(self) -> str:
        """Any of the terms, in the same language."""
        return " OR ".join(f'"{term}"' for term in (*self.phrases, *self.words))


def terms_of(question: str) -> Terms:
    """Take a question apart; raises BadQuestion when there is no word in it, or when it is too long.

    Text in quotes is a phrase. Stop words are dropped unless there is nothing else.
    """
    if len(question) > LONGEST_QUESTION:
        raise BadQuestion(f"the question has {len(question)} characters; ask in {LONGEST_QUESTION} at most")
    phrases = [_spelled(next(filter(None, match.groups()))) for match in _QUOTED.finditer(question)]
    rest = _POSSESSIVE.sub(" ", _QUOTED.sub(" ", question))
    every = [term for word in _WORD.findall(rest) for term in _terms_of(word.lower())]
    telling = [word for word in every if word not in STOP_WORDS]
    compounds = [_spelled(compound) for compound in _COMPOUND.findall(rest)]
    phrases = [phrase for phrase in phrases if phrase]
    words = (telling + compounds) or ([] if phrases else every)
    if not words and not phrases:
        raise BadQuestion(
            f"there is no word in the question {question[:80]!r}; ask with words that a document may hold"
        )
    return Terms(tuple(dict.fromkeys(phrases))[:MOST_TERMS], tuple(dict.fromkeys(words))[:MOST_TERMS])


def indexed(text: str) -> str:
    """Give text as it is indexed: signs of scripts without spaces (Chinese, Japanese) stand apart."""
    return _UNSPACED_SIGN.sub(r" \g<0> ", text.translate(_CONTROL))


def _spelled(text: str) -> str:
    return " ".join(_WORD.findall(indexed(text).lower()))


def _terms_of(word: str) -> list[str]:
    """Give a word; of a run of signs without spaces, its pairs."""
    terms = [part for part in _UNSPACED_RUN.sub(" ", word).split() if part]
    for run in _UNSPACED_RUN.findall(word):
        terms += [" ".join(run[at : at + 2]) for at in range(max(1, len(run) - 1))]
    return terms
