"""Near-miss names: which known name was meant. Near linear, however many names are known or missed."""

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches

from stretto.core.plan.diagnostics import listed

_LONGEST = 100
_FEW = 200
_SEARCHES = 30
_NEAR = 0.6
_SHORT = 4


class Names:
    """Known names, searched by misspelt ones. They are looked at with the first search, not before.

    Few names are compared one by one, a bounded number of times. Many are found by their deletions: two names
    that meet when each loses at most one letter differ by one slip or two swapped letters.
    """

    def __init__(self, known: Callable[[], Iterable[str]]) -> None:
        self._give = known
        self._held: list[str] | None = None
        self._plain: dict[str, str] = {}
        self._shortened: dict[str, str] | None = None
        self._listed: str | None = None
        self._searches = 0

    def nearest(self, name: str) -> str | None:
        """Give the known name closest to a slip of the pen, or None."""
        known = self._known()
        if len(name) > _LONGEST or not known:
            return None
        if (close := self._plain.get(_plain(name))) is not None:
            return close
        if len(known) <= _FEW and self._searches < _SEARCHES:
            self._searches += 1
            near = get_close_matches(name, known, 1, _NEAR)
            return near[0] if near else None
        if self._shortened is None:
            self._shortened = {less: one for one in reversed(known) for less in _shorter(one)}
        return next((self._shortened[less] for less in _shorter(name) if less in self._shortened), None)

    def mend(self, name: str, otherwise: str = "") -> str:
        """Say which name may be meant; else `otherwise`, else which names there are."""
        close = self.nearest(name)
        if close is not None:
            return f"Did you mean {close!r}?"
        if otherwise:
            return otherwise
        if self._listed is None:
            self._listed = f"Known: {listed(self._known())}." if self._known() else "There is none at all."
        return self._listed

    def _known(self) -> list[str]:
        if self._held is None:
            self._held = [one for one in self._give() if isinstance(one, str) and len(one) <= _LONGEST]
            self._plain = {_plain(one): one for one in reversed(self._held)}
        return self._held


class Slips:
    """Known names, found by one slip of the pen and only where no other can be meant.

    A slip is another case, space or punctuation; else a letter too many, missing, changed, or swapped with its
    neighbour; a digit is none. A name that is to replace another must be beyond doubt: two that fit are none, and
    a changed letter makes another word where it is the first (`get_alarm`, `set_alarm`) or the word is short.
    Names of fewer than four letters have no slips of letters.
    """

    def __init__(self, known: Iterable[str]) -> None:
        self._plain: dict[str, list[str]] = {}
        self._shortened: dict[str, list[str]] = {}
        for name in dict.fromkeys(known):
            if len(name) <= _LONGEST:
                self._plain.setdefault(_plain(name), []).append(name)
        for plain in self._plain:
            for less in _shorter(plain):
                self._shortened.setdefault(less, []).append(plain)

    def only(self, name: str) -> str | None:
        """Give the one known name that this must be, or None."""
        if len(name) > _LONGEST:
            return None
        plain = _plain(name)
        found = self._plain.get(plain, [])
        if not found and len(plain) >= _SHORT:
            near = dict.fromkeys(one for less in _shorter(plain) for one in self._shortened.get(less, ()))
            found = [known for one in near if _is_slip(one, plain) for known in self._plain[one]]
        same = [one for one in found if _digits(one) == _digits(name) and not _is_other_word(one, name)]
        return same[0] if len(found) == len(same) == 1 else None


def one_slip(name: str, known: Iterable[str]) -> str | None:
    """Give the one of a few names that a slip of the pen away is meant, or None; see `Slips`."""
    return Slips(known).only(name)


def _is_slip(one: str, other: str) -> bool:
    """Whether one edit leads from one to the other: Damerau and Levenshtein's distance is 1.

    The two have become the same by a letter less in one or both: their lengths differ by 1 at most.
    """
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    left, right = one[start:], other[start:]
    return (
        left[1:] == right
        or left == right[1:]
        or left[1:] == right[1:]
        or (left[2:] == right[2:] and left[:2] == right[1::-1])
    )


def _is_other_word(one: str, other: str) -> bool:
    """Whether two names of as many words differ by the first letter of a word, or by a letter of a short word."""
    ours, theirs = (re.findall(r"[^\W_]+", name.lower()) for name in (one, other))
    if len(ours) != len(theirs):
        return False
    differing = [(a, b) for a, b in zip(ours, theirs, strict=True) if len(a) == len(b) and sorted(a) != sorted(b)]
    return any(a[0] != b[0] or len(a) <= _SHORT for a, b in differing)


def _digits(name: str) -> str:
    return "".join(letter for letter in name if letter.isdigit())


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum()) or name


def _shorter(name: str) -> list[str]:
    if len(name) < _SHORT:  # every short name is near every other
        return [name]
    return [name, *(name[:at] + name[at + 1 :] for at in range(len(name)))]
