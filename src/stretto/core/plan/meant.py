"""Which skill an unknown name means: told by letters, words or the skills' descriptions, never by likeness alone.

`Text_Translator` is `Text Translator`, a `Text Summarization` that is given text is `Summarization`, and what a
description calls `optical character recognition (OCR)` answers to both names. A name that may mean two skills
means none. The same words always lead to the same skill.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from stretto.core.domain import Skill
from stretto.core.plan.diagnostics import listed
from stretto.core.plan.names import Slips
from stretto.core.plan.schemas import named_types, taken_types

_LONGEST = 100
_TO = "to"
_ACTION = re.compile(r"(?:ing|[st]ion|ment|[eo]r|sis|model)\W*$", re.IGNORECASE)
_CAPITALS = re.compile(r"\b[A-Z]{3,6}\b")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_EITHER = re.compile(r"\s+or\s+|\s*[/|]\s*", re.IGNORECASE)
_IDLE_WORDS = "a an the of by for from in into on with using and its your given tool task model info information"
_IDLE = frozenset(_IDLE_WORDS.split())
_SUFFIXES = (
    "ification ifying ifier ifies ified ify ization isation izing ising izer iser izes ises ized ised ize ise "
    "ational ation ator ating ated ates ate ition ement ment ings ing ions ion ers er ors or als al "
    "ies ied es ed s e y"
)
_ENDINGS = tuple(_SUFFIXES.split())
_TYPE_WORDS = {
    "audio": "speech voice sound",
    "image": "picture photo visual",
    "text": "sentence texts",
    "video": "movie clip",
    "url": "link",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """What is known of a task's surroundings: the named types of what it gets, and of what is wanted of its result.

    Each entry is one value with the types that it may have. `words` says that it gets plain text as well, which
    may be its object or only a setting.
    """

    gets: tuple[frozenset[str], ...] = ()
    gives: tuple[frozenset[str], ...] = ()
    words: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """The skill that a name means, and how that is known."""

    skill: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A skill as it is searched: its words, those of its description in order, and its types."""

    name: str
    words: tuple[str, ...]
    takes: tuple[frozenset[str], ...]
    gives: frozenset[str]
    described: tuple[str, ...]
    task: int  # so many words of the description say what it does: the first sentence
    capitals: frozenset[str]

    def fits(self, wiring: Wiring) -> bool:
        """Whether nothing around it has a type that this skill neither takes nor gives."""
        gets = all(not self.taken or not one or one & self.taken for one in wiring.gets)
        return gets and all(not self.gives or not one or one & self.gives for one in wiring.gives)

    def is_fed(self, wiring: Wiring) -> bool:
        """Whether it gets something of a type that it takes, as far as it names types."""
        return not self.taken or (wiring.words and "text" in self.taken) or any(one & self.taken for one in wiring.gets)

    @property
    def taken(self) -> frozenset[str]:
        return frozenset[str]().union(*self.takes) if all(self.takes) else frozenset()


class Skills:
    """The skills that are there, found by what somebody else called them."""

    def __init__(self, skills: Iterable[Skill]) -> None:
        self._known = [_known(one) for one in {one.name: one for one in skills}.values()]
        self._names = frozenset(one.name for one in self._known)
        self._slips = Slips(one.name for one in self._known)

    def meant(self, name: str, wiring: Wiring) -> Meant | None:
        """Give the one skill that a name means, or None when that is not beyond doubt."""
        if len(name) > _LONGEST:
            return None
        if (found := self._one(name, wiring)) is not None:
            return found
        choices = [one for one in _EITHER.split(name) if one.strip()]
        if len(choices) < 2:
            return None
        told = [one for one in (self._one(choice, wiring) for choice in choices) if one is not None]
        if len({one.skill for one in told}) != 1:
            return None
        return Meant(skill=told[0].skill, why=f"of what the name leaves open only this is there ({told[0].why})")

    def _one(self, name: str, wiring: Wiring) -> Meant | None:
        if name in self._names:
            return Meant(skill=name, why="it has this name")
        near = self._slips.only(name)
        if near is not None:
            return Meant(skill=near, why="the names differ by a slip of the pen")
        words = _words(name)
        if not words:
            return None
        for way in _WAYS:
            found = [one for one in self._known if way.leads(name, words, one)]
            if found:
                fit = [one for one in found if one.fits(wiring)] if way.doubtful or len(found) > 1 else found
                if way.doubtful:
                    fit = [one for one in fit if one.is_fed(wiring)]
                if way.doubtful and not fit:
                    continue
                if len(fit) != 1 or (len(found) > 1 and way.needs_use and not any(wiring.gives)):
                    return None
                among = f", and of {listed(one.name for one in found)} only this fits" if len(found) > 1 else ""
                return Meant(skill=fit[0].name, why=way.why + among)
        return None


@dataclass(frozen=True, slots=True)
class _Way:
    """A way from a name to a skill. Where it is doubtful the types around the task must bear it out."""

    leads: Callable[[str, tuple[str, ...], _Known], bool]
    why: str
    doubtful: bool = False
    needs_use: bool = False  # of several, what is made of the result must tell which


def _known(skill: Skill) -> _Known:
    description = skill.description[:2000]
    return _Known(
        name=skill.name,
        words=_words(skill.name),
        takes=tuple(taken_types(skill.inputs)),
        gives=named_types(skill.output, skill.output),
        described=_words(description),
        task=len(_words(description.partition(". ")[0])),
        capitals=frozenset(_CAPITALS.findall(description)),
    )


def _says_more(words: tuple[str, ...], one: _Known) -> bool:
    """Whether a name has all words of the skill's, and beyond them only types that the skill takes."""
    own, said = set(one.words) - {_TO}, set(words) - {_TO}
    return bool(own - _TYPE_WORDS.keys()) and own <= said and said - own <= _takes(one)


def _explains(words: tuple[str, ...], one: _Known) -> bool:
    """Whether a name has all words of the skill's, and the description has the others."""
    own, said = set(one.words), set(words)
    return bool(own - _TYPE_WORDS.keys() - {_TO}) and own <= said and said <= own | set(one.described)


def _says_else(words: tuple[str, ...], one: _Known) -> bool:
    """Whether two names differ only by types that the skill takes."""
    own, said = set(one.words) - {_TO}, set(words) - {_TO}
    kept = own - _takes(one)
    return bool(kept - _TYPE_WORDS.keys()) and kept <= said and said - own <= _takes(one)


def _takes(one: _Known) -> set[str]:
    return {_word(name) for name in one.taken}


def _named(name: str, words: tuple[str, ...], one: _Known) -> bool:
    """Whether the description has the words of a name for something done, one after the other."""
    return _is_action(name) and len(words) > 1 and words in _windows(one.described, len(words))


def _turned(name: str, words: tuple[str, ...], one: _Known) -> bool:
    """Whether the description says with these words what the skill does: what extracts text is a text extractor.

    Text to audio is never audio to text.
    """
    if not _is_action(name) or len(words) < 2 or _TO in words:
        return False
    return any(sorted(window) == sorted(words) for window in _windows(one.described[: one.task], len(words)))


def _windows(words: tuple[str, ...], count: int) -> list[tuple[str, ...]]:
    return [words[at : at + count] for at in range(len(words) - count + 1)]


def _is_action(name: str) -> bool:
    return _ACTION.search(name) is not None or _TO in _words(name)


def _abbreviated(name: str, one: _Known) -> bool:
    """Whether the description has a name in capitals as it is."""
    return _CAPITALS.fullmatch(name) is not None and name in one.capitals


def _does(words: tuple[str, ...], one: _Known) -> bool:
    """Whether a name is made of types, one of them taken, and of something that a skill known by types only does."""
    if len(words) < 2 or _TO in words:
        return False
    *others, action = words
    types = {_word(name) for name in one.taken | one.gives} | {_TO}
    own = set(one.words) <= {*types, action}
    return own and action in one.described and set(others) <= types and bool(set(others) & _takes(one))


def _initials(name: str, one: _Known) -> bool:
    """Whether a name in capitals is made of the first letters of words side by side in the description."""
    return _CAPITALS.fullmatch(name) is not None and name.lower() in "".join(word[0] for word in one.described)


def _ends_alike(name: str, one: _Known) -> bool:
    """Whether two names are one but for the agent's name before it."""
    own, other = name.rpartition("."), one.name.rpartition(".")
    return own[2].lower() == other[2].lower() and bool(own[1]) is not bool(other[1])


_WAYS = (
    _Way(lambda _, words, one: one.words == words, "the names have the same words"),
    _Way(lambda name, _, one: _ends_alike(name, one), "the names differ by the agent's name alone"),
    _Way(lambda _, words, one: _says_more(words, one), "the name only adds what it takes"),
    _Way(_named, "its description has this name"),
    _Way(lambda name, _, one: _abbreviated(name, one), "its description has this abbreviation"),
    _Way(lambda _, words, one: _explains(words, one), "the name only adds what its description says", True),
    _Way(lambda _, words, one: _says_else(words, one), "the names differ by the types of what it takes only", True),
    _Way(_turned, "what it does is described with these words", True),
    _Way(lambda _, words, one: _does(words, one), "this is what it does, to values of these types", True, True),
    _Way(lambda name, _, one: _initials(name, one), "its description has what this is short for", True),
)


@lru_cache(maxsize=4096)
def _words(text: str) -> tuple[str, ...]:
    """Give the stems of the words of a text, without those that say nothing."""
    return tuple(_word(one) for one in (word.lower() for word in _WORD.findall(text)) if one not in _IDLE)


@lru_cache(maxsize=4096)
def _word(word: str) -> str:
    """Give the stem of a word; words for one type of value are one."""
    for name, others in _TYPE_WORDS.items():
        if word == name or word in others.split():
            return name
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            stem = word[: -len(ending)]
            break
    else:
        stem = word
    return stem[:-1] if len(stem) > 4 and stem[-1] == stem[-2] else stem
