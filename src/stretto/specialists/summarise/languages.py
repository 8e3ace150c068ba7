"""Small words of a handful of languages, the language of a text, and the common form of a word."""

import re
from collections import Counter
from collections.abc import Iterable

_LISTS = {
    "en": (
        "the of and to in a is that for it as was with be by on not he i this are or his from at which but have "
        "an had they you were their one all we can her has there been if more when will would who so no its our "
        "could than then do did them some what up out about into only other these also may such any my me your "
        "how most over after where"
    ),
    "de": (
        "der die das und in zu den von ist mit dem des sich nicht ein eine auf für als auch an es er so dass daß "
        "kann wie aus bei oder war sind noch werden wird einer nach im einen einem eines über vor zur zum haben "
        "hat nur wenn aber durch man sein sie wurde ihr ihre mehr bis am um unter diese dieser dieses hatte vom "
        "was ich wir keine"
    ),
    "fr": (
        "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont la avec "
        "son aux d l n s qu c ou mais nous vous ils elle on leur ses été était être cette ces comme ont deux même "
        "sans aussi fait si tout leurs entre après dont où"
    ),
    "es": (
        "de la que el en y a los se del las un por con no una su para es al lo como más o pero sus le ha me si "
        "sin sobre este ya entre cuando todo esta ser son dos también fue había era muy años hasta desde está mi "
        "porque qué sólo han yo hay vez puede todos así nos ni parte tiene él uno donde"
    ),
    "it": (
        "di e il la che in a per un del è una i le si con non da al come dei più le della nel sono ma alla ha gli "
        "lo se anche delle o dal su nella ai degli stato essere questo questa era dalla loro tra suo sua hanno "
        "dopo"
    ),
    "pt": (
        "de a o que e do da em um para com não uma os no se na por mais as dos como mas ao ele das à seu sua ou "
        "quando muito nos já eu também só pelo pela até isso ela entre era depois sem mesmo aos seus quem nas me "
        "esse eles foi são"
    ),
    "nl": (
        "de en van het een in is dat op te zijn met voor niet aan er die om ook als dan maar bij of uit nog naar "
        "hij door over ze zich wordt heeft hebben worden tot je mijn deze dit ik werd was meer kan al zou geen"
    ),
}
STOP_WORDS = {language: frozenset(words.split()) for language, words in _LISTS.items()}
ENOUGH = 0.12
"""The part of a text's words that must be small words of a language for it to be taken."""
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_ENDINGS = {
    "en": "ations ation ingly ments ment ness ies ing ers ed es ly er s",
    "de": "ungen ung lich isch ern en er es em e n s",
    "fr": "ements ement ations ation euses euse eux ées ée és é es er s e",
    "es": "aciones ación amente mente idades idad ados adas ado ada es os as o a",
    "it": "azioni azione amente mente ità ati ate ato ata i e o a",
    "pt": "ações ação amente mente idades idade ados adas ado ada es os as o a",
    "nl": "ingen ing heden heid lijk en er s e",
}
"""Common endings, the longest first."""


def words_of(text: str) -> list[str]:
    """Give the words of a text in small letters; of a script without spaces, pairs of letters."""
    found: list[str] = []
    for word in _WORD.findall(text.casefold()):
        if len(word) > 2 and _is_unspaced(word[0]):
            found += [word[at : at + 2] for at in range(len(word) - 1)]
        else:
            found.append(word)
    return found


def language_of(words: Iterable[str]) -> str:
    """Give the language whose small words are most frequent, or "" when none is frequent enough."""
    counts = Counter(words)
    total = sum(counts.values())
    shares = {name: sum(counts[word] for word in small) for name, small in STOP_WORDS.items()}
    best = max(shares, key=lambda name: shares[name])
    return best if total and shares[best] / total >= ENOUGH else ""


def terms_of(words: Iterable[str], language: str) -> list[str]:
    """Give the words that carry meaning, in a common form."""
    small = STOP_WORDS.get(language, frozenset())
    return [_form(word, language) for word in words if word not in small and (len(word) > 1 or _is_unspaced(word))]


def _form(word: str, language: str) -> str:
    for ending in _ENDINGS.get(language, "").split():
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


def _is_unspaced(letter: str) -> bool:
    return "\u3040" <= letter <= "\u30ff" or "\u3400" <= letter <= "\u9fff" or "\u0e00" <= letter <= "\u0eff"
